"""How many cases there are and how many are needed, as tables."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from yukjo.dashboard import figures
from yukjo.dashboard.table import plain
from yukjo.words import say


def tables(made: Mapping[str, Any]) -> list[Table]:
    """What the test cases can show, and what the targets need."""
    return [_shown(made), _needed(made)]


def _shown(made: Mapping[str, Any]) -> Table:
    title = say("What can be seen with {power} % power, corrected for {count} comparisons",
                power=f"{100 * made['power']:g}", count=made["comparisons"])  # fmt: skip
    head = (say("agent"), say("test cases"), say("answered"), say("change of a rate"),
            say("change of a mean"))  # fmt: skip
    grid = Table(*head, title=title, title_justify="left", box=SIMPLE)
    for agent, row in made["agents"].items():
        rate, mean = row["rate_gap"], row["mean_gap_sd"]
        grid.add_row(
            plain(agent), str(row["cases"]), str(row["answered"]),
            say("too few cases") if rate is None else f"{100 * rate:.0f} %p",
            say("too few cases") if mean is None else f"{mean:.2f} SD",
        )  # fmt: skip
    return grid


def _needed(made: Mapping[str, Any]) -> Table:
    """A row a target: what is asked of each agent is needed of each."""
    grid = Table(say("target"), say("agent"), say("at hand"), say("needed"), say("assumed"),
                 title=say("What the targets need"), title_justify="left", box=SIMPLE)  # fmt: skip
    by_target: dict[str, list[Mapping[str, Any]]] = {}
    for row in made["targets"]:
        by_target.setdefault(row["target"], []).append(row)
    for rows in by_target.values():
        first, hand = rows[0], [row["cases"] for row in rows]
        grid.add_row(
            plain(figures.short_name(first["metric"])),
            say("each") if len(rows) > 1 else say("all"),
            _range([count for count in hand if count is not None]),
            figures.count(first["needed"]),
            plain(first["assumed"]),
        )
    return grid


def _range(counts: list[int]) -> str:
    """Fewest and most.

    >>> _range([7, 13, 9]), _range([5, 5]), _range([])
    ('7~13', '5', '–')
    """
    if not counts:
        return figures.UNKNOWN
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least}~{most}"
