"""A file as lines of bytes, however large the file and however long a line.

1. At most `LIMIT` bytes of a line are ever held; a longer line is passed over and said so.
2. A line ends at a line feed and nowhere else; its ending is no part of it.
3. A byte order mark at the start of the file is no part of the first line.
4. A line belongs to the part of a file in which its first byte stands: parts that cover a file
   have each of its lines once.
"""

import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from yukjo.errors import DataError
from yukjo.words import say

LIMIT = 1 << 20
"""Bytes of the longest line that is looked at: 1 MiB, some 350,000 Korean characters."""

_BOM = b"\xef\xbb\xbf"


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


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of `path`; DataError where it can't be opened or read."""
    return read_part(Part(path))


def read_part(part: Part) -> Iterator[Line]:
    """The lines that begin in a part of a file; DataError where it can't be opened or read."""
    try:
        with part.file.open("rb") as file:
            if _at_a_line(file, part):
                yield from _lines(file, part)
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
