"""`yukjo gate`: the answer to a run by all the evidence there is by now."""

from pathlib import Path
from typing import Annotated

import typer

from yukjo.cli.options import AsJson, Project, continued_ledger, print_json
from yukjo.words import say

HELP = say(
    "Hold a measured run against its sealed targets again, with the evidence recorded since, and"
    " record the verdict; exit 1 unless it passes. Example: yukjo gate latest"
)


def gate(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help=say("Run id, a part of it, or `latest`"))
    ] = "latest",
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Judge, record, show."""
    from rich.console import Console

    from yukjo.dashboard.verdict import sentence, table
    from yukjo.ledger.verdict import gate_of
    from yukjo.pipeline import gating

    with continued_ledger(project) as ledger:
        ledger.refuse_bent()
        of = gating.measured(ledger, run)
        entry = gating.rule(ledger, of)
    ruled, titles = gate_of(entry), of.body.get("titles", {})
    assert ruled, "a verdict is one"
    if json_:
        print_json({"run": entry.run, "entry": entry.number, **entry.body})
    else:
        Console().print(table(ruled, titles))
        typer.echo(sentence(ruled, titles))
    raise typer.Exit(0 if ruled.verdict == "pass" else 1)
