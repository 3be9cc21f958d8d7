"""The ledger for other programs: every entry as a line, or one run as one document.

`ssot` carries the field names of the "single source of truth" that the project's requirement
asks for (`qwen_accuracy_before`, ...); a figure the run has not is null, never 0.
"""

import math
from collections.abc import Iterable
from typing import Any

from yukjo.errors import LedgerError
from yukjo.files import canonical_json
from yukjo.ledger.body import AgentResult, Metric, Stage, run_body
from yukjo.records import Entry
from yukjo.words import say

FORMATS = ("ssot", "jsonl")

_STAGES = {"qwen": "qwen_accuracy", "llama": "llama_quality", "chain": "chain_accuracy"}


def known_format(name: str) -> str:
    """`name`, or LedgerError where there is no such export."""
    if name in FORMATS:
        return name
    raise LedgerError(
        say("there is no export format `{name}`", name=name),
        where="--format",
        fix=say("known here: {known}", known=", ".join(FORMATS)),
    )


def jsonl(entries: Iterable[Entry]) -> str:
    """One entry a line, canonical, so that its hash can be checked by anybody."""
    return "".join(canonical_json(entry.model_dump()) + "\n" for entry in entries)


def ssot(entry: Entry) -> dict[str, Any]:
    """One run as one document."""
    body = run_body(entry)
    return {
        "run": entry.run,
        "entry_hash": entry.hash,
        "created": entry.created,
        **_stages(body.stages),
        "quality_metrics": {agent: _quality(result) for agent, result in body.agents.items()},
        "improvement_percentage": {
            agent: {metric.name: improvement(metric.before, metric.after)
                    for metric in result.metrics}
            for agent, result in body.agents.items()
        },
    }  # fmt: skip


def improvement(before: float | None, after: float | None) -> float | None:
    """Percent of `before`; None where it is 0 or not known. Below 0 is a fall, good or bad.

    >>> improvement(8.0, 2.0), improvement(0.0, 1.0), improvement(None, 1.0)
    (-75.0, None, None)
    """
    if before is None or after is None or before == 0:
        return None
    percent = 100 * (after - before) / before
    return percent if math.isfinite(percent) else None


def _stages(stages: dict[str, Stage]) -> dict[str, float | None]:
    """The figures before and after of the stages of a chain.

    >>> _stages({"qwen": Stage(before=0.28, after=0.97)})["qwen_accuracy_after"]
    0.97
    """
    found = {field: stages.get(stage, Stage()) for stage, field in _STAGES.items()}
    return {
        f"{field}_{side}": getattr(stage, side)
        for field, stage in found.items()
        for side in ("before", "after")
    }


def _quality(result: AgentResult) -> dict[str, dict[str, Any]]:
    """Metric name -> what was measured."""
    return {metric.name: _measured(metric) for metric in result.metrics}


def _measured(metric: Metric) -> dict[str, Any]:
    """One metric; `interval` is the 95 % interval of the difference, null where n < 2."""
    known = metric.low is not None and metric.high is not None
    return {
        "metric_id": metric.metric_id,
        "before": metric.before,
        "after": metric.after,
        "difference": metric.difference,
        "interval": [metric.low, metric.high] if known else None,
        "n": metric.n,
        "verdict": metric.verdict,
    }
