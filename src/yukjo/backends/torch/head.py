"""Cross entropy of each row without ever holding the logits.

The vocabulary is walked in blocks. One sweep sums exp(logit - shift) and, beside it, the gradient
of the row: softmax(logits) @ W - W[target]. A [rows, 262,144] tensor is never made. The shift is
a row's highest logit in the first block or at its target: a sum of exponentials needs a shift
within some 80 of the highest logit, not the highest itself (online softmax, arXiv:1805.02867,
finds that at the price of two more passes over each block). A row that overflows all the same is
swept again with its true highest.

Rows are padded to a multiple of 64, so that a row's bits don't depend on how many stand beside it.
With a screen they do depend on which: what may stand alone elsewhere must be given alone.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn.functional import linear, pad

from yukjo.backends.torch.screen import BLOCK, Screen

_ROWS = 64


@dataclass(frozen=True, slots=True)
class Head:
    """The output layer: weight [V, D], and the soft cap some models put on logits."""

    weight: Tensor
    softcap: float | None
    screen: Screen | None = None
    """Where there is one, gradients leave out what bfloat16's rounding hides."""

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden [N, D] -> fp32 logits [N, V]."""
        return self.capped(linear(hidden.to(self.weight.dtype), self.weight)).float()

    def capped(self, logits: Tensor) -> Tensor:
        """Logits after the soft cap, if there is one, which makes them fp32."""
        if self.softcap is None:
            return logits
        return torch.tanh(logits.float() / self.softcap) * self.softcap

    def at(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """fp32 logits [N, 1] of each row's target, exact and as the vocabulary's sweep rounds them.

        And the targets' weights [N, D].
        """
        rows = self.weight[targets].float()
        exact = (hidden.float() * rows).sum(1, keepdim=True)
        return self.capped(exact), self.capped(exact.to(self.weight.dtype)).float(), rows


def token_losses(hidden: Tensor, targets: Tensor, head: Head) -> Tensor:
    """Negative log likelihood in nats of each target: hidden [N, D], targets [N] -> fp32 [N]."""
    rows = len(targets)
    extra = 0 if head.screen else -rows % _ROWS  # empty rows would find every token likely
    padded = pad(hidden.to(head.weight.dtype), (0, 0, 0, extra))
    losses: Tensor = _BlockedLoss.apply(  # type: ignore[no-untyped-call]
        padded, pad(targets, (0, extra)), head
    )
    return losses[:rows]


class _BlockedLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, targets: Tensor, head: Head) -> Tensor:
        wants_gradient = ctx.needs_input_grad[0]
        chosen, rounded, rows = head.at(hidden, targets)
        screened = head.screen and wants_gradient and not _is_forecast(hidden)
        swept = _screened(hidden, targets, head) if screened else None
        shift, total, pull = swept or _exact(hidden, chosen, head, wants_gradient=wants_gradient)
        if wants_gradient:
            ctx.save_for_backward(pull.div_(total).sub_(rows * _slope(chosen, head)))
            ctx.dtype = hidden.dtype
        # The target stands in the sum as exactly as beside it: rounded there alone, it would let a
        # sure row cost less than nothing.
        others = (total - (rounded - shift).exp()).clamp(min=0)
        return (shift + (others + (chosen - shift).exp()).log() - chosen).squeeze(1)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return (gradient * upstream[0][:, None]).to(ctx.dtype), None, None


def _exact(
    hidden: Tensor, chosen: Tensor, head: Head, *, wants_gradient: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Shift [N, 1], and the sweep of the whole vocabulary against it."""
    first = head.capped(linear(hidden, head.weight[:BLOCK])).amax(1, keepdim=True).float()
    shift = torch.maximum(first, chosen)
    total, pull = _sweep(hidden, head, shift, wants_gradient=wants_gradient)
    if _overflows(total):
        shift = torch.where(total.isfinite(), shift, _highest(hidden, head))
        total, pull = _sweep(hidden, head, shift, wants_gradient=wants_gradient)
    return shift, total, pull


def _screened(hidden: Tensor, targets: Tensor, head: Head) -> tuple[Tensor, Tensor, Tensor] | None:
    """The same over the tokens that are felt; None where that would be most, or overflows."""
    assert head.screen is not None
    wanted = targets.unique()  # type: ignore[no-untyped-call]
    shift = linear(hidden, head.weight[wanted]).float().logsumexp(1, keepdim=True)
    felt, tail = head.screen.felt(hidden, shift, wanted)
    if felt is None:
        return None
    total, pull = _sweep(hidden, Head(head.weight[felt], None), shift, wants_gradient=True)
    total += tail
    return None if _overflows(total) else (shift, total, pull)


def _sweep(
    hidden: Tensor, head: Head, shift: Tensor, *, wants_gradient: bool
) -> tuple[Tensor, Tensor]:
    """Over the vocabulary: sum of exp(logit - shift) [N, 1], and of that * slope * W [N, D]."""
    total = torch.zeros_like(shift)
    pull = torch.zeros(hidden.shape, device=hidden.device)
    for block in torch.split(head.weight, BLOCK):
        logits = head.capped(linear(hidden, block))
        weights = torch.sub(logits, shift).exp_()
        total += weights.sum(1, keepdim=True)
        if wants_gradient:
            if head.softcap is not None:
                weights.mul_(_slope(logits, head))
            pull += weights.to(hidden.dtype) @ block
    return total, pull


def _is_forecast(tensor: Tensor) -> bool:
    """Whether it has a shape and no contents."""
    return isinstance(tensor, FakeTensor)


def _overflows(total: Tensor) -> bool:
    return not _is_forecast(total) and not bool(total.isfinite().all())


def _highest(hidden: Tensor, head: Head) -> Tensor:
    """Each row's highest logit: fp32 [N, 1]."""
    blocks = torch.split(head.weight, BLOCK)
    tops = [head.capped(linear(hidden, b)).amax(1, keepdim=True).float() for b in blocks]
    return torch.cat(tops, 1).amax(1, keepdim=True)


def _slope(capped: Tensor, head: Head) -> Tensor | float:
    """Derivative of the soft cap, written in its own output."""
    return 1.0 if head.softcap is None else 1 - (capped / head.softcap).square()
