"""Cross entropy of each row without ever holding the logits.

The vocabulary is walked in blocks. One sweep keeps a running maximum and sum (as online softmax
does, Milakov & Gimelshein 2018, arXiv:1805.02867) and, in the same sweep, the gradient of the
row: softmax(logits) @ W - W[target]. A [rows, 262,144] tensor is never made.

Rows are padded to a multiple of 64, so that a row's bits don't depend on how many stand beside it.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

_BLOCK = 4096
_ROWS = 64


@dataclass(frozen=True, slots=True)
class Head:
    """The output layer: weight [V, D], and the soft cap some models put on logits."""

    weight: Tensor
    softcap: float | None

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden [N, D] -> fp32 logits [N, V]."""
        return self.capped(linear(hidden.to(self.weight.dtype), self.weight).float())

    def capped(self, logits: Tensor) -> Tensor:
        """Logits after the soft cap, if there is one."""
        return logits if self.softcap is None else torch.tanh(logits / self.softcap) * self.softcap


def token_losses(hidden: Tensor, targets: Tensor, head: Head) -> Tensor:
    """Negative log likelihood in nats of each target: hidden [N, D], targets [N] -> fp32 [N]."""
    rows = len(targets)
    extra = -rows % _ROWS
    padded = pad(hidden.to(head.weight.dtype), (0, 0, 0, extra))
    losses: Tensor = _BlockedLoss.apply(  # type: ignore[no-untyped-call]
        padded, pad(targets, (0, extra)), head
    )
    return losses[:rows]


class _BlockedLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, targets: Tensor, head: Head) -> Tensor:
        wants_gradient = ctx.needs_input_grad[0]
        highest = torch.full((len(targets), 1), -torch.inf)
        total = torch.zeros(len(targets), 1)
        pull = torch.zeros(hidden.shape)  # sum over the vocabulary of exp(logit) * W * slope
        for block in torch.split(head.weight, _BLOCK):
            logits = head.capped(linear(hidden, block).float())
            raised = torch.maximum(highest, logits.amax(1, keepdim=True))
            shrink = torch.exp(highest - raised)
            weights = torch.exp(logits - raised)
            total = total * shrink + weights.sum(1, keepdim=True)
            highest = raised
            if wants_gradient:
                weights = weights * _slope(logits, head)
                pull.mul_(shrink).add_((weights.to(hidden.dtype) @ block).float())
        rows = head.weight[targets].float()
        chosen = head.capped((hidden.float() * rows).sum(1, keepdim=True))
        if wants_gradient:
            ctx.save_for_backward(pull.div_(total).sub_(rows * _slope(chosen, head)))
            ctx.dtype = hidden.dtype
        return (highest + total.log() - chosen).squeeze(1)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return (gradient * upstream[0][:, None]).to(ctx.dtype), None, None


def _slope(capped: Tensor, head: Head) -> Tensor | float:
    """Derivative of the soft cap, written in its own output."""
    return 1.0 if head.softcap is None else 1 - (capped / head.softcap).square()
