"""What became of each answered case: sound is not failed and all rules kept; broken ones first."""

from itertools import product

from evaluate.test_tasks import SAMPLES, raw_of
from yukjo.agents import roles
from yukjo.evaluate.shown import change_of, counts, shown
from yukjo.evaluate.tasks import cases, score
from yukjo.records import CaseShown


def of(name: str, change: str, gain: float = 0.0) -> CaseShown:
    return CaseShown.model_validate({
        "case": name, "name": name, "agent": "rag", "instruction": "", "reference": "",
        "before": "", "after": "", "change": change, "scores": {"chrf": (50.0, 50.0 + gain)},
    })  # fmt: skip


def test_every_pair_of_faults_has_its_change() -> None:
    found = {(b, a): change_of(["x"] * b, ["x"] * a) for b, a in product((0, 1), repeat=2)}
    assert found == {(0, 0): "sound", (0, 1): "broken", (1, 0): "fixed", (1, 1): "unsound"}


def test_answered_cases_alone_are_shown_with_both_answers_and_their_scores() -> None:
    raw = raw_of(SAMPLES)
    made = shown(score(cases(SAMPLES, raw), roles()), roles())
    answered = {a.case for a in raw.before}
    assert {one.case for one in made} == answered
    assert {one.change for one in made if one.agent == "rag"} == {"fixed"}
    one = made[0]
    texts = {a.text for a in raw.after if a.case == one.case}
    assert one.after in texts
    assert len(one.more_after) == len([a for a in raw.after if a.case == one.case]) - 1
    assert "chrf" in one.scores
    assert CaseShown.model_validate_json(one.model_dump_json()) == one


def test_a_case_without_answers_is_not_shown() -> None:
    raw = raw_of(SAMPLES).model_copy(update={"before": (), "after": ()})
    assert shown(score(cases(SAMPLES, raw), roles()), roles()) == []


def test_counts_are_by_agent_and_over_all() -> None:
    found = counts([of("a", "broken"), of("b", "fixed"), of("c", "fixed")])
    assert found["rag"] == found["all"] == {"broken": 1, "fixed": 2, "unsound": 0, "sound": 0}
    assert counts([]) == {}
