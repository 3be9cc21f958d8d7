"""`yukjo run`: the main job."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from yukjo.cli.options import AsJson, Changes, Project, Resume, Sweep, changes_of, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.records import Entry

HELP = say(
    "The main job: check, split, seal, baseline, train, evaluate, gate, ledger, report; exit 1"
    " where the gate finds a regression. Example: yukjo run --project my-project"
)


def run(
    project: Project = Path(),
    resume: Resume = None,
    sweep: Sweep = None,
    set_: Changes = None,
    json_: AsJson = False,
) -> None:
    """Do all of it, from `yukjo.toml`."""
    from yukjo import pipeline
    from yukjo.cli.session import linked, working
    from yukjo.config import load
    from yukjo.dashboard.report import report
    from yukjo.pipeline import chain

    config = load(project, changes_of(set_, sweep))

    def page(made: "Entry") -> str:
        return report(made, language=config.project.language)

    if config.chain.stages:
        with linked(project, config, resume=resume) as together:
            entry, folder = chain.run(together, report=page), together.folder
    else:
        with working(project, config, resume=resume) as work:
            entry, folder = pipeline.run(work, report=page), work.folder
    if not json_:
        typer.echo(say("run {run}; report: {report}", run=entry.run, report=folder.report))
    shown(entry, json_=json_)


def shown(entry: "Entry", *, json_: bool) -> None:
    """What was measured and the gate's answer; exit 1 for a regression, not for a hold.

    A hold asks for more cases or for people: the run itself did its work.
    """
    from rich.console import Console

    from yukjo.dashboard import verdict
    from yukjo.dashboard.table import tables
    from yukjo.ledger.queries import show
    from yukjo.ledger.verdict import gate_of

    gate, titles = gate_of(entry), entry.body.get("titles", {})
    if json_:
        print_json(show(entry))
    else:
        for each in tables(entry):
            Console().print(each)
    if gate and not json_:
        Console().print(verdict.table(gate, titles))
        typer.echo(verdict.sentence(gate, titles))
    if gate and gate.verdict == "regression":
        raise typer.Exit(1)
