"""`yukjo run`: the main job."""

from pathlib import Path

import typer

from yukjo.cli.options import AsJson, Changes, Project, Resume, Sweep, changes_of, print_json
from yukjo.words import say

HELP = say(
    "The main job: check, split, baseline, train, evaluate, ledger, report."
    " Example: yukjo run --project my-project"
)


def run(
    project: Project = Path(),
    resume: Resume = None,
    sweep: Sweep = None,
    set_: Changes = None,
    json_: AsJson = False,
) -> None:
    """Do all of it, from `yukjo.toml`."""
    from rich.console import Console

    from yukjo import pipeline
    from yukjo.cli.session import opened
    from yukjo.dashboard.report import report
    from yukjo.dashboard.table import table
    from yukjo.ledger.queries import show

    with opened(project, resume=resume, changes=changes_of(set_, sweep)) as work:
        language = work.config.project.language
        entry = pipeline.run(work, report=lambda made: report(made, language=language))
    if json_:
        print_json(show(entry))
        return
    Console().print(table(entry))
    typer.echo(say("run {run}; report: {report}", run=entry.run, report=work.folder.report))
