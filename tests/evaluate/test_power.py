"""What so many cases can show: against simulation and the figures the project goes by."""

import numpy as np
import pytest

from yukjo.evaluate.exact import at_least, mcnemar, share_bounds
from yukjo.evaluate.power import (
    POWER,
    cases_for_gap,
    cases_for_margin,
    cases_for_share,
    fewest_pairs,
    mean_gap,
    rate_gap,
    without_a_miss,
)


def test_fifty_nine_answers_without_a_miss_show_a_p95() -> None:
    assert without_a_miss(0.95, 0.95) == 59
    assert 0.95**59 <= 0.05 < 0.95**58


def test_about_three_hundred_questions_show_85_percent_if_90_are_right() -> None:
    assert 270 <= (cases_for_share(0.85, 0.9, confidence=0.95) or 0) <= 310


@pytest.mark.parametrize(("bar", "truth"), [(0.85, 0.9), (0.5, 0.7), (0.85, 0.99)])
def test_so_many_cases_show_the_share_four_times_in_five_and_fewer_do_not(
    bar: float, truth: float
) -> None:
    def power(n: int) -> float:
        bounds = [share_bounds(k, n, confidence=0.95)[0] for k in range(n + 1)]
        least = next((k for k in range(n + 1) if bounds[k] >= bar), n + 1)
        return at_least(least, n, truth)

    needed = cases_for_share(bar, truth, confidence=0.95)
    assert needed is not None
    assert power(needed) >= POWER > power(needed - 1)
    assert all(power(needed + more) >= POWER for more in (1, 2, 5, 9))


def test_no_number_of_cases_shows_what_is_not_so() -> None:
    assert cases_for_share(0.85, 0.85, confidence=0.95) is None
    assert cases_for_gap(-1.0, 1.0, 30, alpha=0.05) is None


def test_a_test_of_signs_needs_six_pairs_and_more_in_a_family() -> None:
    assert fewest_pairs(0.05) == 6
    assert 2 * 0.5 ** fewest_pairs(0.05 / 18) <= 0.05 / 18
    assert rate_gap(5, alpha=0.05) is None
    assert mean_gap(9, alpha=0.05 / 18) is None


def test_the_gap_of_two_rates_is_seen_as_often_as_promised() -> None:
    n, flips = 200, 0.2
    gap = rate_gap(n, alpha=0.05, flips=flips)
    assert gap is not None
    assert 0.08 < gap < 0.1
    draw = np.random.default_rng(2)
    turns = draw.multinomial(n, [(flips + gap) / 2, (flips - gap) / 2, 1 - flips], size=400)
    seen = sum(mcnemar(int(up), int(down)) <= 0.05 for up, down, _ in turns)
    assert 0.7 < seen / 400 < 0.88


def test_four_times_the_cases_see_half_the_difference() -> None:
    few, many = mean_gap(50, alpha=0.05), mean_gap(200, alpha=0.05)
    assert few is not None
    assert many is not None
    assert few / many == pytest.approx(2)
    half, whole = (cases_for_gap(gap, 1.0, 50, alpha=0.05) for gap in (0.5, 1.0))
    assert half == pytest.approx(4 * (whole or 0), abs=4)


def test_a_margin_half_as_wide_needs_four_times_the_cases() -> None:
    assert cases_for_margin(0.05, 1, alpha=0.05) == pytest.approx(
        4 * cases_for_margin(0.1, 1, alpha=0.05), abs=4
    )
