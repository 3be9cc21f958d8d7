from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.train.schedule import warmup_cosine

runs = st.integers(1, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


def rates(warmup: int, total: int) -> list[float]:
    return [warmup_cosine(s, peak=1.0, warmup=warmup, total=total) for s in range(total)]


def test_climbs_to_the_peak_and_falls_towards_nothing() -> None:
    shown = [round(rate, 2) for rate in rates(2, 6)]
    assert shown == [0.5, 1.0, 1.0, 0.85, 0.5, 0.15]


def test_a_run_of_one_step_takes_it_at_the_peak() -> None:
    assert rates(1, 1) == rates(0, 1) == [1.0]


@given(runs)
def test_every_step_has_a_rate_above_nothing_and_at_most_the_peak(run: tuple[int, int]) -> None:
    assert all(0 < rate <= 1.0 for rate in rates(*run))


@given(runs)
def test_it_climbs_strictly_then_falls_strictly(run: tuple[int, int]) -> None:
    warmup, total = run
    made = rates(warmup, total)
    climb, fall = made[:warmup], made[warmup:]
    assert all(a < b for a, b in pairwise(climb))
    assert all(a > b for a, b in pairwise(fall))


@given(runs)
def test_the_peak_ends_the_climb_and_begins_the_fall(run: tuple[int, int]) -> None:
    warmup, total = run
    made = rates(warmup, total)
    assert made[:warmup][-1:] in ([], [1.0])
    assert made[warmup:][:1] in ([], [1.0])


@given(runs, st.floats(1e-6, 1.0))
def test_another_peak_only_scales_it(run: tuple[int, int], peak: float) -> None:
    warmup, total = run
    scaled = [warmup_cosine(s, peak=peak, warmup=warmup, total=total) for s in range(total)]
    assert scaled == pytest.approx([peak * rate for rate in rates(warmup, total)])


@given(runs)
def test_the_fall_is_half_a_cosine_and_so_symmetric(run: tuple[int, int]) -> None:
    warmup, total = run
    fall = rates(warmup, total)[warmup:]
    paired = zip(fall[1:], reversed(fall[1:]), strict=True)
    assert all(a + b == pytest.approx(1.0) for a, b in paired)
