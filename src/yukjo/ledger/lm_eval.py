"""Figures in the result layout of lm-evaluation-harness, out and in.

Out, a run is two models, the base and the base with its adapters, in a folder each, as the harness
would have left them. In, a result file becomes an entry of kind `import`: somebody else's figures,
recorded with the hash of the file they came from and never mixed with our own comparisons.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from yukjo.errors import LedgerError
from yukjo.files import sha256_bytes, write_whole
from yukjo.ledger.body import RunBody, run_body
from yukjo.ledger.export import adapters_of, dataset_hash, decoding
from yukjo.ledger.store import Ledger
from yukjo.records import Entry
from yukjo.words import say

KIND = "import"
MOST_BYTES = 64 << 20
_UNSAFE = re.compile(r"[\"<>:/|\\?*\[\]\s]+")


# Out


def write(entry: Entry, folder: Path) -> list[Path]:
    """Write both sides of a run below `folder`; the files."""
    body = run_body(entry)
    made = []
    for side in ("before", "after"):
        document = _document(entry, body, side)
        name = f"results_{entry.created.replace(':', '-')}.json"
        made.append(folder / document["model_name_sanitized"] / name)
        write_whole(made[-1], json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return made


def _document(entry: Entry, body: RunBody, side: Literal["before", "after"]) -> dict[str, Any]:
    """One side as a result file."""
    tasks = {f"yukjo_{agent}": agent for agent in body.agents}
    base = body.base.name or "base"
    name = base if side == "before" else f"{base}+{entry.run}"
    return {
        "results": {task: _results(body, task, agent, side) for task, agent in tasks.items()},
        "group_subtasks": {},
        "configs": {task: {"task": task, "metadata": {"version": 1, **decoding(body)}}
                    for task in tasks},
        "versions": dict.fromkeys(tasks, 1),
        "n-shot": dict.fromkeys(tasks, 0),
        "higher_is_better": {},
        "n-samples": {task: _samples(body, agent) for task, agent in tasks.items()},
        "config": {"model": "yukjo", "model_args": f"pretrained={name}", "limit": None,
                   "random_seed": body.seed},
        "task_hashes": dict.fromkeys(tasks, dataset_hash(body)),
        "model_source": "yukjo",
        "model_name": name,
        "model_name_sanitized": _UNSAFE.sub("__", name),
        "yukjo": {
            "run": entry.run, "entry_hash": entry.hash, "base_hash": body.base.hash,
            "answers_sha256": body.answers.sha256,
            "adapters": {agent: adapters_of(body, agent) for agent in tasks.values()}
            if side == "after" else {},
        },
    }  # fmt: skip


def _results(body: RunBody, task: str, agent: str, side: str) -> dict[str, Any]:
    """Figures of one task; the harness' word for an error that isn't known is N/A."""
    figures: dict[str, Any] = {"alias": task}
    for metric in body.agents[agent].metrics:
        value = getattr(metric, side)
        if value is not None:
            figures |= {f"{metric.name},none": value, f"{metric.name}_stderr,none": "N/A"}
    return figures


def _samples(body: RunBody, agent: str) -> dict[str, int]:
    result = body.agents[agent]
    most = max((metric.n for metric in result.metrics), default=0)
    return {"original": result.cases if result.cases is not None else most, "effective": most}


# In


class _Counts(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    effective: int | None = Field(default=None, ge=0, lt=2**53)


class _Results(BaseModel):
    """What is read of a result file; the rest is left alone."""

    model_config = ConfigDict(extra="ignore", strict=True)

    results: dict[str, dict[str, Any]] = Field(min_length=1)
    versions: dict[str, int | float | str | None] = {}
    samples: dict[str, _Counts] = Field(default={}, alias="n-samples")
    config: dict[str, Any] = {}
    model_name: str | None = None


def read(data: bytes, *, where: str) -> dict[str, Any]:
    """The body of an entry for a result file's bytes; LedgerError where it is none."""
    try:
        found, tasks = _parsed(data)
    except (ValueError, RecursionError) as fault:
        raise LedgerError(
            say("no result file of lm-eval: {reason}", reason=_first(fault)),
            where=where,
            fix=say("name the results_*.json that lm-eval wrote"),
        ) from None
    model_args = found.config.get("model_args")
    return {
        "format": "lm-eval",
        "file": Path(where).name,
        "sha256": sha256_bytes(data),
        "model": found.model_name or str(found.config.get("model") or ""),
        "model_args": model_args if isinstance(model_args, str | dict) else "",
        "tasks": tasks,
    }


def take(file: Path, ledger: Ledger) -> tuple[Entry, bool]:
    """Record a result file; its entry, and whether it is new: a file is recorded once."""
    try:
        with file.open("rb") as opened:
            body = read(opened.read(MOST_BYTES + 1), where=str(file))
    except OSError as fault:
        raise LedgerError(
            say("the file can't be read: {why}", why=fault.strerror or fault),
            where=str(file),
            fix=say("name the results_*.json that lm-eval wrote"),
        ) from None
    run = f"{KIND}-{body['sha256'][:12]}"
    for known in ledger.entries(KIND, run):
        if known.body.get("sha256") == body["sha256"]:
            return known, False
    return ledger.append(KIND, run, body), True


def _parsed(data: bytes) -> tuple[_Results, dict[str, Any]]:
    """The file and its figures by task; ValueError where there is none."""
    if len(data) > MOST_BYTES:
        raise ValueError(say("more than {most} bytes", most=MOST_BYTES))
    found = _Results.model_validate(json.loads(data.decode()))
    tasks = {task: _task(found, task) for task in found.results}
    if not any(task["metrics"] for task in tasks.values()):
        raise ValueError(say("it holds no figure"))
    return found, tasks


def _task(found: _Results, task: str) -> dict[str, Any]:
    """One task's figures."""
    version, counts = found.versions.get(task), found.samples.get(task)
    return {
        "version": None if version is None else str(version),
        "n": counts.effective if counts else None,
        "metrics": list(_metrics(found.results[task])),
    }


def _metrics(figures: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`acc,none` and `acc_stderr,none` as one figure; what is no finite number is left out."""
    for key, found in figures.items():
        name, _, filter_ = key.partition(",")
        value = _finite(found)
        if name.endswith("_stderr") or name == "sample_len" or value is None:
            continue
        error = _finite(figures.get(f"{name}_stderr{key[len(name) :]}"))
        yield {"name": name, "filter": filter_, "value": value, "stderr": error}


def _finite(value: object) -> float | None:
    """A number as a float, where it fits one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _first(fault: Exception) -> str:
    """The first thing that is wrong, on one line."""
    if isinstance(fault, ValidationError):
        first = fault.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(fault)
