"""Counts and shares (G3)."""

from hypothesis import given
from hypothesis import strategies as st

from yukjo.data.stats import stats
from yukjo.records import SIX, Sample


def _sample(agent: str, **labels: str) -> Sample:
    return Sample.model_validate(
        {"instruction": "질문", "output": "답", "agent_type": agent, **labels}
    )


def test_the_seeds_23_lines() -> None:
    counts = dict(zip(SIX, (4, 6, 3, 3, 4, 3), strict=True))
    found = stats([_sample(agent) for agent, count in counts.items() for _ in range(count)])
    assert found.total == 23
    assert {agent: part.count for agent, part in found.agents.items()} == counts
    assert found.agents["citizen_support"].share == 6 / 23


def test_agents_stand_in_their_order_then_others_by_name() -> None:
    found = stats([_sample("review"), _sample("b"), _sample("a")])
    assert list(found.agents) == [*SIX, "a", "b"]
    assert found.agents["rag"].count == 0


def test_difficulties_in_order_topics_by_count() -> None:
    rows = [_sample("rag", difficulty="어려움", topic="도로"), _sample("rag", topic="복지"),
            _sample("rag", topic="복지"), _sample("rag", topic="교육")]  # fmt: skip
    found = stats(rows)
    assert {k: p.count for k, p in found.difficulty.items()} == {"쉬움": 0, "보통": 0, "어려움": 1}
    assert list(found.topics) == ["복지", "교육", "도로"]
    assert found.topics["복지"].share == 0.5


def test_nothing_has_no_share() -> None:
    assert stats([]).agents["rag"].share == 0


@given(agents=st.lists(st.sampled_from([*SIX, "다른"]), min_size=1))
def test_shares_add_up(agents: list[str]) -> None:
    found = stats([_sample(agent) for agent in agents])
    assert sum(part.count for part in found.agents.values()) == found.total == len(agents)
    assert abs(sum(part.share for part in found.agents.values()) - 1) < 1e-9
