"""`yukjo dashboard`: the record in a browser, for people who only look; and its tokens."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.words import say, speak

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from yukjo.config import YukjoConfig
    from yukjo.dashboard.web import Sources, Tokens

app = typer.Typer(
    invoke_without_command=True,
    help=say("Look at the record in a browser, without a model."
             " Example: yukjo dashboard --project . --port 8610"),
)  # fmt: skip
token = typer.Typer(no_args_is_help=True, help=say("Who may log in: viewers, reviewers, admins"))
app.add_typer(token, name="token")

_PORT = 8610


@app.callback()
def dashboard(
    context: typer.Context,
    project: Project = Path(),
    host: Annotated[
        str, typer.Option(help=say("Address to listen on; any but a loopback one needs a token"))
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help=say("Port to listen on; 0: any"))] = _PORT,
    set_: Changes = None,
) -> None:
    """Listen and answer until Ctrl-C or SIGTERM."""
    if context.invoked_subcommand:
        _refuse_before(context)
        return
    from yukjo.cli.options import changes_of
    from yukjo.config import load
    from yukjo.dashboard.web import create_pages, refuse_open
    from yukjo.serve.guard import is_loopback
    from yukjo.serve.server import address, listen

    config = load(project, changes_of(set_, None))
    if config.project.language == "en":
        speak("en")
    tokens = tokens_of(project, config)
    refuse_open(tokens, host=host)
    with listen(host, port) as listening:
        pages = create_pages(sources_of(project, config), tokens, local=is_loopback(host))
        typer.echo(say("listening at {where}", where=f"{address(listening)}/dashboard"))
        if not tokens.valid:
            typer.echo(say("no token yet: whoever is at this machine may look, nobody may decide"),
                       err=True)  # fmt: skip
        _run(pages, listening)


def _refuse_before(context: typer.Context) -> None:
    """ConfigError for options of the server before a command that has its own."""
    from yukjo.errors import ConfigError

    said = {name: context.get_parameter_source(name) for name in context.params}
    given = [name.rstrip("_") for name, source in said.items()
             if source is not None and source.name == "COMMANDLINE"]  # fmt: skip
    if given:
        raise ConfigError(
            say("options before `{command}` are not its own", command=context.invoked_subcommand),
            where=", ".join(f"--{name}" for name in given),
            fix=say("put them after it: yukjo dashboard token add --project ..."),
        )


@token.command(
    help=say(
        "Make a token; it is shown this once."
        " Example: yukjo dashboard token add --role reviewer --name review-2"
    )
)
def add(
    role: Annotated[
        Literal["viewer", "reviewer", "admin"],
        typer.Option(help=say("viewer looks, reviewer decides and rates, admin looks after it")),
    ],
    name: Annotated[
        str, typer.Option(help=say("A post rather than a person; it stays in the tokens' file"))
    ] = "",
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Print the token."""
    from yukjo.config import load

    made, text = tokens_of(project, load(project)).add(role, name)
    if json_:
        print_json({"id": made.id, "role": made.role, "token": text})
        return
    typer.echo(text)
    typer.echo(say("token {number}, role {role}: give it to its holder now, it is not kept",
                   number=made.id, role=made.role), err=True)  # fmt: skip


@token.command("list", help=say("Who may log in. Example: yukjo dashboard token list"))
def list_(project: Project = Path(), json_: AsJson = False) -> None:
    """Number, role, name and day of every token; never the token."""
    from rich.console import Console
    from rich.table import Table

    from yukjo.config import load
    from yukjo.dashboard.table import plain

    every = tokens_of(project, load(project)).every()
    if json_:
        print_json({"tokens": [t.model_dump(mode="json", exclude={"sha256"})
                               | {"valid": bool(t.sha256)} for t in every]})  # fmt: skip
        return
    grid = Table("#", say("role"), say("name"), say("made"), say("valid"))
    for one in every:
        valid = say("yes") if one.sha256 else say("taken back")
        grid.add_row(*map(plain, (one.id, one.role, one.name, one.created, valid)))
    Console().print(grid)


@token.command(help=say("Take a token back; its sessions end at once."
                        " Example: yukjo dashboard token remove t2"))  # fmt: skip
def remove(
    number: Annotated[str, typer.Argument(metavar="TOKEN", help=say("Its number, as t2"))],
    project: Project = Path(),
) -> None:
    """Its number is never given again."""
    from yukjo.config import load

    gone = tokens_of(project, load(project)).remove(number)
    typer.echo(say("token {number} is taken back", number=gone.id))


def tokens_of(project: Path, config: "YukjoConfig") -> "Tokens":
    """The tokens of a project."""
    from yukjo.dashboard.web import Tokens, tokens_file

    return Tokens(tokens_file(project / config.project.runs))


def sources_of(project: Path, config: "YukjoConfig") -> "Sources":
    """What the pages of a project read."""
    from yukjo.agents import of_project
    from yukjo.dashboard.web import Sources
    from yukjo.ledger.lineage import files_of, trace

    known = of_project(project)

    def follow(thing: str) -> dict[str, object]:
        files = files_of(project, project / config.project.runs, config.data.every, known)
        return trace(thing, sources.ledger.entries(), files)

    sources = Sources(project, config, follow)
    return sources


def pages_for(project: Path, config: "YukjoConfig", *, host: str) -> "ASGIApp | None":
    """The pages to stand beside the API at `host`; None, with a word, where that needs a token."""
    from yukjo.dashboard.web import create_pages, refuse_open
    from yukjo.errors import ConfigError
    from yukjo.serve.guard import is_loopback

    tokens = tokens_of(project, config)
    try:
        refuse_open(tokens, host=host)
    except ConfigError as fault:
        typer.echo(say("the dashboard is left out: {why}", why=fault.what), err=True)
        return None
    return create_pages(sources_of(project, config), tokens, local=is_loopback(host))


def _run(pages: "ASGIApp", listening: object) -> None:
    """Answer until SIGINT or SIGTERM."""
    from socket import socket

    import uvicorn

    assert isinstance(listening, socket)
    settings = uvicorn.Config(pages, log_config=None, access_log=False, server_header=False,
                              timeout_graceful_shutdown=3)  # fmt: skip
    uvicorn.Server(settings).run(sockets=[listening])
