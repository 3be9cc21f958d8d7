"""The ledger in other programs' forms: CSV, MLflow, lm-eval's layout out and in."""

import csv
import importlib.util
import io
import json
import math
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toys import Yukjo
from yukjo.errors import LedgerError
from yukjo.ledger import lm_eval, to_mlflow
from yukjo.ledger.body import run_body
from yukjo.ledger.chain import link
from yukjo.ledger.export import dataset_hash, ssot, table
from yukjo.ledger.store import Ledger
from yukjo.records import Entry

CHRF = {"name": "chrf", "metric_id": "c1", "before": 20.0, "after": 30.5, "difference": 10.5,
        "low": 8.0, "high": 13.0, "n": 12, "verdict": "better",
        "improvement_percentage": 999.0}  # fmt: skip
SECONDS = {"name": "seconds", "metric_id": "s1", "before": None, "after": 1.5, "n": 1}
BODY: dict[str, Any] = {
    "project": "시범", "seed": 7, "base": {"name": "org/tiny", "hash": "bb"},
    "config": {"evaluate": {"max_tokens": 64, "repeats": 2, "temperature": 0.7},
               "lora": {"rank": 16, "targets": ["q_proj"]}},
    "data": {"files": [{"name": "a.jsonl", "sha256": "f1"}],
             "lines": {"train": ["t1"], "test": ["t3", "t2"]}},
    "adapters": {"rag": {"id": "aa"}, "review": {"id": "ee"}},
    "agents": {"rag": {"cases": 12, "metrics": [CHRF, SECONDS]},
               "all": {"cases": 12, "metrics": [CHRF]}},
    "answers": {"sha256": "99"},
}  # fmt: skip


def entry(body: dict[str, Any] = BODY, run: str = "r1") -> Entry:
    return link(None, "run", run, created="2026-01-02T03:04:05Z", body=body)


# SSOT


def test_every_before_and_after_carries_what_it_takes_to_doubt_it() -> None:
    document = ssot(entry())
    assert document["quality_metrics"]["rag"]["chrf"] == {
        "before": 20.0, "after": 30.5, "difference": 10.5, "verdict": "better",
        "metric_id": "c1", "n": 12, "interval": [8.0, 13.0],
        "dataset_hash": dataset_hash(run_body(entry())),
        "decoding": {"temperature": 0, "max_tokens": 64, "repeats": 2, "repeat_temperature": 0.7},
        "adapter": "aa", "answers_sha256": "99",
    }  # fmt: skip
    assert document["quality_metrics"]["all"]["chrf"]["adapter"] == "aa ee"


def test_a_stage_carries_the_same_and_its_improvement_is_computed() -> None:
    stage = {"before": 0.25, "after": 1.0, "n": 200, "low": 0.7, "high": 0.8, "metric_id": "q1",
             "adapter": "vv", "improvement_percentage": 5}  # fmt: skip
    document = ssot(entry(BODY | {"stages": {"qwen": stage}}))
    [(name, evidence)] = document["evidence"].items()
    shown = [evidence[part] for part in ("n", "interval", "metric_id", "adapter")]
    assert (name, shown) == ("qwen_accuracy", [200, [0.7, 0.8], "q1", "vv"])
    assert document["improvement_percentage"]["qwen_accuracy"] == 300
    assert document["improvement_percentage"]["rag"]["chrf"] == 52.5, "not the 999 it was told"


def test_the_hash_of_a_dataset_is_of_its_lines_in_any_order() -> None:
    other = BODY | {"data": {"lines": {"test": ["t2", "t3"]}}}
    assert dataset_hash(run_body(entry(other))) == dataset_hash(run_body(entry()))
    fewer = BODY | {"data": {"lines": {"test": ["t2"]}}}
    assert dataset_hash(run_body(entry(fewer))) != dataset_hash(run_body(entry()))


# CSV


def test_csv_has_one_row_a_run_agent_and_metric() -> None:
    rows = list(csv.DictReader(io.StringIO(table([entry(), entry(run='r2, "two"')]))))
    assert [(row["run"], row["agent"], row["metric"]) for row in rows[:3]] == [
        ("r1", "all", "chrf"), ("r1", "rag", "chrf"), ("r1", "rag", "seconds"),
    ]  # fmt: skip
    assert rows[0]["improvement_percentage"] == "52.5"
    assert (rows[2]["before"], rows[2]["after"], rows[2]["adapter"]) == ("", "1.5", "aa")
    assert rows[3]["run"] == 'r2, "two"'


# lm-eval


def test_a_run_becomes_two_models_in_the_harness_layout(tmp_path: Path) -> None:
    before, after = lm_eval.write(entry(), tmp_path)
    assert before == tmp_path / "org__tiny" / "results_2026-01-02T03-04-05Z.json"
    assert after.parent.name == "org__tiny+r1"
    old, new = (json.loads(file.read_text()) for file in (before, after))
    assert old["results"]["yukjo_rag"] == {
        "alias": "yukjo_rag", "chrf,none": 20.0, "chrf_stderr,none": "N/A",
    }  # fmt: skip
    assert new["results"]["yukjo_rag"]["seconds,none"] == 1.5
    assert new["n-samples"]["yukjo_rag"] == {"original": 12, "effective": 12}
    assert {"configs", "versions", "n-shot", "config", "task_hashes"} <= old.keys()
    assert (old["yukjo"]["adapters"], new["yukjo"]["adapters"]["rag"]) == ({}, "aa")


def test_what_was_written_can_be_imported(tmp_path: Path) -> None:
    [_, after] = lm_eval.write(entry(), tmp_path)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first, new = lm_eval.take(after, ledger)
        again, newer = lm_eval.take(after, ledger)
        assert (new, newer, again) == (True, False, first)
        assert ledger.verify() == []
    task = first.body["tasks"]["yukjo_rag"]
    assert (first.kind, first.body["model"], task["n"]) == ("import", "org/tiny+r1", 12)
    assert task["metrics"][0] == {"name": "chrf", "filter": "none", "value": 30.5, "stderr": None}


REAL = {
    "results": {"hellaswag": {"alias": "hellaswag", "acc,none": 0.4, "acc_stderr,none": 0.0049,
                              "acc_norm,none": 0.5, "acc_norm_stderr,none": float("nan"),
                              "sample_len": 10042, "note,none": "N/A", "flag,none": True}},
    "versions": {"hellaswag": 1.0}, "n-samples": {"hellaswag": {"original": 9, "effective": 9}},
    "config": {"model": "hf", "model_args": "pretrained=x"}, "group_subtasks": {}, "git_hash": None,
}  # fmt: skip


def test_figures_and_their_errors_are_taken_and_nothing_else() -> None:
    body = lm_eval.read(json.dumps(REAL).encode(), where="x/results_1.json")
    assert body["tasks"]["hellaswag"] == {
        "version": "1.0", "n": 9,
        "metrics": [{"name": "acc", "filter": "none", "value": 0.4, "stderr": 0.0049},
                    {"name": "acc_norm", "filter": "none", "value": 0.5, "stderr": None}],
    }  # fmt: skip
    assert (body["model"], body["file"]) == ("hf", "results_1.json")


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"null", b"{}", b'{"results": {}}', b'{"results": {"a": {}}}',
    b'{"results": {"a": 3}}', b'{"results": {"a": {"acc": "high"}}}', b"\xff\xfe", b"[" * 50_000,
    b'{"results": {"a": {"acc": 1}}, "n-samples": {"a": {"effective": -1}}}',
    b'{"results": {"a": {"acc": 1}}, "versions": []}', b'{"results": {"a": {"acc": 1e999}}}',
])  # fmt: skip
def test_what_is_no_result_file_is_refused(data: bytes) -> None:
    with pytest.raises(LedgerError) as caught:
        lm_eval.read(data, where="f.json")
    assert caught.value.where == "f.json"


ODD: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(REAL, ODD)), ODD)
def test_whatever_a_result_file_holds_it_is_recorded_or_refused(
    tmp_path: Path, parts: dict[str, Any], odd: Any
) -> None:
    figures = {"hellaswag": {"acc,none": odd, "acc_stderr,none": odd}}
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"results": figures} | parts))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        try:
            made, _ = lm_eval.take(file, ledger)
        except LedgerError:
            return
        values = [m["value"] for t in made.body["tasks"].values() for m in t["metrics"]]
        assert values
        assert all(math.isfinite(value) for value in values)
        assert ledger.verify() == []


# MLflow


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server: the program MLFLOW_BIN, or the one found on the path."""
    program = os.environ.get("MLFLOW_BIN") or shutil.which("mlflow")
    # The skinny client brings a program of that name without a server.
    if program is None or (
        not os.environ.get("MLFLOW_BIN") and not importlib.util.find_spec("flask")
    ):
        # Its server asks for hundreds of MB that nothing else needs; CI has one of its own.
        pytest.skip("no MLflow server: pip install mlflow elsewhere, and set MLFLOW_BIN")
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [program, "server", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
               "--artifacts-destination", str(folder / "artifacts")]  # fmt: skip
    quiet = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=quiet) as server,
    ):
        uri = f"http://127.0.0.1:{port}"
        try:
            _wait(uri, server, folder / "log")
            yield uri
        finally:
            server.terminate()


def _wait(uri: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{uri}/health", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


@pytest.mark.services
def test_a_run_stands_in_mlflow_once_with_figures_and_hashes(mlflow_server: str) -> None:
    from mlflow import MlflowClient

    entries = [entry(), entry(BODY | {"seed": 8}, run="r2")]
    assert to_mlflow.export(entries[:1], mlflow_server) == 1
    assert to_mlflow.export(entries, mlflow_server) == 1
    assert to_mlflow.export(entries, mlflow_server) == 0
    client = MlflowClient(tracking_uri=mlflow_server)
    experiment = client.get_experiment_by_name("시범")
    assert experiment
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.info.run_name or "" for run in runs) == ["r1", "r2"]
    [first] = [run for run in runs if run.info.run_name == "r1"]
    assert first.info.status == "FINISHED"
    assert first.data.params["lora.rank"] == "16"
    assert first.data.metrics["rag/chrf/after"] == 30.5
    assert "rag/seconds/before" not in first.data.metrics
    assert first.data.tags["yukjo.adapter.rag"] == "aa"
    assert first.data.tags[to_mlflow.KEY] == entries[0].hash


@pytest.mark.services
def test_a_run_left_half_exported_is_finished(mlflow_server: str) -> None:
    from mlflow import MlflowClient

    half = entry(BODY | {"project": "half"})
    client = MlflowClient(tracking_uri=mlflow_server)
    experiment = client.create_experiment("half")
    client.create_run(experiment, tags={to_mlflow.KEY: half.hash}, run_name="r1")
    assert to_mlflow.export([half], mlflow_server) == 1
    [run] = client.search_runs([experiment])
    assert (run.info.status, run.data.metrics["all/chrf/before"]) == ("FINISHED", 20)


@pytest.mark.services
def test_a_server_that_is_not_there_is_an_error_and_no_wait(tmp_path: Path, yukjo: Yukjo) -> None:
    (tmp_path / "yukjo.toml").write_text("")
    with Ledger(tmp_path / "runs" / "ledger.sqlite") as ledger:
        ledger.append("run", "r1", BODY)
    asked = ("ledger", "export", "--format", "mlflow", "--project", tmp_path)
    assert yukjo(*asked).code == 2, "no server named"
    began = time.monotonic()
    said = yukjo(*asked, "--to", "http://127.0.0.1:9")
    assert (said.code, "Traceback" in said.err) == (2, False)
    assert time.monotonic() - began < 60


# Commands


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "yukjo.toml").write_text("")
    with Ledger(tmp_path / "runs" / "ledger.sqlite") as ledger:
        ledger.append("run", "r1", BODY)
        ledger.append("note", "r1", {})
        ledger.append("evaluate", "r2", BODY)
    return tmp_path


def test_the_commands_export_and_import(project: Path, yukjo: Yukjo) -> None:
    asked = ("--project", project)
    rows = yukjo("ledger", "export", "--format", "csv", *asked).out
    assert [row["run"] for row in csv.DictReader(io.StringIO(rows))] == ["r1"] * 3 + ["r2"] * 3
    to = project / "out"
    assert yukjo("ledger", "export", "--format", "lm-eval", "--to", to, *asked).code == 0
    [file] = to.glob("org__tiny/*.json")
    first, again = (yukjo("ledger", "import", file, *asked) for _ in range(2))
    assert (first.code, again.code) == (0, 0)
    assert first.out != again.out
    assert yukjo("ledger", "verify", *asked).code == 0
    assert yukjo("ledger", "import", project / "none", *asked).code == 2
    (project / "file").write_text("")
    shut = ("ledger", "export", "--format", "lm-eval", "--to", project / "file", *asked)
    assert yukjo(*shut).code == 2
