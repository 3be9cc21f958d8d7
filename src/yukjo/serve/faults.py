"""Why a question isn't answered, as a status, a kind that OpenAI's clients know, and three parts.

400  the request can't be understood, or asks for what isn't done here
401  403  421   no token; a web page of another site; a host name that isn't this machine's
404  no such agent          408  the request itself came too slowly
413  too large              429  too many wait: come back after `Retry-After`
500  the engine failed      503  the adapter can't serve, or the server stops
504  the answer took too long
"""

from collections.abc import Mapping
from typing import Any

from yukjo.errors import AdapterError, DataError, ModelError, YukjoError
from yukjo.words import say

_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class Fault(YukjoError):
    """A question that isn't answered, with the status that says so."""

    def __init__(
        self,
        status: int,
        what: str,
        *,
        where: str,
        fix: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.status = status
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """For OpenAI's clients: they show the message alone, so all three parts stand in it."""
        own = "invalid_request_error" if self.status < 500 else "server_error"  # noqa: PLR2004
        return {
            "error": {
                "message": f"{self.what} ({self.where}): {self.fix}",
                "type": _KINDS.get(self.status, own),
                "param": self.where,
                "code": str(self.status),
                "fix": self.fix,
            }
        }


def fault_of(error: Exception) -> Fault:
    """What a client is told of an error met under way."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, YukjoError):
        unfit = isinstance(error, AdapterError | ModelError)
        status = 400 if isinstance(error, DataError) else 503 if unfit else 500
        return Fault(status, error.what, where=error.where, fix=error.fix)
    return Fault(
        500,
        say("the server failed: {fault}", fault=error),
        where=type(error).__name__,
        fix=say("ask again; if it stays, see the server's log"),
    )


def stopping() -> Fault:
    """The server is about to end."""
    return Fault(
        503,
        say("the server is stopping"),
        where="yukjo serve",
        fix=say("ask again when it runs"),
        headers={"retry-after": "5"},
    )
