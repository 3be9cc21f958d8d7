"""An adapter that does nothing is refused, and what one does leaves a fingerprint."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from yukjo.adapters.effect import prove
from yukjo.errors import AdapterError
from yukjo.records import Effect

PROMPTS = ([1, 2], [3])
Logits = list[list[float]]


class Toy:
    """An engine that knows its answers: the base's and the adapter's logits at each prompt."""

    def __init__(self, base: Logits, adapted: Logits) -> None:
        self.logits = {"": base, "a" * 64: adapted}
        self.asked: list[tuple[str, Sequence[Sequence[int]]]] = []

    def next_logits(
        self, adapter: str, prompts: Sequence[Sequence[int]], images: Sequence[object] = ()
    ) -> Logits:
        assert not images
        self.asked.append((adapter, prompts))
        return self.logits[adapter]


def proved(base: Logits, adapted: Logits) -> Effect:
    return prove(Toy(base, adapted), "a" * 64, PROMPTS)  # type: ignore[arg-type]


def test_the_largest_difference_of_any_logit_at_any_prompt_is_the_change() -> None:
    effect = proved([[0.0, 1.0], [2.0, 3.0]], [[0.0, 1.5], [-1.0, 3.0]])
    assert (effect.prompts, effect.change) == (2, 3.0)


def test_base_and_adapter_are_asked_the_same() -> None:
    toy = Toy([[0.0], [0.0]], [[1.0], [0.0]])
    prove(toy, "a" * 64, PROMPTS)  # type: ignore[arg-type]
    assert sorted(toy.asked) == [("", PROMPTS), ("a" * 64, PROMPTS)]


logits = st.lists(st.floats(-50, 50), min_size=12, max_size=12)


@given(st.tuples(logits, logits))
def test_an_adapter_that_changes_nothing_is_refused(base: tuple[list[float], ...]) -> None:
    with pytest.raises(AdapterError) as said:
        proved(list(base), list(base))
    assert said.value.where == "a" * 12


@given(st.tuples(logits, logits), st.integers(0, 1), st.integers(0, 11), st.floats(0.001, 9))
def test_one_logit_that_moves_is_an_effect(
    base: tuple[list[float], ...], prompt: int, token: int, by: float
) -> None:
    adapted = [list(row) for row in base]
    adapted[prompt][token] += by
    assert proved(list(base), adapted).change == pytest.approx(by, abs=1e-4)


@pytest.mark.parametrize("spoilt", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("token", [0, 1, 2])
def test_logits_that_are_no_numbers_are_refused(spoilt: float, side: int, token: int) -> None:
    sides: list[Logits] = [[[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]], [[0.5, 1.0, 2.0], [1.0, 1.0, 1.0]]]
    sides[side][0][token] = spoilt
    with pytest.raises(AdapterError):
        proved(*sides)


# The fingerprint

BASE = [[0.0] * 12, [0.0] * 12]


def print_of(adapted: Logits) -> str:
    return proved(BASE, adapted).fingerprint


def test_the_last_bits_of_another_processor_leave_the_fingerprint() -> None:
    here = [[i * 1.0 for i in range(1, 13)], [-i * 1.0 for i in range(1, 13)]]
    there = [[x * (1 + 1e-5) for x in row] for row in here]
    assert print_of(here) == print_of(there)


@given(st.integers(0, 1), st.integers(0, 11))
def test_a_likely_token_that_moves_by_half_changes_the_fingerprint(prompt: int, token: int) -> None:
    here = [[i * 1.0 for i in range(1, 13)], [-i * 1.0 for i in range(1, 13)]]
    there = [list(row) for row in here]
    there[prompt][token] += 0.5
    likely = sorted(range(12), key=here[prompt].__getitem__)[4:]
    assume(token in likely)
    assert print_of(here) != print_of(there)
