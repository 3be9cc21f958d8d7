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


def test_each_agent_has_a_table_of_difficulty_and_topic() -> None:
    rows = [_sample("rag", difficulty="쉬움", topic="도로"), _sample("rag", topic="도로"),
            _sample("rag", difficulty="쉬움", topic="복지"), _sample("review")]  # fmt: skip
    found = stats(rows).by_agent
    assert found["rag"].cells == {"쉬움": {"도로": 1, "복지": 1}, "-": {"도로": 1}}
    assert found["review"].cells == {"-": {"-": 1}}


def test_lengths_turns_tools_licences_and_sources() -> None:
    turns = [{"role": "user", "content": "질문"}, {"role": "tool", "content": "결과"}]
    rows = [_sample("rag").model_copy(update={"output": "답" * count}) for count in (99, 100, 1001)]
    talk = Sample.model_validate(rows[0].model_dump() | {"messages": turns, "license": "CC0-1.0"})
    said = rows[1].model_copy(update={"source": "새로 씀; 도구 결과: calculator"})
    found = stats([*rows, talk, said])
    own = found.by_agent["rag"]
    assert own.lengths is not None
    assert (own.lengths.least, own.lengths.median, own.lengths.most) == (99, 100, 1001)
    assert own.lengths.within == 2 / 5
    assert (own.turns, own.tools) == (1, 2)
    assert {name: part.count for name, part in found.licences.items()} == {"-": 4, "CC0-1.0": 1}
    assert found.sources["새로 씀; 도구 결과: calculator"].count == 1
    assert found.by_agent["review"].lengths is None


def test_exceptions_are_counted_by_kind() -> None:
    rows = [_sample("rag", exception=kind) for kind in ("거절", "범위 밖", "범위 밖", "")]
    found = stats(rows)
    assert {name: part.count for name, part in found.exceptions.items()} == {
        "범위 밖": 2,
        "거절": 1,
    }
    assert found.by_agent["rag"].exceptions == {"범위 밖": 2, "거절": 1}


@given(agents=st.lists(st.sampled_from([*SIX, "다른"]), min_size=1))
def test_shares_add_up(agents: list[str]) -> None:
    found = stats([_sample(agent) for agent in agents])
    assert sum(part.count for part in found.agents.values()) == found.total == len(agents)
    assert abs(sum(part.share for part in found.agents.values()) - 1) < 1e-9
