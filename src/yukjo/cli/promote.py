"""`yukjo promote` and `yukjo rollback`: what answers in production, only through the gate."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Project, continued_ledger, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.adapters.store import Store
    from yukjo.ledger.store import Ledger
    from yukjo.records import Entry

PROMOTE = say(
    "Put an adapter that the gate lets pass into production; exit 1 where it does not."
    " Example: yukjo promote rag"
)
ROLLBACK = say("Back to the adapter that was in production before. Example: yukjo rollback rag")

Reason = Annotated[str, typer.Option("--reason", help=say("Why, for the record"))]


def promote(
    name: Annotated[
        str,
        typer.Argument(
            metavar="AGENT|ID", help=say("An agent, for its newest adapter, or the start of an id")
        ),
    ],
    reason: Reason = "",
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Move it, and say where to."""
    from yukjo.pipeline import promote as steps

    _do(project, lambda ledger, store: steps.promote(ledger, store, name, reason=reason), json_)


def rollback(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help=say("Name of the agent"))],
    reason: Reason = "",
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Move it back, and say where to."""
    from yukjo.pipeline import promote as steps

    _do(project, lambda ledger, store: steps.rollback(ledger, store, agent, reason=reason), json_)


def _do(project: Path, step: "Callable[[Ledger, Store], Entry]", json_: bool) -> None:
    from yukjo import pipeline
    from yukjo.config import load

    store = pipeline.store_of(pipeline.runs_folder(project, load(project)))
    with continued_ledger(project) as ledger:
        entry = step(ledger, store)
    if json_:
        print_json({"entry": entry.number, "kind": entry.kind, **entry.body})
        return
    said, adapter = entry.body, entry.body["adapter"]
    typer.echo(
        say("{agent}: {adapter} is in production (entry {number})",
            agent=said["agent"], adapter=adapter[:12], number=entry.number) if adapter
        else say("{agent}: nothing is in production any more (entry {number})",
                 agent=said["agent"], number=entry.number)
    )  # fmt: skip
