"""What a test set shares with training: every copy is found, and nothing else."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from yukjo.cli.data import app
from yukjo.data.duplicates import alike, near_across, sketches
from yukjo.data.leak import Leaks, leaks, shared
from yukjo.data.split import split
from yukjo.records import SIX, Sample

Write = Callable[..., Path]
SYLLABLES = "이다는을의에가고하지로서기사도한인시어리자해대나정아일부수보제원들면관과전주장"


def _words(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(SYLLABLES, k=3)) for _ in range(count)]


def _row(seed: int, **changes: Any) -> dict[str, Any]:
    """A line that is like no other."""
    words = _words(seed, 110)
    return {"instruction": " ".join(words[:10]), "input": " ".join(words[10:50]),
            "output": " ".join(words[50:]), "agent_type": "rag"} | changes  # fmt: skip


@pytest.fixture
def found(tmp_path: Path, write: Write) -> Callable[..., Leaks]:
    def leaked(train: list[Any], test: list[Any]) -> Leaks:
        files = write(tmp_path / "train.jsonl", *train), write(tmp_path / "test.jsonl", *test)
        return leaks([files[0]], [files[1]], agents=SIX)

    return leaked


def test_nothing_is_found_where_nothing_is_shared(found: Callable[..., Leaks]) -> None:
    made = found([_row(n) for n in range(50)], [_row(n) for n in range(50, 80)])
    assert (made.train, made.test, made.leaks) == (50, 30, ())
    assert set(made.counts.values()) == {0}


def test_a_copy_is_named_with_both_its_places(found: Callable[..., Leaks]) -> None:
    (leak,) = found([_row(1), _row(2), _row(3)], [_row(9), _row(2)]).leaks
    assert (leak.line, leak.other_line, leak.aspect, leak.percent) == (2, 2, "sample", 100)
    assert leak.file.endswith("test.jsonl")
    assert leak.other_file.endswith("train.jsonl")


def test_a_sample_with_a_word_changed_under_another_agent_is_found(
    found: Callable[..., Leaks],
) -> None:
    other = _row(2) | {"output": _row(2)["output"] + " 새말", "agent_type": "review"}
    (leak,) = found([_row(1), _row(2)], [other]).leaks
    assert leak.aspect == "sample"
    assert 80 <= leak.percent < 100


def test_the_question_alone_and_the_answer_alone_are_found(found: Callable[..., Leaks]) -> None:
    asked = _row(7, instruction=_row(1)["instruction"], input=_row(1)["input"])
    answered = _row(8, output=_row(2)["output"])
    made = found([_row(1), _row(2)], [asked, answered, _row(9)])
    assert [(one.line, one.other_line, one.aspect) for one in made.leaks] == [
        (1, 1, "question"), (2, 2, "answer"),
    ]  # fmt: skip
    assert made.counts == {"sample": 0, "question": 1, "answer": 1, "image": 0}


def test_what_is_less_than_80_percent_alike_is_not_reported(found: Callable[..., Leaks]) -> None:
    words = _words(1, 110)
    half = _row(1, output=" ".join(words[50:80] + _words(99, 30)), instruction="다른 질문")
    assert alike(half["output"], _row(1)["output"]) < 0.8
    assert {one.aspect for one in found([_row(1)], [half]).leaks} <= {"question"}


def test_lines_with_errors_are_passed_over_and_counted(found: Callable[..., Leaks]) -> None:
    made = found([b"{", _row(1), b""], [_row(1), []])
    assert (made.train, made.test, made.passed_over) == (1, 1, 3)
    assert made.leaks[0].other_line == 2


def test_one_copy_among_many_like_ones_is_found_for_every_test_line(
    found: Callable[..., Leaks],
) -> None:
    same = _row(1)["output"]
    train = [_row(n, output=same) for n in range(100, 160)]
    made = found(train, [_row(n, output=same) for n in range(200, 230)])
    assert made.counts["answer"] == 30


def test_every_near_pair_is_found_as_the_exact_way_finds_it() -> None:
    chance = random.Random(3)
    train = [" ".join(_words(n, 80)) for n in range(200)]
    test = []
    for text in train[:100]:
        words = text.split()
        for place in chance.sample(range(80), k=chance.randint(0, 8)):
            words[place] = "바꿈"
        test.append(" ".join(words))
    near = {row for row, text in enumerate(test) if alike(text, train[row]) >= 0.8}
    found = near_across([sketches(train[:64]), sketches(train[64:])], [sketches(test)], share=0.7)
    assert {row for row, (other, _) in found.items() if other == row} >= near
    assert all(other == row for row, (other, _) in found.items())
    assert near_across([], [sketches(test)]) == {}
    assert near_across([np.zeros((3, 128), np.uint8)], [np.zeros((2, 128), np.uint8)]) == {}


def test_what_split_divides_shares_no_sample() -> None:
    rows = [_row(n // 2, output=_row(n // 2)["output"] + " 끝" * (n % 2)) for n in range(120)]
    made = split([Sample.model_validate(row) for row in rows], valid=0.2, test=0.3)
    assert made.test
    assert shared(made.train, made.test)["sample"] == 0
    assert shared(made.train, made.train)["sample"] == len(made.train)


def test_the_command_exits_1_on_a_leak_and_0_without(tmp_path: Path, write: Write) -> None:
    train = write(tmp_path / "train.jsonl", *[_row(n) for n in range(5)])
    copied = write(tmp_path / "copied.jsonl", _row(3))
    fresh = write(tmp_path / "fresh.jsonl", _row(9))

    def run(*words: object) -> Any:
        return CliRunner().invoke(app, ["leak", *map(str, words)])

    bad = run(train, "--test", copied, "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["counts"]["sample"] == 1
    shown = run(train, "--test", copied, "--test", fresh)
    assert shown.exit_code == 1
    assert "100 %" in shown.stdout
    assert run(train, "--test", fresh).exit_code == 0
