"""LoRA weights of an adapter, and the linear layer that applies several of them at once.

An adapter's rows stand together in a pack (a lane), so that its matmuls have the same shape
alone and beside others: that is what makes a joint run equal solo runs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from yukjo.config.models import LoraConfig


@dataclass(slots=True)
class Lora:
    """One adapter: layer name -> (A [rank, in], B [out, rank]), both fp32."""

    config: LoraConfig
    weights: dict[str, tuple[Tensor, Tensor]]

    def parameters(self) -> Iterator[Tensor]:
        """A and B of every layer, in the model's order."""
        for pair in self.weights.values():
            yield from pair

    def to(self, dtype: torch.dtype) -> "Lora":
        """The same adapter in another type, for answering: cast once, not at every token."""
        weights = {name: (a.to(dtype), b.to(dtype)) for name, (a, b) in self.weights.items()}
        return Lora(self.config, weights)


class Owners(Protocol):
    """Who owns which rows in a forward pass, and what their adapters add."""

    def update(self, layer: "LoraLinear", rows: Tensor) -> Tensor | None:
        """What to add to the layer's output [rows, out]; None where no adapter has it."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows [start, stop) of a pack belong to `lora`; None is the bare base."""

    lora: Lora | None
    start: int
    stop: int
    noise: int | None = None
    """Seed of dropout; None leaves dropout out."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Lanes that cover a pack, in order. Each is computed by itself: training needs its bits."""

    lanes: Sequence[Lane]

    def update(self, layer: "LoraLinear", rows: Tensor) -> Tensor | None:
        """Each lane's update, one below the other."""
        if not any(lane.lora and layer.name in lane.lora.weights for lane in self.lanes):
            return None
        return torch.cat([_lane_update(layer, rows, lane) for lane in self.lanes])


class Stack:
    """Rows of many adapters at once, for answering: two matmuls a layer however many adapters.

    All A's stand below each other; what a row's own adapter didn't make is set to 0, and all B's
    beside each other add the rest. Bits may differ from lanes in the last place.
    """

    def __init__(self, loras: Sequence[Lora], owner: Sequence[int | None]) -> None:
        """`owner` names each row's adapter in `loras`."""
        self._loras = loras
        ranks = torch.tensor([lora.config.rank for lora in loras], dtype=torch.long)
        of_column = torch.repeat_interleave(torch.arange(len(loras)), ranks)
        rows = torch.tensor([-1 if o is None else o for o in owner])
        self._mine = rows[:, None] == of_column[None]
        self._joined: dict[str, tuple[Tensor, Tensor] | None] = {}

    def keep(self, places: Sequence[int]) -> None:
        """Go on with the rows at `places`."""
        self._mine = self._mine[list(places)]

    def update(self, layer: "LoraLinear", rows: Tensor) -> Tensor | None:
        """As `Owners.update`; each of its rows stands for as many of `rows`, neighbours."""
        if layer.name not in self._joined:
            self._joined[layer.name] = self._join(layer)
        pair = self._joined[layer.name]
        if pair is None:
            return None
        mine = self._mine.repeat_interleave(len(rows) // len(self._mine), 0)
        return linear(linear(rows, pair[0]) * mine, pair[1])

    def _join(self, layer: "LoraLinear") -> tuple[Tensor, Tensor] | None:
        if not any(layer.name in lora.weights for lora in self._loras):
            return None
        downs, ups = [], []
        for lora in self._loras:
            rank = lora.config.rank
            blank = (torch.zeros(rank, layer.in_features), torch.zeros(layer.out_features, rank))
            a, b = lora.weights.get(layer.name, blank)
            downs.append(a)
            ups.append(b.float() * (lora.config.alpha / rank))
        dtype = layer.weight.dtype
        return torch.cat(downs).to(dtype), torch.cat(ups, 1).to(dtype)


@dataclass(slots=True)
class Pass:
    """The forward pass under way; shared by all layers of a base."""

    owners: Owners = field(default_factory=lambda: Lanes(()))


class LoraLinear(nn.Module):
    """`x W^T + b`, and on the rows of each adapter `+ alpha / rank * drop(x) A^T B^T`."""

    def __init__(self, linear_: nn.Linear, *, name: str, number: int, under_way: Pass) -> None:
        super().__init__()
        self.weight, self.bias = linear_.weight, linear_.bias
        self.in_features, self.out_features = linear_.in_features, linear_.out_features
        self.name, self.number, self.under_way = name, number, under_way

    def forward(self, x: Tensor) -> Tensor:
        """X [..., in] -> [..., out] in the weight's type; rows are counted over all but `in`."""
        rows = x.reshape(-1, self.in_features).to(self.weight.dtype)
        out = linear(rows, self.weight, self.bias)
        update = self.under_way.owners.update(self, rows)
        if update is not None:
            out = out + update
        return out.view(*x.shape[:-1], self.out_features)


def _lane_update(layer: LoraLinear, rows: Tensor, lane: Lane) -> Tensor:
    own = rows[lane.start : lane.stop]
    pair = lane.lora.weights.get(layer.name) if lane.lora else None
    if lane.lora is None or pair is None:
        return own.new_zeros(len(own), layer.out_features)
    config = lane.lora.config
    if config.dropout and lane.noise is not None:
        own = own * _mask(own, config.dropout, seed=lane.noise * 1_000_003 + layer.number)
    inner = linear(own, pair[0].to(own.dtype))
    return linear(inner, pair[1].to(own.dtype)) * (config.alpha / config.rank)


def _mask(own: Tensor, dropout: float, *, seed: int) -> Tensor:
    """0 or 1 / (1 - dropout), from this lane's and this layer's seed alone."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    keep = torch.rand(own.shape, generator=generator) >= dropout
    return keep.to(own.dtype) / (1 - dropout)


def fresh(layers: Sequence[LoraLinear], config: LoraConfig, *, seed: int) -> Lora:
    """A new adapter on the layers its targets name: A uniform as in PEFT, B zero.

    A ~ U(-1/sqrt(in), 1/sqrt(in)), which is Kaiming uniform with a = sqrt(5), PEFT's default.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for layer in layers:
        if layer.name.rpartition(".")[2] in config.targets:
            a = torch.rand(config.rank, layer.in_features, generator=generator) * 2 - 1
            b = torch.zeros(layer.out_features, config.rank)
            weights[layer.name] = (a / math.sqrt(layer.in_features), b)
    for a, b in weights.values():
        a.requires_grad_()
        b.requires_grad_()
    return Lora(config, weights)
