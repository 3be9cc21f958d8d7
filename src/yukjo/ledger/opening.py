"""Open a project's ledger as its `[ledger]` settings say: where it is, and who signs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from yukjo.config import YukjoConfig
from yukjo.errors import ConfigError, LedgerError
from yukjo.ledger import checkpoints, keys
from yukjo.ledger.checkpoints import Head
from yukjo.ledger.store import Ledger
from yukjo.words import say

PASSWORD = "YUKJO_LEDGER_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable that holds the database's password."""


def ledger_file(runs_place: Path) -> Path:
    """The ledger's file of a project that names no database."""
    return runs_place / "ledger.sqlite"


def open_ledger(project: Path, config: YukjoConfig) -> Ledger:
    """The ledger of a project; where a key is set, every new entry is followed by a checkpoint.

    ConfigError where the address holds a password, LedgerError where the key can't be read: both
    before anything else is done.
    """
    place = _place(project, config)
    if config.ledger.key is None:
        return Ledger(place)
    key = keys.read_private(project / config.ledger.key.expanduser())
    folder = project / config.ledger.checkpoints

    def witness(head: Head) -> None:
        point = checkpoints.sign(head, key)
        checkpoints.write(point, folder / checkpoints.name_of(point))

    return Ledger(place, witness=witness)


def existing(project: Path, config: YukjoConfig) -> Ledger:
    """The same for a reader, who needs no key and must not make a ledger's file."""
    place = _place(project, config)
    if isinstance(place, Path) and not place.exists():
        raise LedgerError(
            say("there is no ledger yet"), where=str(place), fix=say("start `yukjo run`")
        )
    return Ledger(place)


@contextmanager
def if_any(project: Path, config: YukjoConfig) -> Iterator[Ledger | None]:
    """The same for a reader who can do without: None where there is no ledger yet."""
    place = _place(project, config)
    if isinstance(place, Path) and not place.exists():
        yield None
        return
    with Ledger(place) as ledger:
        yield ledger


def continued(project: Path, config: YukjoConfig) -> Ledger:
    """The same for who adds to a ledger that must be there: its key is needed, where one is set."""
    existing(project, config).close()
    return open_ledger(project, config)


def _place(project: Path, config: YukjoConfig) -> Path | URL:
    """The database's address with its password, which the project file must not hold; or a file."""
    if config.ledger.url is None:
        return ledger_file(project / config.project.runs)
    try:
        url = make_url(config.ledger.url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            say("the ledger's address can't be read"),
            where="yukjo.toml [ledger] url",
            fix="postgresql+pg8000://user@host:5432/yukjo",
        ) from None
    if url.password is not None or "password" in url.query:
        raise ConfigError(
            say("a password stands in the ledger's address; runs record their settings"),
            where="yukjo.toml [ledger] url",
            fix=say("take it out, and put it into the environment variable {name}", name=PASSWORD),
        )
    return url.set(password=os.environ.get(PASSWORD))
