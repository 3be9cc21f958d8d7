"""The body of a run's ledger entry: all that is needed to read, repeat or doubt the run."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from yukjo.data.split import SIDES
from yukjo.evaluate.raw import Raw
from yukjo.evaluate.shown import counts
from yukjo.evaluate.tasks import ALL
from yukjo.files import sha256_file, write_jsonl
from yukjo.pipeline.prepare import Prepared
from yukjo.pipeline.versions import machine, versions
from yukjo.pipeline.work import Work
from yukjo.records import AdapterManifest, CaseShown, Comparison
from yukjo.runs import RunFolder
from yukjo.train import events
from yukjo.train.checkpoints import Progress
from yukjo.train.choose import siblings
from yukjo.train.plan import Plan
from yukjo.words import say

_SHOWN = 2
"""Answers of each agent that go into the report."""


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what happens inside as `stage`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(time.perf_counter() - began, 1)


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured, raw, and what follows from it."""

    raw: Raw
    comparisons: Mapping[str, Sequence[Comparison]]
    """By agent, and over `"all"`."""
    shown: Sequence[CaseShown] = ()
    """The answered cases for people."""

    def show(self, folder: RunFolder) -> None:
        """Write them beside the answers."""
        write_jsonl(folder.cases, (case.model_dump(mode="json") for case in self.shown))

    def rows(self) -> dict[str, Any]:
        """The comparisons as plain JSON."""
        return {
            agent: {"cases": self._cases(agent), "metrics": [c.model_dump(mode="json") for c in cs]}
            for agent, cs in self.comparisons.items()
        }

    def body(self, prepared: Prepared, folder: RunFolder) -> dict[str, Any]:
        """The part of an entry that says what was measured."""
        return {
            "agents": self.rows(),
            "samples": self._samples(prepared),
            "answers": {"sha256": sha256_file(folder.answers)},
            "cases": {"sha256": sha256_file(folder.cases), "counts": counts(self.shown)},
        }

    def _cases(self, agent: str) -> int:
        return sum(1 for case in self.raw.cases if agent in (case.agent, ALL))

    def _samples(self, prepared: Prepared) -> list[dict[str, str]]:
        """The first answered cases of each agent, both sides beside the reference."""
        known = {s.hash: s for s in prepared.split.test}
        before = {a.case: a.text for a in self.raw.before if a.repeat == 0}
        shown: list[dict[str, str]] = []
        for after in (a for a in self.raw.after if a.repeat == 0):
            if sum(s["agent"] == after.agent for s in shown) < _SHOWN:
                sample = known[after.case]
                shown.append({"agent": after.agent, "case": sample.name,
                              "instruction": sample.instruction, "before": before[after.case],
                              "after": after.text, "reference": sample.output})  # fmt: skip
        return shown


def body(work: Work, adapters: Mapping[str, AdapterManifest]) -> dict[str, Any]:
    """What was asked and made, as plain JSON."""
    parts, prepared, config = work.parts, work.prepared, work.config
    return {
        "project": config.project.name,
        "seed": config.seed,
        "config": config.model_dump(mode="json"),
        "base": {"name": parts.base, "hash": parts.engine.base_hash, "notice": parts.notice},
        "template_hash": prepared.template.hash,
        "titles": {name: role.title for name, role in prepared.roles.items()},
        "data": {
            "files": [{"name": n, "sha256": h} for n, h in prepared.files.items()],
            "lines": {side: sorted(s.hash for s in prepared.split.side(side)) for side in SIDES},
            "dropped": prepared.dropped,
            "refused": [r._asdict() for r in prepared.refused],
        },
        "adapters": {name: m.model_dump(mode="json") for name, m in adapters.items()},
        "versions": versions() | dict(parts.conditions),
        "machine": machine(),
        "licences": _licences(adapters),
    }


def training(work: Work, plan: Plan, done: Progress) -> dict[str, Any]:
    """How training went and what a sweep found, from the run's events and its end."""
    seen = list(events.read(work.folder.path / "events.jsonl"))
    steps = [e for e in seen if e["event"] == "step"]
    last = steps[-1]
    bare = [
        say("`{agent}` has no sample on the {side} side", agent=agent, side=side)
        for agent, side in work.prepared.split.bare
        if getattr(work.config.data, side, 1) > 0
    ]
    train = {
        "steps": done.step,
        "seconds": last["seconds"],
        "tokens": last["tokens"],
        "tokens_per_s": round(last["tokens"] / max(last["seconds"], 1e-9), 1),
        "peak_memory_mb": max(e["peak_mb"] for e in steps),
        "memory": _memory([e for e in seen if e["event"] == "memory"][-1], steps),
        "warnings": [*plan.warnings, *bare],
        "stopped_early": done.stopped,
    }
    return {"train": train, "sweep": [s.model_dump(mode="json") for s in siblings(plan, done)]}


def _memory(agreed: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was predicted before the first step, what was tried, and what training then took."""
    predicted, probe = agreed["forecast"], agreed["probe"]
    actual = max(e["peak_mb"] for e in steps)
    return {
        "limit_gb": agreed["limit_gb"],
        "line_mb": round(agreed["line_mb"]),
        "pack_tokens": agreed["pack_tokens"],
        "forecast_mb": {k: round(predicted[f"{k}_mb"]) for k in ("low", "expected", "high")},
        "parts_mb": {name: round(part) for name, part in predicted["parts"].items()},
        "probed_mb": round(probe["resting_mb"] + probe["pass_mb"]),
        "actual_mb": actual,
        "error": round(predicted["expected_mb"] / actual - 1, 4),
    }


def _licences(adapters: Mapping[str, AdapterManifest]) -> dict[str, str]:
    """Every licence that travels with the adapters, once."""
    found: dict[str, set[str]] = {}
    for manifest in adapters.values():
        for name, text in manifest.licences.items():
            found.setdefault(name, set()).add(text)
    return {name: "; ".join(sorted(texts)) for name, texts in found.items()}
