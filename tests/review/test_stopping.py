"""The stopping rule keeps its promise, by simulation, and sees what is there to be seen."""

import numpy as np
import numpy.typing as npt
import pytest

from review.rooms import drawn, opinion, sheet_of, sided
from yukjo.review import Terms
from yukjo.review.rating import Sheet
from yukjo.review.results import outlooks
from yukjo.review.stopping import evidence, outlook

SESSIONS = 500
ALPHA = 0.05

Draw = np.random.Generator
Scores = npt.NDArray[np.int64]


def alike(draw: Draw, n: int) -> Scores:
    """Both sides from one spread of scores."""
    before, after = draw.choice(5, size=(2, n), p=[0.05, 0.15, 0.3, 0.3, 0.2])
    return np.asarray(after - before)


def skewed(draw: Draw, n: int) -> Scores:
    """Seldom much better, often a little worse: on average nothing."""
    return np.asarray(draw.choice([3, -1], size=n, p=[0.25, 0.75]))


def extreme(draw: Draw, n: int) -> Scores:
    """All or nothing."""
    return np.asarray(draw.choice([4, -4], size=n))


@pytest.mark.parametrize("kind", [alike, skewed, extreme])
def test_of_500_sessions_without_a_difference_no_more_stop_than_stated(kind: object) -> None:
    assert callable(kind)
    draw = np.random.default_rng(11)
    stopped = sum(
        bool((evidence(kind(draw, 300)) >= 1 / ALPHA).any())  # looked at after every rating
        for _ in range(SESSIONS)
    )
    assert stopped / SESSIONS <= ALPHA


def test_half_a_point_is_seen_within_two_hundred_pairs() -> None:
    draw = np.random.default_rng(12)
    seen = []
    for _ in range(200):
        better = np.clip(np.rint(draw.normal(0.5, 1.2, 200)), -4, 4)
        over = np.flatnonzero(evidence(better) >= 1 / ALPHA)
        seen.append(int(over[0]) + 1 if len(over) else 999)
    assert np.mean(np.array(seen) <= 200) >= 0.9
    assert 20 <= np.median(seen) <= 80


def test_the_direction_does_not_matter_nor_does_the_order() -> None:
    worse = [-2, -1, 0, 1, -3]
    assert evidence(worse)[-1] == pytest.approx(evidence([2, 1, 0, -1, 3])[-1])
    assert evidence(worse)[-1] == pytest.approx(evidence(sorted(worse))[-1])


def test_what_was_enough_once_stays_enough() -> None:
    lucky = [4] * 12
    assert outlook(lucky, ALPHA).more == 0
    assert outlook(lucky + [-4] * 12, ALPHA).more == 0


def test_the_forecast_is_the_number_that_would_do() -> None:
    seen = [1, 0, 1, 0, 2, 0]
    more = outlook(seen, ALPHA).more
    assert more is not None
    assert more > 0
    going_on = seen * 20
    reached = int(np.argmax(evidence(going_on) >= 1 / ALPHA)) + 1
    assert abs(len(seen) + more - reached) <= len(seen)


@pytest.mark.parametrize("seen", [[], [1, 1, 1, 1], [0] * 30, [1, -1] * 20])
def test_what_can_not_be_foreseen_is_not_forecast(seen: list[int]) -> None:
    assert outlook(seen, ALPHA).more is None


def test_many_equal_ratings_overflow_nothing() -> None:
    assert np.isfinite(outlook([4] * 3000, ALPHA).evidence)


# In a session


def test_a_pair_counts_once_by_its_first_rating_however_many_raters_follow() -> None:
    session, seal = drawn(Terms(overlap=1.0), rag=8)
    names = [pair.id for pair in session.pairs]
    first = [("r1", name, sided(seal, name, 2, 4)) for name in names]
    others = [("r2", name, sided(seal, name, 4, 2)) for name in names]
    alone = outlooks(session, seal, sheet_of(first))
    assert outlooks(session, seal, sheet_of([*first, *others])) == alone
    assert alone["rag"].pairs == 8


def test_an_amendment_does_not_move_the_test() -> None:
    session, seal = drawn(rag=8)
    said = sheet_of(("r1", p.id, sided(seal, p.id, 2, 4)) for p in session.pairs)
    before = outlooks(session, seal, said)
    for key, rating in said.last.items():
        said.last[key] = rating.model_copy(update={"opinion": opinion(3, 3)})
    assert outlooks(session, seal, said) == before


def test_agents_share_the_stated_error() -> None:
    session, seal = drawn(Terms(alpha=0.06), rag=2, review=2, data_analysis=2)
    found = outlooks(session, seal, Sheet())
    assert {agent: round(1 / each.needed, 6) for agent, each in found.items()} == {
        "data_analysis": 0.02, "rag": 0.02, "review": 0.02,
    }  # fmt: skip


def test_of_500_whole_sessions_of_two_raters_no_more_stop_than_stated() -> None:
    """Two raters who share cases and tastes, two agents, every pair rated: any agent counts."""
    draw = np.random.default_rng(13)
    session, seal = drawn(Terms(overlap=0.5, alpha=ALPHA), rag=20, review=20)
    stopped = 0
    for _ in range(SESSIONS):
        taste = alike(draw, len(session.pairs))  # what both see in a pair
        said = [
            (rater, pair.id, sided(seal, pair.id, 3, int(np.clip(3 + gap + slip, 1, 5))))
            for pair, gap in zip(session.pairs, taste, strict=True)
            for rater, slip in zip(("r1", "r2"), draw.integers(-1, 2, 2), strict=True)
            if rater == "r1" or pair.everyone
        ]
        found = outlooks(session, seal, sheet_of(said)).values()
        stopped += any(each.more == 0 for each in found)
    assert stopped / SESSIONS <= ALPHA
