"""`yukjo serve`: the agents behind OpenAI's API."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yukjo.cli.options import Changes, Project
from yukjo.words import say, speak

if TYPE_CHECKING:
    from yukjo.serve.agents import Agents

HELP = say(
    "Answer over HTTP as OpenAI's API does, each agent by its newest adapter."
    " Example: yukjo serve --port 8600"
)


def serve(
    project: Project = Path(),
    host: Annotated[
        str | None, typer.Option(help=say("Address to listen on, instead of the project's"))
    ] = None,
    port: Annotated[
        int | None, typer.Option(help=say("Port to listen on, instead of the project's; 0: any"))
    ] = None,
    set_: Changes = None,
) -> None:
    """Load the base, listen, and answer until Ctrl-C or SIGTERM."""
    from yukjo import pipeline, wiring
    from yukjo.agents.roles import pick, roles
    from yukjo.agents.router import open_router
    from yukjo.cli.options import changes_of
    from yukjo.config import load
    from yukjo.serve.guard import token_of
    from yukjo.serve.server import address, build, listen, run
    from yukjo.serve.tools import Toolbox

    given: dict[str, Any] = {"serve.host": host, "serve.port": port}
    named = {name: value for name, value in given.items() if value is not None}
    config = load(project, changes_of(set_, None) | named)
    if config.project.language == "en":
        speak("en")
    token_of(config.serve, project, host=config.serve.host)
    router, toolbox = open_router(config, project), Toolbox(config.tools, project)
    # Before the base is loaded: a port that is taken is found at once.
    with listen(config.serve.host, config.serve.port) as listening:
        speaker, tokenizer = wiring.open_speaker(config, project)
        server = build(
            speaker,
            tokenizer,
            serve=config.serve,
            project=project,
            store=pipeline.store_of(pipeline.runs_folder(project, config)),
            roles={name: pick(roles(), name) for name in config.agents},
            router=router,
            toolbox=toolbox,
        )
        run(server, listening, ready=lambda: _announce(server.agents, address(listening)))


def _announce(agents: "Agents", where: str) -> None:
    """The address and who answers there."""
    typer.echo(say("listening at {where}", where=f"{where}/v1"))
    for name, agent in agents.served.items():
        typer.echo(f"  {name}  {agent.adapter[:12]}  {agent.role.title}")
    for name in agents.unserved:
        typer.echo(say("  {name}: no adapter fits; train one: `yukjo train`", name=name), err=True)
    for adapter, fault in agents.left_out.items():
        typer.echo(f"  {adapter[:12]}: {fault.what}", err=True)
