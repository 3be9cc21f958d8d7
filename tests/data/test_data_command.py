"""`yukjo data` from outside: what it prints, how it exits, what it writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from yukjo.cli.data import app
from yukjo.errors import DataError
from yukjo.records import SIX

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]

FOLDER = Path(__file__).parent / "bad"


def _run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def file(tmp_path: Path, record: Record, write: Write) -> Path:
    rows = [record(instruction=f"{n}번 질문 {chr(0xAC00 + 97 * n) * 300}", topic="도로", id=f"s{n}")
            for n in range(30)]  # fmt: skip
    return write(tmp_path / "samples.jsonl", *rows)


def test_check_exits_1_on_errors_and_0_on_warnings() -> None:
    assert _run("check", FOLDER / "wrong-value.jsonl").exit_code == 1
    assert _run("check", FOLDER / "bom.jsonl").exit_code == 0


def test_check_prints_one_json_document() -> None:
    result = _run("check", FOLDER / "wrong-value.jsonl", "--json")
    assert json.loads(result.stdout)["errors"] == 2


@pytest.mark.parametrize("broken", sorted(FOLDER.glob("*.jsonl")), ids=lambda file: file.stem)
def test_check_shows_every_broken_file_as_a_table(broken: Path) -> None:
    result = _run("check", broken)
    assert isinstance(result.exception, SystemExit | None)
    assert result.stdout.strip()


def test_check_of_many_findings_shows_a_bounded_table(tmp_path: Path, write: Write) -> None:
    result = _run("check", write(tmp_path / "a", *[b"[bold]{"] * 300))
    assert result.stdout.count("✗") == 50
    assert "not-json 300" in result.stdout


def test_stats_of_the_promised_shape(file: Path) -> None:
    made = json.loads(_run("stats", file, "--json").stdout)
    assert made["total"] == 30
    assert list(made["agents"]) == list(SIX)
    assert made["agents"]["rag"] == {"count": 30, "share": 1.0}
    assert made["topics"] == {"도로": {"count": 30, "share": 1.0}}
    assert "30" in _run("stats", file).stdout


def test_plan_shows_the_gap_at_a_glance(file: Path) -> None:
    made = json.loads(_run("plan", file, "--stage", 2, "--json").stdout)
    assert made["agents"]["rag"]["samples"]["missing"] == 170
    assert "30/100" in _run("plan", file).stdout


def test_plan_says_what_to_collect_next(file: Path) -> None:
    made = json.loads(_run("plan", file, "--next", 2, "--json").stdout)
    assert [one["agent"] for one in made["next"]].count("rag") == 2
    shown = _run("plan", file, "--next", 2, "--agent", "rag").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("  rag:")]
    first = next(one for one in made["next"] if one["agent"] == "rag")
    cell = "·".join(filter(None, (first["difficulty"], first["topic"])))
    assert f"{cell} {first['lines']}줄" in line
    assert "  rag:" not in _run("plan", file, "--next", 0, "--agent", "rag").stdout


def test_stats_shows_a_table_of_difficulty_and_topic(
    tmp_path: Path, record: Record, write: Write
) -> None:
    rows = [record(instruction=f"{n}번 질문", difficulty="어려움", topic="세무", exception="거절",
                   source="새로 씀", license="CC0-1.0") for n in range(3)]  # fmt: skip
    shown = _run("stats", write(tmp_path / "a.jsonl", *rows)).stdout
    for said in ("세무", "어려움", "거절", "새로 씀", "CC0-1.0"):
        assert said in shown


def test_split_writes_three_files_that_hold_every_sample(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "split"
    made = json.loads(_run("split", file, "--out", out, "--json").stdout)
    rows = {side: (out / f"{side}.jsonl").read_text().splitlines() for side in made["samples"]}
    assert {side: len(lines) for side, lines in rows.items()} == made["samples"]
    asked = [json.loads(line) for line in file.read_text().splitlines()]
    written = [json.loads(line) for lines in rows.values() for line in lines]
    assert sorted(written, key=lambda row: int(row["id"][1:])) == asked
    assert {path.name for path in out.iterdir()} == {f"{side}.jsonl" for side in rows}


def test_split_overwrites_only_what_is_the_same_or_with_force(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "split"
    assert _run("split", file, "--out", out).exit_code == 0
    assert _run("split", file, "--out", out).exit_code == 0
    (out / "test.jsonl").write_text("mine")
    (out / "train.jsonl").unlink()
    refused = _run("split", file, "--out", out)
    assert isinstance(refused.exception, DataError)
    assert (out / "test.jsonl").read_text() == "mine"
    assert not (out / "train.jsonl").exists()
    assert _run("split", file, "--out", out, "--force").exit_code == 0
    assert (out / "test.jsonl").read_text() != "mine"


def test_split_into_a_file_is_a_fault_of_the_user(file: Path) -> None:
    assert isinstance(_run("split", file, "--out", file).exception, DataError)


def test_split_says_which_agent_lacks_a_side(file: Path, tmp_path: Path) -> None:
    result = _run("split", file, "--out", tmp_path / "split", "--valid", 0)
    assert "rag" in result.stderr
    assert "valid" in result.stderr


def test_errors_in_the_data_are_refused(tmp_path: Path, write: Write) -> None:
    assert isinstance(_run("stats", write(tmp_path / "a", [])).exception, DataError)


@pytest.mark.parametrize("command", ["check", "stats", "plan", "split"])
def test_help_has_an_example(command: str) -> None:
    assert f"yukjo data {command}" in " ".join(_run(command, "--help").stdout.split())
