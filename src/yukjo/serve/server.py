"""Put the parts together, and run them in one process on one socket."""

import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from yukjo.adapters.store import Store
from yukjo.agents import Role
from yukjo.config.models import ServeConfig
from yukjo.errors import ConfigError
from yukjo.ports import Speaker, Tokenizer
from yukjo.serve.agents import Agents
from yukjo.serve.app import create_app
from yukjo.serve.chat import Prompter
from yukjo.serve.desk import Desk, Router, Toolbox
from yukjo.serve.guard import is_loopback, token_of
from yukjo.serve.scheduler import Scheduler
from yukjo.words import say

_GOODBYE_SECONDS = 10
"""Answers under way have so long to end when the server is told to."""


@dataclass(frozen=True, slots=True)
class Server:
    """The application, who answers in it, and when."""

    app: ASGIApp
    agents: Agents
    scheduler: Scheduler


def build(
    speaker: Speaker,
    tokenizer: Tokenizer,
    *,
    serve: ServeConfig,
    project: Path,
    store: Store,
    roles: Mapping[str, Role],
    router: Router,
    toolbox: Toolbox | None = None,
) -> Server:
    """The server of a project, not yet listening; ConfigError, AdapterError where it can't be."""
    token = token_of(serve, project, host=serve.host)
    prompter = Prompter(tokenizer)
    agents = Agents(store, roles, base_hash=speaker.base_hash, prompter=prompter)
    desk = Desk(
        agents, prompter, serve=serve, context=speaker.context, router=router, toolbox=toolbox
    )
    scheduler = Scheduler(speaker, serve)
    app = create_app(desk, scheduler, serve, local=is_loopback(serve.host), token=token)
    return Server(app, agents, scheduler)


def listen(host: str, port: int) -> socket.socket:
    """A socket at the address; ConfigError where it can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as fault:
        raise ConfigError(
            say("can't listen on {host}, port {port}: {fault}", host=host, port=port, fault=fault),
            where="yukjo.toml [serve] host, port",
            fix=say("choose another port, or 0 for a free one, and an address of this machine"),
        ) from fault


def address(listening: socket.socket) -> str:
    """Where clients find it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(server: Server, listening: socket.socket, *, ready: Callable[[], None]) -> None:
    """Answer until SIGINT or SIGTERM; answers under way have some seconds to end.

    `ready` is called once it is known who answers; AdapterError where the store is damaged.
    Afterwards SIGTERM has done its work; SIGINT is KeyboardInterrupt, as anywhere.
    """
    settings = uvicorn.Config(
        server.app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
    running = uvicorn.Server(settings)
    server.scheduler.start()
    try:
        server.agents.refresh(server.scheduler.try_out)
        ready()
        # uvicorn raises the signal again when it is done: let it fall on itself.
        before = signal.signal(signal.SIGTERM, running.handle_exit)
        running.run(sockets=[listening])
        signal.signal(signal.SIGTERM, before)
    finally:
        server.scheduler.stop()
