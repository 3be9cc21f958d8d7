"""How samples lie in a pack: which rows are whose, who attends to what, which rows are asked for.

Every lane (an adapter's samples, neighbours) begins with the tokens that all its samples share,
an agent's system prompt mostly: they are computed once and every sample of the lane attends to
them. Rows that nobody asks for stop before the last layer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from yukjo.backends.torch.lora import Lane, Lora
from yukjo.backends.torch.mrope import Place, Spot, places
from yukjo.records import Example, Picture

Find = Callable[[Sequence[int], Sequence[Picture]], Sequence[Spot]]

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
    images: Sequence[Sequence[Picture]] = ()
    """Of each sample; left out where none has any."""

    @property
    def pictures(self) -> list[Picture]:
        """All images, in the order of the samples."""
        return [picture for own in self.images for picture in own]


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
    """[T], each row's place in its own sample; [3, T] where there are images."""
    segments: tuple[Segment, ...]
    rows: Tensor
    """[N], the rows asked for, in the order of the samples."""
    lanes: tuple[Lane, ...]
    """Over all T rows."""
    asked_lanes: tuple[Lane, ...]
    """Over the N rows asked for."""
    seen: Tensor
    """Rows that images take, in the order of the spans' pictures; empty where there are none."""
    longest: int
    """Tokens of the longest sample."""
    plans: dict[Any, Any] = field(default_factory=dict, compare=False)
    """What attention made of it, kept for the next layer."""


def lay(
    spans: Sequence[Span], *, share: bool, device: torch.device, find: Find | None = None
) -> Layout:
    """Lay the spans one after another; with `share`, common beginnings once a span.

    `find` tells where the images of a sample stand; without it no span may have any.
    """
    made = _Layer()
    for span in spans:
        spots = _spots(span, find)
        made.add(span, spots, shared=_shared(span, spots) if share else 0)
    in_time, *across = zip(*made.places, strict=True)
    return Layout(
        tokens=torch.tensor(made.tokens, device=device),
        positions=torch.tensor([in_time, *across] if made.seen else in_time, device=device),
        segments=tuple(made.segments),
        rows=torch.tensor(made.rows, dtype=torch.long, device=device),
        lanes=tuple(made.lanes),
        asked_lanes=tuple(made.asked_lanes),
        seen=torch.tensor(made.seen, dtype=torch.long, device=device),
        longest=max(len(sample) for span in spans for sample in span.samples),
    )


class _Layer:
    """A pack being laid."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.places: list[Place] = []
        self.segments: list[Segment] = []
        self.rows: list[int] = []
        self.seen: list[int] = []
        self.lanes: list[Lane] = []
        self.asked_lanes: list[Lane] = []

    def add(self, span: Span, spots: Sequence[Sequence[Spot]], *, shared: int) -> None:
        start, first = len(self.tokens), len(self.rows)
        if shared:
            self._segment(span.samples[0][:shared], [], places(shared, ()), seen=(start, start))
        for sample, asked, own in zip(span.samples, span.asked, spots, strict=True):
            here = len(self.tokens) - shared
            self.seen += [here + row for spot in own for row in range(spot.start, spot.stop)]
            rows = [place - shared for place in asked]
            where = places(len(sample), own)[shared:]
            self._segment(sample[shared:], rows, where, seen=(start, start + shared))
        self.lanes.append(Lane(span.lora, start, len(self.tokens), span.noise))
        self.asked_lanes.append(Lane(span.lora, first, len(self.rows), span.noise))

    def _segment(
        self,
        tokens: Sequence[int],
        asked: Sequence[int],
        where: Sequence[Place],
        *,
        seen: tuple[int, int],
    ) -> None:
        start = len(self.tokens)
        self.tokens += tokens
        self.places += where
        self.rows += [start + place for place in asked]
        self.segments.append(Segment(start, start + len(tokens), *seen, asked))


def _spots(span: Span, find: Find | None) -> list[Sequence[Spot]]:
    """Where the images of each sample stand."""
    if find is None:
        assert not span.images, "images for a base that sees none"
        return [()] * len(span.samples)
    images = span.images or [()] * len(span.samples)
    return [find(*pair) for pair in zip(span.samples, images, strict=True)]


def _shared(span: Span, spots: Sequence[Sequence[Spot]]) -> int:
    """How many first tokens all samples of the span share, before the first row asked for.

    And before the first image: its tokens are those of any other.
    """
    if len(span.samples) < 2:  # noqa: PLR2004 - nobody to share with
        return 0
    most = min(asked[0] if asked else len(sample) - 1
               for sample, asked in zip(span.samples, span.asked, strict=True))  # fmt: skip
    most = min([most, *(own[0].start for own in spots if own)])
    first = span.samples[0]
    count = 0
    while count < most and all(sample[count] == first[count] for sample in span.samples):
        count += 1
    return count if count >= _LEAST_SHARED else 0


def learned_span(lora: Lora | None, examples: Sequence[Example], noise: int | None = None) -> Span:
    """The examples with the rows that predict their learned tokens asked for."""
    # The state at t predicts the token at t + 1; the first token has no state before it.
    asked = [[t - 1 for t, learn in enumerate(e.learn) if learn] for e in examples]
    assert all(first[0] >= 0 for first in asked if first)
    images = [e.images for e in examples] if any(e.images for e in examples) else ()
    return Span(lora, [e.tokens for e in examples], asked, noise, images)


def learned_tokens(examples: Sequence[Example]) -> Tensor:
    """The learned tokens of all examples, one after another."""
    return torch.tensor(
        [t for e in examples for t, learn in zip(e.tokens, e.learn, strict=True) if learn]
    )
