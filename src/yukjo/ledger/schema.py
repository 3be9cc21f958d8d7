"""Bring a database to the schema this version writes, or refuse it by name.

1. A database at `HEAD` is left alone, and Alembic isn't even imported.
2. An empty database gets every step; an older one the steps it lacks, after a copy of it was
   put beside it. The caller's transaction makes that whole or not at all.
3. A database with a revision this version doesn't know, or with tables of somebody else's,
   is refused and not touched.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from yukjo.errors import LedgerError
from yukjo.files import write_whole
from yukjo.words import say

HEAD = "0003"
"""The newest revision under `migrations/versions`; a test holds the two together."""


def bring_up(connection: Connection, *, where: str) -> dict[str, str] | None:
    """Run the missing steps inside the transaction `connection` is in.

    What was done to an older ledger, for it to be recorded: revisions and the copy's name.
    """
    revision = current(connection, where=where)
    if revision == HEAD:
        return None
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    with resources.as_file(resources.files("yukjo.ledger") / "migrations") as folder:
        scripts = ScriptDirectory(str(folder))
        if revision not in {None, *(step.revision for step in scripts.walk_revisions())}:
            raise _newer(revision, where)
        copy = _copied(connection, revision) if revision else ""
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            missing = list(scripts.iterate_revisions("head", revision or "base"))
            for step in reversed(missing):
                step.module.upgrade()
                context.stamp(scripts, step.revision)
    return {"from": revision, "to": HEAD, "copy": copy} if revision else None


def current(connection: Connection, *, where: str) -> str | None:
    """The revision a database is at; None for an empty one; LedgerError for a stranger's."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise _strange(where)
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is None and "entries" in tables:
        raise _strange(where)
    return None if revision is None else str(revision)


def _copied(connection: Connection, revision: str) -> str:
    """Copy the ledger as it is: a file beside a file, a table beside a table; its name.

    The caller holds the write lock, so nothing is added meanwhile. No older copy is overwritten.
    """
    stamp = f"{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"
    if connection.dialect.name != "sqlite":
        name = f"entries_{revision}_{stamp}"
        connection.execute(text(f"CREATE TABLE {name} AS TABLE entries"))
        return name
    file = Path(connection.engine.url.database or "")
    copy = file.with_name(f"{file.stem}-{revision}-{stamp}{file.suffix}")
    with closing(sqlite3.connect(file)) as reader:
        write_whole(copy, reader.serialize())
    return copy.name


def _newer(revision: str | None, where: str) -> LedgerError:
    """The error for a schema of the future."""
    return LedgerError(
        say("the ledger was written by a newer Yukjo (revision {revision})", revision=revision),
        where=where,
        fix=say("update Yukjo, or read the ledger with the version that wrote it"),
    )


def _strange(where: str) -> LedgerError:
    """The error for a database that belongs to something else."""
    return LedgerError(
        say("this database is not a Yukjo ledger: it holds other tables"),
        where=where,
        fix=say("name the ledger file of a project, or a new file"),
    )
