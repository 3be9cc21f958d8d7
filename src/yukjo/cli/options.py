"""Options that several commands share, so that they read the same everywhere."""

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
