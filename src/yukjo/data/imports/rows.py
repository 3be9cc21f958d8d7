"""The rows of a file: lines of JSON, elements of a JSON list, rows of sheets.

1. A row is an object or says why it is none; a file or a sheet that can't be read at all is one
   row, number 0, that says why.
2. Blank lines and empty rows are no rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yukjo.data.findings import Fault, explain
from yukjo.data.imports.chats import NotTaken
from yukjo.data.imports.columns import NEEDED, absent, mapping
from yukjo.data.lines import LIMIT, read_lines
from yukjo.data.parse import parse
from yukjo.errors import DataError
from yukjo.korean.text import shown
from yukjo.reading.cells import Cells, Sheet, sheets_json, sheets_of
from yukjo.reading.documents import refused, weigh
from yukjo.reading.sandbox import Sandbox
from yukjo.words import say

JSON = (".jsonl", ".ndjson", ".json")

LARGEST_MB = 200
"""Of a JSON list, which is held whole."""

_BEFORE = b'{"all":'
_HEADER_WITHIN = 10
"""Rows among which a table's header is looked for: titles often stand above it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file."""

    number: int
    """1-based line, element or row; 0 is the file or the sheet as a whole."""
    value: Mapping[str, Any] | NotTaken
    place: str
    """As a fragment of the file's address: RFC 7111's `row=`, `line=`, `item=`."""
    sheet: str = ""
    mended: bool = False
    """Whether characters that can't be seen were taken out of it."""


@dataclass(slots=True)
class Head:
    """The header of a sheet: which column stands for which field."""

    sheet: str
    row: int
    columns: dict[str, str] = field(default_factory=dict)
    """Field -> column."""
    unused: list[str] = field(default_factory=list)
    above: int = 0
    """Rows above the header that are no samples: titles, notes."""


def json_rows(path: Path) -> Iterator[Row]:
    """The objects of JSON lines, or of one JSON list."""
    if path.suffix.lower() == ".json":
        yield from _elements(path)
        return
    for line in read_lines(path):
        if line.data is None:
            fault = Fault("line-too-long", None, {"limit": LIMIT})
            yield _row(line.number, fault, "line")
        elif line.data.strip():
            yield _row(line.number, parse(line.data), "line")


def _elements(path: Path) -> Iterator[Row]:
    try:
        weigh(path, most_mb=LARGEST_MB)
        data = path.read_bytes()
    except OSError as fault:
        raise refused(path, str(fault.strerror)) from None
    data = data.removeprefix(b"\xef\xbb\xbf")
    found = _whole(data)
    if isinstance(found, Fault):
        # Many a tool writes JSON lines into a file of this name.
        lines = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
        if len(lines) > 1 and not isinstance(parse(lines[0][1]), Fault):
            yield from (_row(number, parse(line), "line") for number, line in lines)
            return
        raise refused(path, explain(found, file="", line=0).message)
    for number, value in enumerate(found if isinstance(found, list) else [found], 1):
        is_object = isinstance(value, dict)
        yield _row(
            number, value if is_object else Fault("not-object", None, {"kind": type(value)}), "item"
        )


def _whole(data: bytes) -> object:
    """The one JSON value of a file, or a Fault; by the rules of a line."""
    found = parse(_BEFORE + data + b"}")
    if not isinstance(found, Fault):
        return found["all"] if len(found) == 1 else Fault("not-object", None, {"kind": list})
    if "position" in found.values:
        place = max(1, found.values["position"] - len(_BEFORE))
        return Fault(found.code, found.field, {**found.values, "position": place})
    return found


def _row(number: int, value: dict[str, Any] | Fault, kind: str) -> Row:
    if isinstance(value, Fault):
        reason = NotTaken(value.code, explain(value, file="", line=number).message)
        return Row(number, reason, f"{kind}={number}")
    return Row(number, value, f"{kind}={number}")


def table_rows(
    path: Path, sandbox: Sandbox, *, named: Mapping[str, str], only: str | None = None
) -> Iterator[Head | Row]:
    """Of each sheet its header and then its rows; `only` is the sheet to read, else all."""
    sheets = sheets_of(sandbox.run(sheets_json, path))
    if only is not None:
        known = [sheet.name for sheet in sheets]
        sheets = [sheet for sheet in sheets if sheet.name == only]
        if not sheets:
            raise DataError(
                say("no sheet that holds anything is called `{name}`", name=shown(only)),
                where=str(path),
                fix=say("sheets: {known}", known=", ".join(map(shown, known)) or "-"),
            )
    if not sheets:
        raise refused(path, say("it holds no row"))
    for sheet in sheets:
        yield from _sheet_rows(sheet, named)


def _sheet_rows(sheet: Sheet, named: Mapping[str, str]) -> Iterator[Head | Row]:
    place = _header_place(sheet, named)
    head = sheet.rows[place]
    found = mapping(head.cells, named)
    if lacking := absent(found, named):
        reason = say(
            "no column for {fields} (columns: {columns}); name it with --map",
            fields=", ".join(f"`{shown(name)}`" for name in lacking),
            columns=", ".join(shown(cell, limit=20) for cell in head.cells if cell),
        )
        yield Row(0, NotTaken("no-column", reason), "", sheet.name)
        return
    yield Head(
        sheet.name,
        head.number,
        {name: head.cells[at] for name, at in found.items()},
        [cell for at, cell in enumerate(head.cells) if cell and at not in found.values()],
        place,
    )
    for row in sheet.rows[place + 1 :]:
        yield Row(row.number, _fields(row, found), _place(sheet.name, row), sheet.name, row.mended)


def _header_place(sheet: Sheet, named: Mapping[str, str]) -> int:
    """Index of the first row that can be a header, else of the first row."""
    for place, row in enumerate(sheet.rows[:_HEADER_WITHIN]):
        if not absent(mapping(row.cells, named), named):
            return place
    return 0


def _place(sheet: str, row: Cells) -> str:
    return f"sheet={sheet};row={row.number}" if sheet else f"row={row.number}"


def _fields(row: Cells, found: Mapping[str, int]) -> dict[str, str]:
    """The fields of a row; empty cells are absent, save where a sample needs them."""
    cells = {name: row.cells[at] if at < len(row.cells) else "" for name, at in found.items()}
    return {name: cell for name, cell in cells.items() if cell or name in NEEDED}
