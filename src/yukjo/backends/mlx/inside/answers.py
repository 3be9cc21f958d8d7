"""Answers and logits of the adapters that are loaded to be asked."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from yukjo.backends import peft_config
from yukjo.backends.mlx.inside.base import Base, Lora, peft_key
from yukjo.backends.mlx.inside.steps import summed
from yukjo.backends.mlx.wire import Ask, Image, Row
from yukjo.config.models import LoraConfig
from yukjo.decoding import Draw
from yukjo.errors import AdapterError
from yukjo.layer_names import in_mlx
from yukjo.ports import Turn
from yukjo.words import say

_MLX_WEIGHTS = "adapters.safetensors"


class Asking:
    """Adapters loaded on one base; "" is the bare base."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.loras: dict[str, Lora | None] = {"": None}

    def load(self, adapter: str, folder: Path) -> None:
        """Load a PEFT folder, or an MLX one by MLX's own loader."""
        stock = (folder / _MLX_WEIGHTS).is_file()
        self.loras[adapter] = self._stock(folder) if stock else self._peft(folder)

    def unload(self, adapter: str) -> None:
        """Forget an adapter."""
        del self.loras[adapter]

    def losses(self, rows: Sequence[tuple[str, Row]]) -> list[float]:
        """Summed loss of each row under its adapter."""
        return [summed(self.base, self.loras[adapter], row) for adapter, row in rows]

    def next_logits(
        self, adapter: str, prompts: Sequence[Sequence[int]], images: Sequence[Sequence[Image]]
    ) -> list[list[float]]:
        """fp32 logits of the token after each prompt."""
        self.base.wear(self.loras[adapter])
        pairs = zip(prompts, images, strict=True)
        return [_last(self.base.talk(seen)(prompt)).tolist() for prompt, seen in pairs]

    def answer(self, asked: Ask) -> dict[str, Any]:
        """Tokens of the answer, the seconds it took, and why it ended."""
        began = time.perf_counter()
        self.base.wear(self.loras[asked["adapter"]])
        talk, draw = self.base.talk(asked["images"]), Draw(_turn(asked))
        fresh, made = asked["tokens"], list[int]()
        finish = "length"
        while len(made) < asked["max_tokens"]:
            token = draw.token(_last(talk(fresh)))
            if token in asked["stop"]:
                finish = "stop"
                break
            made.append(token)
            fresh = [token]
        return {"tokens": made, "seconds": time.perf_counter() - began, "finish": finish}

    def _stock(self, folder: Path) -> Lora:
        self.base.wear(None)
        try:
            self.base.put_on(folder)
        except (OSError, ValueError, KeyError, AttributeError, RuntimeError) as fault:
            raise AdapterError(
                say("MLX can't load the adapter: {fault}", fault=fault),
                where=str(folder),
                fix=say("export it again for this base"),
            ) from fault
        finally:
            layers = self.base.undressed()
        first = next(iter(layers.values()))
        rank, targets = first.lora_a.shape[1], {name.rpartition(".")[2] for name in layers}
        config = LoraConfig(rank=rank, alpha=first.scale * rank, targets=tuple(targets))
        return Lora(config, layers)

    def _peft(self, folder: Path) -> Lora:
        config = peft_config.read(folder)
        try:
            tensors: dict[str, Any] = mx.load(str(folder / peft_config.WEIGHTS))
        except (OSError, ValueError, RuntimeError) as fault:
            raise peft_config.no_adapter(fault, folder) from fault
        names = [n for n in self.base.linears if peft_key(f"{n}/a") in tensors]
        lora = self.base.wrapped(config, names)
        lora.take(_placed(lora, tensors, folder))
        mx.eval(lora.weights())
        return lora


def _placed(lora: Lora, tensors: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """PEFT's tensors by the names of `Lora.weights`; each must have its place and shape."""
    left, placed = dict(tensors), {}
    for key, weight in lora.weights().items():
        found = left.pop(peft_key(key), None)
        if found is None or found.T.shape != weight.shape:
            raise peft_config.mismatch(key, folder)
        placed[key] = mx.contiguous(found.astype(mx.float32).T)
    if left or not placed:
        raise peft_config.mismatch(in_mlx(next(iter(left), "-")), folder)
    return placed


def _last(logits: Any) -> Any:
    """The logits after the last token [V] of a batch of one: fp32, numpy."""
    return np.array(logits[0, -1].astype(mx.float32))


def _turn(asked: Ask) -> Turn:
    return Turn(
        adapter=asked["adapter"], tokens=tuple(asked["tokens"]), prefix=0,
        stop=frozenset(asked["stop"]), max_tokens=asked["max_tokens"],
        temperature=asked["temperature"], top_p=1.0, seed=asked["seed"],
    )  # fmt: skip
