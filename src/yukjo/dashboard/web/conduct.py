"""What every answer of the dashboard carries, and what is taken from every request.

1. The content policy lets in this server's own files and nothing else: no script or style that
   stands in a page, no other address, no frame around a page.
2. `same-origin` and not `no-referrer`: with the latter, browsers send `Origin: null` with a form,
   which looks like another site's.
3. A page is never kept by a browser; a file of ours is, since its address holds its hash.
4. Whatever changes something carries the CSRF token of the session that asks.
"""

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BASE = "/dashboard"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_YEAR = 365 * 24 * 3600
_FIELDS = 100


class Conduct:
    """ASGI in front of the pages: the headers of every answer, whoever makes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "http" else send)


class Stamps:
    """CSRF tokens: of a cookie, by a secret of this process."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def of(self, cookie: str) -> str:
        """What forms must send along with that cookie."""
        return hmac.digest(self._secret, cookie.encode(errors="replace"), "sha256").hex()

    def fits(self, cookie: str, given: str) -> bool:
        """Whether a form came from a page given to the same browser."""
        return bool(cookie) and hmac.compare_digest(
            self.of(cookie).encode(), given.encode(errors="replace")
        )


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form; of one that comes twice the last."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True,
                      max_num_fields=_FIELDS)  # fmt: skip
    return dict(pairs)


def keep(response: Response, cookies: Mapping[str, str], *, secure: bool) -> None:
    """Set cookies that no script can read and no other site can send; "" takes one away."""
    for name, value in cookies.items():
        lasting = _YEAR if name in {"yukjo_lang", "yukjo_theme"} else None
        response.set_cookie(
            name, value, max_age=lasting if value else 0, path="/dashboard",
            httponly=True, samesite="strict", secure=secure,
        )  # fmt: skip
