"""Bring a database to the schema this version writes, or refuse it by name.

1. A database at `HEAD` is left alone, and Alembic isn't even imported.
2. An empty database gets every step; an older one the steps it lacks; the caller's transaction
   makes that whole or not at all.
3. A database with a revision this version doesn't know, or with tables of somebody else's,
   is refused and not touched.
"""

from importlib import resources

from sqlalchemy import Connection, inspect, text

from yukjo.errors import LedgerError
from yukjo.words import say

HEAD = "0001"
"""The newest revision under `migrations/versions`; a test holds the two together."""


def bring_up(connection: Connection, *, where: str) -> None:
    """Run the missing steps inside the transaction `connection` is in."""
    revision = current(connection, where=where)
    if revision == HEAD:
        return
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    with resources.as_file(resources.files("yukjo.ledger") / "migrations") as folder:
        scripts = ScriptDirectory(str(folder))
        if revision not in {None, *(step.revision for step in scripts.walk_revisions())}:
            raise _newer(revision, where)
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            missing = list(scripts.iterate_revisions("head", revision or "base"))
            for step in reversed(missing):
                step.module.upgrade()
                context.stamp(scripts, step.revision)


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
