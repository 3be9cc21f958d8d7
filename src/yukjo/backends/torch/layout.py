"""How samples lie in a pack: which rows are whose, who attends to what, which rows are asked for.

Every lane (an adapter's samples, neighbours) begins with the tokens that all its samples share,
an agent's system prompt mostly: they are computed once and every sample of the lane attends to
them. Rows that nobody asks for stop before the last layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from yukjo.backends.torch.lora import Lane, Lora
from yukjo.records import Example

_LEAST_SHARED = 16
"""A shorter common beginning isn't worth a segment of its own."""


@dataclass(frozen=True, slots=True)
class Span:
    """One owner's samples in a pack: `lora` None is the bare base, `noise` None leaves dropout out.

    `asked[i]` are the places in `samples[i]` whose final hidden state is wanted, in order.
    """

    lora: Lora | None
    samples: Sequence[Sequence[int]]
    asked: Sequence[Sequence[int]]
    noise: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows [start, stop) attend to rows [shared_start, shared_stop) and, causally, to each other.

    `queries` are the places within the segment that are asked for.
    """

    start: int
    stop: int
    shared_start: int
    shared_stop: int
    queries: Sequence[int]


@dataclass(frozen=True, slots=True)
class Layout:
    """A pack: T rows, of which N are asked for."""

    tokens: Tensor
    """[T]"""
    positions: Tensor
    """[T], each row's place in its own sample."""
    segments: tuple[Segment, ...]
    rows: Tensor
    """[N], the rows asked for, in the order of the samples."""
    lanes: tuple[Lane, ...]
    """Over all T rows."""
    asked_lanes: tuple[Lane, ...]
    """Over the N rows asked for."""
    longest: int
    """Tokens of the longest sample."""


def lay(spans: Sequence[Span], *, share: bool, device: torch.device) -> Layout:
    """Lay the spans one after another; with `share`, common beginnings once a span."""
    made = _Layer()
    for span in spans:
        made.add(span, shared=_shared(span) if share else 0)
    return Layout(
        tokens=torch.tensor(made.tokens, device=device),
        positions=torch.tensor(made.positions, device=device),
        segments=tuple(made.segments),
        rows=torch.tensor(made.rows, dtype=torch.long, device=device),
        lanes=tuple(made.lanes),
        asked_lanes=tuple(made.asked_lanes),
        longest=max(made.positions) + 1,
    )


class _Layer:
    """A pack being laid."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.positions: list[int] = []
        self.segments: list[Segment] = []
        self.rows: list[int] = []
        self.lanes: list[Lane] = []
        self.asked_lanes: list[Lane] = []

    def add(self, span: Span, *, shared: int) -> None:
        start, first = len(self.tokens), len(self.rows)
        if shared:
            self._segment(span.samples[0][:shared], [], begins=0, seen=(start, start))
        for sample, asked in zip(span.samples, span.asked, strict=True):
            own = [place - shared for place in asked]
            self._segment(sample[shared:], own, begins=shared, seen=(start, start + shared))
        self.lanes.append(Lane(span.lora, start, len(self.tokens), span.noise))
        self.asked_lanes.append(Lane(span.lora, first, len(self.rows), span.noise))

    def _segment(
        self, tokens: Sequence[int], asked: Sequence[int], *, begins: int, seen: tuple[int, int]
    ) -> None:
        start = len(self.tokens)
        self.tokens += tokens
        self.positions += range(begins, begins + len(tokens))
        self.rows += [start + place for place in asked]
        self.segments.append(Segment(start, start + len(tokens), *seen, asked))


def _shared(span: Span) -> int:
    """How many first tokens all samples of the span share, before the first row asked for."""
    if len(span.samples) < 2:  # noqa: PLR2004 - nobody to share with
        return 0
    most = min(asked[0] if asked else len(sample) - 1
               for sample, asked in zip(span.samples, span.asked, strict=True))  # fmt: skip
    first = span.samples[0]
    count = 0
    while count < most and all(sample[count] == first[count] for sample in span.samples):
        count += 1
    return count if count >= _LEAST_SHARED else 0


def learned_span(lora: Lora | None, examples: Sequence[Example], noise: int | None = None) -> Span:
    """The examples with the rows that predict their learned tokens asked for."""
    # The state at t predicts the token at t + 1; the first token has no state before it.
    asked = [[t - 1 for t, learn in enumerate(e.learn) if learn] for e in examples]
    assert all(places[0] >= 0 for places in asked if places)
    return Span(lora, [e.tokens for e in examples], asked, noise)


def learned_tokens(examples: Sequence[Example]) -> Tensor:
    """The learned tokens of all examples, one after another."""
    return torch.tensor(
        [t for e in examples for t, learn in zip(e.tokens, e.learn, strict=True) if learn]
    )
