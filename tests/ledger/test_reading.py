"""What is read from the ledger: `show`, the exports, and the commands."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from yukjo.cli.ledger import app
from yukjo.errors import LedgerError
from yukjo.files import canonical_json, sha256_bytes
from yukjo.ledger.body import run_body
from yukjo.ledger.chain import link
from yukjo.ledger.export import jsonl, known_format, ssot
from yukjo.ledger.queries import show
from yukjo.ledger.store import Ledger
from yukjo.records import Entry

METRIC = {
    "name": "perplexity", "metric_id": "perplexity@1", "before": 8.0, "after": 2.0,
    "difference": -6.0, "low": -7.0, "high": -5.0, "n": 20, "verdict": "better",
    "improvement_percentage": -75.0,
}  # fmt: skip
BODY: dict[str, Any] = {
    "project": "시범", "agents": {"rag": {"cases": 20, "metrics": [METRIC]}},
    "data": {"lines": {"train": ["a", "b"], "test": ["c"]}, "dropped": 1},
    "adapters": {"rag": {"id": "ff", "data": ["a", "b"]}},
}  # fmt: skip
STAGES = {"stages": {"qwen": {"before": 0.25, "after": 1.0}, "chain": {"before": 0, "after": 0.5}}}


def entry(body: dict[str, Any]) -> Entry:
    return link(None, "run", "r1", created="2026-01-02T03:04:05Z", body=body)


def test_show_has_the_shape_that_others_rely_on() -> None:
    shown = show(entry(BODY))
    assert shown["run"] == "r1"
    [metric] = shown["agents"]["rag"]["metrics"]
    assert metric == {key: METRIC[key] for key in METRIC if key != "improvement_percentage"}
    assert shown["data"] == {"lines": {"train": 2, "test": 1}, "dropped": 1}
    assert shown["adapters"] == {"rag": {"id": "ff", "data": 2}}
    assert shown["project"] == "시범"


def test_show_of_an_empty_body_is_empty_but_whole() -> None:
    assert show(entry({}))["agents"] == {}


def test_ssot_fills_the_stages_a_run_has_and_leaves_the_others_null() -> None:
    document = ssot(entry(BODY | STAGES))
    stages = {field: document[field] for field in document if field.endswith(("before", "after"))}
    assert stages == {
        "qwen_accuracy_before": 0.25, "qwen_accuracy_after": 1.0,
        "llama_quality_before": None, "llama_quality_after": None,
        "chain_accuracy_before": 0.0, "chain_accuracy_after": 0.5,
    }  # fmt: skip


def test_ssot_names_its_entry_and_holds_every_metric() -> None:
    made = entry(BODY)
    document = ssot(made)
    assert (document["run"], document["entry_hash"]) == ("r1", made.hash)
    measured = document["quality_metrics"]["rag"]["perplexity"]
    assert {name: measured[name] for name in ("before", "after", "interval", "n", "verdict")} == {
        "before": 8, "after": 2, "interval": [-7, -5], "n": 20, "verdict": "better",
    }  # fmt: skip
    assert document["improvement_percentage"] == {"rag": {"perplexity": -75.0}}


def test_an_improvement_over_nothing_is_null() -> None:
    metric = METRIC | {"before": 0.0, "low": None, "high": None}
    document = ssot(entry({"agents": {"rag": {"metrics": [metric]}}}))
    assert document["improvement_percentage"] == {"rag": {"perplexity": None}}
    assert document["quality_metrics"]["rag"]["perplexity"]["interval"] is None


def test_anybody_can_check_the_hashes_of_exported_lines() -> None:
    first = entry(BODY)
    lines = jsonl([first, link(first, "note", "r1", created="", body={})]).splitlines()
    read = [json.loads(line) for line in lines]
    for row in read:
        fields = {name: part for name, part in row.items() if name != "hash"}
        assert sha256_bytes(canonical_json(fields).encode()) == row["hash"]
    assert read[1]["previous"] == read[0]["hash"]


@pytest.mark.parametrize("name", ["MLflow", "SSOT", ""])
def test_an_export_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(LedgerError) as caught:
        known_format(name)
    assert "ssot, jsonl" in caught.value.fix


def test_a_body_of_nonsense_is_refused_by_place() -> None:
    with pytest.raises(LedgerError) as caught:
        run_body(entry({"agents": {"rag": {"metrics": "many"}}}))
    assert "agents.rag.metrics" in caught.value.where


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "yukjo.toml").write_text("[project]\nruns = 'out'\n")
    with Ledger(tmp_path / "out" / "ledger.sqlite") as ledger:
        ledger.append("run", "20260102-a", BODY)
        ledger.append("note", "20260102-a", {"said": "[bold]\x1b[31m"})
        ledger.append("run", "20260103-b[/]\x1b[2J", BODY | STAGES)
    return tmp_path


def ran(project: Path, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--project", str(project)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_list_shows_every_entry_and_no_control_code(project: Path) -> None:
    listing = ran(project, "list")
    assert "20260102-a" in listing
    assert "\x1b" not in listing
    assert len(json.loads(ran(project, "list", "--json"))["entries"]) == 3


def test_show_prints_a_table_or_one_document(project: Path) -> None:
    assert "8.000" in ran(project, "show", "20260102")
    assert json.loads(ran(project, "show", "20260102", "--json"))["run"] == "20260102-a"
    assert json.loads(ran(project, "show", "--json"))["run"].startswith("20260103")


def test_export_prints_one_document_or_one_line_an_entry(project: Path) -> None:
    assert json.loads(ran(project, "export"))["qwen_accuracy_after"] == 1.0
    assert json.loads(ran(project, "export", "--format", "ssot", "20260102"))["run"] == "20260102-a"
    assert len(ran(project, "export", "--format", "jsonl").splitlines()) == 3
    assert len(ran(project, "export", "--format", "jsonl", "20260102").splitlines()) == 2


def test_verify_is_0_for_a_whole_chain_and_1_for_a_broken_one(project: Path) -> None:
    assert json.loads(ran(project, "verify", "--json")) == {
        "ok": True, "checkpoints": 0, "first": None, "faults": [],
    }  # fmt: skip
    with closing(sqlite3.connect(project / "out" / "ledger.sqlite", isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER entries_no_update")
        raw.execute("UPDATE entries SET created = 'never' WHERE number = 2")
    for words in (["verify"], ["verify", "--json"]):
        result = CliRunner().invoke(app, [*words, "--project", str(project)])
        assert result.exit_code == 1
        assert "2" in result.stdout


def test_verify_is_1_for_a_file_that_can_not_be_opened_any_more(project: Path) -> None:
    file = project / "out" / "ledger.sqlite"
    file.write_bytes(b"SQLite format 4" + file.read_bytes()[15:])
    result = CliRunner().invoke(app, ["verify", "--json", "--project", str(project)])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False


def test_reading_makes_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "yukjo.toml").write_text("")
    result = CliRunner().invoke(app, ["list", "--project", str(tmp_path)])
    assert isinstance(result.exception, LedgerError)
    assert [file.name for file in tmp_path.iterdir()] == ["yukjo.toml"]
