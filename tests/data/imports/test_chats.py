"""Chats of others become samples: the last answer is learned, what has no place is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yukjo.data.imports.report import Report
from yukjo.records import Message, Sample

Make = Callable[..., Path]
Taken = Callable[..., tuple[list[Any], Report]]

A = "한빛시청 1층 민원실에서 평일 9시부터 18시까지 신청하실 수 있습니다."


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def one(made: tuple[list[Any], Report]) -> Sample:
    (sample,), _ = made
    assert isinstance(sample, Sample)
    return sample


def test_chatml_keeps_earlier_turns_and_drops_the_system_message(jsonl: Make, taken: Taken) -> None:
    row = {"messages": [{"role": "system", "content": "친절하게"}, user("첫 질문"),
                        assistant("첫 답"), user("여권은 어디서?"), assistant(A)]}  # fmt: skip
    (sample,), report = taken(jsonl(row))
    assert sample.messages == (Message(role="user", content="첫 질문"),
                               Message(role="assistant", content="첫 답"))  # fmt: skip
    assert (sample.instruction, sample.input, sample.output) == ("여권은 어디서?", "", A)
    assert (sample.source, sample.license) == ("대화.jsonl#line=1", "CC-BY-4.0")
    assert report.system_messages == 1


def test_parts_of_text_are_put_together(jsonl: Make, taken: Taken) -> None:
    parts = [{"type": "text", "text": "여권은 "}, {"type": "text", "text": "어디서?"}]
    row = {"messages": [{"role": "user", "content": parts}, assistant(A)]}
    assert one(taken(jsonl(row))).instruction == "여권은 어디서?"


def test_results_of_tools_are_the_input_and_their_calls_are_counted(
    jsonl: Make, taken: Taken
) -> None:
    call = {"id": "1", "type": "function",
            "function": {"name": "document_search", "arguments": '{"query": "여권"}'}}  # fmt: skip
    row = {"messages": [user("여권은 어디서?"),
                        {"role": "assistant", "content": None, "tool_calls": [call]},
                        {"role": "tool", "tool_call_id": "1", "content": "『안내』 1쪽: 민원실"},
                        assistant(A)]}  # fmt: skip
    (sample,), report = taken(jsonl(row))
    assert (sample.instruction, sample.input) == ("여권은 어디서?", "『안내』 1쪽: 민원실")
    assert (sample.messages, report.tool_calls) == ((), 1)


def test_an_earlier_call_is_written_as_a_model_here_writes_it(jsonl: Make, taken: Taken) -> None:
    call = {"function": {"name": "document_search", "arguments": {"query": "여권"}}}
    row = {"messages": [user("여권은?"), {"role": "assistant", "content": "", "tool_calls": [call]},
                        {"role": "tool", "content": "민원실"}, assistant("민원실입니다."),
                        user("몇 시까지?"), assistant(A)]}  # fmt: skip
    said = one(taken(jsonl(row))).messages
    assert said[1] == Message(
        role="assistant", content='{"tool": "document_search", "arguments": {"query": "여권"}}'
    )
    assert [turn.role for turn in said] == ["user", "assistant", "tool", "assistant"]


def test_sharegpt_has_its_own_names_for_the_same(jsonl: Make, taken: Taken) -> None:
    row = {"system": "친절하게", "conversations": [
        {"from": "human", "value": "여권은 어디서?"},
        {"from": "function_call", "value": '{"name": "search", "arguments": {"q": "여권"}}'},
        {"from": "observation", "value": "민원실"}, {"from": "gpt", "value": A}]}  # fmt: skip
    (sample,), report = taken(jsonl(row))
    assert (sample.instruction, sample.input, sample.output) == ("여권은 어디서?", "민원실", A)
    assert (report.system_messages, report.tool_calls) == (1, 1)
    assert report.files[0].formats == {"sharegpt": 1}


def test_alpaca_has_its_history_as_earlier_turns(jsonl: Make, taken: Taken) -> None:
    row = {"instruction": "몇 시까지?", "input": "자료", "output": A, "history": [["질문", "답"]],
           "score": 3}  # fmt: skip
    (sample,), report = taken(jsonl(row))
    assert [(turn.role, turn.content) for turn in sample.messages] == [
        ("user", "질문"),
        ("assistant", "답"),
    ]
    assert report.files[0].unused == ("score",)


def test_a_line_keeps_its_own_labels(jsonl: Make, taken: Taken) -> None:
    row = {"instruction": "질문?", "output": A, "agent_type": "review", "id": 7, "license": "MIT",
           "difficulty": "상", "topic": "", "source": "옛 자료"}  # fmt: skip
    (sample,), report = taken(jsonl(row))
    assert (sample.agent_type, sample.id, sample.difficulty) == ("review", "7", "어려움")
    assert (sample.topic, sample.license, sample.source) == (None, "MIT", "옛 자료")
    assert report.own_licences == {"MIT": 1}


def test_keys_of_a_line_are_guessed_like_columns(jsonl: Make, taken: Taken) -> None:
    assert one(taken(jsonl({"질문": "여권은?", "답변": A, "조회수": 3}))).instruction == "여권은?"
    named = {"instruction": "Q", "output": "A"}
    assert one(taken(jsonl({"Q": "여권은?", "A": A}), columns=named)).output == A


def test_a_json_list_and_lines_called_json_are_read(
    jsonl: Make, taken: Taken, tmp_path: Path
) -> None:
    rows = [{"instruction": f"질문 {n}?", "output": A} for n in range(3)]
    (tmp_path / "a.json").write_text("\ufeff" + json.dumps([*rows, 5]), encoding="utf-8")
    samples, report = taken(tmp_path / "a.json")
    assert (len(samples), report.refusals[0].row) == (3, 4)
    assert samples[2].source == "a.json#item=3"
    assert len(taken(jsonl(*rows, name="b.json"))[0]) == 3


CALL = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "x"}}]}
IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "a.png"}}]}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"{", "not-json"),
        (b"[1]", "not-object"),
        (b'{"instruction": "\xff"}', "not-utf8"),
        ({"messages": [user("질문?")]}, "unanswered"),
        ({"messages": [user("질문?"), assistant(A), user("또?")]}, "unanswered"),
        ({"messages": [assistant(A)]}, "unasked"),
        ({"messages": [user("질문?"), assistant("하나"), assistant(A)]}, "answered-twice"),
        ({"messages": [user(" "), assistant(A)]}, "empty-text"),
        ({"messages": [user("질문?"), {"role": "narrator", "content": "말"}]}, "unknown-role"),
        ({"messages": [user("질문?"), {"role": ["user"], "content": "말"}]}, "unknown-role"),
        ({"messages": ["질문?"]}, "wrong-type"),
        ({"messages": "질문?"}, "wrong-type"),
        ({"messages": [user("질문?"), {"role": "assistant", "content": 3}]}, "wrong-type"),
        ({"messages": [user("질문?"), CALL, assistant(A)]}, "wrong-type"),
        ({"messages": [IMAGE, assistant(A)]}, "images"),
        ({"messages": [user("질문?"), assistant(A)], "images": ["a.png"]}, "images"),
        ({"instruction": "질문?", "output": A, "image": "a.png"}, "images"),
        ({"instruction": "질문?", "output": ""}, "empty-text"),
        ({"instruction": ["질문?"], "output": A}, "wrong-type"),
        ({"instruction": "질문?", "output": A, "history": [["하나"]]}, "wrong-type"),
        ({"instruction": "질문?", "output": A, "history": [["하나", None]]}, "wrong-type"),
        ({"instruction": "질문?", "output": A, "difficulty": "아주 어려움"}, "wrong-value"),
        ({"instruction": "질문?", "output": A, "agent_type": "rga"}, "unknown-agent"),
        ({"instruction": "질문?", "output": A + "\u202e"}, "bidi"),
        ({"conversations": [{"from": "human", "value": "질문?"},
                            {"from": "function_call", "value": "아무 말"}]}, "not-json"),
        ({"text": "글"}, "unknown-format"),
    ],
)  # fmt: skip
def test_what_can_not_become_a_sample_is_refused_by_name(
    row: Any, code: str, jsonl: Make, taken: Taken
) -> None:
    good = {"instruction": "질문?", "output": A}
    samples, report = taken(jsonl(good, b"  ", row))
    (refusal,) = report.refusals
    assert (len(samples), refusal.row, refusal.code) == (1, 3, code)
    assert refusal.message


def test_a_row_without_an_agent_is_refused(jsonl: Make, taken: Taken) -> None:
    _, report = taken(jsonl({"instruction": "질문?", "output": A}), agent=None)
    assert report.refusals[0].code == "missing-field"


def test_an_id_belongs_to_one_sample(jsonl: Make, taken: Taken) -> None:
    rows = [{"instruction": f"질문 {n}?", "output": A, "id": "a"} for n in (1, 1, 2)]
    samples, report = taken(jsonl(*rows))
    assert (len(samples), report.refusals[0].code) == (2, "duplicate-id")


def test_windows_line_ends_become_line_feeds(jsonl: Make, taken: Taken) -> None:
    row = {"messages": [user("하나\r\n둘"), assistant(A + "\r\n끝")]}
    sample = one(taken(jsonl(row)))
    assert (sample.instruction, sample.output) == ("하나\n둘", A + "\n끝")
