"""Options and output that several commands share, so that they read the same everywhere."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from yukjo.words import say

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


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
