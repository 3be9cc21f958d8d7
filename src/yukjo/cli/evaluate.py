"""`yukjo evaluate`: adapters against the bare base, in one of four ways."""

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
    plan: Annotated[
        bool, typer.Option("--plan", help=say("Only say how many cases the targets need"))
    ] = False,
    cross: Annotated[
        bool,
        typer.Option("--cross", help=say("Every agent's adapter on every agent's cases instead")),
    ] = False,
    set_: Changes = None,
    json_: AsJson = False,
) -> None:
    """Measure, score again, plan, or cross."""
    from yukjo.config import change
    from yukjo.errors import ConfigError

    changes = dict(map(change, set_ or ()))
    if sum([bool(rescore), plan, cross]) > 1:
        raise ConfigError(
            say("one way to evaluate is needed"),
            where="yukjo evaluate",
            fix=say("give --rescore, --plan or --cross alone"),
        )
    if rescore:
        _rescore(project, rescore, changes=changes, json_=json_)
    elif plan:
        _plan(project, changes=changes, json_=json_)
    elif cross:
        _cross(project, adapter or [], changes=changes, json_=json_)
    else:
        _measure(project, adapter or [], changes=changes, json_=json_)


def _measure(project: Path, adapters: list[str], *, changes: dict[str, Any], json_: bool) -> None:
    from yukjo import pipeline
    from yukjo.cli.run import shown
    from yukjo.cli.session import opened

    with opened(project, changes=changes) as work:
        store = pipeline.store_of(work.folder.path.parent)
        chosen = store.chosen(adapters, agents=work.config.agents)
        entry = pipeline.evaluate_adapters(work, chosen)
    shown(entry, json_=json_)


def _rescore(project: Path, name: str, *, changes: dict[str, Any], json_: bool) -> None:
    from yukjo import pipeline, runs, wiring
    from yukjo.config import load
    from yukjo.ledger.opening import existing

    config = load(project, changes)
    place = pipeline.runs_folder(project, config)
    folder = runs.find(place, name)
    prepared = pipeline.prepare(project, config, wiring.open_tokenizer(config, project))
    results = pipeline.rescore(config, prepared, folder)
    if not folder.cases.exists():  # a run of before there was such a file
        results.show(folder)
    rows = results.rows()
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


def _plan(project: Path, *, changes: dict[str, Any], json_: bool) -> None:
    from rich.console import Console

    from yukjo.config import load
    from yukjo.dashboard.plan import tables
    from yukjo.pipeline.planning import plan

    made = plan(project, load(project, changes))
    if json_:
        print_json(made)
    else:
        for table in tables(made):
            Console().print(table)


def _cross(project: Path, adapters: list[str], *, changes: dict[str, Any], json_: bool) -> None:
    from rich.console import Console

    from yukjo import pipeline
    from yukjo.agents.router import open_router
    from yukjo.cli.session import opened
    from yukjo.dashboard.crossed import lines, table
    from yukjo.pipeline.misroute import cross, results
    from yukjo.pipeline.record import body

    with opened(project, changes=changes) as work:
        store = pipeline.store_of(work.folder.path.parent)
        chosen = store.chosen((), agents=work.config.agents)
        chosen |= store.chosen(adapters, agents=work.config.agents) if adapters else {}
        crossed = cross(work.parts, work.config, work.prepared, chosen)
        found = results(crossed, open_router(work.config, project), work.config)
        made = body(work, {agent: manifest for agent, (_, manifest) in chosen.items()})
        entry = work.ledger.append("cross", work.folder.id, made | found)
    if json_:
        print_json({"run": entry.run, "entry": entry.number, **found})
        return
    Console().print(table(found))
    for line in lines(found):
        typer.echo(line)
