"""`yukjo ledger`: list, show, verify and export the record. Results go to stdout."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from yukjo.config import load
from yukjo.dashboard.table import plain, table
from yukjo.errors import LedgerError
from yukjo.ledger import export as exports
from yukjo.ledger.chain import Fault
from yukjo.ledger.database import DamagedError
from yukjo.ledger.queries import show as shown
from yukjo.ledger.store import LATEST, Ledger
from yukjo.records import Entry
from yukjo.words import say

FILE = "ledger.sqlite"

app = typer.Typer(no_args_is_help=True, help=say("The record of every run: append-only, chained"))

Project = Annotated[Path, typer.Option("--project", help=say("Folder of the project"))]
Run = Annotated[str, typer.Argument(metavar="RUN", help=say("Run id, its start, or `latest`"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("One JSON document on stdout"))]


def ledger_file(project: Path) -> Path:
    """Where the project in folder `project` keeps its ledger."""
    return project / load(project).project.runs / FILE


@app.command("list", help=say("All entries, oldest first. Example: yukjo ledger list"))
def list_(project: Project = Path(), json_: AsJson = False) -> None:
    """Number, time, kind, run and hash of every entry."""
    with _existing(project) as ledger:
        entries = ledger.entries()
    if json_:
        _print_json({"entries": [e.model_dump(exclude={"body"}) for e in entries]})
        return
    listing = Table("#", say("time"), say("kind"), say("run"), say("hash"))
    for entry in entries:
        listing.add_row(*_cells(entry))
    Console().print(listing)


@app.command(help=say("One run, agent by agent. Example: yukjo ledger show latest --json"))
def show(run: Run = LATEST, project: Project = Path(), json_: AsJson = False) -> None:
    """What a run measured."""
    with _existing(project) as ledger:
        entry = ledger.run_entry(run)
    if json_:
        _print_json(shown(entry))
        return
    Console().print(table(entry))


@app.command(help=say("Check the chain; exit 1 on any change. Example: yukjo ledger verify"))
def verify(project: Project = Path(), json_: AsJson = False) -> None:
    """Every fault of the chain; a file too damaged to open is one."""
    try:
        with _existing(project) as ledger:
            faults = ledger.verify()
    except DamagedError as fault:
        faults = [Fault(1, f"{fault.what} ({fault.where})")]
    if json_:
        _print_json({"ok": not faults, "faults": [
            {"number": fault.number, "what": fault.what} for fault in faults]})  # fmt: skip
    else:
        for fault in faults:
            typer.echo(say("entry {number}: {what}", number=fault.number, what=fault.what))
        typer.echo(say("{count} faults found", count=len(faults)) if faults
                   else say("the chain is whole"))  # fmt: skip
    raise typer.Exit(1 if faults else 0)


@app.command(help=say("For other programs. Example: yukjo ledger export --format ssot latest"))
def export(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help=say(
        "Run id, its start, or `latest`; jsonl takes all runs where it is left out"))] = None,
    format_: Annotated[str, typer.Option("--format", help="ssot | jsonl")] = "ssot",
    project: Project = Path(),
) -> None:  # fmt: skip
    """One document of a run, or one line an entry."""
    chosen = exports.known_format(format_)
    with _existing(project) as ledger:
        if chosen == "ssot":
            _print_json(exports.ssot(ledger.run_entry(run or LATEST)))
            return
        name = None if run is None else ledger.run_entry(run).run
        typer.echo(exports.jsonl(ledger.entries(run=name)), nl=False)


def _existing(project: Path) -> Ledger:
    """The ledger of a project, which a reader must not make."""
    path = ledger_file(project)
    if not path.exists():
        raise LedgerError(
            say("there is no ledger yet"), where=str(path), fix=say("start `yukjo run`")
        )
    return Ledger(path)


def _cells(entry: Entry) -> tuple[Text, ...]:
    """An entry's row in the list."""
    texts = (str(entry.number), entry.created, entry.kind, entry.run, entry.hash[:12])
    return tuple(plain(text) for text in texts)


def _print_json(document: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
