"""How entries hang together, and how a break is found: pure functions over rows.

1. An entry's hash covers every other field, the hash of the entry before among them; the first
   entry's `previous` is "".
2. Numbers run 1, 2, 3, ... without a gap.
3. A body is stored as canonical JSON, so that one value has one text and one hash.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from yukjo.errors import LedgerError
from yukjo.files import canonical_json, hash_json
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
class Fault:
    """A place where the chain is broken."""

    number: int
    """Of the entry at fault."""
    what: str


def link(previous: Entry | Stored | None, kind: str, run: str, *, created: str,
         body: dict[str, Any]) -> Entry:  # fmt: skip
    """The entry that follows `previous`; `body` as it will be read back.

    >>> first = link(None, "note", "r1", created="2026-01-02T03:04:05Z", body={})
    >>> first.number, first.previous, link(first, "note", "r1", created="", body={}).number
    (1, '', 2)
    """
    fields = {
        "number": previous.number + 1 if previous else 1,
        "kind": kind,
        "run": run,
        "created": created,
        "body": json.loads(canonical_json(body)),
        "previous": previous.hash if previous else "",
    }
    return Entry.model_validate(fields | {"hash": hash_json(fields)})


def stored(entry: Entry) -> dict[str, object]:
    """The row of an entry."""
    return entry.model_dump() | {"body": canonical_json(entry.body)}


def opened(row: Stored) -> Entry:
    """The entry of a row; LedgerError where the row can't have been written by `stored`."""
    body = _body(row)
    if body is None:
        raise LedgerError(
            say("entry {number} was changed: it can't be read any more", number=row.number),
            where=say("entry {number}", number=row.number),
            fix=say("run `yukjo ledger verify`, then restore the ledger from a copy"),
        )
    return Entry(number=row.number, kind=row.kind, run=row.run, created=row.created, body=body,
                 previous=row.previous, hash=row.hash)  # fmt: skip


def faults(rows: Iterable[Stored]) -> Iterator[Fault]:
    """Every break in `rows`, which come by number; one change gives one or two."""
    number, head = 0, ""
    for row in rows:
        if row.number != number + 1:
            yield Fault(row.number, say("entry {number} should stand before it, and is missing",
                                        number=number + 1))  # fmt: skip
        if row.previous != head:
            yield Fault(row.number, say("does not follow from the entry before it"))
        if not _intact(row):
            yield Fault(row.number, say("was changed after it was written"))
        number, head = row.number, row.hash


def _intact(row: Stored) -> bool:
    """Whether the hash of a row is that of its fields."""
    body = _body(row)
    if body is None:
        return False
    fields = {"number": row.number, "kind": row.kind, "run": row.run, "created": row.created,
              "body": body, "previous": row.previous}  # fmt: skip
    return hash_json(fields) == row.hash


def _body(row: Stored) -> dict[str, Any] | None:
    """The body of a row, None unless it is the canonical text of a JSON object."""
    try:
        for text in (row.kind, row.run, row.created, row.body, row.previous, row.hash):
            text.encode()  # bytes that are no UTF-8 arrive as lone surrogates, and fail here
        body = json.loads(row.body)
        canonical = canonical_json(body) == row.body
    except (ValueError, RecursionError, AttributeError):  # or as a type that is no text
        return None
    return body if canonical and isinstance(body, dict) else None
