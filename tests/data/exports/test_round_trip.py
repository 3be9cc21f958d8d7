"""What is exported and imported again is the same samples, hash by hash."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sample import EXAMPLE
from toys import Yukjo
from yukjo.data.exports import Format, exported, lines
from yukjo.data.findings import level
from yukjo.data.imports import Asked, Import
from yukjo.data.judge import judge
from yukjo.data.read import read
from yukjo.errors import DataError
from yukjo.records import SIX, Message, Sample

Lines = list[dict[str, Any]]


def back(rows: Lines, path: Path) -> list[Sample]:
    path.write_bytes(b"".join(lines(rows)))
    work = Import([path], Asked(license="MIT", agents=SIX, mask=False))
    samples = [Sample.model_validate(row) for row in work.rows()]
    assert work.report(None).refused == 0
    return samples


def is_right(sample: Sample) -> bool:
    row = sample.model_dump(mode="json", exclude_defaults=True)
    return not any(level(fault) == "error" for fault in judge(row, agents=SIX))


letters = st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t")
texts = st.text(letters, min_size=1, max_size=30)
roles = st.sampled_from(["user", "assistant", "tool"])
turns = st.lists(st.builds(Message, role=roles, content=texts), max_size=4)
pairs = st.lists(st.tuples(texts, texts), max_size=2).map(
    lambda said: tuple(
        Message(role=role, content=text)
        for pair in said
        for role, text in zip(("user", "assistant"), pair, strict=True)
    )
)
samples = st.builds(
    Sample,
    instruction=texts, input=st.just("") | texts | texts.map(lambda t: "\n\n" + t), output=texts,
    agent_type=st.sampled_from(SIX), messages=turns.map(tuple),
    difficulty=st.sampled_from([None, "쉬움"]), topic=st.none() | texts, license=st.just("MIT"),
).filter(is_right)  # fmt: skip
LAW = settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)  # fmt: skip


@LAW
@given(sample=samples)
def test_chatml_comes_back_as_it_was(sample: Sample, tmp_path: Path) -> None:
    (made,) = back(exported([sample], "chatml"), tmp_path / "a.jsonl")
    assert made.hash == sample.hash


@LAW
@given(sample=samples, earlier=pairs)
def test_alpaca_comes_back_as_it_was(
    sample: Sample, earlier: tuple[Message, ...], tmp_path: Path
) -> None:
    sample = sample.model_copy(update={"messages": earlier})
    if is_right(sample):
        (made,) = back(exported([sample], "alpaca", history=True), tmp_path / "a.jsonl")
        assert made.hash == sample.hash


@pytest.mark.parametrize("format_", ["chatml", "alpaca"])
def test_the_practice_set_comes_back_with_all_its_labels(format_: Format, tmp_path: Path) -> None:
    before = read([EXAMPLE / "data" / "practice.jsonl"], agents=SIX).samples
    assert back(exported(before, format_), tmp_path / "a.jsonl") == list(before)


def test_chatml_is_what_others_read() -> None:
    sample = Sample(
        instruction="요약해 주세요.", input="본문", output="요약", agent_type="rag", id="r1"
    )
    assert exported([sample], "chatml") == [
        {"messages": [{"role": "user", "content": "요약해 주세요.\n\n본문"},
                      {"role": "assistant", "content": "요약"}],
         "input_from": 10, "id": "r1", "agent_type": "rag"},
    ]  # fmt: skip


TURNS = (Message(role="user", content="질문"), Message(role="assistant", content="답"))
SEVERAL = Sample(instruction="또?", output="예", agent_type="rag", id="r2", messages=TURNS)


def test_alpaca_refuses_earlier_turns_by_name_or_writes_them_as_history() -> None:
    with pytest.raises(DataError, match="앞선 대화 차례") as refused:
        exported([SEVERAL], "alpaca")
    assert (refused.value.where, "--history" in refused.value.fix) == ("r2", True)
    assert exported([SEVERAL], "alpaca", history=True)[0]["history"] == [["질문", "답"]]
    odd = SEVERAL.model_copy(update={"messages": TURNS[:1]})
    with pytest.raises(DataError, match="짝"):
        exported([odd], "alpaca", history=True)


def test_many_refused_samples_are_named_and_counted() -> None:
    many = [SEVERAL.model_copy(update={"id": f"r{n}"}) for n in range(9)]
    with pytest.raises(DataError) as refused:
        exported(many, "alpaca")
    assert refused.value.where == "r0, r1, r2, r3, r4 밖에 4건"


# From outside


def test_export_writes_once_and_says_the_version(tmp_path: Path, yukjo: Yukjo) -> None:
    out = tmp_path / "out.jsonl"
    words = (
        "data",
        "export",
        EXAMPLE / "data" / "example.jsonl",
        "--format",
        "chatml",
        "--out",
        out,
    )
    said = json.loads(yukjo(*words, "--json").out)
    assert (said["samples"], len(said["version"])) == (23, 64)
    assert len(out.read_text("utf-8").splitlines()) == 23
    again = yukjo(*words)
    assert (again.code, "--force" in again.err) == (2, True)
    assert yukjo(*words, "--force").code == 0


def test_an_export_that_is_refused_leaves_nothing(tmp_path: Path, yukjo: Yukjo) -> None:
    data = tmp_path / "a.jsonl"
    data.write_text(SEVERAL.model_dump_json(exclude_defaults=True) + "\n", "utf-8")
    said = yukjo("data", "export", data, "--format", "alpaca", "--out", tmp_path / "b.jsonl")
    assert (said.code, "r2" in said.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
