"""The ledger: entries that are only ever added, each chained to the one before by hash.

1. `append` returns only when the entry is on disk; a kill at any moment loses no entry that was
   returned and never breaks the chain.
2. Writers of several processes take turns by a write lock; where a database has none, by the
   primary key, and the slower one tries again.
3. Triggers of SQLite and PostgreSQL refuse to change or remove an entry. Who owns the file or
   the database can still do so; `verify` finds it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    func,
    insert,
    select,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from yukjo.errors import LedgerError
from yukjo.ledger.chain import Stored, faults, link, opened, stored
from yukjo.ledger.checkpoints import Found, Head, against
from yukjo.ledger.database import explained, open_engine, reason_of, writing
from yukjo.ledger.faults import Fault, unreadable
from yukjo.ledger.schema import bring_up
from yukjo.records import Entry
from yukjo.words import say

LATEST = "latest"
"""Stands for the last run wherever a run is named."""

_TRIES = 100
_TEXTS = ("kind", "run", "created", "body", "previous", "hash")
_ENTRIES = Table(
    "entries",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    *(Column(name, Text, nullable=False) for name in _TEXTS),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry in a listing: all but its body, which may be long."""

    number: int
    kind: str
    run: str
    created: str
    hash: str


class Ledger:
    """An open ledger: a file (made with its folder where missing) or an SQLAlchemy URL.

    `witness` is told how far the ledger has come after each new entry.
    """

    def __init__(
        self, place: Path | str | URL, *, witness: Callable[[Head], None] | None = None
    ) -> None:
        self._witness = witness
        self._engine, self.where = open_engine(place)
        try:
            with explained(self.where), writing(self._engine).begin() as connection:
                if step := bring_up(connection, where=self.where):
                    add(connection, "migrate", "", step)
        except LedgerError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or the server."""
        self._engine.dispose()

    def append(self, kind: str, run: str, body: dict[str, Any]) -> Entry:
        """Add an entry and return it once it is on disk.

        `body` is plain JSON; LedgerError where a text in it is no Unicode, a number not finite or
        a whole number beyond 2^53.
        """
        entry = self._appended(kind, run, body)
        if self._witness is not None:
            self._witness(self.head())
        return entry

    def reply(
        self, kind: str, run: str, *, after: int, make: Callable[[list[Entry]], dict[str, Any]]
    ) -> Entry:
        """Add the body that `make` gives for the entries of `kind` with numbers above `after`.

        It all is one turn to write: nothing is added by anybody between what `make` is shown and
        the new entry. Nothing is added where it raises; it may be called again, and then is shown
        the same entries, or more.
        """
        entry = self._turn(lambda connection: add(connection, kind, run, make(
            [opened(row) for row in _run_rows(connection, _since(kind, after))]
        )))  # fmt: skip
        if self._witness is not None:
            self._witness(self.head())
        return entry

    def since(self, kind: str, after: int) -> list[Entry]:
        """The entries of `kind` with numbers above `after`, oldest first."""
        with explained(self.where):
            return [opened(row) for row in self._read(_since(kind, after))]

    def _appended(self, kind: str, run: str, body: dict[str, Any]) -> Entry:
        return self._turn(lambda connection: add(connection, kind, run, body))

    def _turn(self, work: Callable[[Connection], Entry]) -> Entry:
        """Do what is to be done in one turn to write."""
        with explained(self.where):
            for _ in range(_TRIES):
                try:
                    with writing(self._engine).begin() as connection:
                        return work(connection)
                except IntegrityError:  # another process took the number
                    continue
        raise LedgerError(
            say("the ledger found no turn to write in {tries} tries", tries=_TRIES),
            where=self.where,
            fix=say("let it finish, then try again"),
        )

    def head(self) -> Head:
        """How far the ledger has come; LedgerError where it holds nothing yet."""
        ends = (func.min(_ENTRIES.c.number), func.max(_ENTRIES.c.number))
        query = select(_ENTRIES.c.number, _ENTRIES.c.hash).where(
            _ENTRIES.c.number.in_([select(end).scalar_subquery() for end in ends])
        )
        with explained(self.where), self._engine.begin() as connection:
            rows = sorted(tuple(row) for row in connection.execute(query))
        if not rows:
            raise LedgerError(
                say("the ledger holds no entry yet"), where=self.where, fix=say("start `yukjo run`")
            )
        return Head(ledger=rows[0][1], count=rows[-1][0], hash=rows[-1][1])

    def entries(self, kind: str | None = None, run: str | None = None) -> list[Entry]:
        """All entries, oldest first, of one kind or one run where named."""
        with explained(self.where):
            return [opened(row) for row in self._read(_of(_rows(), [kind] if kind else (), run))]

    def page(
        self, *kinds: str, run: str | None = None, page: int = 1, size: int = 50
    ) -> list[Listed]:
        """The `page`th `size` entries from the newest back, of some kinds or one run if named."""
        columns = [_ENTRIES.c[name] for name in Listed.__slots__]
        numbers = _of(select(_ENTRIES.c.number), kinds, run).order_by(_ENTRIES.c.number.desc())
        if not kinds and run is None:  # numbers have no gap: nothing is skipped one by one
            last = select(func.max(_ENTRIES.c.number)).scalar_subquery()
            numbers = numbers.where(_ENTRIES.c.number <= last - (page - 1) * size).limit(size)
        else:
            numbers = numbers.limit(size).offset((page - 1) * size)
        query = select(*columns).where(_ENTRIES.c.number.in_(numbers.scalar_subquery()))
        with explained(self.where), self._engine.begin() as connection:
            rows = connection.execute(query.order_by(_ENTRIES.c.number.desc()))
            return [Listed(*row) for row in rows]

    def count(self, *kinds: str, run: str | None = None) -> int:
        """How many entries there are, of some kinds or one run where named."""
        query = _of(select(func.count()).select_from(_ENTRIES), kinds, run)
        if not kinds and run is None:
            query = select(func.max(_ENTRIES.c.number))
        with explained(self.where), self._engine.begin() as connection:
            return int(connection.execute(query).scalar() or 0)

    def kinds(self) -> dict[str, int]:
        """How many entries there are of each kind, by name."""
        query = select(_ENTRIES.c.kind, func.count()).group_by(_ENTRIES.c.kind)
        with explained(self.where), self._engine.begin() as connection:
            return {row[0]: row[1] for row in sorted(connection.execute(query))}

    def entry(self, number: int) -> Entry:
        """The entry of that number; LedgerError where there is none."""
        with explained(self.where):
            for row in self._read(_rows().where(_ENTRIES.c.number == number)):
                return opened(row)
        raise LedgerError(
            say("the ledger has no entry {number}", number=number),
            where=self.where,
            fix=say("see `yukjo ledger list`"),
        )

    def newest(self, *kinds: str, run: str | None = None) -> Entry | None:
        """The newest entry of one of these kinds, of one run where named."""
        query = _of(select(func.max(_ENTRIES.c.number)), (), run)
        with explained(self.where), self._engine.begin() as connection:
            numbers = [connection.execute(query.where(_ENTRIES.c.kind == kind)).scalar()
                       for kind in kinds]  # fmt: skip
        found = [number for number in numbers if number is not None]
        return self.entry(max(found)) if found else None

    def run_entry(self, run: str) -> Entry:
        """The newest entry of a run, named by its id, a prefix only it has, or `latest`."""
        numbers = self._runs()
        name = self._named(run, list(numbers))
        with explained(self.where):
            query = _rows().where(_ENTRIES.c.number == numbers[name])
            return next(opened(row) for row in self._read(query))

    def verify(self, signed: Sequence[Found] = ()) -> list[Fault]:
        """Every entry that was changed, removed, moved or put in between; [] for a whole chain.

        That the *end* was cut off, or written anew from some entry on with fresh hashes, only
        `signed` checkpoints can show; their signatures are not looked at here. By number.
        """
        seen: dict[int, str] = {}

        def noted(rows: Iterable[Stored]) -> Iterator[Stored]:
            for row in rows:
                seen[row.number] = row.hash
                yield row

        found: list[Fault] = []
        try:
            found.extend(faults(noted(self._read(_rows()))))
        except SQLAlchemyError as fault:
            found.append(unreadable(max(seen, default=0) + 1, reason_of(fault)))
        if not found and (damage := self._damage()):
            found.append(unreadable(1, damage))
        found.extend(against(signed, seen))
        return sorted(found, key=lambda fault: fault.number)

    def _damage(self) -> str:
        """What SQLite finds wrong with the file, as an index that leaves an entry out.

        A listing reads the indices, so an entry must not be missing there either.
        """
        if self._engine.dialect.name != "sqlite":
            return ""
        try:
            with self._engine.begin() as connection:
                said = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
        except SQLAlchemyError as fault:
            return reason_of(fault)
        return "" if said == "ok" else said

    def refuse_bent(self) -> None:
        """LedgerError where `verify` finds anything: on such a record nothing may be decided."""
        for fault in self.verify():
            raise LedgerError(
                say("entry {number}: {what}", number=fault.number, what=fault.what),
                where=self.where,
                fix=say("restore the ledger from a copy; `yukjo ledger verify` shows all of it"),
            )

    def _read(self, query: Select[Any]) -> Iterator[Stored]:
        """Rows one by one, in one snapshot."""
        with self._engine.begin() as connection:
            yield from _run_rows(connection, query)

    def _runs(self) -> dict[str, int]:
        """Run id -> number of its newest entry of kind `run`, oldest run first."""
        query = select(_ENTRIES.c.run, _ENTRIES.c.number).where(_ENTRIES.c.kind == "run")
        with explained(self.where), self._engine.begin() as connection:
            rows = sorted(connection.execute(query), key=lambda row: row.number)
        newest = {row.run: row.number for row in rows}
        return dict(sorted(newest.items(), key=lambda item: item[1]))

    def _named(self, run: str, known: list[str]) -> str:
        """The one id in `known` that `run` means."""
        if not known:
            raise LedgerError(
                say("the ledger holds no run yet"), where=self.where, fix=say("start `yukjo run`")
            )
        meant = [known[-1]] if run == LATEST else [name for name in known if name == run]
        meant = meant or [name for name in known if run and name.startswith(run)]
        if len(meant) == 1:
            return meant[0]
        near = meant or get_close_matches(run, known, n=3, cutoff=0.5) or known[-3:]
        raise LedgerError(
            say("no run is named `{run}`", run=run) if not meant
            else say("`{run}` fits {count} runs", run=run, count=len(meant)),
            where=self.where,
            fix=say("name one of these: {near}", near=", ".join(near[:5])),
        )  # fmt: skip


def _of(query: Select[Any], kinds: Sequence[str], run: str | None) -> Select[Any]:
    """`query` over the entries of some kinds and one run, where they are named."""
    if kinds:
        query = query.where(_ENTRIES.c.kind.in_(kinds))
    return query if run is None else query.where(_ENTRIES.c.run == run)


def _rows() -> Select[Any]:
    """All rows by number."""
    return select(_ENTRIES).order_by(_ENTRIES.c.number)


def _since(kind: str, after: int) -> Select[Any]:
    """Rows of one kind from a number on."""
    return _rows().where(_ENTRIES.c.kind == kind, _ENTRIES.c.number > after)


def _run_rows(connection: Connection, query: Select[Any]) -> Iterator[Stored]:
    """Rows one by one, in the transaction `connection` is in."""
    # For this statement alone: on the connection the option would hold for what is written next.
    for row in connection.execute(query, execution_options={"yield_per": 100}):
        yield Stored(*row)


def add(connection: Connection, kind: str, run: str, body: dict[str, Any]) -> Entry:
    """Add an entry after the last one, in the transaction `connection` is in."""
    row = connection.execute(_rows().order_by(None).order_by(_ENTRIES.c.number.desc()).limit(1))
    last = row.one_or_none()
    created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    try:
        entry = link(Stored(*last) if last else None, kind, run, created=created, body=body)
    except (ValueError, RecursionError) as fault:
        raise LedgerError(
            say("this can't be recorded: {reason}", reason=fault),
            where=say("run {run}", run=run),
            fix=say("look for a number that is not finite or a whole one beyond 2^53,"
                    " or a text that is not Unicode"),
        ) from None  # fmt: skip
    connection.execute(insert(_ENTRIES).values(stored(entry)))
    return entry
