"""What a run will be held against, recorded before it can know how it ends.

1. A seal holds the targets, the test cases, the baseline set, the metric ids and how answers are
   made; its hash covers all of them.
2. It counts if it was made before the first training step of every adapter that is judged. The
   number of steps already taken is written into it.
3. A change is a new seal, and the newest counts: a bar moved in the middle of a run helps nobody.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from yukjo.config import YukjoConfig
from yukjo.config.gate import TargetConfig
from yukjo.config.targets import targets
from yukjo.errors import ConfigError
from yukjo.evaluate import ALL, baseline
from yukjo.evaluate.scorers import Metric, metrics
from yukjo.files import hash_json, sha256_file
from yukjo.ledger.store import Ledger
from yukjo.pipeline.prepare import Prepared
from yukjo.pipeline.work import Work
from yukjo.records import Entry
from yukjo.runs import RunFolder
from yukjo.train import events
from yukjo.words import say

LEVELS = ("agent_selection", "quality", "p95_seconds", "memory_gb")
"""Figures of the tuned side alone; `evaluate.gate.Level`."""


def seal(work: Work) -> Entry:
    """The run's seal: the one that stands if nothing changed, else a new one."""
    taken = steps_taken(work.folder)
    return stand(work.ledger, work.folder.id, contents(work.config, work.prepared, work.project),
                 steps=taken)  # fmt: skip


def stand(ledger: Ledger, run: str, wanted: Mapping[str, Any], *, steps: int) -> Entry:
    """The seal with these contents: the newest if it has them, else a new one."""
    known = ledger.entries("seal", run)
    if known and known[-1].body["hash"] == wanted["hash"]:
        return known[-1]
    return ledger.append("seal", run, {**wanted, "steps": steps})


def steps_taken(folder: RunFolder) -> int:
    """Training steps that were begun in a run's folder."""
    return sum(e["event"] == "step" for e in events.read(folder.events))


def contents(config: YukjoConfig, prepared: Prepared, project: Path) -> dict[str, Any]:
    """What a seal covers, and its hash; ConfigError for a target of nothing that is measured."""
    routing = config.gate.routing
    return sealed(
        config,
        own=metrics(prepared.roles.values()) | baseline.metrics(config.evaluate.baseline_cases),
        agents=tuple(prepared.roles),
        parts={
            "cases": hash_json(sorted(q.example.sample for q in prepared.questions)),
            "baseline": baseline.set_hash(config.evaluate.baseline_cases),
            "routing": sha256_file(project / routing) if routing else "",
            "evaluate": config.evaluate.model_dump(mode="json"),
        },
    )


def sealed(
    config: YukjoConfig,
    *,
    own: Mapping[str, Metric],
    agents: Sequence[str],
    parts: Mapping[str, Any],
) -> dict[str, Any]:
    """The targets and `own` metrics with `parts`, what is measured and how; and the hash of all."""
    asked = targets(config.gate)
    for name, target in asked.items():
        _refuse_unknown(name, target.metric, "metric", (*own, *LEVELS))
        _refuse_unknown(name, target.agent, "agent", ("each", ALL, *agents))
    made = {
        # A list: their order is the order of the rules, which an object would lose in the record.
        "targets": [{"name": name, **t.model_dump(mode="json")} for name, t in asked.items()],
        "confidence": config.gate.confidence,
        "metrics": {name: metric.metric_id for name, metric in own.items()},
        **parts,
    }
    return made | {"hash": hash_json(made)}


def standing(
    ledger: Ledger, adapters: Mapping[str, Mapping[str, Any]], wanted: str
) -> Entry | None:
    """The seal that all `adapters` (agent -> manifest) were trained under, if it is `wanted`."""
    found = None
    for run in sorted({adapter["run"] for adapter in adapters.values()}):
        seals = ledger.entries("seal", run)
        if not seals or seals[-1].body["steps"] or seals[-1].body["hash"] != wanted:
            return None
        found = seals[-1]
    return found


def sealed_targets(body: Mapping[str, Any]) -> dict[str, TargetConfig]:
    """The targets written in a seal."""
    listed = [dict(asked) for asked in body["targets"]]
    return {asked.pop("name"): TargetConfig.model_validate(asked) for asked in listed}


def _refuse_unknown(target: str, name: str, key: str, known: tuple[str, ...]) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    raise ConfigError(
        say("the gate can't ask for `{name}`: nothing of that name is measured", name=name),
        where=f"yukjo.toml [gate.targets.{target}] {key}",
        fix=say("did you mean `{near}`?", near=near[0]) if near
        else say("known here: {known}", known=", ".join(known)),
    )  # fmt: skip
