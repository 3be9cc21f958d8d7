"""The cells of a table file: CSV or TSV (UTF-8 or CP949), or every sheet of an XLSX.

`sheets` runs in a process of its own (`sandbox`), for openpyxl and hostile files don't mix.

1. Size is judged before a parser opens the file, and rows and columns while it is read.
2. Cells are values: a formula is never computed, its last saved value counts, else it is empty.
3. No cell is cut. Text is NFC without invisible characters; a row in which that changed anything
   says so.
4. A row is known by its number in the sheet, 1-based, empty ones counted.
"""

import csv
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from yukjo.korean.text import visible
from yukjo.reading.documents import decoded, refused, weigh, weigh_zip
from yukjo.words import say

TABLES = (".csv", ".tsv", ".xlsx")

LARGEST_MB = 100
MOST_CHARACTERS = 50_000_000
"""Of a CSV's text, and of all cells of a workbook together."""
INFLATED_MB = 300
"""Of all members of a workbook together."""
MOST_ROWS = 200_000
MOST_COLUMNS = 100
LONGEST_CELL = 1 << 20

_SHEET_ROWS = 1 << 20
"""Rows that a sheet of XLSX can have."""
_LOOKED_AT = 20
"""Rows by which the delimiter is chosen."""
_RETURN = re.compile(r"_x000[dD]_\n?")
"""How Excel writes a carriage return into XML."""


class Cells(NamedTuple):
    """A row that holds something."""

    number: int
    cells: list[str]
    mended: bool
    """Whether characters were changed or taken out."""


class Sheet(NamedTuple):
    """A sheet; the name of a CSV's is ""."""

    name: str
    rows: list[Cells]


def sheets_json(path: Path) -> str:
    """For the sandbox: `sheets` as JSON."""
    return json.dumps(sheets(path), ensure_ascii=False)


def sheets_of(text: str) -> list[Sheet]:
    """What `sheets_json` wrote."""
    return [Sheet(name, [Cells(*row) for row in rows]) for name, rows in json.loads(text)]


def sheets(path: Path) -> list[Sheet]:
    """The sheets of a file that hold something; DataError where it can't be read."""
    weigh(path, most_mb=LARGEST_MB)
    is_book = path.suffix.lower() == ".xlsx"
    found = _workbook(path) if is_book else [Sheet("", _bounded(_csv(path), path))]
    return [sheet for sheet in found if sheet.rows]


def _csv(path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    text = decoded(path, most=MOST_CHARACTERS)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as fault:
        raise refused(path, say("it is damaged ({fault})", fault=fault)) from None


def _delimiter(text: str) -> str:
    r"""The delimiter by which most of the first rows have the same number of columns.

    >>> _delimiter("질문;답변\n몇 시, 어디서;9시, 청사\n"), _delimiter("질문,답변\n가,나\n")
    (';', ',')
    """

    def fit(delimiter: str) -> tuple[int, int]:
        try:
            rows = islice(
                csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _LOOKED_AT
            )
            widths = Counter(len(row) for row in rows if len(row) > 1)
        except csv.Error:
            return 0, 0
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    return max(",\t;|", key=fit)


@contextmanager
def workbook(path: Path, *, inflated_mb: int) -> Iterator[Any]:
    """An XLSX open for its values; DataError where it is damaged, or proves to be in the block."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    weigh_zip(path, most_mb=inflated_mb)
    try:
        yield openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        ArithmeticError,
        AttributeError,
        LookupError,
        NotImplementedError,  # of zipfile: a compression, or a version, that it doesn't know
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
        zlib.error,
    ) as fault:
        # openpyxl has no error of its own for a damaged workbook; this is what its parsers raise.
        raise refused(path, say("it is damaged ({fault})", fault=type(fault).__name__)) from None


def said(value: object) -> str:
    """A cell of a sheet as text."""
    if value is None:
        return ""
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.15g}" if isinstance(value, float) else _RETURN.sub("\n", str(value))


def _workbook(path: Path) -> list[Sheet]:
    """Every sheet."""
    with workbook(path, inflated_mb=INFLATED_MB) as book:
        return [Sheet(str(sheet.title), _bounded(_rows(sheet), path)) for sheet in book.worksheets]


def _rows(sheet: Any) -> Iterator[list[str]]:  # noqa: ANN401 - openpyxl has no types
    """The cells of a sheet, which may claim a million columns that nobody filled."""
    for row in sheet.iter_rows(max_row=_SHEET_ROWS, max_col=MOST_COLUMNS + 1, values_only=True):
        # Millions of empty rows may stand before a far one: they are passed over quickly.
        yield [] if row.count(None) == len(row) else [said(value) for value in row]


def _bounded(rows: Iterable[list[str]], path: Path) -> list[Cells]:
    """Rows that hold something; DataError where there are too many or too wide."""
    found: list[Cells] = []
    characters = 0
    for number, row in enumerate(rows, 1):
        while row and not row[-1]:
            row.pop()
        if not row:
            continue
        cells = [visible(cell).strip() for cell in row]
        if not any(cells):
            continue
        characters += sum(map(len, cells))
        if len(cells) > MOST_COLUMNS:
            raise refused(path, say("it has more than {most} columns", most=MOST_COLUMNS))
        if characters > MOST_CHARACTERS:
            raise refused(path, say("it holds more than {most:,} characters", most=MOST_CHARACTERS))
        found.append(Cells(number, cells, any(map(_differs, row, cells))))
        if len(found) > MOST_ROWS:
            raise refused(path, say("it has more than {most:,} rows", most=MOST_ROWS))
    return found


def _differs(before: str, after: str) -> bool:
    """Whether more than line ends and outer spaces changed."""
    plain = before.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()
    return plain != after
