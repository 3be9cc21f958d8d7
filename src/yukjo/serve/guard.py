"""Who may ask, and how much: before a request reaches any route.

1. On a loopback address only names of this machine are answered to: a web page whose name was
   pointed here (DNS rebinding) asks under its own.
2. A web page of another site may not ask at all; there is no CORS.
3. Where there is a token, everything but /healthz needs it.
4. A body is read whole before it is looked at, up to a size and within a time.
"""

import asyncio
import hmac
import ipaddress
import json
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yukjo.config.models import ServeConfig
from yukjo.errors import ConfigError
from yukjo.serve.faults import Fault
from yukjo.words import say

_BODY_SECONDS = 30
_TOKEN_LETTERS = 16


class JsonResponse(Response):
    """JSON that any text can stand in: half a surrogate pair becomes `?`."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """`content` as UTF-8."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def answer_of(fault: Fault) -> JsonResponse:
    """What a client gets instead of an answer."""
    return JsonResponse(fault.body(), status_code=fault.status, headers=fault.headers)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nobody else's.

    >>> [is_loopback(h) for h in ("localhost", "127.0.0.2", "::1", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def token_of(serve: ServeConfig, project: Path, *, host: str) -> str | None:
    """The token clients must send; ConfigError where `host` demands one and there is none."""
    if serve.token_file is None:
        if is_loopback(host):
            return None
        raise ConfigError(
            say("`{host}` can be reached from other machines, and no token is set", host=host),
            where="yukjo.toml [serve] token_file",
            fix=say("write a long random text to a file and name it, or listen on 127.0.0.1"),
        )
    path = project / serve.token_file.expanduser()
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(
            say("the token can't be read: {fault}", fault=fault),
            where=str(path),
            fix=say("write a long random text of ASCII letters to that file"),
        ) from fault
    if len(token) < _TOKEN_LETTERS:
        raise ConfigError(
            say("the token has {count} letters, fewer than {least}",
                count=len(token), least=_TOKEN_LETTERS),
            where=str(path),
            fix=say("write a long random text of ASCII letters to that file"),
        )  # fmt: skip
    return token


class Guarded:
    """ASGI in front of the routes."""

    def __init__(self, app: ASGIApp, *, local: bool, token: str | None, max_body_kb: int) -> None:
        self._app = app
        self._local = local
        self._token = token.encode() if token else None
        self._most = max_body_kb * 1024

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._refuse(scope["path"], Headers(scope=scope))
            body = await self._body(receive)
        except Fault as fault:
            await answer_of(fault)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _again(body, receive), send)

    def _refuse(self, path: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if self._local and not is_loopback(_name(host)):
            raise Fault(
                421,
                say("this server answers on this machine's own names only"),
                where="Host",
                fix=say("ask at 127.0.0.1 or localhost"),
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise Fault(
                403,
                say("a page of another site may not ask"),
                where="Origin",
                fix=say("ask from a program, or through a page of this server"),
            )
        if self._token and path != "/healthz":
            given = headers.get("authorization", "").encode("latin-1")
            if not hmac.compare_digest(given, b"Bearer " + self._token):
                raise Fault(
                    401,
                    say("the token is missing or wrong"),
                    where="Authorization",
                    fix=say("send the text of the server's token file as `Bearer`"),
                    headers={"www-authenticate": "Bearer"},
                )

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body; None where the client left."""
        parts, size = [], 0
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > self._most:
                        raise self._too_large()
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            raise Fault(
                408,
                say("the request was not sent within {seconds} s", seconds=_BODY_SECONDS),
                where="body",
                fix=say("send it again"),
                headers={"connection": "close"},
            ) from None

    def _too_large(self) -> Fault:
        return Fault(
            413,
            say("the request is larger than {most} KiB", most=self._most // 1024),
            where="[serve] max_body_kb",
            fix=say("leave out earlier turns or part of the material"),
            headers={"connection": "close"},
        )


def _name(host: str) -> str:
    """The name in a Host header, without port and brackets; "" where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body first, then what comes: that the client hangs up."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
