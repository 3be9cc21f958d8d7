"""Asking an engine about the test cases. The engine is a toy that echoes what it was asked."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from yukjo.config.models import EvaluateConfig
from yukjo.errors import RunError
from yukjo.evaluate.measure import Measured, Question, measure, paired
from yukjo.ports import Request
from yukjo.records import Answer, Example, Picture


class Echo:
    """Answers "adapter/case/repeat"; its loss is the number of learned tokens."""

    base_hash = "b"

    def __init__(self, loss: float = 1.0) -> None:
        self.loss = loss
        self.asked: list[Request] = []
        self.packs: list[int] = []

    def load(self, adapter: str, folder: Path) -> None: ...

    def unload(self, adapter: str) -> None: ...

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        self.asked += requests
        return [
            Answer(case=r.case, agent=r.agent, adapter=r.adapter, repeat=r.repeat, tokens=1,
                   text=f"{r.adapter}/{r.case}/{r.repeat}", seconds=1.0, finish="stop")
            for r in requests
        ]  # fmt: skip

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        self.packs.append(sum(len(e.tokens) for _, e in pack))
        return [self.loss * e.learned for _, e in pack]

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        raise AssertionError(adapter, prompts)


def question(agent: str, number: int, *, asked: bool = True) -> Question:
    example = Example(agent, f"{agent}{number}", "x", (1, 2, 3, 4), (False, False, True, True))
    return Question(example, (1, 2), asked)


QUESTIONS = [question("rag", 1), question("rag", 2, asked=False), question("review", 1)]


def measured(engine: Echo, adapters: dict[str, str], seed: int = 0) -> Measured:
    return measure(
        engine, QUESTIONS, adapters=adapters, config=EvaluateConfig(repeats=2), pack_tokens=8,
        stop=frozenset({9}), seed=seed,
    )  # fmt: skip


def test_losses_are_of_every_case_and_answers_of_those_asked() -> None:
    found = measured(Echo(), {})
    assert found.losses == {"rag1": 2.0, "rag2": 2.0, "review1": 2.0}
    assert [a.text for a in found.answers] == [
        "/rag1/0", "/rag1/1", "/rag1/2", "/review1/0", "/review1/1", "/review1/2",
    ]  # fmt: skip


def test_both_sides_are_asked_the_same_but_for_the_adapter() -> None:
    before, after = Echo(), Echo()
    measured(before, {})
    measured(after, {"rag": "r1", "review": "v1"})
    assert [r.adapter for r in after.asked] == ["r1"] * 3 + ["v1"] * 3
    for one, other in zip(before.asked, after.asked, strict=True):
        assert (one.seed, one.tokens, one.stop, one.temperature, one.max_tokens) == (
            other.seed, other.tokens, other.stop, other.temperature, other.max_tokens,
        )  # fmt: skip


def test_the_first_answer_is_greedy_and_every_other_has_a_seed_of_its_own() -> None:
    engine = Echo()
    measured(engine, {})
    assert [r.temperature > 0 for r in engine.asked[:3]] == [False, True, True]
    assert len({r.seed for r in engine.asked}) == len(engine.asked)
    again = Echo()
    measured(again, {}, seed=1)
    assert {r.seed for r in engine.asked}.isdisjoint({r.seed for r in again.asked})


def test_no_pass_is_larger_than_asked() -> None:
    engine = Echo()
    measured(engine, {})
    assert engine.packs == [8, 4]


def test_both_sides_are_kept_case_by_case() -> None:
    raw = paired(QUESTIONS, measured(Echo(2.0), {}), measured(Echo(1.0), {"rag": "r1"}))
    assert [(c.case, c.nll_before, c.nll_after, c.learned) for c in raw.cases] == [
        ("rag1", 4.0, 2.0, 2), ("rag2", 4.0, 2.0, 2), ("review1", 4.0, 2.0, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_an_adapter_that_diverged_is_an_error_for_people(loss: float) -> None:
    with pytest.raises(RunError, match="rag"):
        measured(Echo(loss), {"rag": "r1"})


def test_a_question_about_images_is_asked_with_them() -> None:
    seen = (Picture(path=Path("a.png"), sha256="1"),)
    whole = replace(QUESTIONS[0].example, images=seen)
    engine = Echo()
    measure(
        engine, [Question(whole, (1, 2), asked=True), QUESTIONS[2]], adapters={},
        config=EvaluateConfig(repeats=1), pack_tokens=8, stop=frozenset(), seed=0,
    )  # fmt: skip
    assert [r.images for r in engine.asked] == [seen, seen, (), ()]
