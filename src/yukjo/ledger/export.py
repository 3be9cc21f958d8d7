"""The ledger for other programs: entries as lines, one run as one document, figures as a table.

`ssot` carries the field names of the "single source of truth" that the project's requirement
asks for (`qwen_accuracy_before`, ...); a figure the run has not is null, never 0. Beside every
before and after stands what it takes to doubt it; an improvement is computed here, whatever an
entry says of it.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from typing import Any

from yukjo.errors import LedgerError
from yukjo.files import canonical_json, sha256_bytes
from yukjo.ledger.body import ALL, AgentResult, Metric, RunBody, Stage, run_body
from yukjo.ledger.chain import line
from yukjo.records import Entry
from yukjo.words import say

FORMATS = ("ssot", "jsonl", "csv", "mlflow", "lm-eval")

_STAGES = {"qwen": "qwen_accuracy", "llama": "llama_quality", "chain": "chain_accuracy"}
_COLUMNS = (
    "run", "entry", "entry_hash", "created", "agent", "metric", "metric_id", "before", "after",
    "difference", "low", "high", "n", "verdict", "improvement_percentage", "adapter", "base_hash",
    "dataset_hash", "answers_sha256", "max_tokens", "repeats", "repeat_temperature",
)  # fmt: skip


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
    """One entry a line, in the form its hash was taken over, so that anybody can check it."""
    return "".join(line(entry) + "\n" for entry in entries)


def table(entries: Iterable[Entry]) -> str:
    """One row a run, agent and metric, as CSV; an empty cell is a figure that is not known."""
    out = io.StringIO()
    rows = csv.DictWriter(out, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    rows.writeheader()
    for entry in entries:
        rows.writerows(_rows(entry))
    return out.getvalue()


def ssot(entry: Entry) -> dict[str, Any]:
    """One run as one document."""
    body = run_body(entry)
    stages = {name: body.stages.get(stage, Stage()) for stage, name in _STAGES.items()}
    return {
        "run": entry.run,
        "entry_hash": entry.hash,
        "created": entry.created,
        **{f"{name}_{side}": getattr(stage, side)
           for name, stage in stages.items() for side in ("before", "after")},
        "evidence": {name: _evidence(body, stage) for name, stage in stages.items()
                     if stage.before is not None or stage.after is not None},
        "quality_metrics": {agent: _quality(body, agent, result)
                            for agent, result in body.agents.items()},
        "improvement_percentage": {
            **{_STAGES[name]: improvement(stage.before, stage.after)
               for name, stage in body.stages.items() if name in _STAGES},
            **{agent: {metric.name: improvement(metric.before, metric.after)
                       for metric in result.metrics}
               for agent, result in body.agents.items()},
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


def decoding(body: RunBody) -> dict[str, Any]:
    """How the answers were made: the first greedy, `repeats` more at `repeat_temperature`."""
    settings = body.config.get("evaluate")
    asked = settings if isinstance(settings, dict) else {}
    return {
        "temperature": 0,
        "max_tokens": asked.get("max_tokens"),
        "repeats": asked.get("repeats"),
        "repeat_temperature": asked.get("temperature"),
    }


def dataset_hash(body: RunBody) -> str | None:
    """Hex SHA-256 over the canonical JSON of the sorted hashes of the lines measured on."""
    cases = body.data.lines.get("test", ())
    return sha256_bytes(canonical_json(sorted(cases)).encode()) if cases else None


def adapters_of(body: RunBody, agent: str) -> str | None:
    """Id of the adapter behind an agent's figures; over all agents, of each, by spaces."""
    names = body.adapters if agent == ALL else [agent]
    return " ".join(body.adapters[n].id for n in names if n in body.adapters) or None


def _quality(body: RunBody, agent: str, result: AgentResult) -> dict[str, dict[str, Any]]:
    """Metric name -> what was measured."""
    return {metric.name: _measured(body, agent, metric) for metric in result.metrics}


def _measured(body: RunBody, agent: str, metric: Metric) -> dict[str, Any]:
    """One metric."""
    return {
        "before": metric.before,
        "after": metric.after,
        "difference": metric.difference,
        "verdict": metric.verdict,
        **_evidence(body, metric, adapter=adapters_of(body, agent)),
    }


def _evidence(
    body: RunBody, figure: Metric | Stage, *, adapter: str | None = None
) -> dict[str, Any]:
    """What it takes to doubt a before and an after.

    `interval` is the 95 % interval of the difference, null where n < 2.
    """
    known = figure.low is not None and figure.high is not None
    return {
        "metric_id": figure.metric_id,
        "n": figure.n,
        "interval": [figure.low, figure.high] if known else None,
        "dataset_hash": dataset_hash(body),
        "decoding": decoding(body),
        "adapter": figure.adapter or None if isinstance(figure, Stage) else adapter,
        "answers_sha256": body.answers.sha256 or None,
    }


def _rows(entry: Entry) -> Iterator[dict[str, Any]]:
    """The figures of one entry."""
    body = run_body(entry)
    for agent, result in body.agents.items():
        for metric in result.metrics:
            yield {
                "run": entry.run, "entry": entry.number, "entry_hash": entry.hash,
                "created": entry.created, "agent": agent, "metric": metric.name,
                **metric.model_dump(exclude={"name"}), **decoding(body),
                "improvement_percentage": improvement(metric.before, metric.after),
                "adapter": adapters_of(body, agent), "base_hash": body.base.hash,
                "dataset_hash": dataset_hash(body), "answers_sha256": body.answers.sha256,
            }  # fmt: skip
