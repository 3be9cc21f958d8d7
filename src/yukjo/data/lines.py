"""A file as lines of bytes, however large the file and however long a line.

1. At most `LIMIT` bytes of a line are ever held; a longer line is passed over and said so.
2. A line ends at a line feed and nowhere else; its ending is no part of it.
3. A byte order mark at the start of the file is no part of the first line.
4. A file of drafts is refused by name: what it holds is no sample yet.
5. A line belongs to the part of a file in which its first byte stands: parts that cover a file
   have each of its lines once.
"""

import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from yukjo.errors import DataError
from yukjo.words import say

LIMIT = 1 << 20
"""Bytes of the longest line that is looked at: 1 MiB, some 350,000 Korean characters."""

DRAFTS = ".drafts.jsonl"
"""How the name of a file of drafts ends."""

_BOM = b"\xef\xbb\xbf"
_DRAFT = re.compile(rb'\s*\{\s*"draft"\s*:')


class Part(NamedTuple):
    """Bytes of a file from `start` up to `end`, to its end where that is None."""

    file: Path
    start: int = 0
    end: int | None = None


class Line(NamedTuple):
    """One line of a file; `data` is None where the line is longer than `LIMIT`."""

    number: int
    """1-based; in a part of a file, from the part's first line on."""
    data: bytes | None
    bom: bool = False
    """Whether a byte order mark stood before it."""
    crlf: bool = False
    """Whether it ended in carriage return and line feed."""


def read_lines(path: Path, *, drafts: bool = False) -> Iterator[Line]:
    """The lines of `path`; DataError where it can't be opened or read, or holds drafts.

    With `drafts` a file of drafts is read as well.
    """
    return read_part(Part(path), drafts=drafts)


def read_part(part: Part, *, drafts: bool = False) -> Iterator[Line]:
    """The lines that begin in a part of a file; DataError as `read_lines` raises it."""
    try:
        with part.file.open("rb") as file:
            for line in _lines(file, part) if _at_a_line(file, part) else ():
                if line.number == 1 and part.start == 0 and not drafts:
                    refuse_drafts(part.file, line.data or b"")
                yield line
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the name
        raise DataError(
            say("the file can't be read: {why}", why=_why(fault)),
            where=name_of(part.file),
            fix=say("name a readable JSONL file"),
        ) from None


def parts_of(path: Path, size: int) -> list[Part]:
    """A file in parts of `size` bytes; whole where it is no regular file, as a pipe is none."""
    try:
        whole = path.stat()
    except (OSError, ValueError):
        return [Part(path)]
    if not stat.S_ISREG(whole.st_mode):
        return [Part(path)]
    return [Part(path, at, at + size) for at in range(0, max(whole.st_size, 1), size)]


def refuse_drafts(path: Path, first: bytes) -> None:
    """DataError where the name of a file or its first line says that it holds drafts."""
    if path.name.lower().endswith(DRAFTS) or _DRAFT.match(first):
        raise DataError(
            say("the file holds drafts, which are no samples yet"),
            where=name_of(path),
            fix=say("write their questions and answers, then: yukjo data finish {file} --out FILE",
                    file=name_of(path)),
        )  # fmt: skip


def name_of(path: Path) -> str:
    """The path as text that can always be printed, whatever bytes its name holds."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _why(fault: OSError | ValueError) -> str:
    """The system's reason, without the file's name."""
    return (fault.strerror if isinstance(fault, OSError) else None) or str(fault)


def _at_a_line(file: BinaryIO, part: Part) -> bool:
    """Go to the first line that begins in the part; False where none does."""
    if part.start == 0:
        return True
    file.seek(part.start - 1)
    # The rest of a line that began before; not beyond the part, however long that line is.
    left = (part.end or sys.maxsize) - part.start + 1
    while left > 0 and (data := file.readline(min(left, LIMIT))):
        if data.endswith(b"\n"):
            return True
        left -= len(data)
    return False


def _lines(file: BinaryIO, part: Part) -> Iterator[Line]:
    """The lines of an open file that begin before the end of the part."""
    number, at = 0, file.tell() if part.start else 0
    end = sys.maxsize if part.end is None else part.end
    while at < end and (data := file.readline(LIMIT + 2)):
        number += 1
        at += len(data)
        bom = number == 1 and part.start == 0 and data.startswith(_BOM)
        whole = data.endswith(b"\n")
        if not whole and len(data) > LIMIT:
            at += _pass_over(file)
        crlf = data.endswith(b"\r\n")
        text = data[len(_BOM) * bom : len(data) - whole - crlf]
        yield Line(number, text if len(text) <= LIMIT else None, bom=bom, crlf=crlf)


def _pass_over(file: BinaryIO) -> int:
    """Read on to the end of the line without holding it; how many bytes that were."""
    passed = 0
    while data := file.readline(LIMIT):
        passed += len(data)
        if data.endswith(b"\n"):
            break
    return passed
