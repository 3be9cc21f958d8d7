"""Attention for the two shapes we use, registered under names transformers looks up.

`yukjo_packed`: one row of many samples back to back; each attends within its own segment and to
its lane's shared beginning. Blocks of query rows against the keys they may see, all query heads
of a key head in one matmul: on a CPU in bfloat16 over twice as fast as torch's own. No mask is
built for it by transformers, which knows no mask function by that name.
`yukjo_batch`: left-padded rows with a cache, for answering; masks are transformers' own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from yukjo.backends.torch.layout import Layout, Segment
from yukjo.backends.torch.short import Short, attend, is_short
from yukjo.backends.torch.short import plan as short_plan

PACKED = "yukjo_packed"
BATCH = "yukjo_batch"

_UNSEEN = -1e30
"""Not -inf: the rows of padding see nothing at all, and must stay numbers."""
_KEPT_KEYS = 1024
"""Up to so many keys a block's probabilities are kept for the way back; more are made again."""


@dataclass(frozen=True, slots=True)
class Block:
    """Query rows [start, stop) of a segment against its keys [first, last)."""

    start: int
    stop: int
    first: int
    last: int
    mask: Tensor
    """fp32 [rows, 1, keys]: 0 where a key may be seen, else a large negative number."""


@dataclass(frozen=True, slots=True)
class Queries:
    """A segment's query rows, from `start` in the pack's query, in blocks."""

    segment: Segment
    start: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Segments whose query rows are neighbours, in blocks that start at the first of `rows`."""

    rows: slice
    queries: tuple[Queries, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What attends to what in a pack, and how scores become probabilities."""

    queries: tuple[Queries, ...]
    scaling: float
    softcap: float | None

    def blocks(self, kv_heads: int) -> Iterator[tuple[Queries, int, Block, slice, slice]]:
        """Every block of every key head, with its rows of the query and its keys."""
        for queries in self.queries:
            for head in range(kv_heads):
                for block in queries.blocks:
                    rows = slice(queries.start + block.start, queries.start + block.stop)
                    yield queries, head, block, rows, slice(block.first, block.last)

    def odds(self, query: Tensor, keys: Tensor, block: Block) -> tuple[Tensor, Tensor | None]:
        """Probabilities [rows * group, keys] of a block, and the tanh of a soft cap, if any."""
        own = keys[block.first : block.last]
        scores = (query.reshape(-1, query.shape[-1]) @ own.T).view(len(query), -1, len(own))
        mask = block.mask.to(scores.device)
        bent = None
        if self.softcap is None:
            scores = torch.add(mask, scores, alpha=self.scaling)
        else:
            bent = torch.tanh(scores.float() * (self.scaling / self.softcap))
            scores = mask + bent * self.softcap
        return torch.softmax(scores, -1).to(query.dtype).view(-1, len(own)), bent


def packed(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,  # noqa: ARG001
    *,
    layout: Layout,
    asked_only: bool = False,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention of a pack; with `asked_only` the query holds the rows asked for only.

    query [1, heads, T or N, D]; key, value [1, kv heads, T, D] -> [1, T or N, heads, D].
    """
    assert module is not None
    dtype, heads, kv_heads = value.dtype, query.shape[1], key.shape[1]
    rows = (
        query[0].transpose(0, 1).to(dtype).reshape(query.shape[2], kv_heads, heads // kv_heads, -1)
    )
    keys, values = key[0].transpose(0, 1).to(dtype), value[0].transpose(0, 1)
    scaling = scaling if scaling is not None else query.shape[-1] ** -0.5
    window = sliding_window if sliding_window and sliding_window < layout.longest else None
    out = []
    for run in _runs(layout, window, heads // kv_heads, asked_only=asked_only, plain=not softcap):
        if isinstance(run, Short):
            out.append(attend(rows, keys, values, run, scaling))
        else:
            plan = Plan(run.queries, scaling, softcap)
            out.append(_Packed.apply(rows[run.rows], keys, values, plan))  # type: ignore[no-untyped-call]
    whole = out[0] if len(out) == 1 else torch.cat(out)
    return whole.reshape(1, query.shape[2], heads, -1), None


def _runs(
    layout: Layout, window: int | None, group: int, *, asked_only: bool, plain: bool
) -> Sequence[Short | Run]:
    """The pack's lanes, those of many short samples by themselves; one plan serves all layers."""
    wanted = (window, group, asked_only, plain)
    if wanted not in layout.plans:
        made: list[Short | Run] = []
        for short, own, rows in _lanes(layout, asked_only=asked_only, may=plain and not window):
            if short:
                where = layout.tokens.device
                made.append(short_plan(own, rows.start, asked_only=asked_only, device=where))
            else:
                made.append(Run(rows, tuple(_queries(own, window, group, asked_only=asked_only))))
        layout.plans[wanted] = made
    found: Sequence[Short | Run] = layout.plans[wanted]
    return found


def _lanes(
    layout: Layout, *, asked_only: bool, may: bool
) -> Iterator[tuple[bool, list[Segment], slice]]:
    """Whether they are short, the segments of a lane or of neighbours, and their query's rows."""
    waiting: list[Segment] = []
    begin = end = 0
    for lane, asked in zip(layout.lanes, layout.asked_lanes, strict=True):
        own = [s for s in layout.segments if lane.start <= s.start < lane.stop]
        mine = asked if asked_only else lane
        if may and mine.stop > mine.start and is_short(own):
            if waiting:
                yield False, waiting, slice(begin, end)
            yield True, own, slice(mine.start, mine.stop)
            waiting, begin = [], mine.stop
        else:
            waiting += own
        end = mine.stop
    if waiting:
        yield False, waiting, slice(begin, end)


def _queries(
    segments: Sequence[Segment], window: int | None, group: int, *, asked_only: bool
) -> Iterator[Queries]:
    """The query rows of each segment in blocks of about 512 matmul rows."""
    start, size = 0, min(256, max(64, 512 // group))
    for segment in segments:
        own = segment.queries if asked_only else range(segment.stop - segment.start)
        shared = segment.shared_stop - segment.shared_start
        places = [place + shared for place in own]
        if places:
            blocks = [_block(places[i : i + size], i, window) for i in range(0, len(places), size)]
            yield Queries(segment, start, tuple(blocks))
            start += len(places)


def _block(places: Sequence[int], start: int, window: int | None) -> Block:
    """The queries at `places`, numbers `start` on; a query at p sees keys up to p."""
    first = max(0, places[0] - window + 1) if window else 0
    last = places[-1] + 1
    keys, rows = torch.arange(first, last)[None], torch.tensor(places)[:, None]
    unseen = keys > rows
    if window:
        unseen |= keys <= rows - window
    mask = torch.zeros(unseen.shape).masked_fill_(unseen, _UNSEEN)[:, None]
    return Block(start, start + len(places), first, last, mask)


class _Packed(torch.autograd.Function):
    """query [Q, kv heads, group, D], key and value [T, kv heads, D] -> like query."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, plan: Plan) -> Tensor:
        out, kept = torch.empty_like(query), []
        for queries, head, block, rows, own in plan.blocks(key.shape[1]):
            odds, _ = plan.odds(query[rows, head], _seen(key, queries.segment, head), block)
            made = odds @ _seen(value, queries.segment, head)[own]
            out[rows, head] = made.view(-1, *out.shape[2:])
            if _keeps(block):
                kept.append(odds)
        ctx.plan = plan
        ctx.save_for_backward(query, key, value, out, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, out, *kept = ctx.saved_tensors
        plan: Plan = ctx.plan
        to_query, odds_kept = torch.empty_like(query), iter(kept)
        to_key, to_value = (torch.zeros(key.shape, device=key.device) for _ in range(2))
        for queries, head, block, rows, own in plan.blocks(key.shape[1]):
            keys = _seen(key, queries.segment, head)
            odds = next(odds_kept) if _keeps(block) else None
            bent = None
            if odds is None or plan.softcap:
                odds, bent = plan.odds(query[rows, head], keys, block)
            pull = upstream[0][rows, head].reshape(-1, value.shape[2])
            # Softmax's own way back: odds * (d - sum(odds * d)), the sum taken from the output.
            mean = (pull.float() * out[rows, head].reshape(pull.shape)).sum(1, keepdim=True)
            to_odds = pull @ _seen(value, queries.segment, head)[own].T
            to_scores = torch.sub(to_odds, mean).mul_(odds).mul_(plan.scaling)
            if bent is not None:
                to_scores.mul_(1 - bent.view(to_scores.shape).square())
            to_scores = to_scores.to(query.dtype)
            to_query[rows, head] = (to_scores @ keys[own]).view(-1, *query.shape[2:])
            own_query = query[rows, head].reshape(-1, query.shape[3])
            _add_seen(to_key, to_scores.T @ own_query, queries.segment, head, own)
            _add_seen(to_value, odds.T @ pull, queries.segment, head, own)
        return to_query, to_key.to(key.dtype), to_value.to(value.dtype), None


def _keeps(block: Block) -> bool:
    """Whether the block's probabilities are kept for the way back."""
    return block.last - block.first <= _KEPT_KEYS


def _seen(rows: Tensor, segment: Segment, head: int) -> Tensor:
    """What a segment sees of [T, kv heads, D]: the shared rows, then its own [keys, D]."""
    own = rows[segment.start : segment.stop, head]
    if segment.shared_stop == segment.shared_start:
        return own
    return torch.cat([rows[segment.shared_start : segment.shared_stop, head], own])


def _add_seen(whole: Tensor, part: Tensor, segment: Segment, head: int, keys: slice) -> None:
    """Add the gradient of keys [first, last) of a segment to the rows that `_seen` took."""
    shared = segment.shared_stop - segment.shared_start
    split = max(0, shared - keys.start)
    if split:
        first = segment.shared_start + keys.start
        whole[first : first + len(part[:split]), head] += part[:split]
    first = segment.start + max(0, keys.start - shared)
    whole[first : first + len(part[split:]), head] += part[split:]


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
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if softcap is not None:
        out = _capped(query, key, value, attention_mask, scale=scale, softcap=softcap)
    elif query.shape[2] == 1:
        # The heads of a key head as its rows: torch would repeat the keys for each of them, which
        # took ten times as long.
        rows = query.reshape(query.shape[0], key.shape[1], -1, query.shape[3])
        out = scaled_dot_product_attention(rows, key, value, attn_mask=attention_mask, scale=scale)
        out = out.reshape(query.shape)
    else:
        out = scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=attention_mask,
            is_causal=attention_mask is None,
            scale=scale,
            enable_gqa=query.shape[1] != key.shape[1],
        )
    return out.transpose(1, 2), None


def _capped(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, *, scale: float, softcap: float
) -> Tensor:
    """Attention whose scores a tanh keeps within the soft cap (Gemma 2)."""
    group = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    scores = torch.tanh(query.float() @ key.float().mT * (scale / softcap)) * softcap
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    return scores.masked_fill(~mask, _UNSEEN).softmax(-1).to(value.dtype) @ value


AttentionInterface.register(PACKED, packed)
AttentionInterface.register(BATCH, batch)
AttentionMaskInterface.register(BATCH, sdpa_mask)
