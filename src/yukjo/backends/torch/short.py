"""Attention of many short samples in three matmuls.

Block by block, each sample and head costs some thirty operations, which for samples of a hundred
tokens take longer than their matmuls. Here a lane's samples are padded to the longest and attend
side by side. Whether that is done depends on the lane alone, so that it learns the same bits
beside others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from yukjo.backends.torch.layout import Segment

_FEWEST = 8
"""Segments of a lane that are worth it."""
_LONGEST = 256
"""Keys of a segment beyond which matmuls are long enough by themselves."""
_UNSEEN = -1e30


@dataclass(frozen=True, slots=True)
class Short:
    """S segments of a lane, padded to Q queries and K keys each."""

    queries: Tensor
    """[S * Q], rows of the query."""
    keys: Tensor
    """[S * K], rows of key and value."""
    mask: Tensor
    """fp32 [S, 1, Q, 1, K]: 0 where a key may be seen, else a large negative number."""
    back: Tensor
    """Places in S * Q that are no padding, in the order of the query's rows."""


def is_short(segments: Sequence[Segment]) -> bool:
    """Whether a lane's segments are many, short and alike enough."""
    lengths = [_keys(segment) for segment in segments]
    most = max(lengths, default=0)
    return len(lengths) >= _FEWEST and most <= _LONGEST and len(lengths) * most <= 2 * sum(lengths)


def plan(
    segments: Sequence[Segment], start: int, *, asked_only: bool, device: torch.device
) -> Short:
    """`start` is the row of the query at which the lane begins."""
    most_keys, rows = max(map(_keys, segments)), start
    own = [s.queries if asked_only else range(s.stop - s.start) for s in segments]
    most = max(map(len, own))
    queries: list[list[int]] = []
    keys: list[list[int]] = []
    seen: list[list[int]] = []
    back: list[int] = []
    for number, (segment, asked) in enumerate(zip(segments, own, strict=True)):
        shared = segment.shared_stop - segment.shared_start
        mine = [
            *range(segment.shared_start, segment.shared_stop),
            *range(segment.start, segment.stop),
        ]
        keys.append(mine + [segment.start] * (most_keys - len(mine)))
        queries.append([*range(rows, rows + len(asked)), *[start] * (most - len(asked))])
        # A row of padding sees the first key, so as to stay a number.
        seen.append([place + shared for place in asked] + [0] * (most - len(asked)))
        back += range(number * most, number * most + len(asked))
        rows += len(asked)
    unseen = torch.arange(most_keys) > torch.tensor(seen)[..., None]
    mask = torch.zeros(unseen.shape).masked_fill_(unseen, _UNSEEN)[:, None, :, None]
    made = [torch.tensor(rows, dtype=torch.long) for rows in (queries, keys, back)]
    return Short(
        made[0].flatten().to(device), made[1].flatten().to(device), mask.to(device),
        made[2].to(device),
    )  # fmt: skip


def attend(query: Tensor, key: Tensor, value: Tensor, short: Short, scaling: float) -> Tensor:
    """Query [N, kv heads, group, D], key and value [T, kv heads, D] -> [rows of the lane, ...]."""
    count, _, most, _, keys = short.mask.shape
    kv_heads, group, size = query.shape[1:]
    asked = query.index_select(0, short.queries).view(count, most, kv_heads, group, size)
    asked = asked.transpose(1, 2).reshape(count, kv_heads, most * group, size)
    key, value = (
        rows.index_select(0, short.keys).view(count, keys, kv_heads, -1).transpose(1, 2)
        for rows in (key, value)
    )
    scores = (asked @ key.mT).view(count, kv_heads, most, group, keys)
    odds = torch.add(short.mask, scores, alpha=scaling).softmax(-1).to(value.dtype)
    out = odds.view(count, kv_heads, most * group, keys) @ value
    out = out.view(count, kv_heads, most, group, size).transpose(1, 2).flatten(0, 1)
    return out.index_select(0, short.back)


def _keys(segment: Segment) -> int:
    """Keys that its last row sees."""
    return segment.stop - segment.start + segment.shared_stop - segment.shared_start
