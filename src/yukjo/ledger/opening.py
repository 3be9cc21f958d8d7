"""Open a project's ledger as its `[ledger]` settings say: where it is, and who signs it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from yukjo.config import YukjoConfig
from yukjo.errors import ConfigError, LedgerError
from yukjo.ledger import checkpoints, keys
from yukjo.ledger.checkpoints import Found, Head
from yukjo.ledger.faults import Fault
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


def signed(
    project: Path, config: YukjoConfig, given: Sequence[Path] = (), public: Sequence[Path] = ()
) -> tuple[list[Found], list[Fault]]:
    """The checkpoints to verify with, those of the project among them, and what is wrong with any.

    Where no public key is named and the project has a key, its public half counts.
    """
    folder = project / config.ledger.checkpoints
    found, wrong = checkpoints.gather([*given, *([folder] if folder.is_dir() else [])])
    good, untrue = checkpoints.trusted(found, _trusted_keys(project, config, public))
    return good, wrong + untrue


def covering(project: Path, config: YukjoConfig, ledger: Ledger, number: int) -> Found | None:
    """The first of the project's checkpoints that covers an entry and that the ledger still fits.

    Found by the files' names, so that not all of them need be read.
    """
    later = [name for name in _named(project, config) if checkpoints.counted(name) >= number]
    return _fitting(project, config, ledger, later[:1])


def newest_signed(project: Path, config: YukjoConfig, ledger: Ledger) -> Found | None:
    """The newest of the project's checkpoints, if its signature holds and the ledger fits it."""
    return _fitting(project, config, ledger, _named(project, config)[-1:])


def _named(project: Path, config: YukjoConfig) -> list[str]:
    folder = project / config.ledger.checkpoints
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    return sorted(filter(checkpoints.counted, names))


def _fitting(
    project: Path, config: YukjoConfig, ledger: Ledger, names: Sequence[str]
) -> Found | None:
    found, _ = checkpoints.gather(project / config.ledger.checkpoints / name for name in names)
    good, _ = checkpoints.trusted(found, _trusted_keys(project, config, ()))
    return next((one for one in good if _fits(ledger, one)), None)


def _fits(ledger: Ledger, one: Found) -> bool:
    count = one.point.count
    return count <= ledger.count() and ledger.entry(count).hash == one.point.head


def _trusted_keys(project: Path, config: YukjoConfig, public: Sequence[Path]) -> list[str]:
    if config.ledger.key and not public:
        half = keys.public_file(project / config.ledger.key.expanduser())
        public = [half] if half.exists() else []
    return [keys.read_public(file) for file in public]


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
