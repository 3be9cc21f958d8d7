"""What to collect next: the lines that bring a plan forward most, first.

1. Each line is chosen for the difficulty and the topic that are furthest behind, and counts for
   both: all lines together close every gap of the plan, and are no more than that takes.
2. Exceptions are spread over the lines, the kind that is furthest behind first.
3. The agent of which most is missing comes first; of an agent, cells that hold nothing yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from yukjo.data.plan import AgentPlan, Plan
from yukjo.records import Frozen


class Wanted(Frozen):
    """Lines of one agent, difficulty and topic to be written."""

    agent: str
    difficulty: str | None
    """None: any."""
    topic: str | None
    lines: int
    exceptions: dict[str, int]
    """Kind -> how many of the lines are such exceptions."""


def wanted(plan: Plan) -> tuple[Wanted, ...]:
    """All that is to be written, what matters most first.

    >>> from yukjo.data.plan import plan
    >>> first, *_ = wanted(plan([], agents=("rag",)))
    >>> first.difficulty, first.lines
    ('보통', 7)
    """
    agents = sorted(plan.agents.items(), key=lambda item: -item[1].lines / item[1].samples.want)
    return tuple(one for agent, part in agents for one in _of(agent, part))


def _of(agent: str, plan: AgentPlan) -> list[Wanted]:
    """What one agent lacks: cells without any line first, then the larger number."""
    open_ = _Open(plan)
    found: dict[tuple[str | None, str | None], list[str | None]] = {}
    while open_.lines:
        difficulty, topic, kind = open_.take()
        found.setdefault((difficulty, topic), []).append(kind)
    made = [
        Wanted(
            agent=agent, difficulty=difficulty, topic=topic, lines=len(kinds),
            exceptions={k: kinds.count(k) for k in dict.fromkeys(kinds) if k is not None},
        )
        for (difficulty, topic), kinds in found.items()
    ]  # fmt: skip
    return sorted(made, key=lambda one: (-_empty(one, plan), -one.lines))


def _empty(one: Wanted, plan: AgentPlan) -> float:
    """The share of a cell that is missing, 0..1."""
    have = plan.cells.get(one.difficulty or "", {}).get(one.topic or "", 0)
    return one.lines / (one.lines + have)


@dataclass(slots=True)
class _Open:
    """What an agent still lacks while lines are chosen for it."""

    plan: AgentPlan
    lines: int = field(init=False)
    """How many are left to write."""
    difficulty: dict[str, int] = field(init=False)
    topics: dict[str, int] = field(init=False)
    kinds: dict[str, int] = field(init=False)
    """How far each kind is below what is wanted; negative above it."""
    exceptions: int = field(init=False)
    """How many of the lines are exceptions."""
    cells: dict[tuple[str, str], int] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.plan.lines
        self.difficulty, self.topics = (
            {name: gap.missing for name, gap in gaps.items()}
            for gaps in (self.plan.difficulty, self.plan.topics)
        )
        self.kinds = {name: gap.want - gap.have for name, gap in self.plan.kinds.items()}
        missing = sum(gap.missing for gap in self.plan.kinds.values())
        self.exceptions = max(self.plan.exceptions.missing, missing)
        self.cells = {(d, t): n for d, row in self.plan.cells.items() for t, n in row.items()}

    def take(self) -> tuple[str | None, str | None, str | None]:
        """The difficulty, topic and exception of the next line."""
        difficulty, topic = self._cell()
        kind = self._kind()
        self.lines -= 1
        if difficulty is not None:
            self.difficulty[difficulty] -= 1
        if topic is not None:
            self.topics[topic] -= 1
        if difficulty is not None and topic is not None:
            self.cells[difficulty, topic] += 1
        return difficulty, topic, kind

    def _cell(self) -> tuple[str | None, str | None]:
        """The pair that is furthest behind; None where nothing of its sort is missing."""
        pairs = list(product(_left(self.difficulty), _left(self.topics)))
        return max(pairs, key=lambda pair: self._lack(*pair))

    def _lack(self, difficulty: str | None, topic: str | None) -> float:
        """How far a pair is behind, each part as a share of what is wanted."""
        lack = 0.0
        if difficulty is not None:
            lack += self.difficulty[difficulty] / self.plan.difficulty[difficulty].want
        if topic is not None:
            lack += self.topics[topic] / self.plan.topics[topic].want
        if difficulty is not None and topic is not None:
            parts = self.plan.difficulty[difficulty].want * self.plan.topics[topic].want
            lack -= self.cells[difficulty, topic] * self.plan.samples.want / parts
        return lack

    def _kind(self) -> str | None:
        """The exception that the next line is, None where it is none."""
        whole, share = self.plan.lines, self.exceptions
        written = whole - self.lines
        # Evenly over the lines, beginning half a step in.
        before, after = ((n * share + whole // 2) // whole for n in (written, written + 1))
        if before == after:
            return None
        kind = max(self.kinds, key=lambda name: self.kinds[name])
        self.kinds[kind] -= 1
        return kind


def _left(missing: Mapping[str, int]) -> Sequence[str | None]:
    """The names of which something is missing; None where of none."""
    return [name for name, left in missing.items() if left] or [None]
