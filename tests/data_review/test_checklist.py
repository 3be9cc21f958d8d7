"""The eight questions (G9): each is the program's, a person's, or both, and each is recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_review.desks import ALL, desk_at
from toys import Yukjo
from yukjo.agents import roles
from yukjo.data.findings import RULES
from yukjo.data.read import read
from yukjo.data_review import Book
from yukjo.data_review.checklist import QUESTIONS, Checklist, called_tool, checklist, question_of
from yukjo.errors import DataError
from yukjo.files import write_jsonl
from yukjo.ledger.store import Ledger

CALL = '{"tool": "calculator", "arguments": {"expression": "1 + 1"}}'
Make = Callable[..., Path]


def _row(number: int, **changes: Any) -> dict[str, Any]:
    answer = f"{number}번째 답변입니다. " + chr(0xAC00 + 97 * number) * 150
    return {"id": f"s{number}", "instruction": f"{number}번 질문 {chr(0xB000 + 31 * number) * 50}",
            "output": answer, "agent_type": "data_analysis", "difficulty": "보통",
            "topic": "세무"} | changes  # fmt: skip


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def written(*rows: dict[str, Any]) -> Path:
        write_jsonl(tmp_path / "data.jsonl", list(rows))
        return tmp_path / "data.jsonl"

    return written


def _list(file: Path, book: Book | None = None) -> Checklist:
    return checklist([file], known=roles(), book=book or Book())


def test_all_eight_are_put_for_each_agent_that_has_samples(make: Make) -> None:
    found = _list(make(_row(1), _row(2, agent_type="rag")))
    assert list(found.agents) == ["rag", "data_analysis"]
    for each in found.agents.values():
        assert tuple(each.answers) == QUESTIONS
        asked = {question for question, answer in each.answers.items() if answer.asked}
        assert asked == {"accuracy", "relevance", "natural"}
        checked = {question for question, answer in each.answers.items() if answer.checks}
        assert checked >= {"diversity", "difficulty", "format", "natural", "length", "tools"}
    assert not found.done


def test_every_code_of_the_check_belongs_to_a_question() -> None:
    found = {code: question_of(code) for code in RULES}
    assert found["near-duplicate"] == "diversity"
    assert found["long-output"] == "length"
    assert found["not-korean"] == "natural"
    assert found["wrong-type"] == "format"
    assert question_of("not-supported") == "accuracy"


def test_what_the_program_finds_counts_for_its_agent_alone(make: Make) -> None:
    short = _row(3, output="짧습니다.", agent_type="review")
    found = _list(make(_row(1), _row(2), short)).agents
    assert found["review"].answers["length"].checks == {"short-output": 1, "long-output": 0}
    assert found["data_analysis"].answers["length"].ok
    assert found["data_analysis"].answers["difficulty"].checks == {"difficulty-off": 3}


def test_calls_of_tools_are_looked_at(make: Make) -> None:
    def turns(*said: tuple[str, str]) -> list[dict[str, str]]:
        return [{"role": role, "content": text} for role, text in said]

    right = turns(("user", "1 더하기 1은?"), ("assistant", CALL), ("tool", "2"), ("assistant", "2"))
    other = CALL.replace("calculator", "document_search")
    wrong = turns(("user", "?"), ("assistant", other), ("user", "?"), ("tool", "2"))
    tools = _list(make(_row(1, messages=right))).agents["data_analysis"].answers["tools"]
    assert not any(tools.checks.values())
    assert (tools.asked, tools.open) == (1, 1)
    tools = _list(make(_row(1, messages=wrong))).agents["data_analysis"].answers["tools"]
    assert {name for name, count in tools.checks.items() if count} == {
        "tool-unknown", "tool-unanswered", "tool-uncalled",
    }  # fmt: skip
    bare = _list(make(_row(1))).agents["data_analysis"].answers["tools"]
    assert bare.checks["tool-results-absent"] == 1


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"tool": "a"}', '{"arguments": {}}', "답변", '{"a": ' * 100_000]
)
def test_what_is_no_call_is_none(text: str) -> None:
    assert called_tool(text) is None


def test_people_confirm_item_by_item_and_two_for_law(make: Make, tmp_path: Path) -> None:
    file = make(_row(1), _row(2), _row(3, agent_type="legal_research"))
    samples = read([file], agents=roles()).samples
    with desk_at(tmp_path / "ledger.sqlite") as desk:
        desk.enrol(2)
        desk.hand_in(samples)
        desk.assign(["r1"], agents=["data_analysis"])
        desk.assign(agents=["legal_research"])
        desk.approve("r1", samples[0].hash, confirmed=ALL)
        desk.return_("r1", samples[1].hash, reason="틀립니다", wrong=["accuracy"])
        desk.approve("r1", samples[2].hash, confirmed=ALL)
        half = _list(file, desk.book).agents
        desk.approve("r2", samples[2].hash, confirmed=ALL)
        whole = _list(file, desk.book).agents
    own = half["data_analysis"].answers["accuracy"]
    assert (own.asked, own.confirmed, own.returned, own.open) == (2, 1, 1, 0)
    assert own.confirmed_by == {"r1": 1}
    assert half["legal_research"].answers["natural"].open == 1
    law = whole["legal_research"].answers["natural"]
    assert (law.open, law.confirmed_by) == (0, {"r1": 1, "r2": 1})


def test_what_can_not_be_read_can_not_be_judged(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("[]\n")
    with pytest.raises(DataError):
        _list(tmp_path / "a.jsonl")


def test_the_command_prints_and_records(make: Make, yukjo: Yukjo) -> None:
    file = make(_row(1), _row(2))
    (file.parent / "yukjo.toml").write_text('[data]\nfiles = ["data.jsonl"]\n', encoding="utf-8")
    said = yukjo("data", "checklist", file, "-p", file.parent)
    assert said.code == 0, said.err
    assert "정확성" in said.out
    assert "0/2 확인" in said.out
    assert not (file.parent / "runs").exists(), "a reader makes no ledger"
    made: Any = yukjo("data", "checklist", file, "-p", file.parent, "--record", "--json").json()
    with Ledger(file.parent / "runs" / "ledger.sqlite") as ledger:
        (entry,) = ledger.entries("data-checklist")
    assert made["entry"] == entry.number
    assert entry.body["agents"] == made["agents"]
