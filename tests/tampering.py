"""What tests of the ledger share: a filled one, and ways to change it behind its back."""

from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from yukjo.ledger.faults import Fault
from yukjo.ledger.store import Ledger

TRIGGERS = ("entries_no_update", "entries_no_delete", "entries_no_replace")


def filled(place: Path | str, count: int = 4) -> None:
    with Ledger(place) as ledger:
        for number in range(1, count + 1):
            ledger.append("run", f"run-{number}", {"text": "육조", "number": number, "rate": 0.5})


def execute(place: Path | str, *statements: str) -> None:
    """Run SQL as the owner of the database, outside of any transaction of ours."""
    url = place if isinstance(place, str) else URL.create("sqlite", database=str(place))
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def unguarded(place: Path | str) -> None:
    """Take the triggers away, as somebody with the file or the database's owner can."""
    if isinstance(place, Path):
        execute(place, *(f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS))
    else:
        execute(place, "ALTER TABLE entries DISABLE TRIGGER ALL")


def tampered(place: Path | str, *statements: str) -> list[Fault]:
    """What `verify` finds after `statements`."""
    unguarded(place)
    execute(place, *statements)
    with Ledger(place) as ledger:
        return ledger.verify()
