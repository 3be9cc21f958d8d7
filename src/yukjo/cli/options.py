"""Options and output that several commands share, so that they read the same everywhere."""

import json
from pathlib import Path
from typing import Annotated

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


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
