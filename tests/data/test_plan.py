"""The gap to the collection plan (G4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.data.plan import KINDS, STAGES, TOOL_ERROR, TOPICS, apportion, plan
from yukjo.errors import DataError
from yukjo.records import Sample


def _sample(**labels: str) -> Sample:
    return Sample.model_validate(
        {"instruction": "질문", "output": "답", "agent_type": "rag", **labels}
    )


def test_an_empty_set_lacks_everything() -> None:
    gap = plan([], stage=2).agents["review"]
    assert gap.samples.missing == 200
    assert [part.missing for part in gap.difficulty.values()] == [60, 100, 40]
    assert [part.missing for part in gap.topics.values()] == [25] * 8
    assert gap.exceptions.missing == 30
    assert gap.absent == TOPICS


def test_what_is_there_is_taken_off() -> None:
    rows = [_sample(difficulty="쉬움", topic="도로", exception="거절")] * 40
    gap = plan(rows, stage=1).agents["rag"]
    assert (gap.samples.missing, gap.exceptions.missing) == (60, 0)
    assert {k: g.missing for k, g in gap.difficulty.items()} == {
        "쉬움": 0,
        "보통": 50,
        "어려움": 20,
    }
    assert "도로" not in gap.absent
    assert gap.topics["도로"].missing == 0


def test_a_blank_exception_is_none() -> None:
    assert plan([_sample(exception="")]).agents["rag"].exceptions.have == 0


def test_a_full_set_is_done() -> None:
    difficulty = ["쉬움"] * 30 + ["보통"] * 50 + ["어려움"] * 20
    topics = [topic for topic, count in apportion(100, dict.fromkeys(TOPICS, 1)).items()
              for _ in range(count)]  # fmt: skip
    kinds = [*KINDS, *KINDS, "거절"] + [""] * 85
    rows = [_sample(difficulty=d, topic=t, exception=kind)
            for d, t, kind in zip(difficulty, topics, kinds, strict=True)]  # fmt: skip
    assert plan(rows, agents=("rag",), tooled=("rag",)).done
    one_kind = [row.model_copy(update={"exception": "거절"}) for row in rows]
    assert not plan(one_kind, agents=("rag",)).done
    assert not plan(rows[1:], agents=("rag",)).done
    assert not plan(rows, agents=("rag",), stage=2).done


def test_errors_of_tools_are_asked_of_agents_with_tools_only() -> None:
    agents = plan([], tooled=("rag",)).agents
    assert set(agents["rag"].kinds) == set(KINDS)
    assert TOOL_ERROR not in agents["review"].kinds


@pytest.mark.parametrize(("stage", "least"), [(1, 1), (2, 2), (3, 5)])
def test_each_kind_of_exception_has_at_least_half_an_equal_part(stage: int, least: int) -> None:
    kinds = plan([], stage=stage, tooled=("rag",)).agents["rag"].kinds
    assert {gap.want for gap in kinds.values()} == {least}


def test_the_json_says_what_is_missing() -> None:
    made = plan([], agents=("rag",)).model_dump()
    assert made["agents"]["rag"]["samples"] == {"have": 0, "want": 100, "missing": 100}
    assert made["done"] is False


@pytest.mark.parametrize("stage", [0, 4, -1])
def test_there_are_three_stages(stage: int) -> None:
    with pytest.raises(DataError):
        plan([], stage=stage)


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_parts_of_a_stage_add_up(stage: int) -> None:
    gap = plan([], stage=stage).agents["rag"]
    want = STAGES[stage - 1]
    assert sum(part.want for part in gap.difficulty.values()) == want
    assert sum(part.want for part in gap.topics.values()) == want
    assert gap.exceptions.want >= 0.15 * want


@given(total=st.integers(0, 1000), weights=st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_apportioning_is_whole_and_within_one_of_fair(total: int, weights: list[int]) -> None:
    named = {str(n): weight for n, weight in enumerate(weights)}
    parts = apportion(total, named)
    assert sum(parts.values()) == total
    assert all(abs(parts[n] - total * w / sum(weights)) < 1 for n, w in named.items())
