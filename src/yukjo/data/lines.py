"""A file as lines of bytes, however large the file and however long a line.

1. At most `LIMIT` bytes of a line are ever held; a longer line is passed over and said so.
2. A line ends at a line feed and nowhere else; its ending is no part of it.
3. A byte order mark at the start of the file is no part of the first line.
4. A file of drafts is refused by name: what it holds is no sample yet.
"""

import re
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


class Line(NamedTuple):
    """One line of a file; `data` is None where the line is longer than `LIMIT`."""

    number: int
    """1-based."""
    data: bytes | None
    bom: bool = False
    """Whether a byte order mark stood before it."""
    crlf: bool = False
    """Whether it ended in carriage return and line feed."""


def read_lines(path: Path, *, drafts: bool = False) -> Iterator[Line]:
    """The lines of `path`; DataError where it can't be opened or read, or holds drafts.

    With `drafts` a file of drafts is read as well.
    """
    try:
        with path.open("rb") as file:
            for line in _lines(file):
                if line.number == 1 and not drafts:
                    refuse_drafts(path, line.data or b"")
                yield line
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the name
        raise DataError(
            say("the file can't be read: {why}", why=_why(fault)),
            where=name_of(path),
            fix=say("name a readable JSONL file"),
        ) from None


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


def _lines(file: BinaryIO) -> Iterator[Line]:
    """The lines of an open file."""
    number = 0
    while data := file.readline(LIMIT + 2):
        number += 1
        bom = number == 1 and data.startswith(_BOM)
        whole = data.endswith(b"\n")
        if not whole and len(data) > LIMIT:
            _pass_over(file)
        crlf = data.endswith(b"\r\n")
        text = data[len(_BOM) * bom : len(data) - whole - crlf]
        yield Line(number, text if len(text) <= LIMIT else None, bom=bom, crlf=crlf)


def _pass_over(file: BinaryIO) -> None:
    """Read on to the end of the line without holding it."""
    while (data := file.readline(LIMIT)) and not data.endswith(b"\n"):
        pass
