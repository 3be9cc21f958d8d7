"""Look at data files line by line and say everything that is wrong with them, at any size.

1. Whatever the bytes, the outcome is a report; only a file that can't be opened is an error.
2. A line costs some 150 bytes of memory until the end, however long it is: its hash, its id's
   hash and its sketch. Beyond `SOUGHT` samples near duplicates are no longer sought, and said so.
3. Every finding is counted; at most `LISTED` of a code are kept.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yukjo.data import images, personal
from yukjo.data.duplicates import Sketches, near_rows, sketches
from yukjo.data.findings import Fault, Finding, Report, explain, level
from yukjo.data.judge import MOST, judge
from yukjo.data.lines import LIMIT, Line, name_of, read_lines
from yukjo.data.parse import parse
from yukjo.records import SIX

LISTED = 1_000
"""Findings of one code that a report lists."""

SOUGHT = 2_000_000
"""Samples among which near duplicates are sought: their sketches take 256 MB."""

_BATCH_LINES = 256
_BATCH_CHARACTERS = 1 << 18

_Placed = tuple[int, Fault]
"""A fault at the n-th line of all files together, 0-based; -n is the n-th file as a whole."""


def check(
    files: Sequence[Path],
    *,
    agents: Collection[str] = SIX,
    contacts: Collection[str] = (),
    each: Callable[[Finding], None] | None = None,
) -> Report:
    """What is wrong with `files`; lines of an agent not in `agents` are errors.

    `contacts` are telephone numbers, e-mail addresses and `@domain`s that may stand in the texts.
    `each` is given every finding as it is made, also those the report leaves out; findings that
    compare lines (duplicates) come last there, and in their place in the report.
    """
    stream = _Stream(files, agents, personal.allowed(contacts))
    levels: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    kept: list[_Placed] = []
    for place, fault in stream.faults():
        levels[level(fault)] += 1
        codes[fault.code] += 1
        if codes[fault.code] <= LISTED:
            kept.append((place, fault))
        if each:
            each(stream.explained(place, fault))
    kept.sort(key=lambda found: stream.order(found[0]))
    return Report(
        lines=stream.lines,
        errors=levels["error"],
        warnings=levels["warning"],
        findings=tuple(stream.explained(place, fault) for place, fault in kept),
        omitted=codes.total() - len(kept),
    )


def examine(
    line: Line, *, agents: Collection[str], folder: Path, allowed: Collection[str] = ()
) -> tuple[dict[str, Any] | None, Sequence[Fault]]:
    """The record on a line and the line's faults; no record where one of them is an error.

    `allowed` is what `judge` takes. Images are sought from `folder` on; the record then has pictures in the place of their names.
    """
    if line.data is None:
        return None, [Fault("line-too-long", None, {"limit": LIMIT})]
    if not line.data.strip():
        return None, [Fault("blank-line")]
    record = parse(line.data)
    if isinstance(record, Fault):
        return None, [record]
    faults = judge(record, agents=agents, allowed=allowed)
    if any(level(fault) == "error" for fault in faults):
        return None, faults
    if names := record.get("images"):
        record["images"], wrong = images.find(names, folder)
        if wrong:
            return None, [*faults, *wrong][:MOST]
    return record, faults


@dataclass(slots=True)
class _Seen:
    """What is remembered of each sample so that lines can be compared at the end."""

    places: "array[int]" = field(default_factory=lambda: array("q"))
    contents: "array[int]" = field(default_factory=lambda: array("q"))
    agents: "array[int]" = field(default_factory=lambda: array("B"))
    ids: "array[int]" = field(default_factory=lambda: array("q"))
    """Hash of each id, and in `id_rows` the row it belongs to."""
    id_rows: "array[int]" = field(default_factory=lambda: array("q"))
    asked: "array[int]" = field(default_factory=lambda: array("q"))
    """Hash of each question about images, and in `asked_rows` the row it belongs to."""
    asked_rows: "array[int]" = field(default_factory=lambda: array("q"))
    chunks: list[Sketches] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    characters: int = 0

    def add(self, place: int, record: dict[str, Any], agent: int) -> None:
        """Remember a sample without errors."""
        turns = tuple((turn["role"], turn["content"]) for turn in record.get("messages", ()))
        question = (record["instruction"], record.get("input", ""))
        seen = tuple(image.sha256 for image in record.get("images", ()))
        if seen:
            self.asked.append(hash((record["agent_type"], turns, question, seen)))
            self.asked_rows.append(len(self.places))
        content = (*question, record["output"])
        if record.get("id"):
            self.ids.append(hash(record["id"]))
            self.id_rows.append(len(self.places))
        self.places.append(place)
        # Python's own hash: 64 bits, keyed anew in each process, and nothing outlives this one.
        self.contents.append(hash((record["agent_type"], turns, content, seen)))
        self.agents.append(agent)
        if len(self.places) <= SOUGHT:
            # Answers about different images are often alike: they are no copies.
            said = () if seen else (*(text for _, text in turns), *content)
            self._sketch("\n".join(said))

    def _sketch(self, text: str) -> None:
        """Put a text with those that wait for being sketched together."""
        self.waiting.append(text)
        self.characters += len(text)
        if len(self.waiting) == _BATCH_LINES or self.characters > _BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Sketch what waits."""
        self.chunks.append(sketches(self.waiting))
        self.waiting.clear()
        self.characters = 0


class _Stream:
    """One pass over the files, and what it needs to remember."""

    def __init__(
        self, files: Sequence[Path], agents: Collection[str], allowed: Collection[str]
    ) -> None:
        self.files = [name_of(file) for file in files]
        self.paths = files
        self.agents = {agent: number for number, agent in enumerate(agents)}
        self.allowed = allowed
        self.starts: list[int] = []
        """The number of lines before each file."""
        self.lines = 0
        self.seen = _Seen()

    def faults(self) -> Iterator[_Placed]:
        """Every fault, line by line and then between lines."""
        for path in self.paths:
            self.starts.append(self.lines)
            yield from self._file(path)
        yield from self._between()

    def explained(self, place: int, fault: Fault) -> Finding:
        """A fault with its words and its place."""
        file, line = self.name(place)
        values = dict(fault.values)
        if "other_place" in values:
            other, number = self.name(values.pop("other_place"))
            values["other"] = f"{other}:{number}"
        return explain(Fault(fault.code, fault.field, values), file=file, line=line)

    def order(self, place: int) -> tuple[int, int]:
        """Number of the file and 1-based line of a place; line 0 is a file as a whole."""
        if place < 0:
            return -place - 1, 0
        file = bisect_right(self.starts, place) - 1
        return file, place - self.starts[file] + 1

    def name(self, place: int) -> tuple[str, int]:
        """Name of the file and line of a place."""
        file, line = self.order(place)
        return self.files[file], line

    def _file(self, path: Path) -> Iterator[_Placed]:
        """The faults of one file's lines."""
        start, crlf = self.lines, False
        for line in read_lines(path):
            place, self.lines = self.lines, self.lines + 1
            if line.bom:
                yield place, Fault("bom")
            if line.crlf and not crlf:
                crlf = True
                yield place, Fault("crlf")
            record, faults = examine(
                line, agents=self.agents, folder=path.parent, allowed=self.allowed
            )
            for fault in faults:
                yield place, fault
            if record is not None:
                self.seen.add(place, record, self.agents[record["agent_type"]] % 256)
        if self.lines == start:
            yield -len(self.starts), Fault("empty-file")

    def _between(self) -> Iterator[_Placed]:
        """Faults that show only when lines are compared."""
        seen = self.seen
        seen.flush()
        places = np.array(seen.places, dtype=np.int64)
        same = _repeats(np.array(seen.contents, dtype=np.int64))
        for row, first in same.items():
            yield int(places[row]), _other("duplicate-line", None, places[first])
        yield from _shared(seen.ids, seen.id_rows, ("duplicate-id", "id"), same, places)
        twice = ("other-answer", "output")
        yield from _shared(seen.asked, seen.asked_rows, twice, same, places)
        groups = np.array(seen.agents[:SOUGHT], dtype=np.uint8)
        for row, (earlier, percent) in near_rows(seen.chunks, groups).items():
            if row not in same:
                yield (
                    int(places[row]),
                    _other("near-duplicate", None, places[earlier], percent=percent),
                )
        if len(places) > SOUGHT:
            yield int(places[SOUGHT]), Fault("near-duplicates-unsought", None, {"limit": SOUGHT})


def _repeats(values: NDArray[np.int64]) -> dict[int, int]:
    """Index of each repeated value -> index where the value stood first."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    same = np.concatenate([[False], ranked[1:] == ranked[:-1]])[: len(values)]
    starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(values))))
    return dict(zip(order[same].tolist(), order[starts[same]].tolist(), strict=True))


def _other(code: str, name: str | None, place: np.int64, **values: object) -> Fault:
    """A fault that points at another line."""
    return Fault(code, name, {"other_place": int(place), **values})


def _shared(
    marks: "array[int]",
    rows: "array[int]",
    fault: tuple[str, str],
    same: dict[int, int],
    places: NDArray[np.int64],
) -> Iterator[_Placed]:
    """Marks that different samples share; a line that merely repeats a sample is no such."""
    for later, first in _repeats(np.array(marks, dtype=np.int64)).items():
        row, other = rows[later], rows[first]
        if same.get(row, row) != same.get(other, other):
            yield int(places[row]), _other(*fault, places[other])
