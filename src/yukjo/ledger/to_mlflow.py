"""Runs for an MLflow server: settings as parameters, figures as metrics, hashes as tags.

1. A run is known there by the hash of its entry: exporting twice adds nothing, and what a kill
   left half exported is finished.
2. Needs the `mlflow` extra (the skinny client). Its telemetry is off: nothing but the server named
   is spoken to.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from yukjo.errors import LedgerError
from yukjo.ledger.body import RunBody, run_body
from yukjo.ledger.export import adapters_of, dataset_hash, decoding
from yukjo.records import Entry
from yukjo.words import say

if TYPE_CHECKING:
    from mlflow import MlflowClient

KEY = "yukjo.entry_hash"
_SIDES = ("before", "after", "difference", "low", "high", "n")
_BATCH = 100
"""Of each kind in one request; MLflow takes no more."""
_LONGEST = 5000
"""Characters of a tag or parameter; MLflow takes 6,000."""


def export(entries: Iterable[Entry], uri: str) -> int:
    """Bring runs to the MLflow server or store at `uri`; how many were not there yet.

    LedgerError where the client isn't installed, or the server can't be had or refuses.
    """
    # A server that isn't there would be asked for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise LedgerError(
            say("MLflow's client is not installed"),
            where="--format mlflow",
            fix="pip install 'yukjo[mlflow]'",
        ) from None
    try:
        client = MlflowClient(tracking_uri=uri)
        return sum([_export(client, entry) for entry in entries])
    except (MlflowException, OSError) as fault:
        raise LedgerError(
            say("MLflow refused: {reason}", reason=str(fault).partition("\n")[0]),
            where="--to",
            fix=say("name a running MLflow server, as http://127.0.0.1:5000"),
        ) from None


def _export(client: "MlflowClient", entry: Entry) -> bool:
    """Whether the run was missing."""
    from mlflow.entities import Metric, Param, RunTag

    body = run_body(entry)
    at = int(datetime.fromisoformat(entry.created).timestamp() * 1000)
    run, finished = _run(client, entry, body, at)
    if finished:
        return False
    metrics = [Metric(key, value, at, 0) for key, value in _figures(body)]
    params = [Param(key, _short(value)) for key, value in _settings(body.config)]
    tags = [RunTag(key, _short(value)) for key, value in _tags(entry, body).items()]
    for start in range(0, max(len(metrics), len(params), len(tags)), _BATCH):
        part = slice(start, start + _BATCH)
        client.log_batch(run, metrics[part], params[part], tags[part])
    client.set_terminated(run, end_time=at)
    return True


def _short(value: str) -> str:
    """A text that MLflow takes; a cut one shows that it is."""
    return value if len(value) <= _LONGEST else value[:_LONGEST] + " …"


def _run(client: "MlflowClient", entry: Entry, body: RunBody, at: int) -> tuple[str, bool]:
    """The run of an entry on the server, made where it is missing; whether it is finished."""
    name = body.project or "yukjo"
    known = client.get_experiment_by_name(name)
    experiment = known.experiment_id if known else client.create_experiment(name)
    found = client.search_runs([experiment], f"tags.`{KEY}` = '{entry.hash}'")
    if found:
        return found[0].info.run_id, found[0].info.status == "FINISHED"
    made = client.create_run(experiment, at, tags={KEY: entry.hash}, run_name=entry.run)
    return made.info.run_id, False


def _figures(body: RunBody) -> Iterator[tuple[str, float]]:
    """`agent/metric/before` and its like."""
    for agent, result in body.agents.items():
        for metric in result.metrics:
            for side in _SIDES:
                value = getattr(metric, side)
                if value is not None:
                    yield f"{agent}/{metric.name}/{side}", value


def _settings(config: Mapping[str, Any], above: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """`lora.rank` and its like."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _settings(value, (*above, key))
        else:
            yield ".".join((*above, key)), str(value)


def _tags(entry: Entry, body: RunBody) -> dict[str, str]:
    """What pins a run down."""
    return {
        "yukjo.run": entry.run,
        "yukjo.entry": str(entry.number),
        "yukjo.base_hash": body.base.hash,
        "yukjo.template_hash": body.template_hash,
        "yukjo.dataset_hash": dataset_hash(body) or "",
        "yukjo.answers_sha256": body.answers.sha256,
        "yukjo.decoding": str(decoding(body)),
        **{f"yukjo.data.{file.name}": file.sha256 for file in body.data.files},
        **{f"yukjo.adapter.{agent}": adapters_of(body, agent) or "" for agent in body.adapters},
        **{f"yukjo.metric.{m.name}": m.metric_id for r in body.agents.values() for m in r.metrics},
        **{f"yukjo.verdict.{agent}.{m.name}": m.verdict
           for agent, r in body.agents.items() for m in r.metrics},
    }  # fmt: skip
