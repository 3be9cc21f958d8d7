"""What is still to be collected (requirement G4): the gap between samples and a stage's plan.

1. A stage asks of every agent 100, then 200, then 500 samples; 30 % easy, 50 % ordinary, 20 % hard;
   topics in equal parts; 15 % exception cases.
2. Wanted numbers are whole and add up: what dividing leaves over goes to the largest remainders.
3. Too many of one kind never make up for too few of another.
4. Every kind of exception occurs: at least half of what equal parts would give it. Errors of tools
   are asked only of agents that have tools.

What to write first follows from the gap: `data/wanted.py`.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from pydantic import computed_field

from yukjo.errors import DataError
from yukjo.records import DIFFICULTIES, SIX, Frozen, Sample
from yukjo.words import say

STAGES = (100, 200, 500)
"""Samples an agent, stage 1 first; the last is a least, `MOST` its most."""

MOST = 1_000
"""Samples an agent at the last stage from which more are not asked for."""

DIFFICULTY = dict(zip(DIFFICULTIES, (30, 50, 20), strict=True))
"""Percent of an agent's samples."""

EXCEPTIONS = 15
"""Percent of an agent's samples: missing facts, wrong premises, refusals and the like."""

TOPICS = ("복지", "교육", "도로", "환경", "민원", "안전", "세무", "문화")

TOOL_ERROR = "도구 오류"
KINDS = ("정보 부족", "잘못된 전제", "범위 밖", TOOL_ERROR, "화난 민원인", "거절", "자료 상충")
"""Kinds of exceptions; a sample of another kind is an exception of no kind."""


class Gap(Frozen):
    """How many there are and how many there should be."""

    have: int
    want: int

    @computed_field  # type: ignore[prop-decorator]  # mypy/issues/14461
    @property
    def missing(self) -> int:
        """How many to collect."""
        return max(self.want - self.have, 0)


class AgentPlan(Frozen):
    """One agent's samples against the plan."""

    samples: Gap
    difficulty: dict[str, Gap]
    topics: dict[str, Gap]
    exceptions: Gap
    kinds: dict[str, Gap]
    """Of exceptions; what is wanted here is a least and adds up to less than `exceptions`."""
    cells: dict[str, dict[str, int]]
    """Difficulty -> topic -> how many there are."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def lines(self) -> int:
        """The fewest lines that can close every gap, each line counting for all it is."""
        sums = [sum(g.missing for g in part.values())
                for part in (self.difficulty, self.topics, self.kinds)]  # fmt: skip
        return max(self.samples.missing, self.exceptions.missing, *sums)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def absent(self) -> tuple[str, ...]:
        """Topics without a single sample."""
        return tuple(topic for topic, gap in self.topics.items() if gap.have == 0)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def done(self) -> bool:
        """Whether nothing is missing."""
        return self.lines == 0


class Plan(Frozen):
    """All agents against one stage of the plan."""

    stage: int
    agents: dict[str, AgentPlan]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def done(self) -> bool:
        """Whether the stage is reached."""
        return all(agent.done for agent in self.agents.values())


def plan(
    samples: Sequence[Sample],
    *,
    stage: int = 1,
    agents: Collection[str] = SIX,
    tooled: Collection[str] = (),
) -> Plan:
    """The gap between `samples` and stage 1, 2 or 3; `tooled` are the agents that have tools.

    >>> gap = plan([], stage=1).agents["rag"]
    >>> gap.samples.missing, {name: part.want for name, part in gap.difficulty.items()}
    (100, {'쉬움': 30, '보통': 50, '어려움': 20})
    """
    if not 1 <= stage <= len(STAGES):
        raise DataError(
            say("the plan has no stage {stage}", stage=stage),
            where="stage",
            fix=say("choose a stage from 1 to {last}", last=len(STAGES)),
        )
    return Plan(
        stage=stage,
        agents={
            agent: _agent(
                [s for s in samples if s.agent_type == agent],
                STAGES[stage - 1],
                kinds=[kind for kind in KINDS if kind != TOOL_ERROR or agent in tooled],
            )
            for agent in agents
        },
    )


def _agent(samples: Sequence[Sample], want: int, *, kinds: Sequence[str]) -> AgentPlan:
    """One agent's gaps."""
    difficulty = Counter(str(sample.difficulty) for sample in samples)
    topics = Counter(str(sample.topic) for sample in samples)
    cells = Counter((str(sample.difficulty), str(sample.topic)) for sample in samples)
    found = Counter(sample.exception for sample in samples if sample.exception)
    exceptions = -(-EXCEPTIONS * want // 100)
    least = max(exceptions // len(kinds) // 2, 1)
    return AgentPlan(
        samples=Gap(have=len(samples), want=want),
        difficulty=_gaps(difficulty, apportion(want, DIFFICULTY)),
        topics=_gaps(topics, apportion(want, dict.fromkeys(TOPICS, 1))),
        exceptions=Gap(have=found.total(), want=exceptions),
        kinds=_gaps(found, dict.fromkeys(kinds, least)),
        cells={d: {t: cells[d, t] for t in TOPICS} for d in DIFFICULTY},
    )


def _gaps(have: Mapping[str, int], want: Mapping[str, int]) -> dict[str, Gap]:
    """The gap of each name."""
    return {name: Gap(have=have.get(name, 0), want=wanted) for name, wanted in want.items()}


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`total` in whole parts by weight (largest remainders, earlier names first).

    >>> apportion(10, {"가": 1, "나": 1, "다": 1})
    {'가': 4, '나': 3, '다': 3}
    """
    whole = sum(weights.values())
    parts = {name: total * weight // whole for name, weight in weights.items()}
    remainders = sorted(weights, key=lambda name: -(total * weights[name] % whole))
    for name in remainders[: total - sum(parts.values())]:
        parts[name] += 1
    return parts
