import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from yukjo.evaluate.statistics import compare, compare_pooled, tail_share
from yukjo.records import Comparison

FLIPPED = {"better": "worse", "worse": "better", "unclear": "unclear"}

value = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0])
pairs = st.lists(st.tuples(value, value), min_size=1, max_size=12)
loss = st.floats(0, 1e4)
weighted = st.lists(st.tuples(loss, loss, st.integers(1, 500)), min_size=1, max_size=12)


def means(
    before: list[float], after: list[float], *, higher: bool | None = True, resamples: int = 2000
) -> Comparison:
    return compare("m", "id", before, after, higher_is_better=higher, resamples=resamples)


def ratios(rows: list[tuple[float, float, int]], *, resamples: int = 200) -> Comparison:
    before = [(nll, float(tokens)) for nll, _, tokens in rows]
    after = [(nll, float(tokens)) for _, nll, tokens in rows]
    return compare_pooled(
        "perplexity", "id", before, after, higher_is_better=False, resamples=resamples
    )


def test_one_case_has_no_interval_and_no_verdict() -> None:
    found = means([1.0], [3.0])
    assert (found.before, found.after, found.difference) == (1, 3, 2)
    assert (found.low, found.high, found.n, found.verdict) == (None, None, 1, "unclear")
    assert found.improvement_percentage == 200


def test_two_cases_reach_from_one_difference_to_the_other() -> None:
    found = means([0.0, 0.0], [1.0, 3.0])
    assert (found.low, found.high, found.difference) == (1, 3, 2)
    assert found.verdict == "unclear"


def test_five_pairs_that_agree_are_too_few_and_six_are_enough() -> None:
    assert means([0.0] * 5, [1.0] * 5).verdict == "unclear"
    assert means([0.0] * 6, [1.0] * 6).verdict == "better"
    assert means([0.0] * 6, [1.0] * 6, higher=False).verdict == "worse"
    assert means([0.0] * 9, [1.0] * 5 + [0.0] * 4).verdict == "unclear"


def test_equal_differences_have_an_interval_of_one_point() -> None:
    found = means([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5])
    assert (found.low, found.high, found.difference) == pytest.approx((0.5, 0.5, 0.5))
    assert found.verdict == "better"


def test_no_difference_is_unclear_and_rounding_is_no_difference() -> None:
    assert means([1.0] * 8, [1.0] * 8).verdict == "unclear"
    assert means([0.3] * 8, [0.1 + 0.2] * 8).verdict == "unclear"


def test_a_metric_without_a_good_side_is_unclear() -> None:
    assert means([0.0] * 8, [1.0] * 8, higher=None).verdict == "unclear"


def test_improvement_is_relative_and_absent_where_before_is_0() -> None:
    assert means([2.0, 4.0], [3.0, 3.9]).improvement_percentage == pytest.approx(15)
    assert means([0.0, 0.0], [1.0, 1.0]).improvement_percentage is None
    assert means([5e-324], [1e300]).improvement_percentage is None


def test_perplexity_pools_tokens_over_cases() -> None:
    found = ratios([(10.0, 5.0, 10), (90.0, 45.0, 30)])
    assert found.before == pytest.approx(math.exp(100 / 40))
    assert found.after == pytest.approx(math.exp(50 / 40))
    assert found.difference == found.after - found.before
    assert found.low == pytest.approx(math.exp(45 / 30) - math.exp(90 / 30))
    assert found.high == pytest.approx(math.exp(0.5) - math.exp(1))


def test_lower_perplexity_is_better() -> None:
    rows = [(20.0 + k, 10.0 + k, 10) for k in range(8)]
    assert ratios(rows).verdict == "better"
    assert ratios([(after, before, n) for before, after, n in rows]).verdict == "worse"


def test_a_diverged_model_stays_finite() -> None:
    found = ratios([(20.0, 1e300, 10)] * 8)
    assert found.verdict == "worse"
    assert math.isfinite(found.after)
    assert found.high is not None
    assert math.isfinite(found.high)


@pytest.mark.parametrize("n", [2, 3, 4, 7, 12, 50, 333, 1001])
def test_the_tails_follow_students_t(n: int) -> None:
    wide = math.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1)
    assert tail_share(n) == pytest.approx(stats.norm.sf(wide), rel=1e-9 if n < 1001 else 0.02)
    assert 0 < tail_share(n) < 0.025


@pytest.mark.parametrize("n", [10, 60])
def test_the_interval_is_scipys_within_monte_carlo_error(n: int) -> None:
    draw = np.random.default_rng(5)
    before, after = draw.normal(10, 3, n), draw.normal(11, 3, n)
    ours = means(list(before), list(after), resamples=20_000)
    theirs = stats.bootstrap(
        (after - before,), np.mean, method="percentile", n_resamples=20_000,
        confidence_level=1 - 2 * tail_share(n), rng=np.random.default_rng(6),
    ).confidence_interval  # fmt: skip
    spread = float(np.std(after - before)) / math.sqrt(n)
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=0.08 * spread)


def test_the_interval_of_perplexity_is_scipys_within_monte_carlo_error() -> None:
    draw = np.random.default_rng(7)
    tokens = draw.integers(50, 300, 30)
    before = tokens * draw.normal(3, 0.3, 30)
    after = before - tokens * draw.normal(0.2, 0.2, 30)

    def change(old: np.ndarray, new: np.ndarray, n: np.ndarray, axis: int) -> np.ndarray:
        total = n.sum(axis)
        return np.exp(new.sum(axis) / total) - np.exp(old.sum(axis) / total)

    ours = ratios(
        [(float(b), float(a), int(n)) for b, a, n in zip(before, after, tokens, strict=True)],
        resamples=20_000,
    )
    theirs = stats.bootstrap(
        (before, after, tokens), change, paired=True, method="percentile", n_resamples=20_000,
        confidence_level=1 - 2 * tail_share(30), rng=np.random.default_rng(8),
    )  # fmt: skip
    ends = theirs.confidence_interval
    assert (ours.low, ours.high) == pytest.approx(ends, abs=0.08 * theirs.standard_error)


@pytest.mark.parametrize("n", [8, 12, 40])
@pytest.mark.parametrize("kind", ["normal", "yes or no"])
def test_a_against_a_alarms_about_one_time_in_twenty(n: int, kind: str) -> None:
    draw = np.random.default_rng(11)
    rounds, alarms = 400, 0
    for _ in range(rounds):
        both = draw.normal(0, 1, (2, n)) if kind == "normal" else draw.random((2, n)) < 0.4
        before, after = both.astype(float).tolist()
        alarms += means(before, after, resamples=400).verdict != "unclear"
    assert alarms / rounds < 0.09
    assert kind == "yes or no" or alarms / rounds > 0.02


def test_a_real_difference_is_found() -> None:
    draw = np.random.default_rng(12)
    before = draw.normal(0, 1, 60)
    after = before + draw.normal(0.6, 1, 60)
    assert means(list(before), list(after)).verdict == "better"
    assert means(list(before), list(after), higher=False).verdict == "worse"


def test_other_seeds_give_other_intervals_and_the_same_seed_the_same() -> None:
    before, after = [0.0, 1.0, 5.0, 2.0], [1.0, 0.5, 9.0, 2.5]
    seeded = [
        compare("m", "id", before, after, higher_is_better=True, resamples=50, seed=seed)
        for seed in (1, 1, 2)
    ]
    assert seeded[0] == seeded[1] != seeded[2]


def mirrored(found: Comparison, other: Comparison) -> None:
    assert other.before == found.after
    assert other.difference == -found.difference
    assert (other.low is None) == (found.low is None)
    if found.low is not None and found.high is not None:
        assert (other.low, other.high) == (-found.high, -found.low)
    assert other.verdict == FLIPPED[found.verdict]


@settings(deadline=None)
@given(pairs)
def test_swapping_before_and_after_mirrors_the_mean_exactly(
    rows: list[tuple[float, float]],
) -> None:
    before, after = [b for b, _ in rows], [a for _, a in rows]
    mirrored(means(before, after, resamples=99), means(after, before, resamples=99))


@settings(deadline=None)
@given(weighted)
def test_swapping_before_and_after_mirrors_perplexity_exactly(
    rows: list[tuple[float, float, int]],
) -> None:
    mirrored(ratios(rows), ratios([(after, before, n) for before, after, n in rows]))


def test_a_set_of_pairs_that_is_its_own_mirror_has_a_symmetric_interval() -> None:
    found = means([0.0, 1.0, 2.0, 5.0], [1.0, 0.0, 5.0, 2.0], resamples=101)
    assert found.low is not None
    assert (found.low, found.difference) == (-(found.high or 0), 0)


@settings(deadline=None)
@given(rows=pairs, order=st.randoms())
def test_the_order_of_cases_changes_no_bit(rows: list[tuple[float, float]], order: object) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    first = means([b for b, _ in rows], [a for _, a in rows], resamples=99)
    again = means([b for b, _ in shuffled], [a for _, a in shuffled], resamples=99)
    assert first.model_dump_json() == again.model_dump_json()


@settings(deadline=None)
@given(rows=weighted, order=st.randoms())
def test_the_order_of_cases_changes_no_bit_of_perplexity(
    rows: list[tuple[float, float, int]], order: object
) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ratios(rows).model_dump_json() == ratios(shuffled).model_dump_json()


@settings(deadline=None)
@given(pairs)
def test_no_result_is_ever_nan_and_the_interval_is_in_order(
    rows: list[tuple[float, float]],
) -> None:
    found = means([b for b, _ in rows], [a for _, a in rows], resamples=99)
    numbers = [n for n in found.model_dump().values() if isinstance(n, float)]
    assert all(math.isfinite(number) for number in numbers)
    if found.low is not None and found.high is not None:
        assert found.low <= found.high


def test_many_cases_are_drawn_in_pieces() -> None:
    found = means([0.0] * 3000, [1.0, 3.0] * 1500, resamples=500)
    assert found.low is not None
    assert found.high is not None
    assert 1.9 < found.low < 2 < found.high < 2.1


# Clusters


def test_cases_of_one_document_are_drawn_together() -> None:
    """Twenty questions on two documents that moved apart are two cases, not twenty."""
    before, after = [0.0] * 20, [1.0] * 10 + [9.0] * 10
    documents = ["a"] * 10 + ["b"] * 10
    alone = means(before, after)
    found = compare("m", "id", before, after, higher_is_better=True, clusters=documents)
    assert (found.n, found.clusters, found.difference) == (20, 2, 5)
    assert (found.low, found.high) == (1, 9)
    assert (alone.verdict, found.verdict) == ("better", "unclear")


def test_larger_documents_weigh_more() -> None:
    found = compare("m", "id", [0.0] * 4, [1.0, 1.0, 1.0, 5.0], higher_is_better=True,
                    clusters=["a", "a", "a", "b"])  # fmt: skip
    assert found.after == 2
    assert (found.low, found.high) == (1, 5)


def test_documents_of_one_case_each_change_no_bit() -> None:
    before, after = [0.0, 1.0, 5.0, 2.0, 3.0], [1.0, 0.5, 9.0, 2.5, 3.0]
    found = compare("m", "id", before, after, higher_is_better=True, clusters=list("edcba"))
    assert found == means(before, after)


def test_a_cluster_holds_its_interval_where_cases_alone_do_not() -> None:
    """Twelve documents of five cases that move together; 95 % is promised."""
    draw, rounds = np.random.default_rng(21), 200
    inside = {"together": 0, "alone": 0}
    for _ in range(rounds):
        documents = np.repeat(np.arange(12), 5)
        after = (draw.normal(0, 1, 12)[documents] + draw.normal(0, 0.3, 60)).tolist()
        for way, clusters in (("together", [str(d) for d in documents]), ("alone", None)):
            found = compare("m", "id", [0.0] * 60, after, higher_is_better=True,
                            clusters=clusters, resamples=300)  # fmt: skip
            assert found.low is not None
            assert found.high is not None
            inside[way] += found.low <= 0 <= found.high
    assert inside["together"] / rounds > 0.9
    assert inside["alone"] / rounds < 0.75


def test_yes_or_no_is_tested_by_mcnemar_and_all_else_by_wilcoxon() -> None:
    found = means([0.0] * 9, [1.0] * 6 + [0.0] * 3)
    assert (found.test, found.p) == ("mcnemar", 2 / 64)
    found = means([0.0] * 9, [0.5, 1, 1, 1, 1, 1, 0, 0, 0])
    assert (found.test, found.p) == ("wilcoxon", 2 / 64)
    pairs = compare("m", "id", [0.0] * 12, [1.0] * 12, higher_is_better=True,
                    clusters=[str(n // 2) for n in range(12)])  # fmt: skip
    assert (pairs.test, pairs.p) == ("wilcoxon", 2 / 64)


def test_a_change_that_was_never_seen_may_still_come() -> None:
    """No failure in n cases leaves 3.7 / n of them open (97.5 %)."""
    for n in (6, 40, 100):
        found = means([0.0] * n, [0.0] * n, higher=False)
        assert found.high == pytest.approx(1 - 0.025 ** (1 / n))
        assert found.low == -found.high
    assert means([0.4] * 40, [0.4] * 40).high == 0  # no yes or no: how far could it go?


def test_the_percentage_has_an_interval_of_its_own() -> None:
    rows = [(20.0 + k, (20.0 + k) / 2, 10) for k in range(8)]
    found = ratios(rows)
    assert found.improvement_low is not None
    assert found.improvement_high is not None
    assert found.improvement_low < (found.improvement_percentage or 0) < found.improvement_high
    turned = ratios([(after, before, n) for before, after, n in rows])
    assert turned.improvement_low == pytest.approx(
        100 * (1 / (1 + found.improvement_high / 100) - 1), abs=3
    )
    assert means([0.0] * 7, [1.0] * 7).improvement_low is None
