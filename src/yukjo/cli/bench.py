"""`yukjo bench`: Yukjo beside what a user would pick instead."""

from pathlib import Path
from typing import Annotated

import typer

from yukjo.cli.options import AsJson, Project, print_json
from yukjo.words import say

app = typer.Typer(no_args_is_help=True, help=say("Yukjo beside others, measured in turn"))


_HELP = say(
    "Train the same samples with Yukjo and with others, in interleaved rounds, a process each."
    " Example: yukjo bench train --project examples/gov"
)


@app.command(help=_HELP)
def train(
    project: Project = Path(),
    rounds: Annotated[int, typer.Option(min=1, help=say("Rounds; medians are shown"))] = 3,
    steps: Annotated[
        int, typer.Option(min=1, help=say("Optimiser steps counted, after one to warm up"))
    ] = 1,
    samples: Annotated[int, typer.Option(min=1, help=say("Samples an optimiser step"))] = 16,
    dropout: Annotated[
        float, typer.Option(min=0, max=0.99, help=say("Of the adapter, on all sides"))
    ] = 0.0,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help=say("A system to measure beside Yukjo, by its name with hyphens; may repeat")
        ),
    ] = None,
    shared: Annotated[
        bool,
        typer.Option("--here", help=say("Run the others in this environment; install nothing")),
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(help=say("Write the table to this file as Markdown"))
    ] = None,
    json_: AsJson = False,
) -> None:
    """Measure, then print; exit 1 where Yukjo itself failed."""
    from rich.console import Console

    from yukjo.bench import table
    from yukjo.bench.compare import compare
    from yukjo.bench.systems import OURS
    from yukjo.files import write_whole

    made = compare(
        project,
        rounds=rounds,
        steps=steps,
        samples=samples,
        dropout=dropout,
        only=only or (),
        shared=shared,
        note=lambda text: typer.echo(text, err=True),
    )
    if markdown:
        write_whole(markdown, table.markdown(made))
    if json_:
        print_json(made.model_dump(mode="json"))
    else:
        console = Console(markup=False, highlight=False, emoji=False)
        console.print(table.table(made))
        console.print("\n".join(table.summary(made)), soft_wrap=True)
    if all(system.name != OURS for system in made.systems):
        raise typer.Exit(1)


_SERVE_HELP = say(
    "Answer with the project's adapters, beside PEFT and llama.cpp's own server, in turn."
    " Example: yukjo bench serve --project examples/gov --plan qwen3-4b"
)


@app.command(help=_SERVE_HELP)
def serve(
    project: Project = Path(),
    rounds: Annotated[int, typer.Option(min=1, help=say("Rounds; medians are shown"))] = 3,
    tokens: Annotated[
        int, typer.Option(min=8, help=say("Tokens decoded to measure its speed"))
    ] = 64,
    requests: Annotated[
        int, typer.Option(min=0, help=say("Answers whose seconds are counted; 0 leaves them out"))
    ] = 60,
    plan: Annotated[
        str | None, typer.Option(help=say("Predict a larger base on this machine: qwen3-4b"))
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help=say("Write the table to this file as Markdown"))
    ] = None,
    json_: AsJson = False,
) -> None:
    """Measure, then print."""
    from rich.console import Console

    from yukjo.bench import serving, serving_table
    from yukjo.files import write_whole

    made = serving.compare(
        project, rounds=rounds, tokens=tokens, requests=requests, plan=plan,
        note=lambda text: typer.echo(text, err=True),
    )  # fmt: skip
    if made.seconds:
        serving.record(project, made)
    if markdown:
        write_whole(markdown, serving_table.markdown(made))
    if json_:
        print_json(made.model_dump(mode="json"))
    else:
        console = Console(markup=False, highlight=False, emoji=False)
        console.print(serving_table.table(made))
        console.print("\n".join(serving_table.summary(made)), soft_wrap=True)
