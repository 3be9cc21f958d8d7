"""What `yukjo data` finds, as tables and lines for the terminal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rich.box import HEAVY_HEAD, SIMPLE, Box
from rich.console import Console
from rich.table import Table

from yukjo.data.findings import LONG, SHORT, Report
from yukjo.data.leak import Leaks
from yukjo.data.plan import DIFFICULTY, MOST, STAGES, AgentPlan, Gap, Plan
from yukjo.data.stats import NONE, AgentStats, Part, Stats
from yukjo.data.wanted import Wanted
from yukjo.words import say

SHOWN = 50
"""Findings in a table; `--json` has more."""

_TOPICS, _SOURCES = 10, 10
"""Columns of topics and rows of sources in a table; `--json` has all."""


def findings(report: Report) -> Iterable[Table | str]:
    """A report as one table a file, then the count of each code and a last line."""
    warnings_last = sorted(report.findings, key=lambda found: found.level == "warning")
    kept = {id(found) for found in warnings_last[:SHOWN]}
    shown = [found for found in report.findings if id(found) in kept]
    for file, group in groupby(shown, key=lambda found: found.file):
        grid = table(say("line"), say("code"), say("message"), say("mend"))
        for found in group:
            mark = "✗" if found.level == "error" else "!"
            message = _message(found.field, found.message)
            grid.add_row(f"{found.line:,}", f"{mark} {found.code}", message, found.fix)
        yield from (file, grid)
    if len(report.findings) + report.omitted > SHOWN:
        counts = Counter(found.code for found in report.findings).most_common()
        yield say("the first {count} are shown; --json has more", count=SHOWN)
        yield ", ".join(f"{code} {count:,}" for code, count in counts)
    yield say("{lines} lines, {errors} errors, {warnings} warnings", lines=f"{report.lines:,}",
              errors=f"{report.errors:,}", warnings=f"{report.warnings:,}")  # fmt: skip


def counts(found: Stats) -> Iterable[Table | str]:
    """A data set at a glance."""
    yield _parts(say("agent"), found.agents)
    yield _parts(say("difficulty"), found.difficulty)
    yield _parts(say("topic"), found.topics)
    filled = {name: each for name, each in found.by_agent.items() if each.count}
    for agent, each in filled.items():
        yield _cells(agent, each, list(found.topics)[:_TOPICS])
    yield _exceptions(filled, list(found.exceptions))
    yield _uses(filled)
    yield _parts(say("licence"), found.licences)
    yield _parts(say("source"), dict(list(found.sources.items())[:_SOURCES]))
    if (more := len(found.sources) - _SOURCES) > 0:
        yield say("{count} more sources; --json has all", count=f"{more:,}")
    yield say("{count} samples in all", count=f"{found.total:,}")


def gaps(plan: Plan, coming: Sequence[Wanted], *, most: int) -> Iterable[Table | str]:
    """The plan, and the `most` cells to fill first of each agent."""
    grid = table(say("agent"), say("samples"), *DIFFICULTY, say("exceptions"), say("absent"))
    for agent, part in plan.agents.items():
        absent = ", ".join(part.absent) if part.samples.have else say("all topics")
        grid.add_row(agent, *_have(part), absent or "-")
    yield grid
    yield _gaps_by(say("topic"), {a: p.topics for a, p in plan.agents.items()})
    yield _gaps_by(say("exception"), {a: p.kinds for a, p in plan.agents.items()})
    want = f"{STAGES[plan.stage - 1]:,}" + (f"~{MOST:,}" if plan.stage == len(STAGES) else "")
    yield say("have/wanted at stage {stage} ({want} an agent); {lines} lines close every gap",
              stage=plan.stage, want=want,
              lines=f"{sum(part.lines for part in plan.agents.values()):,}")  # fmt: skip
    if coming and most:
        yield say("to collect next, the most missing first:")
    for agent in dict.fromkeys(one.agent for one in coming if most):
        yield _next([one for one in coming if one.agent == agent], most)


def _next(coming: Sequence[Wanted], most: int) -> str:
    """What to write first for one agent, in words."""
    cells = ", ".join(map(_wanted, coming[:most]))
    rest = sum(one.lines for one in coming[most:])
    said = f"  {coming[0].agent}: {cells}"
    if rest:
        said += f", {say('{count} lines more', count=rest)}"
    kinds: Counter[str] = Counter()
    for one in coming:
        kinds.update(one.exceptions)
    if kinds:
        named = ", ".join(
            say("{cell} {count} lines", cell=k, count=n) for k, n in kinds.most_common()
        )
        said += f"; {say('exceptions among them')}: {named}"
    return said


def leaked(found: Leaks) -> Iterable[str]:
    """What test files share with training files."""
    for one in found.leaks[:SHOWN]:
        yield say("{place}: {aspect} {percent} % alike with {other}",
                  place=f"{one.file}:{one.line}", aspect=_aspects()[one.aspect],
                  percent=one.percent, other=f"{one.other_file}:{one.other_line}")  # fmt: skip
    if len(found.leaks) > SHOWN:
        yield say("the first {count} are shown; --json has more", count=SHOWN)
    counts = ", ".join(f"{_aspects()[aspect]} {count:,}" for aspect, count in found.counts.items())
    yield say("{test} test lines against {train} lines of training: {counts}",
              test=f"{found.test:,}", train=f"{found.train:,}", counts=counts)  # fmt: skip
    if found.passed_over:
        yield say("{count} lines with errors were passed over", count=f"{found.passed_over:,}")


def _aspects() -> dict[str, str]:
    """What is shared, in words."""
    return {"sample": say("whole sample"), "question": say("question"), "answer": say("answer"),
            "image": say("image")}  # fmt: skip


def table(*columns: str, box: Box = HEAVY_HEAD) -> Table:
    """An empty table; cells are plain text, whatever brackets they hold."""
    grid = Table(box=box)
    for number, column in enumerate(columns):
        grid.add_column(column, overflow="fold", no_wrap=number == 0)
    return grid


def show(*parts: Table | str) -> None:
    """Print tables and lines to stdout."""
    console = Console(markup=False, highlight=False, emoji=False)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))


def _message(field: str | None, message: str) -> str:
    """A message with the field it is about, unless it names it itself."""
    return message if field is None or field in message else f"{field}: {message}"


def _parts(name: str, parts: Mapping[str, Part]) -> Table:
    """Counts and shares as a table."""
    grid = table(name, say("count"), say("share"))
    for label, part in parts.items():
        grid.add_row(label, f"{part.count:,}", f"{part.share:.1%}")
    return grid


def _cells(agent: str, each: AgentStats, topics: Sequence[str]) -> Table:
    """Difficulty by topic of an agent, whose name heads the table."""
    others = any(topic not in topics for row in each.cells.values() for topic in row)
    grid = table(agent, *topics, *([say("others")] if others else []), say("count"), box=SIMPLE)
    for difficulty, row in each.cells.items():
        named = [row.get(topic, 0) for topic in topics]
        rest = [sum(row.values()) - sum(named)] if others else []
        grid.add_row(difficulty, *map(str, named), *map(str, rest), f"{sum(row.values()):,}")
    return grid


def _exceptions(found: Mapping[str, AgentStats], kinds: Sequence[str]) -> Table:
    """Exceptions of each agent by kind."""
    grid = table(say("agent"), *kinds[:_TOPICS], say("count"), say("share"), box=SIMPLE)
    for agent, each in found.items():
        own = [each.exceptions.get(kind, 0) for kind in kinds[:_TOPICS]]
        all_ = sum(each.exceptions.values())
        grid.add_row(agent, *map(str, own), f"{all_:,}", f"{all_ / each.count:.1%}")
    return grid


def _uses(found: Mapping[str, AgentStats]) -> Table:
    """Lengths of each agent's answers, turns, tools and images."""
    grid = table(say("agent"), say("characters, least"), say("median"), say("most"),
                 f"{SHORT}~{LONG:,}", say("several turns"), say("tool results"), say("images"),
                 box=SIMPLE)  # fmt: skip
    for agent, each in found.items():
        if each.lengths is not None:
            long = each.lengths
            grid.add_row(agent, f"{long.least:,}", f"{long.median:,.0f}", f"{long.most:,}",
                         f"{long.within:.1%}", f"{each.turns:,}", f"{each.tools:,}",
                         f"{each.images:,}")  # fmt: skip
    return grid


def _have(part: AgentPlan) -> Iterable[str]:
    """An agent's numbers, have/wanted."""
    return map(_gap, (part.samples, *part.difficulty.values(), part.exceptions))


def _gaps_by(name: str, found: Mapping[str, Mapping[str, Gap]]) -> Table:
    """The gaps of each name, an agent a column's worth of numbers."""
    names = list(dict.fromkeys(label for own in found.values() for label in own))
    grid = table(name, *names, box=SIMPLE)
    for agent, own in found.items():
        grid.add_row(agent, *(_gap(own[label]) if label in own else NONE for label in names))
    return grid


def _gap(gap: Gap) -> str:
    return f"{gap.have}/{gap.want}"


def _wanted(one: Wanted) -> str:
    """Lines to write, in words."""
    cell = "·".join(part for part in (one.difficulty, one.topic) if part) or say("any kind")
    return say("{cell} {count} lines", cell=cell, count=one.lines)
