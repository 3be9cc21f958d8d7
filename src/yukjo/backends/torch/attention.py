"""Attention for the two shapes we use, registered under names transformers looks up.

`yukjo_packed`: one row of many samples back to back; each attends within its own segment only.
No mask is built for it: transformers knows no mask function by that name.
`yukjo_batch`: left-padded rows with a cache, for answering; masks are transformers' own.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

PACKED = "yukjo_packed"
BATCH = "yukjo_batch"


def packed(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,  # noqa: ARG001
    *,
    segments: Sequence[tuple[int, int]],
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention inside each segment [start, stop) of the row.

    query [1, heads, T, D]; key, value [1, kv heads, T, D] -> [1, T, heads, D].
    """
    query, key = query.to(value.dtype), key.to(value.dtype)
    parts = [
        _attend(
            query[:, :, start:stop],
            key[:, :, start:stop],
            value[:, :, start:stop],
            mask=_window_mask(stop - start, sliding_window),
            scaling=scaling if scaling is not None else query.shape[-1] ** -0.5,
            softcap=softcap,
        )
        for start, stop in segments
    ]
    assert module is not None
    return torch.cat(parts, dim=2).transpose(1, 2), None


def batch(
    module: nn.Module,  # noqa: ARG001
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of a padded batch; shapes as in `packed` with a batch axis and a cache's keys."""
    query, key = query.to(value.dtype), key.to(value.dtype)
    out = _attend(
        query,
        key,
        value,
        mask=attention_mask,
        scaling=scaling if scaling is not None else query.shape[-1] ** -0.5,
        softcap=softcap,
    )
    return out.transpose(1, 2), None


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None,
    scaling: float,
    softcap: float | None,
) -> Tensor:
    """Softmax attention; `mask` True means may be seen, None means plain causal."""
    if softcap is None:
        return scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=mask,
            is_causal=mask is None and query.shape[2] > 1,
            scale=scaling,
            enable_gqa=query.shape[1] != key.shape[1],
        )
    group = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    scores = torch.tanh(query.float() @ key.float().mT * (scaling / softcap)) * softcap
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    # Not -inf: the rows of padding see nothing at all, and must stay numbers.
    return scores.masked_fill(~mask, -1e30).softmax(-1).to(value.dtype) @ value


def _window_mask(length: int, window: int | None) -> Tensor | None:
    """Causal mask [length, length] of a sliding window; None where the window sees all."""
    if window is None or length <= window:
        return None
    ones = torch.ones(length, length, dtype=torch.bool)
    return ones.tril() & ones.triu(1 - window)


AttentionInterface.register(PACKED, packed)
AttentionInterface.register(BATCH, batch)
AttentionMaskInterface.register(BATCH, sdpa_mask)
