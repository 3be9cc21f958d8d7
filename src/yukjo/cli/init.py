"""`yukjo init`: a project to start from."""

import shutil
from pathlib import Path
from typing import Annotated, Literal

import typer

from yukjo.words import say

HELP = say("Make a project: settings, sample data, a README. Example: yukjo init my-project")

_MADE = {"gov": ("runs",), "chain": ("runs", "data", "__pycache__")}
"""What a template's own commands write: no part of it."""


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=say("Folder to make"))],
    template: Annotated[
        Literal["gov", "chain"], typer.Option(help=say("What to start from"))
    ] = "gov",
) -> None:
    """Copy a template to a folder that is empty or not there."""
    from yukjo.errors import ConfigError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            say("the folder isn't empty"),
            where=str(folder),
            fix=say("name a new folder"),
        )
    made = _MADE[template]
    shutil.copytree(
        _template(template), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*made)
    )
    if template == "chain":
        typer.echo(say("first draw the slips: python {folder}/draw.py --out {folder}/data",
                       folder=folder))  # fmt: skip
    typer.echo(say("made {folder}; next: yukjo run --project {folder}", folder=folder))


def _template(name: str) -> Path:
    """The template's folder: in the installed package, or in a checkout."""
    package = Path(__file__).parents[1]
    checkout = package.parents[1] / "examples" / name
    return checkout if checkout.is_dir() else package / "templates" / name
