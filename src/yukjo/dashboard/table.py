"""A run's comparison for the terminal: a row for each agent and metric."""

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from yukjo.dashboard import figures
from yukjo.ledger.body import Metric, run_body
from yukjo.records import Entry, Verdict
from yukjo.words import say

_STYLES: dict[Verdict, str] = {"better": "green", "worse": "red", "unclear": "dim"}


def plain(text: str) -> Text:
    """Text from outside as a cell: no markup, and no control code that could drive a terminal."""
    return Text("".join(letter if letter.isprintable() else "�" for letter in text))


def tables(entry: Entry) -> list[Table]:
    """The comparison, and what a chain adds to it."""
    from yukjo.dashboard import chain

    return [table(entry), *chain.tables(run_body(entry))]


def table(entry: Entry) -> Table:
    """The same columns as the page: metric, before, after, difference, interval, n, verdict."""
    body = run_body(entry)
    grid = Table(
        title=plain(say("run {run}", run=entry.run)),
        title_justify="left",
        box=SIMPLE,
        padding=0,
        collapse_padding=True,
    )
    for heading in (say("agent"), say("metric")):
        grid.add_column(heading, overflow="fold")
    for heading in (say("before"), say("after"), say("difference"), say("95 % interval"), "n"):
        grid.add_column(heading, justify="right", no_wrap=True)
    grid.add_column(say("verdict"), no_wrap=True)
    for agent, result in figures.in_order(body.agents).items():
        name = plain(figures.title(body, agent))
        for metric in figures.ordered(result):
            grid.add_row(name, *_cells(metric))
            name = Text()
        grid.add_section()
    return grid


def _cells(metric: Metric) -> tuple[Text, ...]:
    """A metric's cells after its agent's name."""
    return (
        plain(figures.short_name(metric.name)),
        Text(figures.number(metric.before)),
        Text(figures.number(metric.after)),
        Text(figures.number(metric.difference, "+")),
        Text(figures.interval(metric).replace(" ~ ", "~"), no_wrap=True),
        Text(str(metric.n)),
        Text(figures.verdict_text(metric.verdict), style=_STYLES[metric.verdict]),
    )
