"""What became of each fact of a case on its way through two stages, by one name each.

| name | the reading | the summary |
|---|---|---|
| kept | holds it | holds it |
| lost | holds it | lacks it |
| misread | lacks it, or has it wrong | lacks it |
| invented | either | lacks it, and says another that stands neither in truth nor reading |
| recovered | lacks it, or has it wrong | holds it all the same: a lucky guess, so look twice |
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from yukjo.chain.facts import Facts, Fields, Look, Said, group_of, marks
from yukjo.korean.text import visible

Fate = Literal["kept", "lost", "misread", "invented", "recovered"]
FATES: tuple[Fate, ...] = get_args(Fate)

MOST_LENGTH = 1.5
"""A summary is concise up to so many times the length of its reference."""


@dataclass(frozen=True, slots=True)
class Told:
    """One case at the end of the chain."""

    case: str
    fates: Mapping[str, Fate]
    """Of every field whose truth is known."""
    held: Mapping[str, bool]
    """Whether the reading held it, of the same fields."""
    said: int
    """Different facts that the summary says."""
    true: int
    """Of these, the true ones."""
    concise: float
    """1 for a summary of bounded length; beyond the bound what it could be cut to, as a share."""

    def count(self, *fates: Fate) -> int:
        """How many facts have one of these names."""
        counts = Counter(self.fates.values())
        return sum(counts[fate] for fate in fates)

    @property
    def right(self) -> int:
        """Facts that the summary holds."""
        return self.count("kept", "recovered")

    @property
    def read(self) -> int:
        """Facts that the reading held: all that the second stage could be asked to keep."""
        return sum(self.held.values())

    @property
    def recall(self) -> float:
        """Share of the facts that the summary holds."""
        return self.right / len(self.fates)

    @property
    def precision(self) -> float:
        """Share of what the summary says that is true; a summary without facts has 0."""
        return self.true / self.said if self.said else 0.0

    @property
    def quality(self) -> float:
        """Correct, complete and concise at once, 0 to 1."""
        return self.recall * self.precision * self.concise


def tell(
    case: str, summary: str, *, truth: Facts, reading: Facts, reference: str, look: Look
) -> Told:
    """What the summary made of the case; `reference` is a summary that says it all."""
    said = look.said(summary, truth, reading)
    held = {field: reading.get(field) == value for field, value in truth.items() if value}
    return Told(
        case=case,
        fates=fates(truth, reading, said, fields=look.fields),
        held=held,
        said=len(said),
        true=len(said & marks(truth, look.fields)),
        concise=_concise(summary, reference),
    )


def fates(truth: Facts, reading: Facts, said: Said, *, fields: Fields) -> dict[str, Fate]:
    """The name of every fact that is known of a case."""
    grounds = marks(truth, fields) | marks(reading, fields)
    invented = {group for group, value in said if (group, value) not in grounds}
    named: dict[str, Fate] = {}
    for field, value in truth.items():
        if value:
            group = group_of(field, fields[field])
            named[field] = _fate(read=reading.get(field) == value, said=(group, value) in said,
                                 invented=group in invented)  # fmt: skip
    return named


def _fate(*, read: bool, said: bool, invented: bool) -> Fate:
    if said:
        return "kept" if read else "recovered"
    if invented:
        return "invented"
    return "lost" if read else "misread"


def _concise(summary: str, reference: str) -> float:
    most = MOST_LENGTH * len(visible(reference).strip())
    return min(1.0, most / max(1.0, float(len(visible(summary).strip()))))
