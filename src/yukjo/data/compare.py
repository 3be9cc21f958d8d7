"""What is remembered of each sample, so that lines can be compared once all are read.

1. A sample costs some 150 bytes, however long it is: a hash of it, of its id, and its sketch.
2. Hashes have 64 bits and a key of one check: nobody can prepare two that are alike.
3. Beyond `SOUGHT` samples near duplicates are no longer sought, and that is said.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yukjo.data.duplicates import Sketches, near_rows, sketches
from yukjo.data.findings import Fault

SOUGHT = 2_000_000
"""Samples among which near duplicates are sought: their sketches take 256 MB."""

_BATCH_LINES = 256
_BATCH_CHARACTERS = 1 << 18

Placed = tuple[int, Fault]
"""A fault at the n-th line of all files together, 0-based; -n is the n-th file as a whole."""


def _integers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class Seen:
    """What is remembered, a row a sample."""

    key: bytes
    places: "array[int]" = field(default_factory=_integers)
    """The line of each."""
    contents: "array[int]" = field(default_factory=_integers)
    agents: "array[int]" = field(default_factory=lambda: array("B"))
    ids: "array[int]" = field(default_factory=_integers)
    """Hash of each id, and in `id_rows` the row it belongs to."""
    id_rows: "array[int]" = field(default_factory=_integers)
    asked: "array[int]" = field(default_factory=_integers)
    """Hash of each question about images, and in `asked_rows` the row it belongs to."""
    asked_rows: "array[int]" = field(default_factory=_integers)
    chunks: list[Sketches] = field(default_factory=list)
    sketched: int = 0
    """Rows that have their sketch in `chunks`, the first ones."""
    waiting: list[str] = field(default_factory=list)
    characters: int = 0

    def add(self, place: int, record: dict[str, Any], agent: int, *, sketch: bool) -> None:
        """Remember a sample without errors."""
        name, output = record["agent_type"], record["output"]
        turns = record.get("messages", ())
        seen = [image.sha256 for image in record.get("images", ())]
        asked = (record["instruction"], record.get("input", ""))
        question = (*(turn[key] for turn in turns for key in ("role", "content")), *asked)
        if seen:
            self.asked.append(self._hash(name, *seen, "", *question))
            self.asked_rows.append(len(self.places))
        if record.get("id"):
            self.ids.append(self._hash(record["id"]))
            self.id_rows.append(len(self.places))
        self.places.append(place)
        self.contents.append(self._hash(name, *seen, "", *question, output))
        self.agents.append(agent)
        if sketch:
            # Answers about different images are often alike: they are no copies.
            said = () if seen else (*(turn["content"] for turn in turns), *asked, output)
            self._sketch("\n".join(said))

    def flush(self) -> None:
        """Sketch what waits."""
        if self.waiting:
            self.chunks.append(sketches(self.waiting))
            self.sketched += len(self.waiting)
        self.waiting.clear()
        self.characters = 0

    def extend(self, other: "Seen", *, lines: int) -> None:
        """Add the rows of what was remembered after `lines` lines."""
        rows = len(self.places)
        self.places.extend(place + lines for place in other.places)
        self.contents.extend(other.contents)
        self.agents.extend(other.agents)
        self.ids.extend(other.ids)
        self.id_rows.extend(row + rows for row in other.id_rows)
        self.asked.extend(other.asked)
        self.asked_rows.extend(row + rows for row in other.asked_rows)
        for chunk in other.chunks:
            if self.sketched < SOUGHT:
                self.chunks.append(chunk[: SOUGHT - self.sketched])
                self.sketched += len(self.chunks[-1])

    def _sketch(self, text: str) -> None:
        """Put a text with those that wait for being sketched together."""
        self.waiting.append(text)
        self.characters += len(text)
        if len(self.waiting) == _BATCH_LINES or self.characters > _BATCH_CHARACTERS:
            self.flush()

    def _hash(self, *texts: str) -> int:
        """64 bits of texts, none of which holds the NUL between them: that would be an error."""
        data = "\0".join(texts).encode()
        return int.from_bytes(blake2b(data, digest_size=8, key=self.key).digest(), signed=True)


def between(seen: Seen) -> Iterator[Placed]:
    """Faults that show only when lines are compared, those of one code by line."""
    places = np.array(seen.places, dtype=np.int64)
    same = _repeats(np.array(seen.contents, dtype=np.int64))
    for row, first in same.items():
        yield int(places[row]), _other("duplicate-line", None, places[first])
    yield from _shared(seen.ids, seen.id_rows, ("duplicate-id", "id"), same, places)
    twice = ("other-answer", "output")
    yield from _shared(seen.asked, seen.asked_rows, twice, same, places)
    groups = np.array(seen.agents[: seen.sketched], dtype=np.uint8)
    for row, (earlier, percent) in sorted(near_rows(seen.chunks, groups).items()):
        if row not in same:
            yield (
                int(places[row]),
                _other("near-duplicate", None, places[earlier], percent=percent),
            )
    if len(places) > SOUGHT:
        yield int(places[SOUGHT]), Fault("near-duplicates-unsought", None, {"limit": SOUGHT})


def _repeats(values: NDArray[np.int64]) -> dict[int, int]:
    """Index of each repeated value -> index where the value stood first; by index."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    same = np.concatenate([[False], ranked[1:] == ranked[:-1]])[: len(values)]
    starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(values))))
    later = order[same]
    ranks = np.argsort(later)
    return dict(zip(later[ranks].tolist(), order[starts[same]][ranks].tolist(), strict=True))


def _other(code: str, name: str | None, place: np.int64, **values: object) -> Fault:
    """A fault that points at another line."""
    return Fault(code, name, {"other_place": int(place), **values})


def _shared(
    marks: "array[int]",
    rows: "array[int]",
    fault: tuple[str, str],
    same: dict[int, int],
    places: NDArray[np.int64],
) -> Iterator[Placed]:
    """Marks that different samples share; a line that merely repeats a sample is no such."""
    for later, first in _repeats(np.array(marks, dtype=np.int64)).items():
        row, other = rows[later], rows[first]
        if same.get(row, row) != same.get(other, other):
            yield int(places[row]), _other(*fault, places[other])
