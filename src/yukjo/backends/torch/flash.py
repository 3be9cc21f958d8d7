"""FlashAttention over the samples of a pack, on a GPU (Dao 2023, arXiv:2307.08691).

Used where the base lives on a CUDA device and the package `flash_attn` is installed. Samples
share no beginning there, and the last layer runs on all rows: the kernel knows no segment that
looks at rows of another. The logic is tested on a processor with a stand-in for the kernel; no
GPU was at hand, so speed and memory are unproven.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from yukjo.backends.torch.layout import Layout

PACKED = "yukjo_flash"


def installed() -> bool:
    """Whether the kernel's package is there."""
    return find_spec("flash_attn") is not None


def _kernel() -> Callable[..., Tensor]:
    from flash_attn import flash_attn_varlen_func

    kernel: Callable[..., Tensor] = flash_attn_varlen_func
    return kernel


def packed(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,  # noqa: ARG001
    *,
    layout: Layout,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention of a pack: query [1, heads, T, D], key, value [1, kv heads, T, D]."""
    assert module is not None
    starts = [segment.start for segment in layout.segments]
    ends = torch.tensor([*starts, layout.segments[-1].stop], dtype=torch.int32, device=query.device)
    query, key, value = (rows[0].transpose(0, 1).to(value.dtype) for rows in (query, key, value))
    out = _kernel()(
        query,
        key,
        value,
        cu_seqlens_q=ends,
        cu_seqlens_k=ends,
        max_seqlen_q=layout.longest,
        max_seqlen_k=layout.longest,
        softmax_scale=scaling,
        causal=True,
        # The kernel counts the keys to the left of a query; transformers counts the query too.
        window_size=(sliding_window - 1, 0) if sliding_window else (-1, -1),
        softcap=softcap or 0.0,
    )
    return out[None], None


AttentionInterface.register(PACKED, packed)
