import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.evaluate.agreement import agreement


def rater(verdicts: str) -> dict[str, str]:
    """`b`efore, `a`fter, `t`ie by case."""
    return {str(place): verdict for place, verdict in enumerate(verdicts)}


@pytest.mark.parametrize(
    ("one", "other", "agreed", "kappa"),
    [
        ("aabb", "aabb", 1, 1),
        ("aabb", "bbaa", 0, -1),
        ("abab", "aabb", 0.5, 0),  # by chance .5
        ("aaab", "aabb", 0.75, 0.5),  # by chance .75 * .5 + .25 * .5 = .5
        ("aabt", "aaab", 0.5, 0.111),  # by chance .5 * .75 + .25 * .25 = .4375; .0625 / .5625
        ("aaaa", "aaaa", 1, None),  # chance alone agrees always
    ],
)
def test_kappa_by_hand(one: str, other: str, agreed: float, kappa: float | None) -> None:
    found = agreement(rater(one), rater(other))
    assert found.agreed == agreed
    assert found.kappa == kappa


def test_the_textbook_table() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: .7 observed, .5 by chance.
    one, other = "a" * 25 + "b" * 25, "a" * 20 + "b" * 5 + "a" * 10 + "b" * 15
    found = agreement(rater(one), rater(other))
    assert (found.n, found.agreed, found.kappa) == (50, 0.7, 0.4)
    # The normal interval by the large-sample error .1257 is .154 to .646.
    assert found.low == pytest.approx(0.154, abs=0.05)
    assert found.high == pytest.approx(0.646, abs=0.05)


def test_only_cases_that_both_judged_count() -> None:
    found = agreement({"1": "a", "2": "b", "3": "t"}, {"1": "a", "2": "b", "9": "a"})
    assert (found.n, found.agreed, found.kappa) == (2, 1, 1)
    assert agreement({"1": "a"}, {"2": "a"}).n == 0
    assert agreement({}, {}).agreed is None


verdicts = st.dictionaries(st.sampled_from("123456"), st.sampled_from("abt"))


@given(verdicts, verdicts)
def test_two_raters_agree_as_much_with_each_other_as_the_other_way_round(
    one: dict[str, str], other: dict[str, str]
) -> None:
    found = agreement(one, other, resamples=50)
    assert found == agreement(other, one, resamples=50)
    assert found.kappa is None or -1 <= found.kappa <= 1
    if found.low is not None and found.high is not None:
        assert -1 <= found.low <= found.high <= 1
