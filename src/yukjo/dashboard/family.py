"""Where a thing came from and what it led to, as columns of boxes and lines between them.

Geometry only, in a box of `WIDTH`; the template draws it, and the tables behind hold all of it. A
line joins what led to what and nothing else: test lines lead to figures and to no adapter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yukjo.dashboard import figures
from yukjo.ledger.body import ALL
from yukjo.words import say

WIDTH, BOX, TALL, GAP, TOP = 960, 200, 46, 12, 34
MOST = 8
"""Boxes of a column that are drawn; the rest is counted in one more."""
_LETTERS = 22

Titles = Mapping[str, str]
"""What people call the agents."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in the graph and the table."""

    name: str
    more: str = ""
    ask: str = ""
    """What to follow next: for `trace`."""
    entry: int | None = None
    """Its entry in the ledger."""
    role: str = ""
    """A side of the data or an agent, by which lines are drawn."""


@dataclass(frozen=True, slots=True)
class Column:
    """Things of one kind."""

    title: str
    things: tuple[Thing, ...]
    chosen: bool = False
    """Whether this is what was asked for."""
    shown: tuple[Thing, ...] = ()
    """Those that are drawn, where it isn't the first ones."""


@dataclass(frozen=True, slots=True)
class Box:
    """A thing drawn."""

    x: float
    y: float
    label: str
    more: str
    full: str
    role: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """What the template draws."""

    height: float
    boxes: tuple[Box, ...]
    paths: tuple[str, ...]
    heads: tuple[tuple[float, str], ...]


def columns(found: dict[str, Any], titles: Titles) -> list[Column]:
    """The columns of what `ledger.lineage.trace` found, from causes to effects."""
    made = {"score": _of_score, "adapter": _of_adapter, "line": _of_line}[found["kind"]]
    return [column for column in made(found, titles) if column.things]


def graph(given: Sequence[Column]) -> Graph:
    """Columns of boxes, joined where one led to the other."""
    space = (WIDTH - BOX) / max(1, len(given) - 1)
    counts = [min(len(column.shown or column.things), MOST + 1) for column in given]
    rows = max(counts, default=0)
    placed = [_boxes(column, round(place * space, 1), rows) for place, column in enumerate(given)]
    floor = TOP + rows * (TALL + GAP) + GAP / 2
    paths = tuple(
        _path(a, b) if step == 1 else _below(a, b, floor)
        for place, left in enumerate(placed)
        for step, right in enumerate(placed[place + 1 :], 1)
        for a in left
        for b in right
        if _leads(a.role, b.role, next_to=step == 1)
    )
    heads = tuple((column[0].x, given[place].title) for place, column in enumerate(placed))
    boxes = tuple(box for column in placed for box in column)
    return Graph(floor + GAP, boxes, paths, heads)


def _leads(left: str, right: str, *, next_to: bool) -> bool:
    """Whether a line joins two boxes.

    Test lines lead to figures; an agent's adapter to its own figures, and every one to those over
    all agents. What has no role leads to whatever stands next to it.
    """
    if left == "test":
        return right.startswith("figure:")
    if left.startswith("adapter:") and right.startswith("figure:"):
        return right in {f"figure:{left.removeprefix('adapter:')}", f"figure:{ALL}"}
    return next_to and not (left in {"train", "valid"} and right.startswith("figure:"))


def _boxes(column: Column, x: float, rows: int) -> list[Box]:
    """A column, centred among so many rows."""
    every = column.shown or column.things
    shown = [*every[:MOST]]
    if left := len(every) - len(shown):
        shown.append(Thing(say("and {count} more", count=left), role=every[-1].role))
    first = TOP + (rows - len(shown)) * (TALL + GAP) / 2
    return [
        Box(x, first + place * (TALL + GAP), _short(one.name), _short(one.more),
            f"{one.name} {one.more}".strip(), one.role, column.chosen)
        for place, one in enumerate(shown)
    ]  # fmt: skip


def _path(left: Box, right: Box) -> str:
    x1, y1, x2, y2 = left.x + BOX, left.y + TALL / 2, right.x, right.y + TALL / 2
    middle = (x1 + x2) / 2
    return f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"


def _below(left: Box, right: Box, floor: float) -> str:
    """A line to a column further on, that passes below those between."""
    x1, y1, x2, y2 = left.x + BOX, left.y + TALL / 2, right.x, right.y + TALL / 2
    return (f"M{x1:g} {y1:g}C{x1 + 40:g} {y1:g} {x1:g} {floor:g} {x1 + 50:g} {floor:g}"
            f"H{x2 - 50:g}C{x2:g} {floor:g} {x2 - 40:g} {y2:g} {x2:g} {y2:g}")  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"


def _of_score(found: dict[str, Any], titles: Titles) -> list[Column]:
    data = found["data"]
    files = tuple(Thing(file["name"], _state(file["now"])) for file in data["files"])
    names = {"train": say("train"), "valid": say("validation"), "test": say("test")}
    sides = tuple(
        Thing(name, say("{count} lines", count=len(data[side])), role=side)
        for side, name in names.items()
        if data[side]
    )
    made = figures.in_order({one["agent"]: one for one in found["adapters"]})
    scores = tuple(_score(one, titles) for one in found["scores"])
    heads = tuple(
        _score(one, titles)
        for one in figures.in_order(
            {one["agent"]: one for one in found["scores"] if one["metric"] == "perplexity"}
        ).values()
    )
    return [
        Column(say("data files"), files),
        Column(say("data lines"), sides),
        Column(say("Adapters"), tuple(_adapter(one, titles) for one in made.values())),
        Column(say("figures"), scores, chosen=True, shown=heads if len(scores) > MOST else ()),
    ]


def _score(one: dict[str, Any], titles: Titles) -> Thing:
    return Thing(
        f"{figures.agent_title(one['agent'], titles)} · {figures.short_name(one['metric'])}",
        f"{figures.number(one['before'])} → {figures.number(one['after'])}",
        entry=one["entry"],
        role=f"figure:{one['agent']}",
    )


def _of_adapter(found: dict[str, Any], titles: Titles) -> list[Column]:
    lines = tuple(Thing(line["hash"][:12], ", ".join(line["at"]), line["hash"])
                  for line in found["train"])  # fmt: skip
    return [
        Column(say("data lines"), lines),
        Column(say("adapter"), (_adapter(found["adapter"], titles),), chosen=True),
        Column(say("runs"), tuple(map(_entry, found["runs"]))),
        Column(say("named in"), tuple(map(_entry, found["named_in"]))),
    ]


def _of_line(found: dict[str, Any], titles: Titles) -> list[Column]:
    line = Thing(found["hash"][:12], ", ".join(found["at"]), found["hash"])
    shaped = tuple(
        Thing(f"{figures.agent_title(one['agent'], titles)} {one['id'][:12]}", one["run"],
              one["id"], one["entry"])
        for one in found["shaped"]
    )  # fmt: skip
    return [
        Column(say("data line"), (line,), chosen=True),
        Column(say("shaped"), shaped),
        Column(say("chose a checkpoint in"), tuple(map(_entry, found["held_out_in"]))),
        Column(say("measured in"), tuple(map(_entry, found["measured_in"]))),
    ]


def _adapter(adapter: dict[str, Any], titles: Titles) -> Thing:
    name = adapter["agent"]
    return Thing(
        figures.agent_title(name, titles), adapter["id"][:12], adapter["id"], role=f"adapter:{name}"
    )


def _entry(entry: dict[str, Any]) -> Thing:
    return Thing(say("entry {number}", number=entry["entry"]), f"{entry['of']} {entry['run']}",
                 entry=entry["entry"])  # fmt: skip


def _state(now: str) -> str:
    return {
        "same": say("as recorded"), "changed": say("changed since"), "missing": say("gone"),
    }.get(now, now)  # fmt: skip
