"""Put the pages together, in front of nothing or beside the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from yukjo.dashboard.web import files
from yukjo.dashboard.web.access import Tokens
from yukjo.dashboard.web.conduct import BASE, Conduct
from yukjo.dashboard.web.pages import PAGES
from yukjo.dashboard.web.site import Site
from yukjo.dashboard.web.sources import Sources
from yukjo.errors import ConfigError
from yukjo.serve.guard import Guarded, is_loopback
from yukjo.words import say, speaking

_MOST_KB = 64
"""Largest form."""


def create_pages(sources: Sources, tokens: Tokens, *, local: bool) -> ASGIApp:
    """The dashboard as an ASGI application; `local` answers on this machine's own names only."""

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        yield
        sources.close()

    app = FastAPI(
        title="Yukjo",
        openapi_url=None,
        lifespan=running,
        # No variable of the environment can have requests sent elsewhere.
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    site = Site(app, sources, tokens)
    _add_frame(app, site)
    for page in PAGES:
        page.add(site)
    return Conduct(Guarded(app, local=local, token=None, max_body_kb=_MOST_KB))


class Beside:
    """ASGI of two: what is under the dashboard's address goes there, all else to the API."""

    def __init__(self, api: ASGIApp, pages: ASGIApp) -> None:
        self._api, self._pages = api, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; starting and stopping are the API's."""
        path = scope.get("path", "")
        here = scope["type"] == "http" and (path in {"/", BASE} or path.startswith(f"{BASE}/"))
        await (self._pages if here else self._api)(scope, receive, send)


def refuse_open(tokens: Tokens, *, host: str) -> None:
    """ConfigError where other machines could reach pages that nobody needs a token for."""
    if is_loopback(host) or tokens.valid:
        return
    raise ConfigError(
        say("`{host}` can be reached from other machines, and there is no token", host=host),
        where="yukjo dashboard --host",
        fix=say("make one with `yukjo dashboard token add --role admin`, or listen on 127.0.0.1"),
    )


def _add_frame(app: FastAPI, site: Site) -> None:
    """What stands around the pages: files, the way in, and what isn't there."""

    @app.get("/", include_in_schema=False)
    @app.get(BASE, include_in_schema=False)
    def home() -> Response:
        return RedirectResponse(f"{BASE}/", 307)

    @app.get(BASE + "/static/{name}", include_in_schema=False)
    def file(name: str) -> Response:
        return files.given(name)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        visit = site.visit(request)
        with speaking(visit.language):
            known = {404: say("there is no such page"), 405: say("this can't be done here")}
            what = known.get(error.status_code, say("there is no such page"))
        return site.refusal(visit, error.status_code, what)

    @app.exception_handler(Exception)
    async def broken(request: Request, _: Exception) -> Response:
        visit = site.visit(request)
        with speaking(visit.language):
            what, fix = say("the page could not be made"), say("see the server's own log")
        return site.refusal(visit, 500, what, fix=fix)
