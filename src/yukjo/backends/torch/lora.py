"""LoRA weights of an adapter, and the linear layer that applies several of them at once.

An adapter's rows stand together in a pack (a lane), so that its matmuls have the same shape
alone and beside others: that is what makes a joint run equal solo runs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from yukjo.backends.torch.frozen import Frozen
from yukjo.config.models import LoraConfig


@dataclass(slots=True)
class Pair:
    """A layer's part of an adapter: A [rank, in], B [out, rank], fp32 in training.

    `magnitude` [out] is DoRA's length of each output's weights; None without DoRA.
    """

    a: Tensor
    b: Tensor
    magnitude: Tensor | None = None

    def parameters(self) -> Iterator[Tensor]:
        """What of it is trained."""
        yield self.a
        yield self.b
        if self.magnitude is not None:
            yield self.magnitude


@dataclass(slots=True)
class Lora:
    """One adapter: its settings, and a pair for each layer it changes, in the model's order."""

    config: LoraConfig
    pairs: dict[str, Pair]

    def parameters(self) -> Iterator[Tensor]:
        """All that is trained."""
        for pair in self.pairs.values():
            yield from pair.parameters()

    def cast(self, dtype: torch.dtype) -> "Lora":
        """The same adapter in another type, for answering; DoRA's lengths stay as they are."""
        pairs = {
            name: Pair(pair.a.to(dtype), pair.b.to(dtype), pair.magnitude)
            for name, pair in self.pairs.items()
        }
        return Lora(self.config, pairs)


class Owners(Protocol):
    """Who owns which rows in a forward pass, and what their adapters make of a layer."""

    def apply(self, layer: "LoraLinear", rows: Tensor) -> Tensor:
        """The layer with its adapters: rows [R, in] -> [R, out]."""


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

    def apply(self, layer: "LoraLinear", rows: Tensor) -> Tensor:
        """The frozen layer on all rows at once, then each lane's update on its own."""
        parts, weights = [], []
        for lane in self.lanes:
            pair = lane.lora.pairs.get(layer.name) if lane.lora else None
            if lane.lora and pair and lane.stop > lane.start:
                parts.append(_part(lane, lane.lora, layer, pair))
                weights += [pair.a, pair.b]
        out: Tensor = _LoraFunction.apply(rows, layer, parts, *weights)  # type: ignore[no-untyped-call]
        if any(part.magnitude is not None for part in parts):
            out = _lengthened(out, rows, layer, parts)
        return out


@dataclass(slots=True)
class Pass:
    """The forward pass under way; shared by all layers of a base."""

    owners: Owners = field(default_factory=lambda: Lanes(()))


class LoraLinear(nn.Module):
    """`x W^T + b`, and on the rows of each adapter `+ scale * drop(x) A^T B^T`."""

    def __init__(
        self, frozen: Frozen, *, name: str, number: int, under_way: Pass, level: int = 0
    ) -> None:
        """`level` says how many `vision_layers` reach it; 0 for a layer of the decoder."""
        super().__init__()
        self.frozen = frozen
        self.out_features, self.in_features = frozen.shape
        self.name, self.number, self.under_way, self.level = name, number, under_way, level

    @property
    def called(self) -> str:
        """What `[lora] targets` calls it."""
        return self.name.rpartition(".")[2]

    def forward(self, x: Tensor) -> Tensor:
        """X [..., in] -> [..., out] in the weight's type; rows are counted over all but `in`."""
        rows = x.reshape(-1, self.in_features).to(self.frozen.dtype)
        return self.under_way.owners.apply(self, rows).view(*x.shape[:-1], self.out_features)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a lane asks of one layer."""

    start: int
    stop: int
    scale: float
    dropout: float
    seed: int
    a: Tensor
    b: Tensor
    magnitude: Tensor | None

    def mask(self, own: Tensor) -> Tensor | None:
        """0 or 1 / (1 - dropout) for each input, from this lane's and layer's seed alone."""
        if not self.dropout:
            return None
        generator = torch.Generator().manual_seed(self.seed)
        keep = torch.rand(own.shape, generator=generator).to(own.device) >= self.dropout
        return keep.to(own.dtype) / (1 - self.dropout)

    def dropped(self, rows: Tensor) -> Tensor:
        """The lane's inputs after dropout."""
        own = rows[self.start : self.stop]
        mask = self.mask(own)
        return own if mask is None else own * mask


def _part(lane: Lane, lora: Lora, layer: LoraLinear, pair: Pair) -> _Part:
    noisy = lane.noise is not None
    return _Part(
        start=lane.start,
        stop=lane.stop,
        scale=lora.config.scale,
        dropout=lora.config.dropout if noisy else 0.0,
        seed=((lane.noise or 0) * 1_000_003 + layer.number) % 2**63,
        a=pair.a,
        b=pair.b,
        magnitude=pair.magnitude,
    )


class _LoraFunction(torch.autograd.Function):
    """One node for the frozen layer and all its adapters; keeps its input once, and A x."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, layer: LoraLinear, parts: Sequence[_Part], *weights: Tensor
    ) -> Tensor:
        out = layer.frozen.forward(rows)
        cast = [weight.to(rows.dtype) for weight in weights]
        inner = []
        for number, part in enumerate(parts):
            inner.append(part.dropped(rows) @ cast[2 * number].T)
            out[part.start : part.stop].addmm_(inner[-1], cast[2 * number + 1].T, alpha=part.scale)
        ctx.layer, ctx.parts = layer, parts
        ctx.save_for_backward(*([rows] if parts else []), *cast, *inner)
        return out

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        grad, count = upstream[0].contiguous(), len(ctx.parts)
        to_rows = ctx.layer.frozen.backward(grad) if ctx.needs_input_grad[0] else None
        if not count:
            return to_rows, None, None
        rows, *saved = ctx.saved_tensors
        to_weights: list[Tensor] = []
        for number, part in enumerate(ctx.parts):
            a, b, inner = saved[2 * number], saved[2 * number + 1], saved[2 * count + number]
            own = grad[part.start : part.stop]
            to_inner = (own @ b).mul_(part.scale)
            to_a = (to_inner.T @ part.dropped(rows)).float()
            to_weights += [to_a, (own.T @ inner).float().mul_(part.scale)]
            if to_rows is not None:
                place = to_rows[part.start : part.stop]
                mask = part.mask(place)
                if mask is None:
                    place.addmm_(to_inner, a)
                else:
                    place.add_((to_inner @ a).mul_(mask))
        return to_rows, None, None, *to_weights


def _lengthened(out: Tensor, rows: Tensor, layer: LoraLinear, parts: Sequence[_Part]) -> Tensor:
    """DoRA: each output of a lane's rows gets its learned length (arXiv:2402.09353).

    With W' = W + scale B A: out = gain * (x W'^T) + b and gain = magnitude / |W'|, where |W'|, the
    length of each row, takes no part in the gradient (section 4.3). As in PEFT, dropout reaches
    what W adds to the change too: (gain - 1) * drop(x) W^T.
    """
    made, done = [], 0
    for part in parts:
        own = out[part.start : part.stop]
        if part.magnitude is not None:
            gain = part.magnitude / weight_length(layer.frozen, part.a, part.b, part.scale)
            gain, bias = gain.to(out.dtype), layer.frozen.bias
            own = own * gain if bias is None else (own - bias) * gain + bias
            if part.dropout:
                drift = part.dropped(rows) - rows[part.start : part.stop]
                bare = _LoraFunction.apply(drift, layer, ())  # type: ignore[no-untyped-call]
                own = own + (gain - 1) * (bare if bias is None else bare - bias)
        made += [out[done : part.start], own]
        done = part.stop
    return torch.cat([*made, out[done:]])


@torch.no_grad()
def weight_length(frozen: Frozen, a: Tensor, b: Tensor, scale: float) -> Tensor:
    """Length of each row of W + scale B A: fp32 [out]."""
    whole = frozen.dense().float().addmm(b.float(), a.float(), alpha=scale)
    length: Tensor = torch.linalg.vector_norm(whole, dim=1)
    return length


def fresh(layers: Sequence[LoraLinear], config: LoraConfig, *, seed: int) -> Lora:
    """A new adapter on the layers its targets name: A uniform as in PEFT, B zero.

    A ~ U(-1/sqrt(in), 1/sqrt(in)), which is Kaiming uniform with a = sqrt(5), PEFT's default.
    """
    generator = torch.Generator().manual_seed(seed)
    pairs = {}
    for layer in layers:
        if layer.level <= config.vision_layers and layer.called in config.targets:
            a = torch.rand(config.rank, layer.in_features, generator=generator) * 2 - 1
            b = torch.zeros(layer.out_features, config.rank)
            device = layer.frozen.device
            pair = Pair((a / math.sqrt(layer.in_features)).to(device), b.to(device))
            if config.use_dora:
                pair.magnitude = weight_length(layer.frozen, pair.a, pair.b, config.scale)
            pairs[layer.name] = pair
    made = Lora(config, pairs)
    for parameter in made.parameters():
        parameter.requires_grad_()
    return made
