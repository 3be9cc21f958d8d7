"""`yukjo ledger`: list, show, trace, export and import. Results go to stdout."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yukjo.cli import ledger_proof
from yukjo.cli.options import AsJson, Project, existing_ledger, print_json, writing_to
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.ledger.store import Ledger
    from yukjo.records import Entry

app = typer.Typer(
    no_args_is_help=True, help=say("The record of every run: append-only, chained, signed")
)

app.command(help=ledger_proof.VERIFY)(ledger_proof.verify)
app.command(help=ledger_proof.KEYGEN)(ledger_proof.keygen)
app.command(help=ledger_proof.CHECKPOINT)(ledger_proof.checkpoint)
app.command(help=ledger_proof.VERIFIER)(ledger_proof.verifier)

LATEST = "latest"
_SHOWN = 20
_WIDE = 1000

Run = Annotated[str, typer.Argument(metavar="RUN", help=say("Run id, its start, or `latest`"))]


@app.command("list", help=say("All entries, oldest first. Example: yukjo ledger list"))
def list_(project: Project = Path(), json_: AsJson = False) -> None:
    """Number, time, kind, run and hash of every entry."""
    from rich.console import Console
    from rich.table import Table

    from yukjo.dashboard.table import plain

    with existing_ledger(project) as ledger:
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

    from yukjo.dashboard.table import tables
    from yukjo.ledger.queries import show as shown

    with existing_ledger(project) as ledger:
        entry = ledger.run_entry(run)
    if json_:
        print_json(shown(entry))
    else:
        for each in tables(entry):
            Console().print(each)


@app.command(
    help=say("From a score to all it came from, or from a data line to the adapters it shaped."
             " Example: yukjo ledger trace latest/rag/chrf")
)  # fmt: skip
def trace(
    thing: Annotated[
        str,
        typer.Argument(
            metavar="THING",
            help=say("RUN, RUN/AGENT or RUN/AGENT/METRIC; the start of an adapter's id or of a"
                     " data line's hash; or FILE:LINE"),
        ),
    ],
    project: Project = Path(),
    json_: AsJson = False,
) -> None:  # fmt: skip
    """Follow one thing through the record and the project's files."""
    from yukjo.agents import of_project
    from yukjo.config import load
    from yukjo.ledger.lineage import files_of
    from yukjo.ledger.lineage import trace as traced

    config = load(project)
    with existing_ledger(project, config) as ledger:
        entries = ledger.entries()
    files = files_of(project, project / config.project.runs, config.data.every,
                     of_project(project), contacts=config.data.allowed_contacts)  # fmt: skip
    found = traced(thing, entries, files)
    if json_:
        print_json(found)
    else:
        _print_trace(found)


@app.command(help=say("For other programs. Example: yukjo ledger export --format ssot latest"))
def export(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help=say("Run id, its start, or `latest`; jsonl, csv and mlflow take all runs where"
                     " it is left out"),
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="ssot | jsonl | csv | mlflow | lm-eval")
    ] = "ssot",
    to: Annotated[
        str | None,
        typer.Option(help=say("mlflow: the server's address; lm-eval: the folder to write into")),
    ] = None,
    project: Project = Path(),
) -> None:  # fmt: skip
    """One document of a run, one line an entry, one row a figure, or another program's own."""
    from yukjo.ledger import export as exports

    chosen = exports.known_format(format_)
    with existing_ledger(project) as ledger:
        if chosen == "jsonl":
            typer.echo(exports.jsonl(ledger.entries(run=_run_of(ledger, run))), nl=False)
        elif chosen in {"ssot", "lm-eval"}:
            _export_run(ledger.run_entry(run or LATEST), chosen, to)
        else:
            _export_all(_measured(ledger, run), chosen, to)


@app.command("import", help=say("Record figures of lm-eval. Example: yukjo ledger import r.json"))
def import_(
    file: Annotated[Path, typer.Argument(help=say("A results_*.json of lm-eval"))],
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Once a file; its hash says which."""
    from yukjo.config import load
    from yukjo.ledger import lm_eval
    from yukjo.ledger.opening import open_ledger

    with open_ledger(project, load(project)) as ledger:
        entry, new = lm_eval.take(file, ledger)
    count = sum(len(task["metrics"]) for task in entry.body["tasks"].values())
    if json_:
        print_json({"entry": entry.number, "run": entry.run, "new": new, "figures": count})
        return
    typer.echo(
        say("entry {number}: {count} figures recorded", number=entry.number, count=count) if new
        else say("entry {number} holds this file already", number=entry.number)
    )  # fmt: skip


def _run_of(ledger: "Ledger", run: str | None) -> str | None:
    return None if run is None else ledger.run_entry(run).run


def _measured(ledger: "Ledger", run: str | None) -> "list[Entry]":
    """The entries with figures, of one run where it is named."""
    name = _run_of(ledger, run)
    return [e for e in ledger.entries(run=name) if e.kind in {"run", "evaluate"}]


def _export_run(entry: "Entry", chosen: str, to: str | None) -> None:
    from yukjo.ledger import export as exports
    from yukjo.ledger import lm_eval

    if chosen == "ssot":
        print_json(exports.ssot(entry))
        return
    folder = Path(to or "lm-eval")
    with writing_to(folder):
        for file in lm_eval.write(entry, folder):
            typer.echo(say("written: {file}", file=file))


def _export_all(entries: "list[Entry]", chosen: str, to: str | None) -> None:
    from yukjo.errors import LedgerError
    from yukjo.ledger import export as exports
    from yukjo.ledger import to_mlflow

    if chosen == "csv":
        typer.echo(exports.table(entries), nl=False)
        return
    if not to:
        raise LedgerError(
            say("no MLflow server is named"),
            where="--to",
            fix=say("name a running MLflow server, as http://127.0.0.1:5000"),
        )
    made = to_mlflow.export(entries, to)
    typer.echo(say("{made} runs exported, {known} were there already",
                   made=made, known=len(entries) - made))  # fmt: skip


def _print_trace(found: dict[str, Any]) -> None:
    """The document as a tree, long lists shortened; `--json` has all of it."""
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    from yukjo.dashboard.table import plain

    def grow(tree: Tree, part: Any) -> None:  # noqa: ANN401 - any JSON value
        items = part.items() if isinstance(part, dict) else [("", one) for one in part]
        for name, inner in [*items][:_SHOWN]:
            if isinstance(inner, dict | list):
                label = f"{name} ({len(inner)})" if isinstance(inner, list) else name or "·"
                grow(tree.add(plain(str(label))), inner)
            else:
                tree.add(plain(f"{name}: {inner}" if name else str(inner)))
        if len(items) > _SHOWN:
            tree.add(say("{count} more: --json shows them", count=len(items) - _SHOWN))

    tree = Tree(Text(str(found["kind"])))
    grow(tree, {name: part for name, part in found.items() if name != "kind"})
    wide = None if sys.stdout.isatty() else _WIDE  # a hash is never cut
    Console(highlight=False, width=wide).print(tree)
