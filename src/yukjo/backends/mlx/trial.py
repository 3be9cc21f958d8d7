"""What `yukjo doctor --mlx` tries: a tiny training, twice, in two workers.

On Linux it shows that the parts fit; on a Mac what only a Mac can: that Metal gives the same bits
twice, how fast it goes, and whether the system sees the memory that MLX takes.
"""

import json
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from yukjo import machine
from yukjo.backends.mlx.trainer import MlxTrainer
from yukjo.backends.mlx.worker import Worker
from yukjo.backends.peft_config import WEIGHTS
from yukjo.config.models import LoraConfig
from yukjo.config.presets import ALL_LINEAR
from yukjo.files import sha256_file, write_whole
from yukjo.ports import Piece
from yukjo.records import Example

_HELD_MB = 256
_STEPS, _ROWS, _LENGTH = 3, 2, 64
_WIDE, _INNER, _LAYERS, _HEADS, _WORDS = 256, 768, 4, 4, 4096


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it."""

    device: str
    """metal or cpu."""
    hashes: tuple[str, str]
    """SHA-256 of the adapter of each of the two trainings."""
    tokens_per_s: float
    seen: float
    """Share of the memory that MLX took which the system showed from outside."""


def trial() -> Trial:
    """Make a base of random numbers, train on it twice, and look."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        _make_base(place)
        first, _, _, _ = _trained(place, place / "first")
        second, speed, device, seen = _trained(place, place / "second")
    return Trial(device, (first, second), speed, seen)


def _trained(base: Path, out: Path) -> tuple[str, float, str, float]:
    """Hash, tokens a second, device, and the share of memory seen, of one worker's training."""
    worker = Worker(base, dtype="float32", limit_mb=math.inf)
    trainer = MlxTrainer(worker, name="trial")
    trainer.add("trial", LoraConfig(targets=ALL_LINEAR), seed=0, weight_decay=0.0)
    piece = _piece()
    trainer.backward([piece])  # kernels are built once
    began = time.perf_counter()
    for _ in range(_STEPS):
        trainer.backward([piece])
        trainer.update("trial", learning_rate=1e-3, clip=1.0)
    speed = _STEPS * _ROWS * _LENGTH / (time.perf_counter() - began)
    trainer.save("trial", out)
    before = machine.resident_mb_of(worker.pid) or 0.0
    worker.ask("hold", mb=_HELD_MB)
    seen = ((machine.resident_mb_of(worker.pid) or 0.0) - before) / _HELD_MB
    device = worker.facts["mlx device"]
    worker.close()
    return sha256_file(out / WEIGHTS), speed, device, seen


def _piece() -> Piece:
    draw = np.random.default_rng(0)
    examples = [
        Example("trial", str(n), str(n), tuple(draw.integers(0, _WORDS, _LENGTH).tolist()),
                tuple(place > 0 for place in range(_LENGTH)))
        for n in range(_ROWS)
    ]  # fmt: skip
    return Piece("trial", tuple(examples), sum(e.learned for e in examples), noise=0)


def _make_base(folder: Path) -> None:
    """A small Llama of random weights."""
    from safetensors.numpy import save

    config = {
        "model_type": "llama", "hidden_size": _WIDE, "intermediate_size": _INNER,
        "num_hidden_layers": _LAYERS, "num_attention_heads": _HEADS, "num_key_value_heads": _HEADS,
        "vocab_size": _WORDS, "rms_norm_eps": 1e-6, "rope_theta": 1e4, "tie_word_embeddings": True,
    }  # fmt: skip
    shapes = {"model.embed_tokens.weight": (_WORDS, _WIDE), "model.norm.weight": (_WIDE,)}
    for layer in range(_LAYERS):
        shapes |= {f"model.layers.{layer}.{name}.weight": shape for name, shape in _LAYER.items()}
    draw = np.random.default_rng(0)
    tensors = {
        name: draw.standard_normal(shape, dtype=np.float32) * np.float32(0.05)
        if len(shape) == 2  # noqa: PLR2004 - a matrix
        else np.ones(shape, np.float32)
        for name, shape in shapes.items()
    }
    write_whole(folder / "config.json", json.dumps(config))
    write_whole(folder / "model.safetensors", save(tensors, metadata={"format": "pt"}))


_LAYER: dict[str, tuple[int, ...]] = {
    **{f"self_attn.{name}": (_WIDE, _WIDE) for name in ALL_LINEAR[:4]},
    **{f"mlp.{name}": (_INNER, _WIDE) for name in ALL_LINEAR[4:6]},
    "mlp.down_proj": (_WIDE, _INNER),
    "input_layernorm": (_WIDE,),
    "post_attention_layernorm": (_WIDE,),
}
