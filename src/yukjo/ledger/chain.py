"""How entries hang together, and how a break is found: pure functions over rows.

1. An entry's hash covers every other field, the hash of the entry before among them; the first
   entry's `previous` is "".
2. Numbers run 1, 2, 3, ... without a gap.
3. A body is stored as canonical JSON (RFC 8785), so that one value has one text and one hash.
   Entries older than revision 0002 stand in the form of that time (`files.sorted_json`), over
   which their hash was taken: both forms hold all of the value, so neither hides a change.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from yukjo.errors import LedgerError
from yukjo.files import canonical_json, read_canonical, sha256_bytes, sorted_json
from yukjo.ledger.faults import Fault, changed, missing, unlinked
from yukjo.records import Entry
from yukjo.words import say


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as it stands in the database; nothing about it is trusted."""

    number: int
    kind: str
    run: str
    created: str
    body: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write JSON in which one value has one text."""

    text: Callable[[object], str]
    value: Callable[[str], Any]

    def hash(self, fields: dict[str, Any]) -> str:
        """Hex SHA-256 of an entry's fields."""
        return sha256_bytes(self.text(fields).encode())


RFC_8785 = Form(canonical_json, read_canonical)
_FORMS = (RFC_8785, Form(sorted_json, json.loads))


def link(previous: Entry | Stored | None, kind: str, run: str, *, created: str,
         body: dict[str, Any]) -> Entry:  # fmt: skip
    """The entry that follows `previous`; `body` as it will be read back.

    >>> first = link(None, "note", "r1", created="2026-01-02T03:04:05Z", body={})
    >>> first.number, first.previous, link(first, "note", "r1", created="", body={}).number
    (1, '', 2)
    """
    plain = json.loads(sorted_json(body))  # tuples and keys that are numbers become JSON's
    fields = {
        "number": previous.number + 1 if previous else 1,
        "kind": kind,
        "run": run,
        "created": created,
        "body": RFC_8785.value(RFC_8785.text(plain)),
        "previous": previous.hash if previous else "",
    }
    return Entry.model_validate(fields | {"hash": RFC_8785.hash(fields)})


def stored(entry: Entry) -> dict[str, object]:
    """The row of a new entry."""
    return entry.model_dump() | {"body": RFC_8785.text(entry.body)}


def line(entry: Entry) -> str:
    """The entry as one JSON document, in the form its hash was taken over."""
    fields = entry.model_dump(exclude={"hash"})
    old = _FORMS[1]
    form = old if old.hash(fields) == entry.hash else RFC_8785
    return form.text(fields | {"hash": entry.hash})


def opened(row: Stored) -> Entry:
    """The entry of a row; LedgerError where the row can't have been written by `stored`."""
    for _, body in _read(row):
        return Entry(number=row.number, kind=row.kind, run=row.run, created=row.created, body=body,
                     previous=row.previous, hash=row.hash)  # fmt: skip
    raise LedgerError(
        say("entry {number} was changed: it can't be read any more", number=row.number),
        where=say("entry {number}", number=row.number),
        fix=say("run `yukjo ledger verify`, then restore the ledger from a copy"),
    )


def faults(rows: Iterable[Stored]) -> Iterator[Fault]:
    """Every break in `rows`, which come by number; one change gives one or two."""
    number, head = 0, ""
    for row in rows:
        if row.number != number + 1:
            yield missing(row.number, before=number + 1)
        if row.previous != head:
            yield unlinked(row.number)
        if not _intact(row):
            yield changed(row.number)
        number, head = row.number, row.hash


def _intact(row: Stored) -> bool:
    """Whether the hash of a row is that of its fields."""
    return any(
        form.hash({"number": row.number, "kind": row.kind, "run": row.run, "created": row.created,
                   "body": body, "previous": row.previous}) == row.hash
        for form, body in _read(row)
    )  # fmt: skip


def _read(row: Stored) -> Iterator[tuple[Form, dict[str, Any]]]:
    """The body of a row by each form whose text it is; nothing unless it is a JSON object."""
    for form in _FORMS:
        try:
            for text in (row.kind, row.run, row.created, row.body, row.previous, row.hash):
                text.encode()  # bytes that are no UTF-8 arrive as lone surrogates, and fail here
            form.text(row.number)  # one beyond 2^53 has no text
            body = form.value(row.body)
            canonical = form.text(body) == row.body
        except (ValueError, RecursionError, AttributeError):  # or no text at all
            continue
        if canonical and isinstance(body, dict):
            yield form, body
