"""`yukjo reproduce`: the same run again, for the same adapters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.records import Entry

HELP = say(
    "Train a run again and compare each adapter's SHA-256; exit 1 if one differs."
    " Example: yukjo reproduce latest"
)


def reproduce(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help=say("Run id, a part of it, or `latest`"))
    ],
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Train again, compare, record."""
    from yukjo import pipeline
    from yukjo.cli.session import working
    from yukjo.config import load
    from yukjo.ledger.opening import open_ledger
    from yukjo.pipeline import reproduce as again

    settings = load(project)
    place = pipeline.runs_folder(project, settings)
    with open_ledger(project, settings) as ledger:
        folder, entry = again.recorded(place, run, ledger)
    again.refuse_other_data(project, entry)
    asked = again.asked(folder, entry, project=settings)
    stopped = say("nothing is recorded; start it again: yukjo reproduce {run}", run=folder.id)
    with working(project, asked, interrupted=stopped) as work:
        made = again.reproduce(work, entry)
    if json_:
        names = ("reproduces", "same", "compared", "differs")
        print_json({"run": made.run} | {name: made.body[name] for name in names})
    else:
        _print(made)
    raise typer.Exit(0 if made.body["same"] else 1)


def _print(made: "Entry") -> None:
    """Adapter by adapter, then what else differs."""
    from rich.console import Console
    from rich.table import Table

    console, body = Console(highlight=False), made.body
    table = Table(say("agent"), say("recorded"), say("now"), "")
    for agent, pair in body["compared"].items():
        verdict = say("equal") if pair["same"] else say("different")
        table.add_row(agent, pair["recorded"][:12], pair["found"][:12], verdict)
    console.print(table)
    for name, pair in body["differs"].items():
        console.print(
            say("{name} was {recorded}, is now {found}",
                name=name, recorded=pair["recorded"] or "-", found=pair["found"] or "-"),
            markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(
        say("{run}: the same adapters, to the bit", run=body["reproduces"]) if body["same"]
        else say("{run}: other adapters than were recorded", run=body["reproduces"]),
        markup=False,
    )  # fmt: skip
