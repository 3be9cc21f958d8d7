"""The gate's answer in words: the verdict, the rule that decided, and a line a target."""

from collections.abc import Mapping

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from yukjo.dashboard import figures
from yukjo.dashboard.table import plain
from yukjo.ledger.verdict import Gate, Line
from yukjo.records import Ruling
from yukjo.words import say

MARKS: dict[Ruling, str] = {"pass": "○", "hold": "△", "regression": "✕"}
STYLES: dict[Ruling, str] = {"pass": "green", "hold": "yellow", "regression": "red"}
_AT_MOST = {"p95_seconds", "memory_gb"}
"""Levels that must stay below their bar."""


def word(ruling: Ruling) -> str:
    """One of the three answers."""
    return {"pass": say("pass"), "hold": say("hold"), "regression": say("regression")}[ruling]


def marked(ruling: Ruling) -> str:
    """An answer as a mark and a word, so that colour alone never carries it."""
    return f"{MARKS[ruling]} {word(ruling)}"


def sentence(gate: Gate, titles: Mapping[str, str]) -> str:
    """The verdict and the rule that decided; `titles` are what people call the agents."""
    line = gate.decided_by
    if line is None:
        return say("Verdict: {verdict} ({why})", verdict=word(gate.verdict), why=rule(gate, titles))
    passed = sum(n.ruling == "pass" for n in gate.lines)
    return say("Verdict: {verdict} ({rule}: {why}); {passed} of {total} targets are reached",
               verdict=word(gate.verdict), rule=_of(line, titles), why=reason(line), passed=passed,
               total=len(gate.lines))  # fmt: skip


def rule(gate: Gate, titles: Mapping[str, str]) -> str:
    """The rule that decided, and why it says so."""
    line = gate.decided_by
    if line is None:
        return say("every target is reached") if gate.lines else say("no target is set")
    return f"{_of(line, titles)}: {reason(line)}"


def ship(gate: Gate) -> str:
    """What the verdict means for who has to decide."""
    return {
        "pass": say("It got better, and may be put into production."),
        "hold": say("Not shown yet: it may not be put into production."),
        "regression": say("Something got worse: it must not be put into production."),
    }[gate.verdict]


def asked(line: Line) -> str:
    """What a target asks for."""
    bar = abs(line.bar or 0)
    shown = f"{bar:g} %" if line.kind == "improvement" else f"{bar:g}"
    if line.metric == "seal":
        return say("sealed before training")
    if line.kind == "level":
        most = line.metric in _AT_MOST
        return say("{bar} or less", bar=shown) if most else say("{bar} or more", bar=shown)
    if not line.bar:
        return say("better")
    if line.bar < 0:
        return say("at most {bar} worse", bar=shown)
    return say("better by {bar} or more", bar=shown)


def reason(line: Line) -> str:
    """Why a line has its answer."""
    if line.why == "few" and line.needed is not None:
        return say("{count} more cases needed", count=line.needed)
    return {
        "met": say("reached"),
        "worse": say("worse than before"),
        "missed": say("shown not to be reached"),
        "few": say("not shown, and more cases alone would hardly show it"),
        "absent": say("not measured yet"),
        "unsealed": say("no valid seal from before the training"),
    }.get(line.why, line.why)


def interval(line: Line) -> str:
    """The interval of what is held against the bar, in its units."""
    if line.low is None and line.high is None:
        return figures.UNKNOWN
    unit = " %" if line.kind == "improvement" else ""
    if line.kind == "level":
        return f"{figures.number(line.low)}~{figures.number(line.high)}"
    return f"{figures.number(line.low, '+')}~{figures.number(line.high, '+')}{unit}"


def table(gate: Gate, titles: Mapping[str, str]) -> Table:
    """A row a target and agent."""
    grid = Table(title=say("Gate"), title_justify="left", box=SIMPLE, padding=0,
                 collapse_padding=True)  # fmt: skip
    for heading in (say("agent"), say("target"), say("asked for")):
        grid.add_column(heading, overflow="fold")
    for heading in (say("before"), say("after"), say("gain or bounds"), "n"):
        grid.add_column(heading, justify="right", no_wrap=True)
    grid.add_column(say("verdict"), overflow="fold")
    for line in gate.lines:
        grid.add_row(plain(figures.agent_title(line.agent, titles)), *_cells(line))
    return grid


def _cells(line: Line) -> tuple[Text, ...]:
    return (
        plain(figures.short_name(line.metric)),
        plain(asked(line)),
        Text(figures.number(line.before)),
        Text(figures.number(line.after)),
        Text(interval(line)),
        Text(str(line.n or figures.UNKNOWN)),
        Text(f"{marked(line.ruling)}: {reason(line)}", style=STYLES[line.ruling]),
    )


def _of(line: Line, titles: Mapping[str, str]) -> str:
    return f"{figures.metric_name(line.metric)}, {figures.agent_title(line.agent, titles)}"
