"""LoRA weights of an adapter, and the linear layer that applies several of them at once.

An adapter's rows stand together in a pack (a lane), so that its matmuls have the same shape
alone and beside others: that is what makes a joint run equal solo runs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows [start, stop) of a pack belong to `lora`; None is the bare base."""

    lora: Lora | None
    start: int
    stop: int
    noise: int | None = None
    """Seed of dropout; None leaves dropout out."""


@dataclass(slots=True)
class Lanes:
    """Who owns which rows in the forward pass under way; shared by all layers of a base."""

    now: Sequence[Lane] = field(default_factory=tuple)


class LoraLinear(nn.Module):
    """`x W^T + b`, and on each lane's rows `+ alpha / rank * drop(x) A^T B^T`."""

    def __init__(self, linear_: nn.Linear, *, name: str, number: int, lanes: Lanes) -> None:
        super().__init__()
        self.weight, self.bias = linear_.weight, linear_.bias
        self.in_features, self.out_features = linear_.in_features, linear_.out_features
        self.name, self.number, self.lanes = name, number, lanes

    def forward(self, x: Tensor) -> Tensor:
        """X [..., in] -> [..., out] in the weight's type; rows are counted over all but `in`."""
        rows = x.reshape(-1, self.in_features).to(self.weight.dtype)
        out = linear(rows, self.weight, self.bias)
        if any(lane.lora and self.name in lane.lora.weights for lane in self.lanes.now):
            out = out + torch.cat([self._update(rows, lane) for lane in self.lanes.now])
        return out.view(*x.shape[:-1], self.out_features)

    def _update(self, rows: Tensor, lane: Lane) -> Tensor:
        own = rows[lane.start : lane.stop]
        pair = lane.lora.weights.get(self.name) if lane.lora else None
        if lane.lora is None or pair is None:
            return own.new_zeros(len(own), self.out_features)
        config = lane.lora.config
        if config.dropout and lane.noise is not None:
            own = own * self._mask(own, config.dropout, lane.noise)
        inner = linear(own, pair[0].to(own.dtype))
        return linear(inner, pair[1].to(own.dtype)) * (config.alpha / config.rank)

    def _mask(self, own: Tensor, dropout: float, noise: int) -> Tensor:
        """0 or 1 / (1 - dropout), from this lane's and this layer's seed alone."""
        generator = torch.Generator().manual_seed((noise * 1_000_003 + self.number) % 2**63)
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
