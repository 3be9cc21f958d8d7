"""`yukjo adapter`: the store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.adapters.store import Store

app = typer.Typer(no_args_is_help=True, help=say("The adapters kept, by content hash"))


@app.command("list", help=say("All adapters, newest first. Example: yukjo adapter list"))
def list_(project: Project = Path(), json_: AsJson = False) -> None:
    """Agent, id, run and held-out loss of every adapter."""
    from rich.console import Console
    from rich.table import Table

    manifests = _store(project).all()
    if json_:
        print_json({"adapters": [m.model_dump(mode="json") for m in manifests]})
        return
    table = Table(say("agent"), say("id"), say("run"), say("held-out loss"), say("effect"))
    for m in manifests:
        loss = "-" if m.valid_loss is None else f"{m.valid_loss:.4f}"
        table.add_row(m.agent, m.id[:12], m.run, loss, f"{m.effect.change:.2f}")
    Console().print(table)


@app.command(help=say("One adapter's manifest. Example: yukjo adapter show 3fa9c1"))
def show(
    adapter: Annotated[str, typer.Argument(metavar="ID", help=say("Start of the adapter's id"))],
    project: Project = Path(),
) -> None:
    """The manifest as JSON, after its weights were hashed again."""
    _, manifest = _store(project).find(adapter)
    typer.echo(manifest.model_dump_json(indent=2))


def _store(project: Path) -> "Store":
    from yukjo import pipeline
    from yukjo.config import load

    return pipeline.store_of(pipeline.runs_folder(project, load(project)))
