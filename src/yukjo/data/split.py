"""Split samples into training, validation and test by what they say (requirement G5).

1. A sample's side follows from its content and its near duplicates alone: not from order, file,
   id or label, nor from any other sample. Adding samples moves no sample that they don't resemble.
2. Samples that are near duplicates, directly or through others, stand on one side, whatever
   their agents; so do samples about the same image.
3. Each agent is in proportion on average, not to the sample: rule 1 leaves no other way.
   `Split.shares` says what was reached, `Split.bare` which agent lacks which side.
4. Raising the share of `test` only moves samples from `train` to `test`; `valid` likewise.

Why not exact proportions: docs/adr/0003-split-by-content.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from yukjo.data.duplicates import near_groups
from yukjo.errors import DataError
from yukjo.files import sha256_bytes
from yukjo.records import Sample, Side
from yukjo.words import say

SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True, slots=True)
class Split:
    """Samples by side, each side in the order they were given in."""

    train: tuple[Sample, ...]
    valid: tuple[Sample, ...]
    test: tuple[Sample, ...]

    def side(self, side: Side) -> tuple[Sample, ...]:
        """The samples of one side."""
        sides: dict[Side, tuple[Sample, ...]] = {
            "train": self.train, "valid": self.valid, "test": self.test,
        }  # fmt: skip
        return sides[side]

    @property
    def shares(self) -> dict[str, dict[Side, float]]:
        """The share of each agent's samples on each side, 0..1."""
        counts = self._counts()
        return {
            agent: {side: count / sum(by_side.values()) for side, count in by_side.items()}
            for agent, by_side in counts.items()
        }

    @property
    def bare(self) -> tuple[tuple[str, Side], ...]:
        """Every (agent, side) without a sample."""
        return tuple(
            (agent, side)
            for agent, by_side in self._counts().items()
            for side, count in by_side.items()
            if count == 0
        )

    def _counts(self) -> dict[str, dict[Side, int]]:
        """How many samples of each agent stand on each side."""
        counts: dict[str, dict[Side, int]] = {}
        for side in SIDES:
            for sample in self.side(side):
                counts.setdefault(sample.agent_type, dict.fromkeys(SIDES, 0))[side] += 1
        return counts


def split(samples: Sequence[Sample], *, valid: float, test: float) -> Split:
    """Put each sample on its side; `valid` and `test` are shares, 0..1, together below 1."""
    if not (valid >= 0 and test >= 0 and valid + test < 1):
        raise DataError(
            say("shares of {valid} and {test} leave nothing to train on", valid=valid, test=test),
            where="valid, test",
            fix=say("give two shares from 0 that are less than 1 together"),
        )
    sides: dict[Side, list[Sample]] = {side: [] for side in SIDES}
    for sample, key in zip(samples, group_keys(samples), strict=True):
        sides[_side(key, valid=valid, test=test)].append(sample)
    return Split(
        train=tuple(sides["train"]), valid=tuple(sides["valid"]), test=tuple(sides["test"])
    )


def group_keys(samples: Sequence[Sample]) -> list[str]:
    """For each sample the key of its group of near duplicates: the group's least content hash.

    Samples about images are near where they share one.
    """
    pictures = [[image.sha256 for image in sample.images] for sample in samples]
    # What is said of two images is often alike: these are near only where an image is the same.
    texts = ["\n".join(own) or said(s) for s, own in zip(samples, pictures, strict=True)]
    groups = near_groups(texts, pictures)
    least: dict[int, str] = {}
    for group, sample in zip(groups, samples, strict=True):
        least[group] = min(sample.hash, least.get(group, sample.hash))
    return [least[group] for group in groups]


def said(sample: Sample) -> str:
    """All that a sample says, as one text to compare with others."""
    turns = [turn.content for turn in sample.messages]
    return "\n".join([*turns, sample.instruction, sample.input, sample.output])


def _side(key: str, *, valid: float, test: float) -> Side:
    """The side of a group: test from below, valid from above, so that neither moves the other.

    The key is hashed once more: as the least of several it is not evenly spread.
    """
    place = int(sha256_bytes(key.encode())[:13], 16) / 16**13
    if place < test:
        return "test"
    return "valid" if place >= 1 - valid else "train"
