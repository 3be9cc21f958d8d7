"""A recorded run as a page of Markdown: before and after, the verdict, general ability, N x N."""

from collections.abc import Iterable, Iterator, Sequence

from yukjo.dashboard import chain as links
from yukjo.dashboard import crossed, figures, verdict
from yukjo.ledger.body import AgentResult, Chain, RunBody, run_body
from yukjo.ledger.verdict import Gate, gate_of
from yukjo.records import Entry
from yukjo.words import say


def markdown(run: Entry, ruled: Entry | None, cross: Entry | None) -> str:
    """The page of a run's entry, the newest verdict over it, and the newest cross of its adapters.

    Made from the ledger alone, so that the same entries give the same page.
    """
    body, gate = run_body(run), gate_of(ruled or run)
    parts = [f"# {say('Results')}", *_head(run, body)]
    if gate:
        parts += [f"## {say('Gate')}", *_gate(gate, ruled or run, body)]
    parts += [f"## {say('Before and after')}", *_agents(body)]
    if body.chain:
        parts += [f"## {say('The chain')}", *_chain(body.chain, body)]
    if cross:
        parts += [f"## {say('Every adapter on every case')}", *_cross(cross, body)]
    return "\n\n".join(parts) + "\n"


def _head(run: Entry, body: RunBody) -> Iterator[str]:
    yield say("Made from the ledger by `yukjo report {run} --markdown`; figures are of this run on"
              " this machine.", run=run.run)  # fmt: skip
    facts = {
        say("Run"): f"{run.run} ({run.created})",
        say("Ledger entry"): f"{run.number} `{run.hash}`",
        say("Base model"): f"{body.base.name} `{body.base.hash[:16]}`",
        say("Seed"): str(body.seed),
        say(
            "Machine"
        ): f"{body.machine.system}, {body.machine.cores} / {body.machine.memory_gb} GB",
        say("Time by stage"): ", ".join(f"{s} {t:.0f} s" for s, t in body.times.items()),
    }
    yield "\n".join(f"- {name}: {_cell(value)}" for name, value in facts.items())


def _gate(gate: Gate, ruled: Entry, body: RunBody) -> Iterator[str]:
    yield f"**{_cell(verdict.sentence(gate, body.titles))}**"
    sealed = (say("no valid seal from before the training") if gate.seal is None
              else say("targets sealed in entry {number}", number=gate.seal))  # fmt: skip
    yield say("Verdict in entry {number}; {sealed}.", number=ruled.number, sealed=sealed)
    head = (say("agent"), say("target"), say("asked for"), say("before"), say("after"),
            say("gain or bounds"), "n", say("verdict"))  # fmt: skip
    yield _table(head, (
        (figures.title(body, line.agent), figures.metric_name(line.metric), verdict.asked(line),
         figures.number(line.before), figures.number(line.after), verdict.interval(line),
         str(line.n or figures.UNKNOWN), f"{verdict.marked(line.ruling)}: {verdict.reason(line)}")
        for line in gate.lines
    ))  # fmt: skip


def _agents(body: RunBody) -> Iterator[str]:
    head = (say("metric"), say("before"), say("after"), say("difference"), say("95 % interval"),
            "n", say("verdict"))  # fmt: skip
    for agent, result in figures.in_order(body.agents).items():
        yield f"### {_cell(figures.title(body, agent))}"
        yield _table(head, _metrics(result))


def _metrics(result: AgentResult) -> Iterator[Sequence[str]]:
    for metric in figures.ordered(result):
        yield (figures.metric_name(metric.name), figures.number(metric.before),
               figures.number(metric.after), figures.number(metric.difference, "+"),
               figures.interval(metric), str(metric.n),
               figures.verdict_text(metric.verdict))  # fmt: skip


def _chain(chain: Chain, body: RunBody) -> Iterator[str]:
    yield "\n".join(f"- {_cell(line)}" for line in links.lines(chain, body))
    for title, rows in (
        (say("Every way through the chain"), links.ways(chain)),
        (say("What became of each fact"), links.fates(chain)),
    ):
        head, *rest = rows
        yield f"### {title}"
        yield _table(head, rest)
    yield links.explained()


def _cross(cross: Entry, body: RunBody) -> Iterator[str]:
    names = [figures.title(body, agent) for agent in crossed.asked(cross.body)]
    yield f"{crossed.title()}."
    yield _table((say("cases of"), *names), (
        (figures.title(body, owner), *row) for owner, row in crossed.cells(cross.body).items()
    ))  # fmt: skip
    yield "\n".join(f"- {line}" for line in crossed.lines(cross.body))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    every = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in every)


def _cell(text: str) -> str:
    """Text from outside that can't break out of its line or cell."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat.replace("|", "\\|").replace("<", "&lt;")
