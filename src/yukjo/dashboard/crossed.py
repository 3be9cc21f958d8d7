"""Every agent's adapter on every agent's cases, as a table: change of the loss against the base."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from yukjo.dashboard import figures
from yukjo.dashboard.table import plain
from yukjo.ledger.body import Metric
from yukjo.words import say


def cell(found: Mapping[str, Any]) -> str:
    """A difference with its interval and mark."""
    metric = Metric.model_validate(found)
    low, high = figures.number(metric.low, "+"), figures.number(metric.high, "+")
    mark = figures.MARKS[metric.verdict]
    return f"{mark}{figures.number(metric.difference, '+')} [{low}, {high}]"


def table(body: Mapping[str, Any]) -> Table:
    """Rows: whose cases; columns: who was asked."""
    rows = cells(body)
    grid = Table(say("cases of"), *asked(body), title=title(), title_justify="left", box=SIMPLE,
                 padding=0)  # fmt: skip
    for owner, row in rows.items():
        grid.add_row(plain(owner), *(found.replace(" [", "\n[") for found in row))
    return grid


def asked(body: Mapping[str, Any]) -> list[str]:
    """Who was asked, in the columns' order."""
    return list(figures.in_order(next(iter(body["cells"].values()))))


def cells(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Whose cases -> what became of them under everyone asked, agents in their order."""
    return {owner: [cell(row[agent]) for agent in asked(body)]
            for owner, row in figures.in_order(body["cells"]).items()}  # fmt: skip


def title() -> str:
    """What the figures are."""
    return say("change of the loss against the bare base, nats a token (below 0 is better)")


def lines(body: Mapping[str, Any]) -> list[str]:
    """What routing makes of it."""
    routed = body["routed"]
    return [
        say("each case asked of its own agent: {change}", change=cell(body["oracle"])),
        say("each case asked of whom the router chooses: {change} ({right} of {n} right)",
            change=cell(body["router"]), right=routed["right"], n=routed["n"]),
        say("what wrong routes cost, over all cases: {change}", change=cell(body["misroute"])),
    ]  # fmt: skip
