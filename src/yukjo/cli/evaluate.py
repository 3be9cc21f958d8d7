"""`yukjo evaluate`: kept adapters against the bare base; or a run's kept answers again."""

from pathlib import Path
from typing import Annotated, Any

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.words import say

HELP = say(
    "Measure kept adapters against the base, paired, with intervals, to the ledger."
    " Example: yukjo evaluate --json"
)


def evaluate(
    project: Project = Path(),
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            help=say("Start of an adapter's id; may repeat; else the newest of each agent")
        ),
    ] = None,
    rescore: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help=say("Score a run's kept answers again; exit 1 if any bit differs")
        ),
    ] = None,
    set_: Changes = None,
    json_: AsJson = False,
) -> None:
    """Measure, or score again."""
    from yukjo.config import change

    changes = dict(map(change, set_ or ()))
    if rescore:
        _rescore(project, rescore, changes=changes, json_=json_)
        return
    from rich.console import Console

    from yukjo import pipeline
    from yukjo.cli.session import opened
    from yukjo.dashboard.table import table
    from yukjo.ledger.queries import show

    with opened(project, changes=changes) as work:
        store = pipeline.store_of(work.folder.path.parent)
        chosen = store.chosen(adapter or (), agents=work.config.agents)
        entry = pipeline.evaluate_adapters(work, chosen)
    if json_:
        print_json(show(entry))
    else:
        Console().print(table(entry))


def _rescore(project: Path, name: str, *, changes: dict[str, Any], json_: bool) -> None:
    from yukjo import pipeline, runs, wiring
    from yukjo.config import load
    from yukjo.ledger.opening import existing

    config = load(project, changes)
    place = pipeline.runs_folder(project, config)
    folder = runs.find(place, name)
    prepared = pipeline.prepare(project, config, wiring.open_tokenizer(config, project))
    rows = pipeline.rescore(config, prepared, folder).rows()
    with existing(project, config) as ledger:
        recorded = ledger.run_entry(folder.id).body["agents"]
    same = rows == recorded
    if json_:
        print_json({"run": folder.id, "same": same, "agents": rows})
    else:
        typer.echo(say("{run}: the same to the bit", run=folder.id) if same
                   else say("{run}: differs from the record", run=folder.id))  # fmt: skip
    if not same:
        raise typer.Exit(1)
