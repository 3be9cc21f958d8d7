"""Count samples per agent, difficulty and topic (requirement G3)."""

from collections import Counter
from collections.abc import Iterable, Sequence

from yukjo.records import DIFFICULTIES, SIX, Frozen, Sample


class Part(Frozen):
    """How many samples, and which share of all."""

    count: int
    share: float
    """0..1; 0 where there is no sample at all."""


class Stats(Frozen):
    """A data set at a glance. Unlabelled samples count in `total` and in no difficulty or topic."""

    total: int
    agents: dict[str, Part]
    """The six first, in their order and even if empty; then others by name."""
    difficulty: dict[str, Part]
    topics: dict[str, Part]
    """The most frequent first."""


def stats(samples: Sequence[Sample]) -> Stats:
    """Count `samples`.

    >>> one = Sample(instruction="질문", output="답", agent_type="rag", difficulty="쉬움")
    >>> counted = stats([one, one, one.model_copy(update={"agent_type": "review"})])
    >>> counted.total, counted.agents["rag"].count, round(counted.agents["rag"].share, 3)
    (3, 2, 0.667)
    """
    agents = Counter(sample.agent_type for sample in samples)
    difficulty = Counter(sample.difficulty for sample in samples if sample.difficulty)
    topics = Counter(sample.topic for sample in samples if sample.topic)
    by_count = sorted(topics, key=lambda topic: (-topics[topic], topic))
    total = len(samples)
    return Stats(
        total=total,
        agents=_parts([*SIX, *sorted(agents.keys() - set(SIX))], agents, total),
        difficulty=_parts(DIFFICULTIES, Counter(map(str, difficulty.elements())), total),
        topics=_parts(by_count, topics, total),
    )


def _parts(names: Iterable[str], counts: Counter[str], total: int) -> dict[str, Part]:
    """Count and share of each name."""
    return {
        name: Part(count=counts[name], share=counts[name] / total if total else 0.0)
        for name in names
    }
