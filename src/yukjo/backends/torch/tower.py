"""A vision tower made fast on a processor: same weights, same mathematics.

The model's own embeds patches by a convolution over both frames, and attends image by image: a
forward pass over many small images spends most of its time there. Here the embedding is a matmul
over one frame, and images (or windows) of one length are one call, where a probe confirms it.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from itertools import pairwise
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import unset_fake_temporarily
from torch.nn.functional import linear, scaled_dot_product_attention


class PatchEmbedding(nn.Module):
    """What a convolution makes of two equal frames, from one of them."""

    def __init__(self, proj: nn.Conv3d) -> None:
        super().__init__()
        assert proj.kernel_size == proj.stride, "patches overlap"
        both = proj.weight.data.float().sum(2).flatten(1).to(proj.weight.dtype)
        self.weight = nn.Parameter(both, requires_grad=False)
        self.bias = proj.bias

    def forward(self, rows: Tensor) -> Tensor:
        """Patches [N, colours] -> fp32 [N, D]: the residual stream, as in the decoder."""
        return linear(rows.to(self.weight.dtype), self.weight, self.bias).float()


def speed(tower: nn.Module) -> None:
    """Put ours in the place of the tower's patch embedding and, where confirmed, its attention."""
    tower.patch_embed = PatchEmbedding(tower.patch_embed.proj)  # type: ignore[union-attr, arg-type]
    for module in tower.modules():
        if hasattr(module, "qkv") and _computes_ours(module):
            module.forward = MethodType(_attend, module)


def _attend(
    self: Any,
    hidden_states: Tensor,
    cu_seqlens: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    **_: Any,
) -> Tensor:
    """Rows [N, D] -> [N, D]; those between two of `cu_seqlens` attend to each other."""
    query, key, value = (
        self.qkv(hidden_states).view(len(hidden_states), 3, self.num_heads, -1).unbind(1)
    )
    tables = [table[:, None] for table in position_embeddings]
    query, key = (_turned(rows, *tables).to(value.dtype) for rows in (query, key))
    ends = cu_seqlens.tolist()
    starts: dict[int, list[int]] = {}
    for start, end in pairwise(ends):
        starts.setdefault(end - start, []).append(start)
    if len(starts) == 1:
        out = _attention(query, key, value, next(iter(starts)), self.scaling)
    else:
        out = _by_length(query, key, value, starts, self.scaling)
    made: Tensor = self.proj(out.flatten(1))
    return made


def _by_length(
    query: Tensor, key: Tensor, value: Tensor, starts: Mapping[int, Sequence[int]], scale: float
) -> Tensor:
    """Those of one length together, and back in their order."""
    parts, order = [], []
    for length, firsts in starts.items():
        rows = torch.tensor([first + i for first in firsts for i in range(length)])
        rows = rows.to(query.device)
        parts.append(_attention(query[rows], key[rows], value[rows], length, scale))
        order.append(rows)
    return torch.cat(parts)[torch.cat(order).argsort()]


def _attention(query: Tensor, key: Tensor, value: Tensor, length: int, scale: float) -> Tensor:
    """[N, heads, d] in runs of `length` rows, each attending within its own."""
    query, key, value = (
        rows.view(-1, length, *rows.shape[1:]).transpose(1, 2) for rows in (query, key, value)
    )
    out = scaled_dot_product_attention(query, key, value, scale=scale)
    return out.transpose(1, 2).flatten(0, 1)


def _turned(rows: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding (arXiv:2104.09864) of [N, heads, d], the halves of d as pairs; fp32."""
    rows = rows.float()
    one, other = rows.chunk(2, -1)
    return rows * cos + torch.cat([-other, one], -1) * sin


@torch.no_grad()
def _computes_ours(module: nn.Module) -> bool:
    """Whether a small copy of the module computes what `_attend` does."""
    with unset_fake_temporarily(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        toy: Any = copy(module)
        toy._modules = {"qkv": nn.Linear(16, 48), "proj": nn.Linear(16, 16)}  # noqa: SLF001 - a copy with parts of its own
        toy.num_heads, toy.head_dim, toy.scaling = 2, 8, 8**-0.5
        ends, rows = torch.tensor([0, 3, 8, 11], dtype=torch.int32), torch.randn(11, 16)
        tables = (torch.randn(11, 8), torch.randn(11, 8))
        try:
            theirs = type(module).forward(toy, rows, cu_seqlens=ends, position_embeddings=tables)
        except (RuntimeError, ValueError, TypeError, AttributeError):  # it wants more than these
            return False
        return torch.allclose(_attend(toy, rows, ends, tables), theirs, rtol=1e-5, atol=1e-6)
