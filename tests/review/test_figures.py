"""Every figure of a review against published ones, scipy, or a count by hand."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

from review.rooms import drawn, opinion, sheet_of, sided
from yukjo.review import Terms
from yukjo.review.estimate import Cell, mean, preference, share
from yukjo.review.krippendorff import alpha
from yukjo.review.results import agreement, results

# Krippendorff's alpha

FOUR_OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
"""The reliability data of Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), C."""

THREE_CODERS = ("*****34121133*3", "1*213343*******", "**21344*21133*4")
"""The example of the English Wikipedia's article on the coefficient."""


def units(observers: tuple[str, ...]) -> list[list[int]]:
    return [[int(v) for v in unit if v.isdigit()] for unit in zip(*observers, strict=True)]


def test_alpha_is_that_of_the_published_examples() -> None:
    four, three = alpha(units(FOUR_OBSERVERS)), alpha(units(THREE_CODERS))
    assert four is not None
    assert three is not None
    assert (round(four, 3), round(three, 3)) == (0.815, 0.807)


def test_alpha_of_opposite_scores_is_below_chance_and_of_random_ones_near_zero() -> None:
    opposite = alpha([(1, 5), (5, 1), (1, 5)])
    assert opposite is not None
    assert opposite < 0
    chance = random.Random(1)
    noise = alpha([[chance.randint(1, 5) for _ in range(3)] for _ in range(2000)])
    assert noise is not None
    assert abs(noise) < 0.03


def test_agreement_needs_no_seal_and_leaves_repeats_out() -> None:
    session, _ = drawn(Terms(overlap=1.0, repeat=1.0), rag=3)
    said = [(r, p.id, opinion(2, 5)) for r in ("r1", "r2") for p in session.pairs if not p.again]
    noise = [("r1", p.id, opinion(5, 1)) for p in session.pairs if p.again]
    assert agreement(session, sheet_of([*said, *noise]).last.values()) == 1.0


# Shares and preferences


def test_wilson_agrees_with_scipy() -> None:
    for marked, n in ((0, 10), (3, 10), (10, 10), (18, 20), (290, 300)):
        found = share([Cell(str(k), "r1", k < marked) for k in range(n)])
        expected = stats.binomtest(marked, n).proportion_ci(method="wilson")
        assert found.low == pytest.approx(expected.low, abs=1e-9)
        assert found.high == pytest.approx(expected.high, abs=1e-9)


def test_a_pair_of_many_raters_is_one_pair() -> None:
    cells = [Cell("a", f"r{k}", 1.0) for k in range(9)] + [Cell("b", "r0", 0.0)]
    assert (share(cells).value, share(cells).n) == (0.5, 2)
    assert mean(cells, least=0, most=1).value == 0.5


def test_the_sign_test_agrees_with_scipy_and_ties_are_half_a_win() -> None:
    for wins, losses, ties in ((9, 1, 0), (5, 5, 3), (0, 7, 1), (0, 0, 4), (12, 8, 0)):
        values = [1] * wins + [-1] * losses + [0] * ties
        found = preference([Cell(str(k), "r1", v) for k, v in enumerate(values)])
        expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
        assert found.p_value == pytest.approx(expected)
        assert found.win_rate == (wins + ties / 2) / len(values)


def test_raters_who_disagree_make_a_tie() -> None:
    assert preference([Cell("a", "r1", 1), Cell("a", "r2", -1)]).ties == 1


# Intervals of scores


def ratings(draw: np.random.Generator, raters: int, pairs: int) -> list[Cell]:
    """Scores around 3 with cases that are hard and raters who are mild."""
    mild, hard = draw.normal(0, 0.2, raters), draw.normal(0, 0.5, pairs)
    noise = draw.normal(0, 0.6, (pairs, raters))
    return [
        Cell(f"p{p}", f"r{r}", float(np.clip(3 + mild[r] + hard[p] + noise[p, r], 1, 5)))
        for p in range(pairs)
        for r in range(raters)
        if p < pairs * 0.3 or p % raters == r
    ]


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    draw = np.random.default_rng(3)
    found = [mean(ratings(draw, 5, 40), least=1, most=5) for _ in range(150)]
    inside = sum(one.low <= 3 <= one.high for one in found if one.low and one.high)
    assert inside / len(found) >= 0.92
    widths = [one.high - one.low for one in found if one.low and one.high]
    assert 0.3 < float(np.mean(widths)) < 1.0


def test_mild_raters_widen_the_interval() -> None:
    def cells(offset: float) -> Iterator[Cell]:
        for p in range(40):
            for r in range(2):
                yield Cell(f"p{p}", f"r{r}", 3 + (p % 2) + offset * (2 * r - 1))

    alike, unlike = (mean([*cells(o)], least=1, most=5) for o in (0.0, 0.5))
    assert alike.value == unlike.value
    assert alike.low is not None
    assert unlike.low is not None
    assert unlike.low < alike.low - 0.2


def test_few_pairs_get_no_interval_and_equal_scores_are_not_taken_for_certainty() -> None:
    assert mean([Cell(str(k), "r1", 5) for k in range(5)], least=1, most=5).low is None
    six = mean([Cell(str(k), "r1", 5) for k in range(6)], least=1, most=5)
    # With a share of 1 - 0.025 ** (1/6) = 0.459 of ones, six fives are drawn once in forty.
    assert six.low == pytest.approx(5 - 4 * 0.4593, abs=1e-3)
    assert six.high == 5


# All together


def test_the_figures_of_a_small_session_are_those_counted_by_hand() -> None:
    session, seal = drawn(Terms(overlap=1.0), rag=2, review=1)
    [a, b], [c] = ([p.id for p in session.pairs if p.agent == x] for x in ("rag", "review"))
    wrong = {("left" if seal.after[a] == "right" else "right"): ("fact", "tone")}
    errors = {f"errors_{side}": kinds for side, kinds in wrong.items()}
    said = sheet_of([
        ("r1", a, sided(seal, a, 2, 5, **errors)), ("r2", a, sided(seal, a, 4, 5)),
        ("r1", b, sided(seal, b, 3, 3)), ("r1", c, sided(seal, c, 4, 1)),
    ])  # fmt: skip
    found = results(session, seal, said)
    rag, review, both = (found["agents"][name] for name in ("rag", "review", "all"))
    assert (rag["quality"]["before"], rag["quality"]["after"]) == (3.0, 4.0)
    assert (rag["quality"]["difference"], rag["quality"]["n"]) == (1.0, 2)
    assert (rag["quality"]["low"], rag["quality"]["high"]) == (None, None)
    assert (rag["error_rate"]["before"], rag["error_rate"]["after"]) == (0.25, 0.0)
    assert rag["error_rate"]["kinds"] == {"before": {"fact": 1, "tone": 1}, "after": {}}
    assert (rag["preference"]["wins"], rag["preference"]["ties"]) == (1, 1)
    assert (rag["preference"]["win_rate"], review["preference"]["win_rate"]) == (0.75, 0.0)
    assert (both["quality"]["n"], both["ratings"], found["ratings"]) == (3, 4, 4)
    assert list(found["raters"]) == ["r1", "r2"]


def test_an_agent_that_nobody_rated_is_left_out_of_the_record() -> None:
    session, seal = drawn(rag=1, review=1)
    said = sheet_of(("r1", p.id, opinion()) for p in session.pairs if p.agent == "rag")
    found = results(session, seal, said)
    assert (found["agents"].keys(), found["adapters"].keys()) == ({"rag", "all"}, {"rag"})


def test_evidence_is_recorded_up_to_what_a_record_takes() -> None:
    session, seal = drawn(rag=120)
    said = sheet_of(("r1", p.id, sided(seal, p.id, 1, 5)) for p in session.pairs)
    assert results(session, seal, said)["stopping"]["agents"]["rag"] == {
        "evidence": 1e9, "needed": 20.0, "enough": True,
    }  # fmt: skip


def test_repeats_count_for_steadiness_only() -> None:
    session, seal = drawn(Terms(overlap=1.0, repeat=1.0), rag=2)
    plain = [p for p in session.pairs if not p.again]
    again = [p for p in session.pairs if p.again]
    said = [("r1", p.id, sided(seal, p.id, 2, 4)) for p in plain]
    alone = results(session, seal, sheet_of(said))
    said += [("r1", again[0].id, sided(seal, again[0].id, 2, 4)),
             ("r1", again[1].id, sided(seal, again[1].id, 4, 3))]  # fmt: skip
    found = results(session, seal, sheet_of(said))
    assert found["agents"] == alone["agents"]
    assert found["repeats"] == {"r1": {"pairs": 2, "same_preference": 1, "moved": 0.75}}
