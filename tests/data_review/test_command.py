"""A review of samples as people hold it, by the commands."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from pipeline.conftest import SETTINGS
from toys import Yukjo
from yukjo.files import write_jsonl
from yukjo.ledger.store import Ledger

COMMANDS = ("start", "assign", "next", "approve", "return", "status", "history", "export")
HOSTILE = "한빛시 답변입니다.\x1b[2J[red] {x}"
CONFIRM = ("--confirm", "accuracy,relevance", "--confirm", "natural")


def _row(
    agent: str, number: int, output: str = "접수한 날부터 7일 안에 알려 드립니다."
) -> dict[str, str]:
    return {"id": f"{agent}-{number}", "instruction": f"{number}번 질문", "output": output,
            "agent_type": agent}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    rows = [_row(agent, n) for agent in ("rag", "legal_research") for n in range(2)]
    write_jsonl(folder / "data.jsonl", rows)
    (folder / "yukjo.toml").write_text(SETTINGS.format(base="none"), encoding="utf-8")
    return folder


def _start(yukjo: Yukjo, project: Path, *more: object) -> list[str]:
    made: Any = yukjo("data", "review", "start", "-p", project, "--json", *more).json()
    tokens: list[str] = made["reviewers"]
    return tokens


def _approve_all(yukjo: Yukjo, project: Path, token: str) -> int:
    count = 0
    while True:
        shown: Any = yukjo("data", "review", "next", "-p", project, "--reviewer", token,
                           "--json").json()  # fmt: skip
        if shown["sample"] is None:
            return count
        done = yukjo("data", "review", "approve", shown["sample"]["hash"], "-p", project,
                     "--reviewer", token, *CONFIRM)  # fmt: skip
        assert done.code == 0, done.err
        count += 1


def test_the_whole_way_of_a_review(project: Path, yukjo: Yukjo) -> None:
    tokens = _start(yukjo, project, "--reviewers", 2)
    given: Any = yukjo("data", "review", "assign", "-p", project, "--json").json()["given"]
    assert {name: len(own) for name, own in given.items()} == {"r1": 3, "r2": 3}
    assert [_approve_all(yukjo, project, token) for token in tokens] == [3, 3]
    status: Any = yukjo("data", "review", "status", "-p", project, "--json").json()
    assert status["done"]
    assert status["agents"]["legal_research"]["approved"] == 2
    assert status["reviewers"]["r1"] == {"approved": 3, "returned": 0, "left": 0}
    text = yukjo("data", "review", "export", "-p", project).out
    rows = list(csv.DictReader(StringIO(text)))
    assert {row["verdict"] for row in rows} == {"approve"}
    assert len(rows) == 6
    assert yukjo("ledger", "verify", "-p", project).code == 0
    assert "모든 표본이 승인" in yukjo("data", "review", "status", "-p", project).out


def test_an_edited_sample_waits_again(project: Path, yukjo: Yukjo) -> None:
    (token,) = _start(yukjo, project, "--reviewers", 1)
    yukjo("data", "review", "assign", "-p", project, "--agent", "rag")
    back = yukjo("data", "review", "return", "rag-0", "-p", project, "--reviewer", token,
                 "--reason", "기간이 다릅니다", "--item", "accuracy", "--json")  # fmt: skip
    assert back.json()["state"] == "returned"
    assert "기간이 다릅니다" in yukjo("data", "review", "status", "--returned", "-p", project).out
    file = project / "data.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    rows[0]["output"] = "접수한 날부터 14일 안에 알려 드립니다."
    write_jsonl(file, rows)
    made: Any = yukjo("data", "review", "start", "-p", project, "--json").json()
    assert (made["new"], made["edited"]) == (0, 1)
    found: Any = yukjo("data", "review", "history", "rag-0", "-p", project, "--json").json()
    assert [one["state"] for one in found] == ["waiting", "replaced"]
    assert found[0]["subject"]["before"] == found[1]["subject"]["hash"]
    assert "기간이 다릅니다" in yukjo("data", "review", "history", "rag-0", "-p", project).out


def test_a_sample_edited_after_it_was_given_out_is_not_shown_as_if_it_were_the_old(
    project: Path, yukjo: Yukjo
) -> None:
    (token,) = _start(yukjo, project, "--reviewers", 1)
    yukjo("data", "review", "assign", "-p", project, "--agent", "rag")
    write_jsonl(project / "data.jsonl", [_row("rag", n, "다른 답변입니다.") for n in range(2)])
    refused = yukjo("data", "review", "next", "-p", project, "--reviewer", token)
    assert refused.code == 2
    assert "yukjo data review start" in refused.err


def test_questions_in_the_terminal_approve_and_return(
    project: Path, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (token,) = _start(yukjo, project, "--reviewers", 1)
    yukjo("data", "review", "assign", "-p", project, "--agent", "rag")
    said = iter(["y", "y", "?", "y", "y", "n", "y", "", "질문과 다른 답입니다"])
    monkeypatch.setattr("builtins.input", lambda _: next(said))
    assert yukjo("data", "review", "approve", "-p", project, "--reviewer", token).code == 0
    counts: Any = yukjo("data", "review", "status", "-p", project, "--json").json()["agents"]
    assert (counts["rag"]["approved"], counts["rag"]["returned"]) == (1, 1)
    found: Any = yukjo("data", "review", "history", "rag-1", "-p", project, "--json").json()
    assert found[0]["history"][0]["decision"]["items"] == ["relevance"]


def test_who_leaves_goes_on_where_they_were(
    project: Path, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (token,) = _start(yukjo, project, "--reviewers", 1)
    yukjo("data", "review", "assign", "-p", project, "--agent", "rag")
    said = iter(["y", "y", "y", "y", "q", "y", "y", "y"])
    monkeypatch.setattr("builtins.input", lambda _: next(said))
    assert (
        "1개를 남겼" in yukjo("data", "review", "approve", "-p", project, "--reviewer", token).out
    )
    assert (
        "1개를 남겼" in yukjo("data", "review", "approve", "-p", project, "--reviewer", token).out
    )
    with Ledger(project / "runs" / "ledger.sqlite") as ledger:
        assert sum(e.body["event"] == "decide" for e in ledger.entries("data-review")) == 2


def test_nothing_in_a_sample_drives_the_terminal(project: Path, yukjo: Yukjo) -> None:
    write_jsonl(project / "data.jsonl", [_row("rag", 1, HOSTILE.replace("\x1b", "\\x1b[bold]"))])
    (token,) = _start(yukjo, project, "--reviewers", 1)
    yukjo("data", "review", "assign", "-p", project)
    shown = yukjo("data", "review", "next", "-p", project, "--reviewer", token)
    assert "[red] {x}" in shown.out
    assert "\x1b" not in shown.out


@pytest.mark.parametrize(
    "words",
    [
        ("approve", "rag-0", "--reviewer", "r1-nobody"),
        ("approve", "rag-9", "--reviewer", "TOKEN", *CONFIRM),
        ("approve", "rag-0", "--reviewer", "TOKEN", "--confirm", "accuracy"),
        ("approve", "rag-0", "--reviewer", "TOKEN", "--confirm", "beauty"),
        ("return", "rag-0", "--reviewer", "TOKEN", "--reason", " "),
        ("assign", "--reviewer", "r9"),
        ("start", "--author", "r9"),
        ("history", "nothing"),
    ],
)
def test_wrong_use_is_said_with_its_mend(
    project: Path, yukjo: Yukjo, words: tuple[str, ...]
) -> None:
    (token,) = _start(yukjo, project, "--reviewers", 1)
    yukjo("data", "review", "assign", "-p", project, "--agent", "rag")
    asked = [token if word == "TOKEN" else word for word in words]
    refused = yukjo("data", "review", *asked, "-p", project)
    assert refused.code == 2
    assert "방법:" in refused.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(yukjo: Yukjo, command: str) -> None:
    shown = yukjo("data", "review", command, "--help").out
    assert f"yukjo data review {command}" in " ".join(shown.split())
