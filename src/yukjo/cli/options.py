"""Options and output that several commands share, so that they read the same everywhere."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.config import YukjoConfig
    from yukjo.ledger.store import Ledger

Project = Annotated[Path, typer.Option("--project", "-p", help=say("Folder of the project"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("One JSON document on stdout"))]
Resume = Annotated[
    str | None,
    typer.Option("--resume", metavar="RUN", help=say("Go on with a run: its id or `latest`")),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help=say("Another value for a setting of yukjo.toml; may repeat: --set train.epochs=1"),
    ),
]

Contacts = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        help=say("The project whose `[data] allowed_contacts` may stand in the data"
                 " (default: the one here, if there is one)"),
    ),
]  # fmt: skip

Sweep = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep",
        metavar="NAME=VALUE,...",
        help=say("Train one adapter a value and keep the one with the lowest held-out loss; may"
                 " repeat: lr, rank, alpha, dropout, epochs"),
    ),
]  # fmt: skip


def changes_of(set_: list[str] | None, sweep: list[str] | None) -> dict[str, Any]:
    """What --set and --sweep change, for `config.load`."""
    from yukjo.config import change, swept

    return dict(map(change, set_ or ())) | swept(sweep or ())


def contacts_of(project: Path | None) -> tuple[str, ...]:
    """The contacts that a project lets stand; none where there is no project."""
    from yukjo.config import load
    from yukjo.config.load import FILE

    if project is None and not Path(FILE).is_file():
        return ()
    return load(project or Path()).data.allowed_contacts


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def existing_ledger(project: Path, config: "YukjoConfig | None" = None) -> "Ledger":
    """The ledger of a project, which a reader must not make."""
    from yukjo.config import load
    from yukjo.ledger.opening import existing

    return existing(project, config or load(project))


def continued_ledger(project: Path) -> "Ledger":
    """The ledger of a project for what adds to it, signed as `[ledger]` asks."""
    from yukjo.config import load
    from yukjo.ledger.opening import continued

    return continued(project, load(project))


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Turn what the disk refuses into an error that says so."""
    from yukjo.errors import LedgerError

    try:
        yield
    except OSError as fault:
        raise LedgerError(
            say("the file can't be written: {reason}", reason=fault.strerror or fault),
            where=str(place),
            fix=say("name another place with --out or --to"),
        ) from None
