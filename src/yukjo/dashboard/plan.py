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
    grid = Table(say("target"), say("agent"), say("at hand"), say("needed"), say("assumed"),
                 title=say("What the targets need"), title_justify="left", box=SIMPLE)  # fmt: skip
    for row in made["targets"]:
        grid.add_row(plain(figures.short_name(row["metric"])), plain(row["agent"]),
                     figures.count(row["cases"]), figures.count(row["needed"]),
                     plain(row["assumed"]))  # fmt: skip
    return grid
