"""What a data set holds at a glance (requirement G3): counts, shares, lengths, where it is from."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from statistics import median

from yukjo.data.findings import LONG, SHORT
from yukjo.records import DIFFICULTIES, SIX, Frozen, Sample

TOOL_MARK = "도구 결과"
"""What the `source` of a sample says whose material a tool made."""

NONE = "-"
"""Stands for a label that a sample doesn't have."""


class Part(Frozen):
    """How many samples, and which share of all."""

    count: int
    share: float
    """0..1; 0 where there is no sample at all."""


class Lengths(Frozen):
    """Characters of the answers."""

    least: int
    median: float
    most: int
    within: float
    """Share of answers of good length, 0..1 (requirement G9)."""


class AgentStats(Frozen):
    """One agent's samples."""

    count: int
    cells: dict[str, dict[str, int]]
    """Difficulty -> topic -> count; `-` for what is not labelled."""
    exceptions: dict[str, int]
    """Kind -> count, the most frequent first."""
    lengths: Lengths | None
    """None where there is no sample."""
    turns: int
    """Samples with earlier turns."""
    tools: int
    """Samples that rest on a tool's result: in a turn of their own, or as their `source` says."""
    images: int
    """Samples with images."""


class Stats(Frozen):
    """A data set at a glance. Unlabelled samples count in `total` and in no difficulty or topic."""

    total: int
    agents: dict[str, Part]
    """The six first, in their order and even if empty; then others by name."""
    difficulty: dict[str, Part]
    topics: dict[str, Part]
    """The most frequent first, as are the next three."""
    exceptions: dict[str, Part]
    licences: dict[str, Part]
    sources: dict[str, Part]
    by_agent: dict[str, AgentStats]


def stats(samples: Sequence[Sample]) -> Stats:
    """Count `samples`.

    >>> one = Sample(instruction="질문", output="답", agent_type="rag", difficulty="쉬움")
    >>> counted = stats([one, one, one.model_copy(update={"agent_type": "review"})])
    >>> counted.total, counted.agents["rag"].count, round(counted.agents["rag"].share, 3)
    (3, 2, 0.667)
    """
    agents = Counter(sample.agent_type for sample in samples)
    difficulty = Counter(str(sample.difficulty) for sample in samples if sample.difficulty)
    topics = Counter(sample.topic for sample in samples if sample.topic)
    exceptions = Counter(sample.exception for sample in samples if sample.exception)
    licences = Counter(sample.license or NONE for sample in samples)
    sources = Counter(sample.source or NONE for sample in samples)
    names = [*SIX, *sorted(agents.keys() - set(SIX))]
    total = len(samples)
    return Stats(
        total=total,
        agents=_parts(names, agents, total),
        difficulty=_parts(DIFFICULTIES, difficulty, total),
        topics=_parts(_by_count(topics), topics, total),
        exceptions=_parts(_by_count(exceptions), exceptions, total),
        licences=_parts(_by_count(licences), licences, total),
        sources=_parts(_by_count(sources), sources, total),
        by_agent={n: _agent([s for s in samples if s.agent_type == n]) for n in names},
    )


def uses_tools(sample: Sample) -> bool:
    """Whether a sample rests on a tool's result, as far as it says so."""
    return any(turn.role == "tool" for turn in sample.messages) or TOOL_MARK in str(sample.source)


def _agent(samples: Sequence[Sample]) -> AgentStats:
    """One agent's figures."""
    cells = Counter((sample.difficulty or NONE, sample.topic or NONE) for sample in samples)
    topics = _by_count(Counter(sample.topic or NONE for sample in samples))
    difficulties = [d for d in (*DIFFICULTIES, NONE) if any(own == d for own, _ in cells)]
    exceptions = Counter(sample.exception for sample in samples if sample.exception)
    return AgentStats(
        count=len(samples),
        cells={d: {t: cells[d, t] for t in topics if cells[d, t]} for d in difficulties},
        exceptions={kind: exceptions[kind] for kind in _by_count(exceptions)},
        lengths=_lengths([len(sample.output) for sample in samples]),
        turns=sum(bool(sample.messages) for sample in samples),
        tools=sum(map(uses_tools, samples)),
        images=sum(bool(sample.images) for sample in samples),
    )


def _lengths(counts: Collection[int]) -> Lengths | None:
    """The figures of some lengths."""
    if not counts:
        return None
    within = sum(SHORT <= count <= LONG for count in counts) / len(counts)
    return Lengths(least=min(counts), median=median(counts), most=max(counts), within=within)


def _by_count(counts: Counter[str]) -> list[str]:
    """The names, the most frequent first."""
    return sorted(counts, key=lambda name: (-counts[name], name))


def _parts(names: Iterable[str], counts: Counter[str], total: int) -> dict[str, Part]:
    """Count and share of each name."""
    return {
        name: Part(count=counts[name], share=counts[name] / total if total else 0.0)
        for name in names
    }
