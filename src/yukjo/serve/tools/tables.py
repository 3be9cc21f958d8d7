"""Read a table of the project: CSV (UTF-8 or CP949) or the first sheet of an XLSX.

`read_rows` runs in a process of its own (`reader`), for openpyxl and hostile files don't mix.

1. Size is judged before a parser opens the file, and rows and columns while it is read.
2. Cells are values. A formula is never computed: its last saved value counts, else it is empty.
3. A column is numeric if every cell that isn't empty is a number as officials write it (`1,200`,
   `12.5%`); else it is text, in NFC without invisible characters.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yukjo.errors import DataError
from yukjo.korean.text import fold, visible
from yukjo.reading.cells import said, workbook
from yukjo.reading.documents import decoded, refused, weigh
from yukjo.serve.tools.quoting import inline
from yukjo.words import say

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".csv", ".xlsx")
LARGEST_MB = 20
INFLATED_MB = 100
"""Of all members of a workbook together."""
MOST_ROWS = 100_000
MOST_COLUMNS = 100
LONGEST_CELL = 1000

_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d{1,300})?(?:\.\d+)?\s*%?")


def tables(folder: Path) -> dict[str, Path]:
    """Name -> file of every table in a folder.

    The name is the file's without its suffix; where that is taken, with suffix and folder.
    """
    root, found = folder.resolve(), dict[str, Path]()
    for path in sorted(folder.rglob("*")):
        ours = path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~$"))
        if ours and path.resolve().is_relative_to(root) and path.is_file():
            free = path.stem not in found
            found[path.stem if free else path.relative_to(folder).as_posix()] = path
    return found


def called(name: str, known: dict[str, Path]) -> Path:
    """The table called `name`, with or without its suffix; DataError names those there are."""
    for wanted in (fold(name), fold(Path(name).stem)):
        for own, path in known.items():
            if fold(own) == wanted:
                return path
    raise DataError(
        say("no table is called `{name}`", name=inline(name)),
        where="data_analysis",
        fix=say("tables: {known}", known=", ".join(map(inline, known)) or "-"),
    )


@dataclass(frozen=True)
class Table:
    """Columns under their names."""

    name: str
    frame: "pl.DataFrame"
    percent: frozenset[str]
    """Numeric columns whose figures are percentages."""

    @property
    def numeric(self) -> list[str]:
        """Names of the numeric columns."""
        return [name for name, kind in self.frame.schema.items() if kind.is_numeric()]


def table_of(name: str, rows: list[list[str]]) -> Table:
    """The table whose first row names its columns; rows as `read_rows` gives them."""
    import polars as pl

    head, *body = rows
    width = max(map(len, rows))
    names = _names([*head, *[""] * (width - len(head))])
    columns = zip(*(row + [""] * (width - len(row)) for row in body), strict=True)
    made = [_column(name, cells) for name, cells in zip(names, columns, strict=True)]
    percent = frozenset(column.name for column, is_percent in made if is_percent)
    return Table(name, pl.DataFrame([column for column, _ in made]), percent)


def read_rows(path: Path) -> list[list[str]]:
    """The cells of a file that hold something, names of the columns first; for `reader`."""
    weigh(path, most_mb=LARGEST_MB)
    return _bounded(_sheet(path) if path.suffix.lower() == ".xlsx" else _csv(path), path)


def _csv(path: Path) -> Iterator[list[str]]:
    text = decoded(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;|", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as fault:
        raise refused(path, say("it is damaged ({fault})", fault=fault)) from None


def _sheet(path: Path) -> Iterator[list[str]]:
    """The rows of the first sheet."""
    with workbook(path, inflated_mb=INFLATED_MB) as book:
        # A sheet may claim a million columns that nobody filled.
        for row in book.worksheets[0].iter_rows(max_col=MOST_COLUMNS + 1, values_only=True):
            yield [said(value) for value in row]


def _bounded(rows: Iterable[list[str]], path: Path) -> list[list[str]]:
    """Rows that hold something; DataError where there are too many, too wide, or none."""
    found: list[list[str]] = []
    for row in rows:
        cells = [visible(cell[:LONGEST_CELL]).strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise refused(path, say("it has more than {most} columns", most=MOST_COLUMNS))
        if cells:
            found.append(cells)
        if len(found) > MOST_ROWS + 1:
            raise refused(path, say("it has more than {most:,} rows", most=MOST_ROWS))
    if len(found) < 2:  # noqa: PLR2004 - names and a row
        raise refused(path, say("it has no rows below the names of its columns"))
    return found


def _names(head: list[str]) -> list[str]:
    """Names of the columns: none empty, none twice."""
    names: list[str] = []
    for place, cell in enumerate(head, 1):
        name = " ".join(cell.split()) or say("column {number}", number=place)
        while name in names:
            name += "′"
        names.append(name)
    return names


def _column(name: str, cells: tuple[str, ...]) -> "tuple[pl.Series, bool]":
    """A column, and whether its figures are percentages."""
    import polars as pl

    said = [cell for cell in cells if cell]
    if said and all(cell.strip("%-+− ") and _NUMBER.fullmatch(cell) for cell in said):
        percent = "%" in name or any(cell.endswith("%") for cell in said)
        return pl.Series(name, [_value(cell) for cell in cells], dtype=pl.Float64), percent
    return pl.Series(name, list(cells), dtype=pl.String), False


def _value(cell: str) -> float | None:
    """The number in a cell; None where it is empty."""
    digits = cell.replace(",", "").replace("−", "-").rstrip("% ")
    return float(digits) if digits else None
