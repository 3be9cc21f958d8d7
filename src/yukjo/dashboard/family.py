"""Where a thing came from and what it led to, as columns of boxes and lines between them.

Geometry only, in a box of `WIDTH`; the template draws it, and the table behind holds all of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from yukjo.dashboard import figures
from yukjo.ledger.body import ALL
from yukjo.words import say

WIDTH, BOX, TALL, GAP, TOP = 960, 200, 46, 12, 34
MOST = 8
"""Boxes of a column that are drawn; the rest is counted in one more."""
_LETTERS = 22


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in the graph and the table."""

    name: str
    more: str = ""
    ask: str = ""
    """What to follow next: for `trace`."""
    entry: int | None = None
    """Its entry in the ledger."""


@dataclass(frozen=True, slots=True)
class Column:
    """Things of one kind."""

    title: str
    things: tuple[Thing, ...]
    chosen: bool = False
    """Whether this is what was asked for."""


@dataclass(frozen=True, slots=True)
class Box:
    """A thing drawn."""

    x: float
    y: float
    label: str
    more: str
    full: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """What the template draws."""

    height: float
    boxes: tuple[Box, ...]
    paths: tuple[str, ...]
    heads: tuple[tuple[float, str], ...]


def columns(found: dict[str, Any], titles: Mapping[str, str]) -> list[Column]:
    """The columns of what `ledger.lineage.trace` found, from causes to effects.

    `titles` are what people call the agents.
    """
    made = {"score": _of_score, "adapter": _of_adapter, "line": _of_line}[found["kind"]]
    return [column for column in made(found, titles) if column.things]


def graph(given: Sequence[Column]) -> Graph:
    """Columns of boxes, each joined to all of the next column."""
    space = (WIDTH - BOX) / max(1, len(given) - 1)
    drawn = [_boxes(column, round(place * space, 1)) for place, column in enumerate(given)]
    rows = max((len(column) for column in drawn), default=0)
    height = TOP + rows * (TALL + GAP)
    placed = [_centred(column, rows) for column in drawn]
    paths = [_path(a, b) for left, right in pairwise(placed)
             for a in left for b in right]  # fmt: skip
    heads = tuple((column[0].x, given[place].title) for place, column in enumerate(placed))
    return Graph(height, tuple(box for column in placed for box in column), tuple(paths), heads)


def _boxes(column: Column, x: float) -> list[Box]:
    shown = [_box(thing.name, thing.more, x, chosen=column.chosen)
             for thing in column.things[:MOST]]  # fmt: skip
    left = len(column.things) - len(shown)
    if left:
        shown.append(_box(say("and {count} more", count=left), "", x, chosen=False))
    return shown


def _box(name: str, more: str, x: float, *, chosen: bool) -> Box:
    return Box(x, 0, _short(name), _short(more), f"{name} {more}".strip(), chosen)


def _centred(column: Sequence[Box], rows: int) -> list[Box]:
    first = TOP + (rows - len(column)) * (TALL + GAP) / 2
    return [Box(box.x, first + place * (TALL + GAP), box.label, box.more, box.full, box.chosen)
            for place, box in enumerate(column)]  # fmt: skip


def _path(left: Box, right: Box) -> str:
    x1, y1, x2, y2 = left.x + BOX, left.y + TALL / 2, right.x, right.y + TALL / 2
    middle = (x1 + x2) / 2
    return f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"


def _of_score(found: dict[str, Any], titles: Mapping[str, str]) -> list[Column]:
    data = found["data"]
    files = tuple(Thing(f["name"], _state(f["now"])) for f in data["files"])
    sides = tuple(
        Thing(name, say("{count} lines", count=len(data[side])))
        for side, name in (("train", say("train")), ("valid", say("valid")), ("test", say("test")))
        if data[side]
    )
    scores = tuple(
        Thing(f"{_agent(s['agent'], titles)} · {figures.short_name(s['metric'])}",
              f"{figures.number(s['before'])} → {figures.number(s['after'])}", entry=s["entry"])
        for s in found["scores"]
    )  # fmt: skip
    return [
        Column(say("data files"), files),
        Column(say("data lines"), sides),
        Column(say("Adapters"), tuple(_adapter(a, titles) for a in found["adapters"])),
        Column(say("figures"), scores, chosen=True),
    ]


def _of_adapter(found: dict[str, Any], titles: Mapping[str, str]) -> list[Column]:
    train = found["train"]
    lines = tuple(Thing(line["hash"][:12], ", ".join(line["at"]), ask=line["hash"])
                  for line in train)  # fmt: skip
    return [
        Column(say("data lines"), lines),
        Column(say("adapter"), (_adapter(found["adapter"], titles),), chosen=True),
        Column(say("runs"), tuple(map(_entry, found["runs"]))),
        Column(say("named in"), tuple(map(_entry, found["named_in"]))),
    ]


def _of_line(found: dict[str, Any], titles: Mapping[str, str]) -> list[Column]:
    line = Thing(found["hash"][:12], ", ".join(found["at"]), ask=found["hash"])
    shaped = tuple(
        Thing(f"{_agent(one['agent'], titles)} {one['id'][:12]}", one["run"], one["id"],
              one["entry"])
        for one in found["shaped"]
    )  # fmt: skip
    return [
        Column(say("data line"), (line,), chosen=True),
        Column(say("shaped"), shaped),
        Column(say("chose a checkpoint in"), tuple(map(_entry, found["held_out_in"]))),
        Column(say("measured in"), tuple(map(_entry, found["measured_in"]))),
    ]


def _agent(name: str, titles: Mapping[str, str]) -> str:
    return titles.get(name) or (say("all agents together") if name == ALL else name)


def _adapter(adapter: dict[str, Any], titles: Mapping[str, str]) -> Thing:
    return Thing(_agent(adapter["agent"], titles), adapter["id"][:12], ask=adapter["id"])


def _entry(entry: dict[str, Any]) -> Thing:
    return Thing(say("entry {number}", number=entry["entry"]), f"{entry['of']} {entry['run']}",
                 entry=entry["entry"])  # fmt: skip


def _state(now: str) -> str:
    states: Iterable[tuple[str, str]] = (
        ("same", say("as recorded")), ("changed", say("changed since")), ("missing", say("gone")),
    )  # fmt: skip
    return dict(states).get(now, now)
