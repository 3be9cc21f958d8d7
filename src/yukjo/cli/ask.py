"""`yukjo ask`: one question to one agent, by its newest adapter."""

from pathlib import Path
from typing import Annotated

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.words import say

HELP = say(
    "Ask one agent; its newest adapter answers."
    ' Example: yukjo ask citizen_support "전입신고는 어떻게 하나요?"'
)


def ask(
    agent: Annotated[str, typer.Argument(help=say("Name of the agent"))],
    question: Annotated[str, typer.Argument(help=say("What to ask"))],
    project: Project = Path(),
    material: Annotated[
        str, typer.Option("--input", help=say("Material the answer may rely on"))
    ] = "",
    image: Annotated[
        list[Path] | None, typer.Option(help=say("An image the question is about; repeat for more"))
    ] = None,
    set_: Changes = None,
    bare: Annotated[bool, typer.Option("--bare", help=say("Ask the base without adapter"))] = False,
    json_: AsJson = False,
) -> None:
    """Load base and adapter, and answer."""
    from yukjo import pipeline, wiring
    from yukjo.agents.roles import of_project, pick
    from yukjo.config import change, load
    from yukjo.config.chain import of_stage
    from yukjo.pictures import picture_of
    from yukjo.pipeline.answering import answer

    config = load(project, dict(map(change, set_ or ())))
    who = pick(of_project(project), agent)
    config = of_stage(config, agent)  # a stage of a chain has a base of its own
    chosen = None
    if not bare:
        store = pipeline.store_of(pipeline.runs_folder(project, config))
        chosen = store.chosen((), agents=(agent,))[agent]
    parts = wiring.open_parts(config, project)
    images = tuple(map(picture_of, image or ()))
    made = answer(
        parts, config, who, question=question, material=material, images=images, adapter=chosen
    )
    if json_:
        print_json(made.model_dump(mode="json"))
    else:
        typer.echo(made.text)
