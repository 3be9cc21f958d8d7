"""What several tests share: random examples, adapters that already act, a command's outcome."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from yukjo.backends.torch.base import Base
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config.models import LoraConfig
from yukjo.config.presets import ALL_LINEAR
from yukjo.ports import Piece
from yukjo.records import Example

Tiny = Callable[[str], Path]
KINDS = ("qwen3", "llama", "gemma3", "gemma2")
ALL = LoraConfig(rank=4, alpha=8, targets=ALL_LINEAR)
SOME = LoraConfig(rank=8, alpha=32, targets=("q_proj", "v_proj"))


def toy(*lengths: int, seed: int = 0) -> tuple[Example, ...]:
    """Random examples of these lengths: the first third is asked, the rest learned."""
    draw = torch.Generator().manual_seed(seed)
    examples = []
    for number, length in enumerate(lengths):
        tokens = tuple(torch.randint(0, 250, (length,), generator=draw).tolist())
        learn = tuple(place >= max(1, length // 3) for place in range(length))
        examples.append(Example("a", f"{seed}/{number}", str(number), tokens, learn))
    return tuple(examples)


def trainer_on(
    folder: Path,
    adapters: dict[str, LoraConfig],
    dtype: Literal["float32", "bfloat16"] = "float32",
    *,
    load_in_4bit: bool = False,
    flash: bool | None = None,
) -> TorchTrainer:
    """A trainer whose adapters already act: B is random, not zero."""
    base = Base(folder, dtype=dtype, load_in_4bit=load_in_4bit, flash=flash)
    trainer = TorchTrainer(base, name="tiny")
    for seed, (name, config) in enumerate(adapters.items()):
        trainer.add(name, config, seed=seed, weight_decay=0.0)
        draw = torch.Generator().manual_seed(100 + seed)
        for pair in trainer.adapters[name].pairs.values():
            pair.b.data.copy_(torch.randn(pair.b.shape, generator=draw) * 0.05)
    return trainer


def piece(adapter: str, examples: Sequence[Example]) -> Piece:
    return Piece(adapter, tuple(examples), sum(e.learned for e in examples), noise=0)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    def json(self) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.out)
        return document


Yukjo = Callable[..., Said]
