"""The version of a set of samples, and what changed between two sets.

1. A set's version is a hash over the sorted hashes of its samples: order, files, ids and labels
   are no part of it, and a repeated sample counts once, as in training.
2. A sample that is in both sets is unchanged, or relabelled where its id or a label differs.
3. What is left is paired by id, then by the same question, then by nearness (4-grams, the nearest
   first, at least `NEAR`); a pair is a change. The rest was added or removed.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from yukjo.data.duplicates import alike, grams
from yukjo.data.word_diff import Piece, word_diff
from yukjo.files import hash_json
from yukjo.records import Frozen, Sample

NEAR = 0.5
"""Least share of common 4-grams at which two samples are one that was changed."""

LABELS = ("id", "difficulty", "topic", "exception", "source", "license")
TEXTS = ("agent_type", "messages", "instruction", "input", "output", "images")

_COMMON = 1000
"""A 4-gram in more samples than this says nothing about which of them is meant."""
_BEST = 3
"""Candidates of a sample that are compared exactly."""

By = Literal["id", "question", "nearness"]


class Change(Frozen):
    """One sample before and after."""

    before: Sample
    after: Sample
    by: By
    """How the two were paired."""
    fields: tuple[str, ...]
    """What differs of what is trained on."""
    answer: tuple[Piece, ...]
    """The answer, word by word; empty where it is the same."""


class Relabel(Frozen):
    """A sample whose text stayed and whose id or labels did not."""

    before: Sample
    after: Sample
    fields: tuple[str, ...]


class Counts(Frozen):
    """Of one agent."""

    before: int
    after: int
    unchanged: int
    """Relabelled ones among them."""
    added: int
    removed: int
    changed: int


class Diff(Frozen):
    """What changed from one set to another."""

    version_before: str
    version_after: str
    agents: dict[str, Counts]
    added: tuple[Sample, ...]
    removed: tuple[Sample, ...]
    changed: tuple[Change, ...]
    relabelled: tuple[Relabel, ...]


def version(samples: Iterable[Sample]) -> str:
    """Hex SHA-256 of a set of samples.

    >>> one = Sample(instruction="질문", output="답", agent_type="rag")
    >>> version([one, one]) == version([one.model_copy(update={"id": "rag-1"})])
    True
    """
    return hash_json(sorted({sample.hash for sample in samples}))


def diff(before: Sequence[Sample], after: Sequence[Sample]) -> Diff:
    """What was added, removed and changed; each in the order of its set."""
    old = {sample.hash: sample for sample in before}
    new = {sample.hash: sample for sample in after}
    removed = {hash_: sample for hash_, sample in old.items() if hash_ not in new}
    added = {hash_: sample for hash_, sample in new.items() if hash_ not in old}
    changed = []
    for by, pairing in _PAIRINGS:
        for one, other in list(pairing(list(removed.values()), list(added.values()))):
            del removed[one.hash], added[other.hash]
            changed.append(_change(one, other, by))
    order = {hash_: place for place, hash_ in enumerate(old)}
    return Diff(
        version_before=version(before),
        version_after=version(after),
        agents=_counts(old, new, removed, added),
        added=tuple(added.values()),
        removed=tuple(removed.values()),
        changed=tuple(sorted(changed, key=lambda change: order[change.before.hash])),
        relabelled=tuple(
            Relabel(before=old[hash_], after=sample, fields=fields)
            for hash_, sample in new.items()
            if hash_ in old and (fields := _differing(old[hash_], sample, LABELS))
        ),
    )


def _change(before: Sample, after: Sample, by: By) -> Change:
    said = word_diff(before.output, after.output) if before.output != after.output else ()
    fields = _differing(before, after, TEXTS)
    return Change(before=before, after=after, by=by, fields=fields, answer=tuple(said))


def _differing(one: Sample, other: Sample, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if getattr(one, name) != getattr(other, name))


def _counts(
    old: dict[str, Sample],
    new: dict[str, Sample],
    removed: dict[str, Sample],
    added: dict[str, Sample],
) -> dict[str, Counts]:
    """Counts of each agent; a sample that went to another agent is a change of its old one."""
    parts = [Counter(sample.agent_type for sample in part.values())
             for part in (old, new, removed, added)]  # fmt: skip
    before, after, gone, fresh = parts
    kept = Counter(sample.agent_type for hash_, sample in old.items() if hash_ in new)
    return {
        agent: Counts(
            before=before[agent], after=after[agent], unchanged=kept[agent], added=fresh[agent],
            removed=gone[agent], changed=before[agent] - kept[agent] - gone[agent],
        )
        for agent in sorted(before | after)
    }  # fmt: skip


Pairs = Iterator[tuple[Sample, Sample]]


def _by_key(key: Callable[[Sample], object]) -> Callable[[list[Sample], list[Sample]], Pairs]:
    """Pairs of samples that alone on their side have the same key; None is no key."""

    def pairs(old: list[Sample], new: list[Sample]) -> Pairs:
        sides = []
        for side in (old, new):
            owners: defaultdict[object, list[Sample]] = defaultdict(list)
            for sample in side:
                owners[key(sample)].append(sample)
            sides.append(
                {k: own[0] for k, own in owners.items() if k is not None and len(own) == 1}
            )
        first, second = sides
        yield from ((first[k], second[k]) for k in first if k in second)

    return pairs


def _asked(sample: Sample) -> object:
    """What a sample asks, and whom; its answer aside."""
    turns = tuple((turn.role, turn.content) for turn in sample.messages)
    images = tuple(image.sha256 for image in sample.images)
    return sample.agent_type, turns, sample.instruction, sample.input, images


def _by_nearness(old: list[Sample], new: list[Sample]) -> Pairs:
    """The nearest pairs of one agent, each sample in one of them."""
    found: list[tuple[float, int, int]] = []
    texts = [_text(sample) for sample in new]
    for agent in {sample.agent_type for sample in old}:
        rows = [row for row, sample in enumerate(new) if sample.agent_type == agent]
        index: defaultdict[int, list[int]] = defaultdict(list)
        for row in rows:
            for gram in grams(texts[row]).tolist():
                index[gram].append(row)
        for place, sample in enumerate(old):
            if sample.agent_type == agent:
                text = _text(sample)
                near = ((alike(text, texts[row]), row) for row in _candidates(text, index))
                found += [(share, place, row) for share, row in near if share >= NEAR]
    used_old, used_new = set[int](), set[int]()
    for _, place, row in sorted(found, key=lambda one: (-one[0], one[1], one[2])):
        if place not in used_old and row not in used_new:
            used_old.add(place)
            used_new.add(row)
            yield old[place], new[row]


def _candidates(text: str, index: dict[int, list[int]]) -> list[int]:
    """The few rows that share most 4-grams with a text."""
    posted = [index[gram] for gram in grams(text).tolist() if len(index.get(gram, ())) <= _COMMON]
    counts = Counter(row for posting in posted for row in posting)
    return [row for row, _ in counts.most_common(_BEST)]


def _text(sample: Sample) -> str:
    """All that a sample says."""
    turns = (turn.content for turn in sample.messages)
    return "\n".join([*turns, sample.instruction, sample.input, sample.output])


_PAIRINGS: tuple[tuple[By, Callable[[list[Sample], list[Sample]], Pairs]], ...] = (
    ("id", _by_key(lambda sample: sample.id)),
    ("question", _by_key(_asked)),
    ("nearness", _by_nearness),
)
