"""A chain for people: every way through it, what became of each fact, and some cases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from yukjo.dashboard import figures
from yukjo.dashboard.table import plain
from yukjo.ledger.body import Chain, Estimate, RunBody
from yukjo.words import say

Of = TypeVar("Of")

_FIGURES = ("accuracy", "whole", "precision", "information_kept", "quality")
_FATES = ("kept", "lost", "misread", "invented", "recovered")


def figure_name(name: str) -> str:
    """What people call a figure of a way."""
    return {
        "accuracy": say("facts right"),
        "whole": say("whole cases right"),
        "precision": say("said facts true"),
        "information_kept": say("information kept"),
        "quality": say("summary quality"),
    }.get(name, name)


def fate_name(name: str) -> str:
    """What became of a fact, in a word."""
    return {
        "kept": say("kept"),
        "lost": say("lost"),
        "misread": say("misread"),
        "invented": say("invented"),
        "recovered": say("recovered"),
    }.get(name, name)


def way_name(way: str) -> tuple[str, str]:
    """Who read and who summed up."""
    reading, _, summary = way.partition("/")
    return _side(reading), _side(summary)


def estimate(found: Estimate) -> str:
    """A figure with its 95 % interval.

    >>> estimate(Estimate(value=0.5, low=0.25, high=0.75, n=9)), estimate(Estimate())
    ('0.500 [0.250, 0.750]', '–')
    """
    if found.low is None or found.high is None:
        return figures.number(found.value)
    low, high = figures.number(found.low), figures.number(found.high)
    return f"{figures.number(found.value)} [{low}, {high}]"


def _in_order(found: Mapping[str, Of]) -> Iterator[tuple[str, Of]]:
    """Ways by who reads, then who sums up: the record keeps them by the alphabet."""
    ranks = ("before", "after", "truth", "joint")
    return iter(sorted(found.items(), key=lambda at: [ranks.index(side) if side in ranks else 9
                                                      for side in at[0].split("/")]))  # fmt: skip


def ways(chain: Chain) -> Iterator[Sequence[str]]:
    """The table of all ways: its head, then a row a way."""
    yield (say("reading"), say("summary"), *map(figure_name, _FIGURES))
    for way, found in _in_order(chain.ways):
        yield (*way_name(way), *(estimate(found.get(name, Estimate())) for name in _FIGURES))


def fates(chain: Chain) -> Iterator[Sequence[str]]:
    """The table of what became of the facts: its head, then a row a way."""
    yield (say("reading"), say("summary"), *map(fate_name, _FATES))
    for way, found in _in_order(chain.fates):
        yield (*way_name(way), *(estimate(found.get(name, Estimate())) for name in _FATES))


def lines(chain: Chain, body: RunBody) -> Iterator[str]:
    """What the tables mean, in sentences."""
    first, second = (figures.title(body, name) for name in chain.stages)
    yield say("{count} test cases went through `{first}` and `{second}`; intervals are 95 %, by"
              " case.",
              count=chain.cases, first=first, second=second)  # fmt: skip
    yield say("What a perfect second stage would reach on the tuned reading: {found}",
              found=estimate(chain.reader_alone))  # fmt: skip
    yield say("Interaction of the two tunings (what both give beyond their sum): {found}",
              found=estimate(chain.interaction))  # fmt: skip
    chosen = chain.chosen_by
    yield say("Final second stage: {final}, chosen by summary quality on {count} held-out cases"
              " (tuned on true analyses {after}, on real readings {joint}).",
              final=_side(chain.final), count=chosen.cases, after=estimate(chosen.after),
              joint=estimate(chosen.joint))  # fmt: skip
    for name, memory in chain.memory_mb.items():
        yield say("Memory, stage {name}: {before} MiB before, {peak} at the peak of training,"
                  " {after} after it was let go.",
                  name=name, before=figures.count(memory.held_before),
                  peak=figures.count(memory.peak),
                  after=figures.count(memory.held_after))  # fmt: skip


def explained() -> str:
    """What the names of the facts' fates mean."""
    return say("kept: read and said. lost: read, not said. misread: wrongly read or not at all, and"
               " so not said. invented: something else is said that nobody read. recovered: wrongly"
               " read, yet rightly said: look twice.")  # fmt: skip


def tables(body: RunBody) -> list[Table]:
    """Both tables for the terminal; none for a run that is no chain."""
    if body.chain is None:
        return []
    titles = (say("Every way through the chain"), say("What became of each fact"))
    return [
        _grid(title, list(rows)) for title, rows in
        zip(titles, (ways(body.chain), fates(body.chain)), strict=True)
    ]  # fmt: skip


def _grid(title: str, rows: Sequence[Sequence[str]]) -> Table:
    grid = Table(title=title, title_justify="left", box=SIMPLE, padding=0, collapse_padding=True)
    for place, heading in enumerate(rows[0]):
        grid.add_column(heading, justify="right" if place > 1 else "left", overflow="fold")
    for row in rows[1:]:
        grid.add_row(*map(_cell, row))
    return grid


def _cell(text: str) -> Text:
    """A figure with its interval below it."""
    value, bracket, interval = text.partition(" [")
    return Text("\n").join([plain(value), plain(f"[{interval}")]) if bracket else plain(value)


def _side(name: str) -> str:
    return {
        "before": say("before"),
        "after": say("after"),
        "joint": say("on real readings"),
        "truth": say("truth"),
    }.get(name, name)
