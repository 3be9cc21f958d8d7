"""Who may say what of a sample, and what follows from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_review.desks import ALL, desk_at, sample
from yukjo.data_review import KIND, Desk, csv_text
from yukjo.errors import ReviewError
from yukjo.ledger.store import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    """A desk with three reviewers."""
    made = Desk(ledger)
    made.enrol(3)
    return made


def test_a_token_is_told_once_and_kept_as_a_hash(ledger: Ledger) -> None:
    desk = Desk(ledger)
    (token,) = desk.enrol(1)
    assert desk.reviewer(token) == "r1"
    assert token not in str([entry.body for entry in ledger.entries()])
    for wrong in ("", "r1", token[:-1], "r2" + token[2:], "r1-" + "0" * 32):
        with pytest.raises(ReviewError):
            desk.reviewer(wrong)


def test_one_approval_is_enough_but_for_legal_research(desk: Desk) -> None:
    rag, law = sample("rag", 1), sample("legal_research", 1)
    desk.hand_in([rag, law])
    given = desk.assign()
    assert sorted(one for own in given.values() for one in own) == sorted(
        [rag.hash, law.hash, law.hash]
    )
    for name, hashes in given.items():
        for one in hashes:
            desk.approve(name, one, confirmed=ALL)
            expected = {rag.hash} if one == rag.hash else set()
            assert expected <= desk.book.approved()
    assert desk.book.approved() == {rag.hash, law.hash}


def test_one_person_can_not_approve_twice(desk: Desk) -> None:
    law = sample("legal_research", 1)
    desk.hand_in([law])
    desk.assign()
    first = desk.approve("r1", law.hash, confirmed=ALL)
    assert desk.approve("r1", law.hash, confirmed=ALL) == first
    assert desk.book.standing(law.hash).state == "waiting"
    assert len(desk.book.said[law.hash]) == 1


def test_who_wrote_a_sample_does_not_decide_on_it(desk: Desk) -> None:
    law = sample("legal_research", 1)
    desk.hand_in([law], authors=["r1"])
    given = desk.assign()
    assert given == {"r2": [law.hash], "r3": [law.hash]}
    assert desk.assign(["r1"], samples=[law.hash]) == {}
    with pytest.raises(ReviewError, match="쓰거나"):
        desk.approve("r1", law.hash, confirmed=ALL)


def test_who_edits_a_sample_does_not_decide_on_it_either(desk: Desk) -> None:
    desk.hand_in([sample("rag", 1)], authors=["r1"])
    (edited,) = desk.hand_in([sample("rag", 1, "고친 답변입니다.")], authors=["r2"])
    assert edited.authors == ("r1", "r2")
    assert desk.assign() == {"r3": [edited.hash]}


def test_only_what_is_assigned_is_decided_on(desk: Desk) -> None:
    rag = sample("rag", 1)
    desk.hand_in([rag])
    desk.assign(["r2"])
    with pytest.raises(ReviewError, match="배정"):
        desk.approve("r1", rag.hash, confirmed=ALL)
    assert [one.hash for one in desk.waiting("r2")] == [rag.hash]


def test_an_approval_confirms_all_that_the_sample_asks_for(desk: Desk) -> None:
    plain = sample("rag", 1)
    tool = sample("rag", 2).model_copy(update={"source": "새로 씀; 도구 결과: calculator"})
    desk.hand_in([plain, tool])
    desk.assign(["r1"])
    with pytest.raises(ReviewError, match="natural"):
        desk.approve("r1", plain.hash, confirmed=["accuracy", "relevance"])
    desk.approve("r1", plain.hash, confirmed=["accuracy", "relevance", "natural"])
    with pytest.raises(ReviewError, match="tools"):
        desk.approve("r1", tool.hash, confirmed=["accuracy", "relevance", "natural"])
    assert desk.approve("r1", tool.hash, confirmed=ALL).decision.items == ALL


@pytest.mark.parametrize("reason", ["", "  \n", "가" * 2001, "한\x1b[2J"])
def test_a_return_needs_a_reason_that_can_be_read(desk: Desk, reason: str) -> None:
    rag = sample("rag", 1)
    desk.hand_in([rag])
    desk.assign(["r1"])
    with pytest.raises(ReviewError):
        desk.return_("r1", rag.hash, reason=reason)
    assert desk.book.said == {}


def test_a_return_outweighs_approvals_until_its_reviewer_lifts_it(desk: Desk) -> None:
    law = sample("legal_research", 1)
    desk.hand_in([law])
    desk.assign(samples=[law.hash])
    desk.approve("r1", law.hash, confirmed=ALL)
    desk.return_("r2", law.hash, reason="조문 번호가 다릅니다", wrong=["accuracy"])
    assert desk.book.standing(law.hash).state == "returned"
    desk.approve("r2", law.hash, confirmed=ALL)
    standing = desk.book.standing(law.hash)
    assert standing.state == "approved"
    assert [s.decision.verdict for s in standing.history] == ["approve", "return", "approve"]


def test_an_edited_sample_is_new_and_keeps_the_link_to_the_old(desk: Desk) -> None:
    old, new = sample("rag", 1), sample("rag", 1, "고친 답변입니다.")
    desk.hand_in([old])
    desk.assign(["r1"])
    desk.approve("r1", old.hash, confirmed=ALL)
    (handed,) = desk.hand_in([new])
    assert handed.before == old.hash
    assert desk.book.approved() == frozenset()
    assert desk.book.standing(old.hash).state == "replaced"
    with pytest.raises(ReviewError, match="고쳐졌"):
        desk.return_("r1", old.hash, reason="늦었습니다")
    assert [one.subject.hash for one in desk.history("rag-1")] == [new.hash, old.hash]
    desk.hand_in([old])  # the edit is taken back: what was approved is as it was
    assert desk.book.approved() == {old.hash}
    assert [one.subject.hash for one in desk.history("rag-1")] == [old.hash, new.hash]


def test_handing_in_again_adds_nothing(desk: Desk, ledger: Ledger) -> None:
    samples = [sample("rag", n) for n in range(3)]
    assert len(desk.hand_in(samples)) == 3
    before = len(ledger.entries())
    assert desk.hand_in(samples) == []
    assert len(ledger.entries()) == before


def test_many_samples_are_handed_in_by_the_thousand(desk: Desk, ledger: Ledger) -> None:
    assert len(desk.hand_in([sample("rag", n) for n in range(1001)])) == 1001
    handed = [e for e in ledger.entries(KIND) if e.body["event"] == "samples"]
    assert [len(e.body["samples"]) for e in handed] == [1000, 1]


def test_work_is_given_to_who_has_least(desk: Desk) -> None:
    desk.hand_in([sample("rag", n) for n in range(9)])
    assert {name: len(own) for name, own in desk.assign().items()} == {"r1": 3, "r2": 3, "r3": 3}
    desk.hand_in([sample("review", n) for n in range(4)])
    assert desk.assign(["r1"], agents=["rag"]) == {}
    assert len(desk.assign(["r1"], agents=["review"], most=3)["r1"]) == 3
    assert list(desk.assign()) != ["r1"]


def test_what_one_leaves_undecided_can_be_given_to_another(desk: Desk) -> None:
    samples = [sample("rag", n) for n in range(3)]
    desk.hand_in(samples)
    desk.assign(["r1"])
    desk.approve("r1", samples[0].hash, confirmed=ALL)
    assert desk.release("r1") == 2
    assert desk.release("r1") == 0
    assert [one.name for one in desk.waiting("r1")] == []
    assert desk.assign(["r2"]) == {"r2": [one.hash for one in samples[1:]]}
    assert desk.book.standing(samples[0].hash).state == "approved"


def test_a_sample_is_named_by_id_or_hash_and_nothing_else(desk: Desk) -> None:
    rag = sample("rag", 1)
    desk.hand_in([rag])
    for name in ("rag-1", rag.hash, rag.hash[:12]):
        assert desk.subject(name).hash == rag.hash
    for name in ("", "rag", rag.hash[:4], "0" * 64):
        with pytest.raises(ReviewError):
            desk.subject(name)
    with pytest.raises(ReviewError):
        desk.assign(["r9"])


def test_two_desks_see_what_the_other_wrote(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite"
    with desk_at(place) as one, desk_at(place) as other:
        assert [t.partition("-")[0] for t in (*one.enrol(1), *other.enrol(1), *one.enrol(1))] == [
            "r1", "r2", "r3",
        ]  # fmt: skip
        rag = sample("rag", 1)
        assert len(one.hand_in([rag])) == 1
        assert other.hand_in([rag]) == []
        assert len(one.assign()) == 1
        assert other.assign() == {}


def test_the_csv_has_a_row_for_each_word_and_runs_no_formula(desk: Desk) -> None:
    rag = sample("rag", 1)
    desk.hand_in([rag, sample("rag", 2)])
    desk.assign(["r1"])
    desk.return_("r1", rag.hash, reason='=HYPERLINK("x")')
    lines = csv_text(desk.book.standings()).splitlines()
    assert len(lines) == 3
    assert "'=HYPERLINK" in lines[1]
    assert "답변" not in "".join(lines)


def test_an_event_that_can_not_be_read_is_an_error_with_its_place(
    desk: Desk, ledger: Ledger
) -> None:
    entry = ledger.append(KIND, "", {"event": "decide", "sample": 1})
    with pytest.raises(ReviewError, match=str(entry.number)):
        _ = desk.book
