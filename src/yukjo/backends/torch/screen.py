"""Which tokens of the vocabulary a loss can feel, found in eight bits.

A softmax over 262,144 tokens is a few thousand tokens and a tail of next to nothing. The tail is
summed from an eight-bit copy of the weight, at twice the speed of bfloat16; the rest is computed
as it always was. What is dropped from a gradient is the tail's pull alone, a fraction of what
rounding to bfloat16 adds anyway (`bench/screen.py` measures both). After the gradient filter of
Cut Cross-Entropy (Wijmans et al. 2025, arXiv:2411.09009), which finds the tail in full precision.
"""

from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

BLOCK = 2048
"""Of the vocabulary: a block of logits stays in the cache, and the matmul is still long."""
_FELT = 3e-5
"""A token is felt whose probabilities, summed over all rows, reach this."""
_HIGHEST = 127
_MOST = 4
"""Where more than one token in so many is felt there is no tail to leave out."""


class Screen:
    """The head's weight [V, D] in eight bits, block by block: V * D bytes."""

    def __init__(self, weight: Tensor) -> None:
        self.blocks = [_quantised(block) for block in torch.split(weight, BLOCK)]
        self.size = len(weight)

    def weights(self) -> list[Tensor]:
        """What it holds."""
        return [block for block, _ in self.blocks]

    def felt(self, hidden: Tensor, shift: Tensor, wanted: Tensor) -> tuple[Tensor | None, Tensor]:
        """Ids of the tokens that are felt, those `wanted` among them, and the rest's sum [N, 1].

        `shift` is below each row's logarithm of the sum, so that exp(logit - shift) is no less
        than a probability. None and 0 where there is no tail to leave out.
        """
        rows, scale = _quantised_rows(hidden)
        tail, found = torch.zeros_like(shift), []
        for number, (block, step) in enumerate(self.blocks):
            odds = (torch._int_mm(rows, block.T) * (scale * step)).sub_(shift).exp_()  # noqa: SLF001 - torch's one int8 matmul on a processor
            felt = odds.sum(0) >= _FELT
            felt[_inside(wanted, number)] = True
            ids = felt.nonzero()[:, 0]
            tail += odds.sum(1, keepdim=True) - odds[:, ids].sum(1, keepdim=True)
            found.append(ids + number * BLOCK)
        ids = torch.cat(found)
        if len(ids) > self.size // _MOST:
            return None, torch.zeros_like(shift)
        return ids, tail.clamp_(min=0)


def can_screen(weight: Tensor, softcap: float | None) -> bool:
    """Whether eight bits are faster here and hide below the weight's own rounding."""
    there: Any = torch.cpu.get_capabilities()
    fast = any(there.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))
    plain = softcap is None and weight.dtype == torch.bfloat16
    return fast and plain and weight.device.type == "cpu"


def _quantised(block: Tensor) -> tuple[Tensor, float]:
    """A block [B, D] in eight bits, and what one step is worth."""
    if isinstance(block, FakeTensor):  # a forecast's tensors have shapes and no contents
        return torch.empty(block.shape, dtype=torch.int8), 1.0
    step = max(float(block.abs().max()) / _HIGHEST, torch.finfo(torch.float32).tiny)
    return (block.float() / step).round_().to(torch.int8), step


def _quantised_rows(hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Rows [N, D] in eight bits, each with a step of its own [N, 1]."""
    rows = hidden.float()
    tiny = torch.finfo(torch.float32).tiny
    scale = (rows.abs().amax(1, keepdim=True) / _HIGHEST).clamp_(min=tiny)
    return (rows / scale).round_().to(torch.int8), scale


def _inside(ids: Tensor, number: int) -> Tensor:
    """Of the ids those in block `number`, counted from its start."""
    first = number * BLOCK
    return ids[(ids >= first) & (ids < first + BLOCK)] - first
