"""Who sees which pair, and what of all that was said counts."""

from typing import Any

import pytest
from pydantic import ValidationError

from review.rooms import drawn, opinion, sheet_of
from yukjo.errors import ReviewError
from yukjo.ledger.chain import link
from yukjo.records import Entry
from yukjo.review import Opinion, Terms
from yukjo.review.habits import habits
from yukjo.review.rating import Rating, sheet, waiting


def held(terms: Terms, raters: list[str]) -> dict[str, list[str]]:
    """Rater -> pairs in the order they were rated, the raters taking turns until none waits."""
    session, _ = drawn(terms, rag=10)
    seen: dict[str, list[str]] = {rater: [] for rater in raters}
    while any(
        waiting(session, r, sheet_of((r, p, opinion()) for r in raters for p in seen[r]))
        for r in raters
    ):
        for rater in raters:
            said = sheet_of((r, p, opinion()) for r in raters for p in seen[r])
            seen[rater] += [pair.id for pair in waiting(session, rater, said)[:1]]
    return seen


def test_all_raters_see_the_overlap_and_one_rater_each_of_the_rest() -> None:
    seen = held(Terms(overlap=0.3), ["r1", "r2", "r3"])
    times = [sum(f"p{n:03}" in pairs for pairs in seen.values()) for n in range(1, 11)]
    assert sorted(times) == [1] * 7 + [3] * 3
    assert all(len(pairs) == len(set(pairs)) for pairs in seen.values())


@pytest.mark.parametrize(("overlap", "times"), [(0.0, 1), (1.0, 2)])
def test_without_overlap_each_pair_is_rated_once_and_with_all_of_it_by_everybody(
    overlap: float, times: int
) -> None:
    seen = held(Terms(overlap=overlap), ["r1", "r2"])
    assert sum(map(len, seen.values())) == 10 * times


def test_each_rater_has_an_order_of_their_own() -> None:
    session, _ = drawn(rag=20)
    orders = [[p.id for p in waiting(session, rater, sheet_of([]))] for rater in ("r1", "r2")]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] == [p.id for p in waiting(session, "r1", sheet_of([]))]


def test_repeats_come_last_and_only_to_those_who_rated_the_pair() -> None:
    session, _ = drawn(Terms(overlap=0.5, repeat=0.5), rag=10)
    again = {pair.id: pair.again for pair in session.pairs if pair.again}
    assert not again.keys() & {p.id for p in waiting(session, "r1", sheet_of([]))}
    first = next(iter(again.values()))
    ahead = [p.id for p in waiting(session, "r1", sheet_of([("r1", first, opinion())]))]
    assert [again.get(pair) for pair in ahead] == [None] * 9 + [first]
    others = waiting(session, "r2", sheet_of([("r1", first, opinion())]))
    assert not again.keys() & {p.id for p in others}


# What counts


def book(*lines: tuple[str, dict[str, Any]]) -> list[Entry]:
    entries: list[Entry] = []
    for kind, body in lines:
        last = entries[-1] if entries else None
        entries.append(link(last, kind, "s1", created="2026-01-02T03:04:05Z", body=body))
    return entries


def line(score: int, seconds: float = 30) -> tuple[str, dict[str, Any]]:
    rating = Rating(pair="p001", rater="r1", opinion=opinion(score, 1), seconds=seconds)
    return "rating", rating.model_dump(mode="json")


SHOWN = ("shown", {"rater": "r1", "pair": "p001", "at": 5.0})


def test_an_amended_rating_counts_and_the_first_stays() -> None:
    said = sheet(book(SHOWN, line(2), line(4)))
    key = "r1", "p001"
    assert (said.first[key].opinion.left, said.last[key].opinion.left) == (2, 4)
    assert (said.amended, [r.opinion.left for _, r in said.every]) == (1, [2, 4])


def test_nothing_counts_after_the_close() -> None:
    lines = book(SHOWN, line(2), ("close", {}), line(5))
    said = sheet(lines)
    assert said.closed
    assert said.last["r1", "p001"].opinion.left == 2
    assert (said.lines, said.head) == (3, lines[2].hash)


def test_a_pair_was_shown_when_it_was_first_shown() -> None:
    said = sheet(book(SHOWN, ("shown", SHOWN[1] | {"at": 9.0})))
    assert said.shown == {("r1", "p001"): 5.0}


@pytest.mark.parametrize("bad", [("shown", {}), ("rating", {"pair": "p001"})])
def test_a_line_that_makes_no_sense_is_named(bad: tuple[str, dict[str, Any]]) -> None:
    with pytest.raises(ReviewError, match="2번째 줄"):
        sheet(book(SHOWN, bad))


@pytest.mark.parametrize(
    "wrong",
    [{"left": 0}, {"right": 6}, {"prefer": "both"}, {"errors_left": ("bad",)},
     {"comment": "가" * 2001}, {"extra": 1}],
)  # fmt: skip
def test_what_is_no_opinion_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Opinion.model_validate({"left": 3, "right": 3, "prefer": "tie"} | wrong)


def test_a_kind_of_error_is_marked_once() -> None:
    assert opinion(errors_left=("tone", "fact", "tone")).errors["left"] == ("tone", "fact")


# Habits


def test_speeders_and_those_who_tell_nothing_apart_are_shown() -> None:
    quick = sheet(book(SHOWN, line(2, seconds=1.9), line(4, seconds=60)))
    found = habits(quick)["r1"]
    assert (found["fast"], found["same"], found["ratings"]) == (1, False, 1)
    flat = sheet_of(("r2", f"p{n}", opinion(3, 3)) for n in range(5))
    assert habits(flat)["r2"]["same"] is True
    few = sheet_of(("r2", f"p{n}", opinion(3, 3)) for n in range(4))
    assert habits(few)["r2"]["same"] is False


def test_drift_leaning_and_torn_preferences_are_measured() -> None:
    said = [opinion(1, 1), opinion(2, 2), opinion(4, 5), opinion(5, 4, "right")]
    found = habits(sheet_of(("r1", f"p{n}", each) for n, each in enumerate(said)))["r1"]
    assert found["drift"] == 3.0
    assert found["left"] == 0.25
    assert found["torn"] == 1
