"""What to collect next (G4): the list closes the gap, and its head matters most."""

from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.data.plan import DIFFICULTY, KINDS, TOOL_ERROR, TOPICS, plan
from yukjo.data.wanted import Wanted, wanted
from yukjo.records import Sample


def _sample(agent: str = "rag", **labels: str | None) -> Sample:
    return Sample.model_validate(
        {"instruction": "질문", "output": "답", "agent_type": agent} | labels
    )


def _written(list_: tuple[Wanted, ...]) -> list[Sample]:
    """The samples that a list asks for."""
    made = []
    for one in list_:
        kinds = [kind for kind, count in one.exceptions.items() for _ in range(count)]
        kinds += [""] * (one.lines - len(kinds))
        made += [_sample(one.agent, difficulty=one.difficulty, topic=one.topic, exception=kind)
                 for kind in kinds]  # fmt: skip
    return made


def test_what_is_missing_alone_is_asked_for_alone() -> None:
    full = _written(wanted(plan([], agents=("rag",))))
    short = [s for s in full if (s.difficulty, s.topic) != ("어려움", "세무")]
    gone = len(full) - len(short)
    assert gone > 0
    (only,) = wanted(plan(short, agents=("rag",)))
    assert (only.difficulty, only.topic, only.lines) == ("어려움", "세무", gone)


def test_the_agent_that_is_furthest_behind_comes_first() -> None:
    rows = [_sample("rag", difficulty="쉬움", topic="복지")] * 10
    first, *_ = wanted(plan(rows, agents=("rag", "review")))
    assert first.agent == "review"


def test_exceptions_are_asked_for_though_all_else_is_there() -> None:
    full = _written(wanted(plan([], agents=("rag",))))
    plain = [s.model_copy(update={"exception": None}) for s in full]
    (only,) = wanted(plan(plain, agents=("rag",)))
    assert (only.difficulty, only.topic, only.lines) == (None, None, 15)
    assert sum(only.exceptions.values()) == 15


def test_errors_of_tools_are_asked_of_agents_with_tools() -> None:
    gap = plan([], agents=("rag", "review"), tooled=("rag",))
    kinds = {agent: {kind for one in wanted(gap) if one.agent == agent
                     for kind in one.exceptions} for agent in gap.agents}  # fmt: skip
    assert kinds["rag"] == set(KINDS)
    assert kinds["review"] == set(KINDS) - {TOOL_ERROR}


def test_a_cell_without_a_line_comes_before_one_with_some() -> None:
    full = _written(wanted(plan([], agents=("rag",))))
    kept = [s for s in full if (s.difficulty, s.topic) != ("어려움", "세무")]
    half = kept[: len(kept) // 2]
    seen = [(one.difficulty, one.topic) for one in wanted(plan(half, agents=("rag",)))]
    started = {(s.difficulty, s.topic) for s in half}
    assert seen.index(("어려움", "세무")) < min(
        seen.index(cell) for cell in started if cell in seen
    )


@settings(deadline=None)
@given(
    rows=st.lists(
        st.builds(
            _sample,
            agent=st.sampled_from(["rag", "review"]),
            difficulty=st.sampled_from([*DIFFICULTY, None]),
            topic=st.sampled_from([*TOPICS, "다른 주제", None]),
            exception=st.sampled_from([*KINDS, "다른 예외", None, ""]),
        ),
        max_size=150,
    ),
    stage=st.sampled_from([1, 2]),
)
def test_writing_the_whole_list_closes_every_gap_with_no_line_too_many(
    rows: list[Sample], stage: int
) -> None:
    agents, tooled = ("rag", "review"), ("rag",)
    gap = plan(rows, stage=stage, agents=agents, tooled=tooled)
    list_ = wanted(gap)
    assert sum(one.lines for one in list_) == sum(part.lines for part in gap.agents.values())
    assert all(sum(one.exceptions.values()) <= one.lines for one in list_)
    after = plan([*rows, *_written(list_)], stage=stage, agents=agents, tooled=tooled)
    assert after.done
