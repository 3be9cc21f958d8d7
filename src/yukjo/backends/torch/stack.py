"""Many adapters at once for answering: three matmuls a layer however many adapters there are.

All A's stand below each other; what a row's own adapter didn't make is set to 0, and all B's
beside each other add the rest. Bits may differ from those of lanes in the last place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

from yukjo.backends.torch.lora import Lora, LoraLinear, Pair, weight_length


@dataclass(frozen=True, slots=True)
class _Joined:
    """What all adapters do to one layer; `gains` [adapters, out] only where one has DoRA."""

    a: Tensor
    b: Tensor
    gains: Tensor | None


class Stack:
    """Rows of many adapters."""

    def __init__(
        self, loras: Sequence[Lora], owner: Sequence[int | None], *, device: torch.device
    ) -> None:
        """`owner` names each row's adapter in `loras`; None is the bare base."""
        self._loras = loras
        ranks = torch.tensor([lora.config.rank for lora in loras], dtype=torch.long)
        of_column = torch.repeat_interleave(torch.arange(len(loras)), ranks)
        # One past the last adapter stands for the base, whose gain is 1.
        self._owner = torch.tensor([len(loras) if o is None else o for o in owner], device=device)
        self._mine = self._owner[:, None] == of_column[None].to(device)
        self._joined: dict[str, _Joined | None] = {}

    def keep(self, places: Sequence[int]) -> None:
        """Go on with the rows at `places`."""
        self._mine, self._owner = self._mine[list(places)], self._owner[list(places)]

    def apply(self, layer: LoraLinear, rows: Tensor) -> Tensor:
        """As `Owners.apply`; each of its rows stands for as many of `rows`, neighbours."""
        out = layer.frozen.forward(rows)
        if layer.name not in self._joined:
            self._joined[layer.name] = self._join(layer)
        joined = self._joined[layer.name]
        if joined is None:
            return out
        each = len(rows) // len(self._mine)
        mine = self._mine.repeat_interleave(each, 0)
        if joined.gains is not None:
            gain = joined.gains[self._owner].repeat_interleave(each, 0)
            bias = layer.frozen.bias
            out = out * gain if bias is None else (out - bias) * gain + bias
        return out + linear(linear(rows, joined.a) * mine, joined.b)

    def _join(self, layer: LoraLinear) -> _Joined | None:
        if not any(layer.name in lora.pairs for lora in self._loras):
            return None
        dtype = layer.frozen.dtype
        parts = [_own(lora, layer) for lora in self._loras]
        return _Joined(
            torch.cat([a for a, _, _ in parts]).to(dtype),
            torch.cat([b for _, b, _ in parts], 1).to(dtype),
            torch.stack([*(g for _, _, g in parts), torch.ones_like(parts[0][2])]).to(dtype)
            if any(lora.config.use_dora for lora in self._loras)
            else None,
        )


def _own(lora: Lora, layer: LoraLinear) -> tuple[Tensor, Tensor, Tensor]:
    """A, the scaled B, and what the layer's own output is multiplied with [out]."""
    device = layer.frozen.device
    ones = torch.ones(layer.out_features, device=device)
    pair = lora.pairs.get(layer.name)
    if pair is None:
        rank = lora.config.rank
        a = torch.zeros(rank, layer.in_features, device=device)
        return a, torch.zeros(layer.out_features, rank, device=device), ones
    scale = lora.config.scale
    gain = _gain(pair, layer, scale) if pair.magnitude is not None else ones
    return pair.a, pair.b.float() * (scale * gain[:, None]), gain


def _gain(pair: Pair, layer: LoraLinear, scale: float) -> Tensor:
    assert pair.magnitude is not None
    return pair.magnitude.float() / weight_length(layer.frozen, pair.a, pair.b, scale)
