"""Pairs are drawn blind, and a seal opens one session only."""

from itertools import pairwise

import pytest

from review.rooms import BASE, TUNED, answer, contests, drawn, sample
from yukjo.errors import ReviewError
from yukjo.review import Terms
from yukjo.review import contests as pair_up
from yukjo.review.session import Seal


def test_each_answer_stands_once_and_the_seal_says_where() -> None:
    session, seal = drawn(rag=5)
    for pair in session.pairs:
        sides = {"left": pair.left, "right": pair.right}
        assert sides.pop(seal.after[pair.id]).startswith("새 답")
        assert [text[:3] for text in sides.values()] == ["옛 답"]


def test_sides_fall_like_coins_and_the_next_does_not_follow_the_last() -> None:
    session, seal = drawn(rag=1000)
    sides = [seal.after[pair.id] for pair in session.pairs]
    assert 420 < sides.count("left") < 580  # beyond it one draw in two million
    assert 420 < sum(a == b for a, b in pairwise(sides)) < 580


def test_the_file_of_a_session_holds_neither_sides_nor_nonce_nor_reference() -> None:
    session, seal = drawn(rag=3)
    text = session.model_dump_json()
    assert seal.nonce not in text
    assert "기준 답" not in text
    assert set(session.model_dump()) == {
        "id", "run", "against", "adapters", "opponents", "terms", "pairs", "commitment",
    }  # fmt: skip
    assert set(session.pairs[0].model_dump()) == {
        "id", "agent", "case", "earlier", "instruction", "input", "left", "right", "everyone",
        "again",
    }  # fmt: skip


def test_a_seal_opens_its_own_session_only() -> None:
    session, seal = drawn(rag=3)
    assert seal.opens(session)
    first = session.pairs[0]
    swapped = first.model_copy(update={"left": first.right, "right": first.left})
    other = "left" if seal.after[first.id] == "right" else "right"
    assert not seal.opens(session.model_copy(update={"pairs": (swapped, *session.pairs[1:])}))
    assert not seal.opens(session.model_copy(update={"terms": Terms(alpha=0.2)}))
    assert not seal.model_copy(update={"after": seal.after | {first.id: other}}).opens(session)
    assert not Seal(session="s1", nonce="0" * 64, after=seal.after).opens(session)


def test_the_same_sides_are_never_committed_to_twice_alike() -> None:
    assert drawn(rag=1)[0].commitment != drawn(rag=1)[0].commitment


def test_overlap_and_repeats_are_shares_of_each_agents_pairs() -> None:
    session, seal = drawn(Terms(overlap=0.3, repeat=0.2), rag=10, review=5)
    plain = [pair for pair in session.pairs if not pair.again]
    assert [sum(p.everyone for p in plain if p.agent == a) for a in ("rag", "review")] == [3, 2]
    again = [pair for pair in session.pairs if pair.again]
    assert sorted(pair.agent for pair in again) == ["rag", "rag", "review"]
    assert all(session.pair(pair.again).case == pair.case for pair in again)
    assert set(seal.after) == {pair.id for pair in session.pairs}


def test_a_share_is_not_rounded_up_by_a_bit() -> None:
    session, _ = drawn(Terms(overlap=0.7), rag=10)
    assert sum(pair.everyone for pair in session.pairs) == 7


def test_a_session_names_the_adapters_it_compares() -> None:
    session, _ = drawn(rag=1, review=1)
    assert session.adapters == {"rag": TUNED, "review": TUNED}
    assert session.opponents == {"rag": BASE, "review": BASE}


def test_only_greedy_answers_of_both_sides_are_paired() -> None:
    cases = [sample("rag", n) for n in range(3)]
    known = {case.hash: case for case in cases}
    before = [answer(case, "옛", BASE) for case in cases[:2]]
    after = [
        answer(cases[0], "표본", TUNED, repeat=1),
        *(answer(c, "새", TUNED) for c in cases[1:]),
    ]
    assert [(c.case, c.after.text) for c in pair_up(known, before, after)] == [(cases[1], "새")]


def test_of_each_agent_the_first_cases_by_hash_are_taken() -> None:
    made = contests(rag=4, review=2)
    known = {c.case.hash: c.case for c in made}
    sides = [c.before for c in made], [c.after for c in made]
    found = [c.case.hash for c in pair_up(known, *sides, most=1)]
    assert found == [min(h for h in known if known[h].agent_type == a) for a in ("rag", "review")]
    assert {c.case.agent_type for c in pair_up(known, *sides, agents=["review"])} == {"review"}


def test_what_can_not_be_paired_is_named() -> None:
    made = contests(rag=1)
    sides = [c.before for c in made], [c.after for c in made]
    with pytest.raises(ReviewError, match="데이터에 없습니다"):
        pair_up({}, *sides)
    known = {c.case.hash: c.case for c in made}
    with pytest.raises(ReviewError) as fault:
        pair_up(known, *sides, agents=["rag", "rieview"])
    assert "rieview" in fault.value.where
    with pytest.raises(ReviewError, match="양쪽이 함께 답한"):
        pair_up(known, sides[0], [])


def test_an_unknown_pair_is_refused() -> None:
    with pytest.raises(ReviewError, match="p999"):
        drawn(rag=1)[0].pair("p999")
