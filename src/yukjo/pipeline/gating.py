"""Hold a measured run against its sealed targets, and record the answer.

The decision is made from the ledger alone: from the run's entry, its seal, and whatever came after
it, as blind reviews. So it can be made again when there is more evidence, by anybody.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from yukjo.agents.router import open_router
from yukjo.agents.router_files import Asked, read_asked
from yukjo.agents.router_report import evaluate as route_all
from yukjo.config import YukjoConfig
from yukjo.config.gate import GateConfig
from yukjo.config.targets import targets
from yukjo.errors import RunError
from yukjo.evaluate.gate import Level, decide, decision_for, share_level, tail_level
from yukjo.ledger.store import Ledger
from yukjo.pipeline.sealing import contents, sealed_targets, standing
from yukjo.pipeline.work import Work
from yukjo.records import Comparison, Entry
from yukjo.words import say

MEASURED = ("run", "evaluate")
"""Kinds of entries that can be judged."""


def evidence(work: Work, made: Mapping[str, Any], selection: Level | None) -> dict[str, Any]:
    """What an entry keeps for the gate beside its comparisons."""
    levels = [level for level in (selection, memory_level(made)) if level]
    return {
        "seal": contents(work.config, work.prepared, work.project)["hash"],
        "levels": [level.model_dump(mode="json") for level in levels],
    }


def judge(ledger: Ledger, body: Mapping[str, Any]) -> dict[str, Any]:
    """The decision over a measured entry's `body`, by what the ledger holds now."""
    adapters = body["adapters"]
    seal = standing(ledger, adapters, body.get("seal", ""))
    config = GateConfig.model_validate(body.get("config", {}).get("gate", {}))
    asked = sealed_targets(seal.body) if seal else targets(config)
    confidence = seal.body["confidence"] if seal else config.confidence
    order = [agent for agent in body.get("config", {}).get("agents", adapters) if agent in adapters]
    levels = [Level.model_validate(level) for level in body.get("levels", ())]
    decision = decide(
        asked,
        {agent: _comparisons(result) for agent, result in body.get("agents", {}).items()},
        [*_later(ledger, adapters, confidence=confidence), *levels],
        agents=order,  # what comes back from the ledger stands in the order of the alphabet
        confidence=confidence,
        sealed=seal is not None,
    )
    return decision.model_dump(mode="json") | {
        "seal": seal.number if seal else None,
        "agents": {agent: decision_for(agent, decision).verdict for agent in adapters},
    }


def rule(ledger: Ledger, entry: Entry, decided: Mapping[str, Any] | None = None) -> Entry:
    """Record the verdict over a measured entry, decided now unless it has just been."""
    ids = {agent: adapter["id"] for agent, adapter in entry.body["adapters"].items()}
    made = dict(decided or judge(ledger, entry.body))
    return ledger.append("verdict", entry.run, made | {"entry": entry.number, "adapters": ids})


def measured(ledger: Ledger, name: str) -> Entry:
    """The newest measurement of the run called `name`: its id, a part only it has, or `latest`."""
    entries = [e for e in ledger.entries() if e.kind in MEASURED]
    runs = list(dict.fromkeys(e.run for e in entries))
    meant = runs[-1:] if name == "latest" else [run for run in runs if run == name]
    meant = meant or [run for run in runs if name and name in run]
    if len(meant) != 1:
        raise RunError(
            say("{count} measured runs fit `{name}`", count=len(meant), name=name),
            where=ledger.where,
            fix=say("runs here: {ids}", ids=", ".join(runs[-3:])) if runs
            else say("start one: `yukjo run`"),
        )  # fmt: skip
    return [e for e in entries if e.run == meant[0]][-1]


def _comparisons(result: Mapping[str, Any]) -> list[Comparison]:
    return [Comparison.model_validate(row) for row in result["metrics"]]


def agent_selection(work: Work) -> Level | None:
    """How often the router chooses the right agent: of the file named, or of the test split."""
    config = work.config
    asked = _questions(work, config)
    if len(config.agents) == 1 or not asked or config.router.fallback not in config.agents:
        return None
    report = route_all(open_router(config, work.project), asked)
    return share_level("agent_selection", report.accuracy.right, report.accuracy.n,
                       confidence=config.gate.confidence)  # fmt: skip


def _questions(work: Work, config: YukjoConfig) -> list[Asked]:
    if config.gate.routing:
        return read_asked(work.project / config.gate.routing, agents=config.agents)
    test = work.prepared.split.test
    return [Asked(text=f"{s.instruction}\n\n{s.input}".strip(), agent=s.agent_type) for s in test]


def memory_level(made: Mapping[str, Any]) -> Level | None:
    """Peak of training in GiB, where the entry is of a run that trained."""
    peak = made.get("train", {}).get("peak_memory_mb")
    if peak is None:
        return None
    taken = peak / 1024
    return Level(metric="memory_gb", value=taken, low=taken, high=taken, higher_is_better=False)


def _later(
    ledger: Ledger, adapters: Mapping[str, Mapping[str, Any]], *, confidence: float
) -> list[Level]:
    """Evidence recorded apart from it: blind reviews, times of answers as served, other runs."""
    found = [_peak(ledger, adapters)]
    reviews, timings = ledger.entries("review"), ledger.entries("latency")
    ids = {agent: adapter["id"] for agent, adapter in adapters.items()}
    for agent, identity in ids.items():
        own = [e for e in reviews if e.body.get("adapters", {}).get(agent) == identity]
        found += [_quality(own[-1], agent)] if own else []
    timed = [e for e in timings if e.body.get("adapters") == ids and e.body.get("seconds")]
    if timed:
        seconds: Sequence[float] = timed[-1].body["seconds"]
        found.append(tail_level("p95_seconds", seconds, confidence=confidence))
    return [level for level in found if level]


def _peak(ledger: Ledger, adapters: Mapping[str, Mapping[str, Any]]) -> Level | None:
    """The highest peak of the recorded runs that trained the adapters."""
    runs = {adapter["run"] for adapter in adapters.values()}
    made = [level for run in sorted(runs) for e in ledger.entries(run=run)
            if (level := memory_level(e.body))]  # fmt: skip
    return max(made, key=lambda level: level.value, default=None)


def _quality(entry: Entry, agent: str) -> Level | None:
    """The mean score of the tuned side, by raters who did not know which it was."""
    said = entry.body.get("agents", {}).get(agent, {}).get("quality", {})
    if said.get("after") is None:  # nobody scored this agent
        return None
    return Level(metric="quality", agent=agent, value=said["after"], low=said.get("low"),
                 high=said.get("high"), n=said.get("n", 1))  # fmt: skip
