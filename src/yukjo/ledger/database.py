"""Open the ledger's database with the settings its promises rest on; explain its refusals.

1. A writer takes the write lock before it reads: on SQLite by `BEGIN IMMEDIATE`, for which it
   waits `BUSY_SECONDS`, on PostgreSQL by an advisory lock. Both let go of a killed one's.
2. SQLite: write-ahead log, every commit synced to disk.
3. A fault of the database reaches people as LedgerError; a password in its address never does.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from yukjo.errors import LedgerError
from yukjo.words import say

BUSY_SECONDS = 30
"""How long a writer waits for its turn."""

_WAL_TRIES = 50
_LOCK = int.from_bytes(b"yukjo")


def open_engine(place: Path | str | URL) -> tuple[Engine, str]:
    """An engine for a file or an SQLAlchemy URL, and the place's name for people."""
    if isinstance(place, URL) or (isinstance(place, str) and "://" in place):
        return _engine_at(place)
    path = Path(place)
    with explained(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
    return _prepared(create_engine(URL.create("sqlite", database=str(path)))), str(path)


class DamagedError(LedgerError):
    """The file is no ledger any more, or never was one."""


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what the database or the file system refuses into a LedgerError."""
    try:
        yield
    except UnicodeDecodeError:  # SQLite quotes what it can't read, in bytes that are no UTF-8
        raise _explanation("malformed", where) from None
    except (SQLAlchemyError, OSError) as fault:
        raise _explanation(reason_of(fault), where) from None


def reason_of(fault: Exception) -> str:
    """What the database said, without its wrappings: pg8000 has it among other fields."""
    inner = getattr(fault, "orig", None) or fault
    said = inner.args[0] if inner.args else ""
    return str(said.get("M", said) if isinstance(said, dict) else inner)


def writing(engine: Engine) -> Engine:
    """The same engine, its transactions beginning with the write lock."""
    return engine.execution_options(yukjo_writing=True)


def _engine_at(address: str | URL) -> tuple[Engine, str]:
    """An engine for an SQLAlchemy URL."""
    try:
        url = make_url(address)
        # Without any password pg8000 trips over itself; an empty one the server refuses properly.
        bare = url.get_driver_name() == "pg8000" and not url.password
        engine = create_engine(url, connect_args={"password": ""} if bare else {})
        return _prepared(engine), url.render_as_string(hide_password=True)
    except (SQLAlchemyError, ValueError, ImportError) as fault:
        raise LedgerError(
            say("the ledger's address can't be used: {reason}", reason=fault),
            where=str(address).partition("://")[0] + "://…",
            fix=say("give a file, or an SQLAlchemy URL whose driver is installed, "
                    "as postgresql+pg8000://host/database"),
        ) from None  # fmt: skip


def _prepared(engine: Engine) -> Engine:
    """Hang a database's settings and its way to begin on an engine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _settle)
        event.listen(engine, "begin", _begin)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "begin", _queue)
    return engine


def _settle(connection: sqlite3.Connection, _record: object) -> None:
    """Settings of a fresh SQLite connection."""
    connection.isolation_level = None  # the driver begins nothing by itself
    # Bytes that are no UTF-8 must reach `verify`, not stop it.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    _log_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; the switch itself doesn't honour the busy timeout."""
    for left in reversed(range(_WAL_TRIES)):
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as fault:
            if left == 0 or "locked" not in str(fault):
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    """Begin a transaction, with the write lock where the engine is `writing`."""
    options = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("yukjo_writing") else "BEGIN")


def _queue(connection: Connection) -> None:
    """Wait for the write lock of the ledger in this database, where the engine is `writing`."""
    if connection.get_execution_options().get("yukjo_writing"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})").close()


def _explanation(reason: str, where: str) -> LedgerError:
    """What a refusal means, and what to do about it."""
    for mark, explain in _REFUSALS.items():
        if mark in reason:
            return explain(reason, where)
    return LedgerError(
        say("the ledger's database refused: {reason}", reason=reason),
        where=where,
        fix=say("check the file or the database server, its address and its rights"),
    )


def _no_database(_reason: str, where: str) -> LedgerError:
    return DamagedError(
        say("this file is not a ledger"),
        where=where,
        fix=say("name the ledger file of a project, or a new file"),
    )


def _malformed(_reason: str, where: str) -> LedgerError:
    return DamagedError(
        say("the ledger's file is damaged"), where=where, fix=say("restore the ledger from a copy")
    )


def _locked(_reason: str, where: str) -> LedgerError:
    return LedgerError(
        say("another command has been writing to the ledger for {seconds} s", seconds=BUSY_SECONDS),
        where=where,
        fix=say("let it finish, then try again"),
    )


def _no_room(reason: str, where: str) -> LedgerError:
    return LedgerError(
        say("the ledger can't be written: {reason}", reason=reason),
        where=where,
        fix=say("free some room, then do it again; what was recorded before stands"),
    )


def _shut(reason: str, where: str) -> LedgerError:
    return LedgerError(
        say("the ledger can't be opened for writing: {reason}", reason=reason),
        where=where,
        fix=say("make its folder writable, or copy the ledger to one that is"),
    )


_REFUSALS: dict[str, Callable[[str, str], LedgerError]] = {
    "not a database": _no_database,
    "malformed": _malformed,
    "locked": _locked,
    "is full": _no_room,
    "I/O error": _no_room,
    "No space left": _no_room,
    "readonly": _shut,
    "unable to open": _shut,
    "Permission denied": _shut,
    "Read-only": _shut,
}
"""A part of the database's or the system's own words -> what it means."""
