"""A frozen base of mlx-lm, and adapters that are put on it and taken off.

An adapter's layers are mlx-lm's own `LoRALinear`, each around a linear layer of the base that all
adapters share. One adapter is worn at a time: what it learns can't depend on its company.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.tuner.lora import LoRALinear
from mlx_lm.tuner.trainer import grad_checkpoint
from mlx_lm.tuner.utils import load_adapters
from mlx_lm.utils import load_model, maybe_set_recommended_wired_limit

from yukjo.backends.mlx.base_settings import settings
from yukjo.backends.mlx.wire import Image, Row
from yukjo.config.models import LoraConfig
from yukjo.config.presets import ALL_LINEAR
from yukjo.errors import ModelError
from yukjo.layer_names import in_transformers
from yukjo.words import say

MIB = 2**20
Talk = Callable[[Sequence[int]], Any]
"""Tokens -> logits [1, T, V] of each, read behind all tokens before."""


@dataclass(frozen=True, slots=True)
class Lora:
    """An adapter: its settings, and its layers by MLX's name in the order torch has them."""

    config: LoraConfig
    layers: Mapping[str, Any]

    def weights(self) -> dict[str, Any]:
        """A [in, rank] and B [rank, out] of every layer: `<layer>/a` and `<layer>/b`."""
        return {
            f"{name}/{side}": layer[f"lora_{side}"]
            for name, layer in self.layers.items()
            for side in "ab"
        }

    def take(self, weights: Mapping[str, Any]) -> None:
        """Compute with these weights from now on."""
        for key, weight in weights.items():
            name, _, side = key.partition("/")
            self.layers[name][f"lora_{side}"] = weight

    def peft(self) -> dict[str, Any]:
        """The weights as PEFT names and turns them: numpy, A [rank, in], B [out, rank]."""
        return {
            peft_key(key): np.ascontiguousarray(np.array(weight).T)
            for key, weight in self.weights().items()
        }


def peft_key(key: str) -> str:
    """PEFT's name of the weight `<layer>/a` or `<layer>/b`."""
    name, _, side = key.partition("/")
    return f"base_model.model.{in_transformers(name)}.lora_{side.upper()}.weight"


class Base:
    """One frozen base in memory."""

    def __init__(self, folder: Path, *, dtype: str, recompute: bool) -> None:
        """Load the Hugging Face or MLX folder; ModelError where that can't be done."""
        maybe_set_recommended_wired_limit()
        try:
            self.model = self._load(folder)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as fault:
            raise ModelError(
                say("the base can't be loaded: {fault}", fault=fault),
                where=str(folder),
                fix=say("name a causal language model of the Qwen, Llama or Gemma family"),
            ) from fault
        self.model.set_dtype(getattr(mx, dtype))
        self.model.freeze()
        mx.eval(self.model.parameters())
        kinds = (nn.Linear, nn.QuantizedLinear)
        found = {n: m for n, m in self.model.named_modules() if isinstance(m, kinds)}
        self.linears = {
            name: found[name] for name in sorted(found, key=_order) if ".layers." in name
        }
        self.vocabulary: int = self.talk(())([0]).shape[-1]
        self._worn: Lora | None = None
        if recompute:
            grad_checkpoint(self.model.layers[0])  # of its class, so of all layers

    def named(self, targets: Sequence[str]) -> list[str]:
        """The layers that `targets` name, by their last part."""
        return [name for name in self.linears if name.rpartition(".")[2] in targets]

    def wrapped(self, config: LoraConfig, names: Sequence[str]) -> Lora:
        """An adapter around these layers, with weights still to be set."""
        made = {
            name: LoRALinear.from_base(
                self.linears[name], r=config.rank, dropout=config.dropout, scale=config.scale
            )
            for name in names
        }
        return Lora(config, made)

    def wear(self, lora: Lora | None, *, noisy: bool = False) -> None:
        """Compute with `lora` from now on, None is the bare base; dropout acts only if `noisy`."""
        if lora is not self._worn:
            for name in self._worn.layers if self._worn else ():
                self._put(name, self.linears[name])
            for name, layer in lora.layers.items() if lora else ():
                self._put(name, layer)
            self._worn = lora
        for layer in lora.layers.values() if lora else ():
            layer.dropout.train(noisy)

    def talk(self, images: Sequence[Image]) -> Talk:
        """Begin an answer: what is said is read on from what was said before."""
        refuse_images(images)
        cache = make_prompt_cache(self.model)
        return lambda tokens: self.model(mx.array([tokens]), cache=cache)

    def put_on(self, adapter: Path) -> None:
        """Let mlx-lm's own loader put an MLX adapter on the bare base."""
        load_adapters(self.model, str(adapter))

    def losses(self, rows: Sequence[Row]) -> Any:
        """Loss in nats of each learned token [N], row after row: fp32.

        Rows are padded on the right: what follows a token changes nothing for it.
        """
        longest = max(len(row["tokens"]) for row in rows)
        padded = [row["tokens"] + [0] * (longest - len(row["tokens"])) for row in rows]
        refuse_images([image for row in rows for image in row["images"]])
        logits_BTV = self.model(mx.array(padded))  # noqa: N806 - axes
        # The logits at t predict the token at t + 1.
        places = [n * longest + t - 1 for n, row in enumerate(rows) for t in row["learned"]]
        targets = [row["tokens"][t] for row in rows for t in row["learned"]]
        picked = logits_BTV.reshape(-1, logits_BTV.shape[-1])[mx.array(places)]
        return nn.losses.cross_entropy(picked.astype(mx.float32), mx.array(targets))

    def size_mb(self) -> float:
        """Of the frozen weights."""
        self.wear(None)
        return size_mb(weight for _, weight in tree_flatten(self.model.parameters()))

    def undressed(self) -> dict[str, Any]:
        """Take off whatever a stock loader put on; its layers by name."""
        found = {name: self._place(name)[name.rpartition(".")[2]] for name in self.linears}
        strange = {name: layer for name, layer in found.items() if layer is not self.linears[name]}
        for name in strange:
            self._put(name, self.linears[name])
        return strange

    def _load(self, folder: Path) -> Any:
        return load_model(folder, model_config=settings(folder))[0]

    def _put(self, name: str, layer: Any) -> None:
        self._place(name)[name.rpartition(".")[2]] = layer

    def _place(self, name: str) -> Any:
        """The module that a layer is part of."""
        place = self.model
        for part in name.split(".")[:-1]:
            place = place[int(part)] if part.isdigit() else place[part]
        return place


def shape(linear: Any) -> tuple[int, int]:
    """(out, in) of a linear layer, packed or not."""
    out, width = linear.weight.shape
    return out, width * 32 // linear.bits if "scales" in linear else width


def size_mb(arrays: Iterable[Any]) -> float:
    """Size of arrays in MiB."""
    return float(sum(array.nbytes for array in arrays)) / MIB


def refuse_images(images: Sequence[Image]) -> None:
    """ModelError where a base without eyes is shown something."""
    if images:
        raise ModelError(
            say("this base sees no images in MLX"),
            where=images[0]["path"],
            fix=say("name a Qwen3-VL base, and install mlx-vlm"),
        )


def _order(name: str) -> tuple[int, int, str]:
    """Where torch has the layer: its seeds are drawn in that order."""
    kind = name.rpartition(".")[2]
    number = next((int(part) for part in name.split(".") if part.isdigit()), -1)
    return number, ALL_LINEAR.index(kind) if kind in ALL_LINEAR else len(ALL_LINEAR), name
