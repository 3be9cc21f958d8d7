"""What a test set shares with what is trained on: measured on it, a model is asked what it learned.

1. Looked at are the whole sample, its question (earlier turns, instruction, input) and its answer
   alone; where there are images, the images instead of the texts, as `split` does.
2. A pair is found by sketches (`duplicates`) and then held against the texts themselves: what is
   reported is as alike as it says. At exactly 80 % alike one pair in 500 is not found.
3. Of each test line and aspect the nearest line of the training files is named. Agents don't
   matter: what one agent learned may help another.
4. Memory grows by some 400 bytes a line; lines with errors are passed over and counted.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from pydantic import Field

from yukjo.data import personal
from yukjo.data.check import examine
from yukjo.data.duplicates import NEAR, Sketches, alike, near_across, sketches
from yukjo.data.lines import name_of, read_lines
from yukjo.records import Frozen, Sample

Aspect = Literal["sample", "question", "answer", "image"]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
_TEXTS: tuple[Aspect, ...] = ASPECTS[:-1]

_LOOSE = NEAR - 0.1
"""Share by sketch from which a pair is held against the texts: sketches err by some 0.035."""

_BATCH = 256

Texts = Mapping[Aspect, str]


class Leak(Frozen):
    """A test line, and the line of the training files that is nearest to it."""

    file: str
    line: int
    other_file: str
    other_line: int
    aspect: Aspect
    percent: int = Field(ge=0, le=100)
    """How much of the 4-grams of either both have; 100 for an image."""


class Leaks(Frozen):
    """What test files share with training files."""

    train: int
    """Lines that were compared, without those that have errors."""
    test: int
    passed_over: int
    """Lines with errors."""
    counts: dict[Aspect, int]
    """How many test lines share each aspect."""
    leaks: tuple[Leak, ...]
    """By test line; a line whose whole sample is near is not named again for its parts."""


def leaks(
    train: Sequence[Path],
    test: Sequence[Path],
    *,
    agents: Collection[str],
    contacts: Collection[str] = (),
) -> Leaks:
    """Every test line that is near something in the training files.

    `contacts` may stand in the texts, as `[data] allowed_contacts` has them.
    """
    asked = _Asked(agents, personal.allowed(contacts))
    ours, theirs = _side(train, asked), _side(test, asked)
    near = _candidates(ours, theirs)
    mine = _texts_of(train, asked, {row for pairs in near.values() for row in pairs.values()})
    held = _texts_of(test, asked, {row for pairs in near.values() for row in pairs})
    found = [
        (row, other, aspect, percent)
        for aspect, pairs in near.items()
        for row, other in pairs.items()
        if (percent := _percent(aspect, held.get(row), mine.get(other))) >= _PERCENT
    ]
    kept = _without_parts(found)
    return Leaks(
        train=len(ours.places),
        test=len(theirs.places),
        passed_over=ours.passed_over + theirs.passed_over,
        counts={aspect: sum(one[2] == aspect for one in kept) for aspect in ASPECTS},
        leaks=tuple(
            Leak(file=theirs.name(row)[0], line=theirs.name(row)[1],
                 other_file=ours.name(other)[0], other_line=ours.name(other)[1],
                 aspect=aspect, percent=percent)
            for row, other, aspect, percent in kept
        ),
    )  # fmt: skip


def shared(train: Sequence[Sample], test: Sequence[Sample]) -> Counter[Aspect]:
    """How many samples of `test` are near one of `train`, by aspect; of samples in memory."""
    ours, theirs = _Side([]), _Side([])
    for side, samples in ((ours, train), (theirs, test)):
        for sample in samples:
            side.add(0, 0, _aspects(_record(sample)), _seen(_record(sample)))
        side.flush()
    near = _candidates(ours, theirs)
    found = [
        (row, other, aspect, percent)
        for aspect, pairs in near.items()
        for row, other in pairs.items()
        if (percent := _percent(aspect, _aspects(_record(test[row])),
                                _aspects(_record(train[other])))) >= _PERCENT
    ]  # fmt: skip
    return Counter(aspect for _, _, aspect, _ in _without_parts(found))


_PERCENT = round(100 * NEAR)

_Found = tuple[int, int, Aspect, int]
"""Row of the test side, row of the training side, aspect, percent."""


class _Asked(NamedTuple):
    """What a line is held against."""

    agents: Collection[str]
    allowed: Collection[str]


@dataclass(slots=True)
class _Side:
    """What is remembered of the training or the test files."""

    files: Sequence[Path]
    places: "array[int]" = field(default_factory=lambda: array("q"))
    """The line of each row."""
    which: "array[int]" = field(default_factory=lambda: array("H"))
    """The file of each row."""
    chunks: dict[Aspect, list[Sketches]] = field(default_factory=lambda: {a: [] for a in _TEXTS})
    waiting: dict[Aspect, list[str]] = field(default_factory=lambda: {a: [] for a in _TEXTS})
    images: dict[str, int] = field(default_factory=dict)
    """SHA-256 of each image -> the first row that has it."""
    rows_of_images: list[tuple[int, str]] = field(default_factory=list)
    passed_over: int = 0

    def add(self, file: int, line: int, texts: Texts, seen: Sequence[str]) -> None:
        """Remember a sample."""
        row = len(self.places)
        self.places.append(line)
        self.which.append(file)
        for image in seen:
            self.images.setdefault(image, row)
            self.rows_of_images.append((row, image))
        for aspect in _TEXTS:
            self.waiting[aspect].append(texts.get(aspect, ""))
        if len(self.waiting["sample"]) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Sketch what waits."""
        for aspect, texts in self.waiting.items():
            if texts:
                self.chunks[aspect].append(sketches(texts))
            texts.clear()

    def name(self, row: int) -> tuple[str, int]:
        """File and line of a row."""
        return name_of(self.files[self.which[row]]), self.places[row]


def _side(files: Sequence[Path], asked: _Asked) -> _Side:
    """Read files, and remember what they hold."""
    side = _Side(files)
    for number, file in enumerate(files):
        for line in read_lines(file):
            record, _ = examine(line, **asked._asdict(), folder=file.parent)
            if record is None:
                side.passed_over += 1
            else:
                side.add(number, line.number, _aspects(record), _seen(record))
    side.flush()
    return side


def _candidates(ours: _Side, theirs: _Side) -> dict[Aspect, dict[int, int]]:
    """Aspect -> test row -> the row of the training side that is nearest by sketch."""
    near: dict[Aspect, dict[int, int]] = {
        aspect: {row: other for row, (other, _) in near_across(
            ours.chunks[aspect], theirs.chunks[aspect], share=_LOOSE).items()}
        for aspect in _TEXTS
    }  # fmt: skip
    near["image"] = {row: ours.images[image] for row, image in reversed(theirs.rows_of_images)
                     if image in ours.images}  # fmt: skip
    return near


def _texts_of(files: Sequence[Path], asked: _Asked, rows: Collection[int]) -> dict[int, Texts]:
    """The texts of some rows, read a second time."""
    found: dict[int, Texts] = {}
    row = 0
    for file in files if rows else ():
        for line in read_lines(file):
            record, _ = examine(line, **asked._asdict(), folder=file.parent)
            if record is None:
                continue
            if row in rows:
                found[row] = _aspects(record)
            row += 1
    return found


def _aspects(record: Mapping[str, Any]) -> Texts:
    """The texts of a record that are compared; none where it has images."""
    if record.get("images"):
        return {}
    turns = [turn["content"] for turn in record.get("messages") or ()]
    question = "\n".join([*turns, record["instruction"], record.get("input", "")])
    return {"sample": f"{question}\n{record['output']}", "question": question,
            "answer": record["output"]}  # fmt: skip


def _seen(record: Mapping[str, Any]) -> list[str]:
    """SHA-256 of the images of a record."""
    return [image.sha256 for image in record.get("images") or ()]


def _record(sample: Sample) -> Mapping[str, Any]:
    """A sample as `examine` gives it."""
    turns = [turn.model_dump() for turn in sample.messages]
    return {"instruction": sample.instruction, "input": sample.input, "output": sample.output,
            "messages": turns, "images": sample.images}  # fmt: skip


def _percent(aspect: Aspect, one: Texts | None, other: Texts | None) -> int:
    """How alike two records are; images are the same, or were no candidates."""
    if aspect == "image":
        return 100
    if not one or not other:
        return 0
    return int(100 * alike(one[aspect], other[aspect]))


def _without_parts(found: Sequence[_Found]) -> list[_Found]:
    """By test line; parts of a sample that is near as a whole are left out."""
    whole = {row for row, _, aspect, _ in found if aspect == "sample"}
    kept = [one for one in found if one[2] in {"sample", "image"} or one[0] not in whole]
    return sorted(kept, key=lambda one: (one[0], ASPECTS.index(one[2])))
