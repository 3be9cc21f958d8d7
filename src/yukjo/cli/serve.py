"""`yukjo serve`: the agents behind OpenAI's API."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yukjo.cli.options import Changes, Project
from yukjo.words import say, speak

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from yukjo.config import YukjoConfig
    from yukjo.serve.agents import Agents
    from yukjo.serve.server import Server

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
    from yukjo.agents.roles import of_project, pick
    from yukjo.agents.router import open_router
    from yukjo.cli.dashboard import pages_for
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
    if config.serve.engine == "llama_cpp":
        _make_ready(config, project)
    known = of_project(project)
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
            roles={name: pick(known, name) for name in config.agents},
            router=router,
            toolbox=toolbox,
        )
        pages = pages_for(project, config, host=config.serve.host)
        server = _with_pages(server, pages)
        run(
            server,
            listening,
            ready=lambda: _announce(server.agents, address(listening), pages=pages is not None),
        )


def _with_pages(server: "Server", pages: "ASGIApp | None") -> "Server":
    """The same with the dashboard beside the API."""
    from dataclasses import replace

    from yukjo.dashboard.web import Beside

    return replace(server, app=Beside(server.app, pages)) if pages else server


def _make_ready(config: "YukjoConfig", project: Path) -> None:
    """Derive and prove the newest adapters that llama.cpp can't load yet: some seconds each."""
    from yukjo import pipeline, wiring
    from yukjo.agents.roles import pick
    from yukjo.errors import AdapterError
    from yukjo.files import sha256_file
    from yukjo.pipeline.proving import make_ready
    from yukjo.records import Proof

    store = pipeline.store_of(pipeline.runs_folder(project, config))
    newest = {m.agent: m for m in reversed(store.serving()) if m.agent in config.agents}.values()
    gguf_hash = sha256_file(wiring.base_gguf(config, project)) if newest else ""
    unproved = [m for m in newest
                if not Proof.places(store.folder / m.id, gguf_hash)[1].is_file()]  # fmt: skip
    if not unproved:
        return
    with wiring.proving(config, project) as side:
        for manifest in unproved:
            typer.echo(say("proving {agent} for llama.cpp", agent=manifest.agent), err=True)
            with suppress(AdapterError):  # it is told why when the agents are looked up
                make_ready(
                    store.folder / manifest.id, manifest,
                    oracle=side.oracle, speaker=side.speaker,
                    tokenizer=side.tokenizer, gguf=side.gguf,
                role=pick(side.roles, manifest.agent),
                )  # fmt: skip


def _announce(agents: "Agents", where: str, *, pages: bool) -> None:
    """The address and who answers there."""
    typer.echo(say("listening at {where}", where=f"{where}/v1"))
    if pages:
        typer.echo(say("pages at {where}", where=f"{where}/dashboard"), err=True)
    for name, agent in agents.served.items():
        typer.echo(f"  {name}  {agent.adapter[:12]}  {agent.role.title}")
    for name in agents.unserved:
        typer.echo(say("  {name}: no adapter fits; train one: `yukjo train`", name=name), err=True)
    for adapter, fault in agents.left_out.items():
        typer.echo(f"  {adapter[:12]}: {fault.what}", err=True)
