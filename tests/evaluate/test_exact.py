"""Exact tests and bounds against scipy and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from yukjo.evaluate.exact import (
    EXACT_RANKS,
    at_least,
    holm,
    mcnemar,
    quantile_bounds,
    share_bounds,
    wilcoxon,
)


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.001, 0.999))
def test_the_binomial_tail_is_scipys(k: int, n: int, p: float) -> None:
    assert at_least(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-9, abs=1e-15)


def test_certain_and_impossible_shares_have_certain_tails() -> None:
    assert (at_least(3, 5, 1.0), at_least(1, 5, 0.0), at_least(0, 5, 0.0)) == (1, 0, 1)
    assert at_least(6, 5, 1.0) == 0


@pytest.mark.parametrize(("right", "n"), [(18, 20), (0, 12), (12, 12), (250, 290), (1, 3)])
def test_bounds_of_a_share_are_scipys_clopper_pearson(right: int, n: int) -> None:
    ours = share_bounds(right, n, confidence=0.95)
    test = stats.binomtest(right, n)
    theirs = test.proportion_ci(confidence_level=0.9, method="exact")  # 5 % on each side
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_eighteen_of_twenty_are_at_least_seventy_two_of_a_hundred() -> None:
    assert share_bounds(18, 20, confidence=0.95)[0] == pytest.approx(0.7174, abs=1e-4)
    assert share_bounds(20, 20, confidence=0.95)[0] == pytest.approx(0.05 ** (1 / 20))


@pytest.mark.parametrize(("better", "worse"), [(6, 0), (5, 1), (10, 4), (3, 3), (40, 22)])
def test_mcnemar_is_scipys_binomial_test_of_the_pairs_that_differ(better: int, worse: int) -> None:
    theirs = stats.binomtest(better, better + worse, 0.5).pvalue
    assert mcnemar(better, worse) == pytest.approx(theirs)
    assert mcnemar(worse, better) == mcnemar(better, worse)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(5, 1) == 2 * (1 + 6) / 64
    assert mcnemar(0, 0) == 1


@pytest.mark.parametrize("n", [5, 12, 30, 49])
def test_wilcoxon_is_scipys_where_nothing_is_tied(n: int) -> None:
    differences = np.random.default_rng(n).normal(0.3, 1, n)
    theirs = stats.wilcoxon(differences, method="exact").pvalue
    assert wilcoxon(list(differences)) == pytest.approx(theirs, rel=1e-12)


def test_wilcoxon_with_ties_and_zeros_counts_every_sign() -> None:
    differences = [1.0, 1.0, -1.0, 2.0, 0.0, 3.0, -2.0, 5.0, 5.0]
    moved = [d for d in differences if d]
    ranks = stats.rankdata(np.abs(moved))
    signs = (np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved))) & 1
    sums = signs @ ranks
    least = min(ranks[np.array(moved) > 0].sum(), ranks[np.array(moved) < 0].sum())
    assert wilcoxon(differences) == pytest.approx(min(1, 2 * (sums <= least).mean()))


def test_wilcoxon_by_hand() -> None:
    assert wilcoxon([1, 2, 3]) == 2 / 8
    assert wilcoxon([1, 2, -3]) == 1  # 3 against 3
    assert wilcoxon([]) == 1


def test_many_differences_are_judged_by_the_normal_distribution_as_scipy_does() -> None:
    differences = np.random.default_rng(3).normal(0.1, 1, EXACT_RANKS + 50).round(1)
    theirs = stats.wilcoxon(differences, method="approx", correction=False).pvalue
    assert wilcoxon(list(differences)) == pytest.approx(theirs, rel=1e-9)


def test_exact_and_normal_agree_where_one_takes_over_from_the_other() -> None:
    differences = list(np.random.default_rng(4).normal(0.15, 1, EXACT_RANKS))
    theirs = stats.wilcoxon(differences, method="approx", correction=False).pvalue
    assert wilcoxon(differences) == pytest.approx(theirs, rel=0.05)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12))
def test_turning_every_sign_leaves_wilcoxon_as_it_is(differences: list[float]) -> None:
    assert wilcoxon(differences) == wilcoxon([-d for d in differences])
    assert 0 < wilcoxon(differences) <= 1


def test_holm_by_hand() -> None:
    """Smallest times three, next times two, and never below the one before."""
    found = holm({"a": 0.01, "b": 0.02, "c": 0.5})
    assert found == pytest.approx({"a": 0.03, "b": 0.04, "c": 0.5})
    assert holm({"a": 0.03, "b": 0.029}) == pytest.approx({"b": 0.058, "a": 0.058})
    assert holm({}) == {}


@given(st.dictionaries(st.integers(), st.floats(0, 1), min_size=1, max_size=9))
def test_holm_lies_between_p_and_bonferroni(found: dict[int, float]) -> None:
    corrected = holm(found)
    for key, p in found.items():
        assert p <= corrected[key] <= min(1.0, len(found) * p) + 1e-12


def test_no_bound_of_a_p95_below_fifty_nine_times() -> None:
    assert quantile_bounds(range(58), share=0.95, confidence=0.95)[1] is None
    assert quantile_bounds(range(59), share=0.95, confidence=0.95)[1] == 58
    assert quantile_bounds([1.0] * 3, share=0.95, confidence=0.95)[0] == 1.0


def test_the_bound_of_a_p95_holds_nineteen_times_in_twenty() -> None:
    draw, truth = np.random.default_rng(1), -math.log(0.05)  # of an exponential law
    found = [quantile_bounds(draw.exponential(1, 200), share=0.95, confidence=0.95)
             for _ in range(300)]  # fmt: skip
    assert sum(high is not None and high >= truth for _, high in found) >= 0.92 * 300
    assert sum(low is not None and low <= truth for low, _ in found) >= 0.92 * 300
