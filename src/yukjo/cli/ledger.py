"""`yukjo ledger`: list, show, verify and export the record. Results go to stdout."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.ledger.store import Ledger

app = typer.Typer(no_args_is_help=True, help=say("The record of every run: append-only, chained"))

LATEST = "latest"

Run = Annotated[str, typer.Argument(metavar="RUN", help=say("Run id, its start, or `latest`"))]


@app.command("list", help=say("All entries, oldest first. Example: yukjo ledger list"))
def list_(project: Project = Path(), json_: AsJson = False) -> None:
    """Number, time, kind, run and hash of every entry."""
    from rich.console import Console
    from rich.table import Table

    from yukjo.dashboard.table import plain

    with _existing(project) as ledger:
        entries = ledger.entries()
    if json_:
        print_json({"entries": [e.model_dump(exclude={"body"}) for e in entries]})
        return
    listing = Table("#", say("time"), say("kind"), say("run"), say("hash"))
    for e in entries:
        listing.add_row(*map(plain, (str(e.number), e.created, e.kind, e.run, e.hash[:12])))
    Console().print(listing)


@app.command(help=say("One run, agent by agent. Example: yukjo ledger show latest --json"))
def show(run: Run = LATEST, project: Project = Path(), json_: AsJson = False) -> None:
    """What a run measured."""
    from rich.console import Console

    from yukjo.dashboard.table import table
    from yukjo.ledger.queries import show as shown

    with _existing(project) as ledger:
        entry = ledger.run_entry(run)
    if json_:
        print_json(shown(entry))
    else:
        Console().print(table(entry))


@app.command(help=say("Check the chain; exit 1 on any change. Example: yukjo ledger verify"))
def verify(project: Project = Path(), json_: AsJson = False) -> None:
    """Every fault of the chain; a file too damaged to open is one."""
    from yukjo.ledger.chain import Fault
    from yukjo.ledger.database import DamagedError

    try:
        with _existing(project) as ledger:
            faults = ledger.verify()
    except DamagedError as damage:
        faults = [Fault(1, f"{damage.what} ({damage.where})")]
    if json_:
        listed = [{"number": fault.number, "what": fault.what} for fault in faults]
        print_json({"ok": not faults, "faults": listed})
    else:
        for fault in faults:
            typer.echo(say("entry {number}: {what}", number=fault.number, what=fault.what))
        typer.echo(
            say("{count} faults found", count=len(faults)) if faults else say("the chain is whole")
        )
    raise typer.Exit(1 if faults else 0)


@app.command(help=say("For other programs. Example: yukjo ledger export --format ssot latest"))
def export(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help=say("Run id, its start, or `latest`; jsonl takes all runs where it is left out"),
        ),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="ssot | jsonl")] = "ssot",
    project: Project = Path(),
) -> None:
    """One document of a run, or one line an entry."""
    from yukjo.ledger import export as exports

    chosen = exports.known_format(format_)
    with _existing(project) as ledger:
        if chosen == "ssot":
            print_json(exports.ssot(ledger.run_entry(run or LATEST)))
            return
        name = None if run is None else ledger.run_entry(run).run
        typer.echo(exports.jsonl(ledger.entries(run=name)), nl=False)


def _existing(project: Path) -> "Ledger":
    """The ledger of a project, which a reader must not make."""
    from yukjo import pipeline
    from yukjo.config import load
    from yukjo.errors import LedgerError
    from yukjo.ledger.store import Ledger

    path = pipeline.ledger_file(pipeline.runs_folder(project, load(project)))
    if not path.exists():
        raise LedgerError(
            say("there is no ledger yet"), where=str(path), fix=say("start `yukjo run`")
        )
    return Ledger(path)
