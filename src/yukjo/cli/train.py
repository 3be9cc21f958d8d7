"""`yukjo train`: adapters, without measuring them."""

from pathlib import Path
from typing import Annotated

import typer

from yukjo.cli.options import Changes, Project, Resume, Sweep, changes_of
from yukjo.words import say

HELP = say(
    "Train the adapters of all agents, or of those named, in one run; prints the run id."
    " Example: yukjo train --agent rag --agent review"
)


def train(
    project: Project = Path(),
    agent: Annotated[
        list[str] | None, typer.Option(help=say("An agent to train; may repeat"))
    ] = None,
    seed: Annotated[int | None, typer.Option(help=say("Instead of the project's seed"))] = None,
    resume: Resume = None,
    sweep: Sweep = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help=say("Two runs give the same adapters, to the bit")),
    ] = False,
    set_: Changes = None,
) -> None:
    """Train, prove and keep adapters."""
    from yukjo import pipeline
    from yukjo.cli.session import opened

    changes = changes_of(set_, sweep)
    if agent:
        changes["agents"] = agent
    if seed is not None:
        changes["seed"] = seed
    if deterministic:
        changes["train.deterministic"] = True
    with opened(project, resume=resume, changes=changes) as work:
        adapters = pipeline.train_only(work)
        for name, manifest in adapters.items():
            work.watch.note(f"{name}  {manifest.id[:12]}")
    typer.echo(work.folder.id)
