"""The commands around the main job, as a user calls them."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from toys import Yukjo

COMMANDS = (
    ["init"], ["run"], ["train"], ["monitor"], ["reproduce"], ["evaluate"], ["ask"], ["doctor"],
    ["data", "check"], ["data", "stats"], ["data", "plan"], ["data", "split"], ["data", "show"],
    ["route"], ["gate"], ["promote"], ["rollback"], ["report"], ["adapter", "list"],
    ["adapter", "show"], ["ledger", "list"], ["ledger", "show"], ["ledger", "verify"],
    ["ledger", "export"], ["bench", "train"],
)  # fmt: skip


def test_a_new_project_passes_its_own_check(tmp_path: Path, yukjo: Yukjo) -> None:
    made = yukjo("init", tmp_path / "mine")
    assert made.code == 0
    files = sorted((tmp_path / "mine" / "data").glob("*.jsonl"))
    assert [f.name for f in files] == ["example.jsonl", "practice.jsonl"]
    report: Any = yukjo("data", "check", *files, "--json").json()
    assert (report["errors"], report["warnings"], report["lines"]) == (0, 0, 311)
    assert yukjo("init", tmp_path / "mine").code == 2  # not over somebody's work


def test_a_sample_shows_its_tokens_and_what_is_learned(project: Path, yukjo: Yukjo) -> None:
    shown: Any = yukjo("data", "show", "rag-1", "-p", project, "--json").json()
    assert shown["id"] == "rag-1"
    seen: Any = yukjo("data", "show", "rag-1", "-p", project, "--tokens", "--json").json()
    assert len(seen["tokens"]) == len(seen["learn"])
    assert seen["learn"][-1] is True
    painted = yukjo("data", "show", "rag-1", "-p", project, "--tokens")
    assert f"{len(seen['tokens'])}토큰 가운데 {sum(seen['learn'])}토큰" in painted.out
    assert "<|end|>" in painted.out
    assert yukjo("data", "show", "rag", "-p", project).code == 2


def test_the_record_is_exported_for_other_programs(project: Path, yukjo: Yukjo) -> None:
    assert yukjo("ledger", "list", "-p", project).code == 2  # there is none yet
    assert yukjo("run", "-p", project).code == 0
    ssot: Any = yukjo("ledger", "export", "--format", "ssot", "-p", project).json()
    assert ssot["quality_metrics"]["rag"]["perplexity"]["n"] > 0
    assert {"qwen_accuracy_before", "improvement_percentage"} <= ssot.keys()
    lines = yukjo("ledger", "export", "--format", "jsonl", "-p", project).out.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["seal", "run", "verdict"]
    listed: Any = yukjo("adapter", "list", "-p", project, "--json").json()["adapters"]
    shown: Any = yukjo("adapter", "show", listed[0]["id"][:8], "-p", project).json()
    assert shown == listed[0]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_help_of_every_command_has_an_example(
    command: list[str], language: str, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = yukjo("--lang", language, *command, "--help")
    assert said.code == 0
    assert f"yukjo {command[0]}" in said.out


def test_help_answers_at_once() -> None:
    """The promise is half a second; ten times that would be a heavy import, not a slow machine."""
    began = time.process_time()
    subprocess.run([sys.executable, "-m", "yukjo", "--help"], check=True, capture_output=True)
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, yukjo.cli.app; print(*sys.modules)"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    heavy = {"torch", "transformers", "numpy", "sqlalchemy", "alembic", "pydantic", "sacrebleu"}
    assert heavy.isdisjoint(loaded)
    assert time.process_time() - began < 5
