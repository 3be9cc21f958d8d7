"""`yukjo report`: a recorded run as a page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import Project, existing_ledger
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.records import Entry

HELP = say(
    "A recorded run as a page on stdout: HTML, or Markdown with the newest verdict and cross."
    " Example: yukjo report latest --markdown"
)


def report(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help=say("Run id, its start, or `latest`"))
    ] = "latest",
    markdown: Annotated[
        bool, typer.Option("--markdown", help=say("Markdown instead of HTML"))
    ] = False,
    project: Project = Path(),
) -> None:
    """Render what the ledger holds of it."""
    from yukjo.config import load
    from yukjo.dashboard import results
    from yukjo.dashboard.report import report as page
    from yukjo.words import speak

    language = load(project).project.language
    with existing_ledger(project) as ledger:
        entry = ledger.run_entry(run)
        if not markdown:
            typer.echo(page(entry, language=language), nl=False)
            return
        ruled = [e for e in ledger.entries("verdict", entry.run) if e.number > entry.number]
        crossed = [e for e in ledger.entries("cross") if _adapters(e) == _adapters(entry)]
    speak(language)
    typer.echo(results.markdown(entry, *(each[-1] if each else None for each in (ruled, crossed))),
               nl=False)  # fmt: skip


def _adapters(entry: "Entry") -> dict[str, str]:
    return {agent: made["id"] for agent, made in entry.body["adapters"].items()}
