"""Look at data files line by line and say everything that is wrong with them, at any size.

1. Whatever the bytes, the outcome is a report; only a file that can't be opened is an error.
2. Memory grows by what `compare.Seen` remembers of a sample and by nothing else.
3. Every finding is counted; at most `LISTED` of a code are kept.
4. Files are read in parts, here or by several processes: the report is the same to the byte.
"""

import secrets
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from yukjo.data import images, personal
from yukjo.data.compare import SOUGHT, Placed, Seen, between
from yukjo.data.findings import RULES, Fault, Finding, Report, explain, level
from yukjo.data.judge import MOST, judge
from yukjo.data.lines import LIMIT, Line, Part, name_of, parts_of, read_part
from yukjo.data.parse import parse
from yukjo.errors import DataError
from yukjo.records import SIX
from yukjo.words import say

LISTED = 1_000
"""Findings of one code that a report lists."""

PART = 8 << 20
"""Bytes of a file that are read at a time by one process."""

Progress = Callable[[int, int], None]
"""Told how many bytes are read, and of how many."""


def check(
    files: Sequence[Path],
    *,
    agents: Collection[str] = SIX,
    contacts: Collection[str] = (),
    each: Callable[[Finding], None] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Report:
    """What is wrong with `files`; lines of an agent not in `agents` are errors.

    `contacts` are telephone numbers, e-mail addresses and `@domain`s that may stand in the texts.
    `each` is given every finding as it is made, also those the report leaves out; findings that
    compare lines (duplicates) come last there, and in their place in the report. With it all is
    done by one process; otherwise by `workers`, the outcome being the same.
    """
    asked = _Asked(tuple(agents), personal.allowed(contacts), secrets.token_bytes(16))
    whole = _Whole(files, asked, each)
    cut = [parts_of(path, PART) for path in files]
    # What isn't a regular file can be read once only, and by this process only.
    if workers > 1 and each is None and all(parts[0].end is not None for parts in cut):
        _by_many(whole, cut, workers, progress)
    else:
        _by_one(whole, cut, progress)
    return whole.report()


def examine(
    line: Line, *, agents: Collection[str], folder: Path, allowed: Collection[str] = ()
) -> tuple[dict[str, Any] | None, Sequence[Fault]]:
    """The record on a line and the line's faults; no record where one of them is an error.

    `allowed` is what `judge` takes. Images are sought from `folder` on; the record then has
    pictures in the place of their names.
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


class _Asked(NamedTuple):
    """What is asked of every line."""

    agents: tuple[str, ...]
    allowed: frozenset[str]
    """Contacts that may stand in the texts."""
    key: bytes
    """Of the hashes by which lines are compared."""


@dataclass(slots=True)
class _Scan:
    """What was found in a part of a file."""

    seen: Seen
    lines: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    """How often each code was found."""
    kept: list[Placed] = field(default_factory=list)
    """The first `LISTED` of each code; by the line in the part, 0-based."""

    def note(self, place: int, fault: Fault) -> None:
        """Count a fault; keep it if it is among the first."""
        self.codes[fault.code] += 1
        if self.codes[fault.code] <= LISTED:
            self.kept.append((place, fault))


def _scan(part: Part, asked: _Asked, *, sketch: bool = True,
          each: Callable[[int, Fault], None] | None = None) -> _Scan:  # fmt: skip
    """Look at the lines of a part."""
    scan, crlf = _Scan(Seen(asked.key)), False
    numbers = {agent: number % 256 for number, agent in enumerate(asked.agents)}
    folder = part.file.parent
    for line in read_part(part):
        place, scan.lines = scan.lines, scan.lines + 1
        record, faults = examine(line, agents=numbers, folder=folder, allowed=asked.allowed)
        if line.bom or (line.crlf and not crlf):
            faults = [*_of_file(line, crlf=crlf), *faults]
            crlf = crlf or line.crlf
        for fault in faults:
            scan.note(place, fault)
            if each is not None:
                each(place, fault)
        if record is not None:
            scan.seen.add(place, record, numbers[record["agent_type"]], sketch=sketch)
    scan.seen.flush()
    return scan


def _of_file(line: Line, *, crlf: bool) -> Iterator[Fault]:
    """What a line shows of its file: said once."""
    if line.bom:
        yield Fault("bom")
    if line.crlf and not crlf:
        yield Fault("crlf")


class _Whole:
    """What was found in all parts until now, in the order of files and lines."""

    def __init__(
        self, files: Sequence[Path], asked: _Asked, each: Callable[[Finding], None] | None
    ) -> None:
        self.files = [name_of(file) for file in files]
        self.asked = asked
        self.each = each
        self.starts: list[int] = []
        """The number of lines before each file."""
        self.scan = _Scan(Seen(asked.key))
        self._crlf = False

    def begin_file(self) -> None:
        """The next parts are of the next file."""
        self.end_file()
        self.starts.append(self.scan.lines)
        self._crlf = False

    def end_file(self) -> None:
        """No more parts of this file."""
        if self.starts and self.scan.lines == self.starts[-1]:
            self.note(-len(self.starts), Fault("empty-file"))

    def add(self, scan: _Scan) -> None:
        """Put the next part behind the others."""
        lines = self.scan.lines
        twice = self._crlf and scan.codes["crlf"] > 0
        self._crlf = self._crlf or scan.codes["crlf"] > 0
        before = self.scan.codes.copy()
        self.scan.codes += scan.codes
        if twice:
            self.scan.codes["crlf"] -= 1
        for place, fault in scan.kept:
            before[fault.code] += 1
            if before[fault.code] <= LISTED and not (twice and fault.code == "crlf"):
                self.scan.kept.append((lines + place, fault))
        self.scan.seen.extend(scan.seen, lines=lines)
        self.scan.lines += scan.lines

    def told(self) -> Callable[[int, Fault], None] | None:
        """What is to be told of each fault of the next part."""
        if self.each is None:
            return None
        lines, crlf = self.scan.lines, self._crlf

        def tell(place: int, fault: Fault) -> None:
            if self.each is not None and not (crlf and fault.code == "crlf"):
                self.each(self.explained(lines + place, fault))

        return tell

    def note(self, place: int, fault: Fault) -> None:
        """Count and tell a fault of a file or between lines."""
        self.scan.note(place, fault)
        if self.each is not None:
            self.each(self.explained(place, fault))

    def report(self) -> Report:
        """All that was found; lines are compared here."""
        self.end_file()
        for place, fault in between(self.scan.seen):
            self.note(place, fault)
        kept = sorted(self.scan.kept, key=lambda found: self.order(found[0]))
        levels: Counter[str] = Counter()
        for code, count in self.scan.codes.items():
            levels[RULES[code].level] += count
        return Report(
            lines=self.scan.lines,
            errors=levels["error"],
            warnings=levels["warning"],
            findings=tuple(self.explained(place, fault) for place, fault in kept),
            omitted=self.scan.codes.total() - len(kept),
        )

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


def _by_one(whole: _Whole, cut: Sequence[Sequence[Part]], progress: Progress | None) -> None:
    """Read all parts here."""
    total, done = _bytes(cut), 0
    for parts in cut:
        whole.begin_file()
        for part in parts:
            sketch = whole.scan.seen.sketched < SOUGHT
            whole.add(_scan(part, whole.asked, sketch=sketch, each=whole.told()))
            done += _size(part)
            if progress is not None:
                progress(min(done, total), total)


def _by_many(
    whole: _Whole, cut: Sequence[Sequence[Part]], workers: int, progress: Progress | None
) -> None:
    """Have the parts read by `workers` processes; what they found is put together in order."""
    for parts in cut:
        next(read_part(parts[0]), None)  # or a file that can't be read would be said by a worker
    total, done = _bytes(cut), 0
    every = [part for parts in cut for part in parts]
    # "spawn": a fork of a process with threads may hang.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        scans = pool.map(partial(_scan, asked=whole.asked), every)
        for parts in cut:
            whole.begin_file()
            for part in parts:
                whole.add(next(scans))
                done += _size(part)
                if progress is not None:
                    progress(min(done, total), total)
    except BrokenProcessPool:
        raise DataError(
            say("a process of the check was ended from outside"),
            where=", ".join(whole.files),
            fix=say("free some memory, or check with one process: --workers 1"),
        ) from None
    finally:
        # Nothing is left to do unless this is left by an exception, and then nothing is waited for.
        pool.shutdown(wait=done >= total, cancel_futures=True)


def _bytes(cut: Sequence[Sequence[Part]]) -> int:
    """The size of all files, as far as it is known."""
    sizes = [parts[-1].file.stat().st_size for parts in cut if parts[-1].end is not None]
    return sum(sizes)


def _size(part: Part) -> int:
    """The bytes of a part, at most."""
    return 0 if part.end is None else part.end - part.start
