"""Who may listen where, and what a token must be."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from yukjo.config.models import ServeConfig
from yukjo.errors import ConfigError
from yukjo.serve import guard
from yukjo.serve.guard import Guarded, token_of
from yukjo.serve.server import listen


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "example.org"])
def test_an_address_that_others_reach_needs_a_token(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        token_of(ServeConfig(), tmp_path, host=host)
    assert "token_file" in refused.value.where


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_none_but_may_have_one(host: str, tmp_path: Path) -> None:
    assert token_of(ServeConfig(), tmp_path, host=host) is None
    (tmp_path / "token").write_text("long enough to be one\n")
    with_file = ServeConfig(token_file=Path("token"))
    assert token_of(with_file, tmp_path, host=host) == "long enough to be one"


@pytest.mark.parametrize("held", [None, "", "short", "긴 토큰이지만 아스키가 아닌 글자입니다"])
def test_a_token_that_is_none_is_refused(held: str | None, tmp_path: Path) -> None:
    if held is not None:
        (tmp_path / "token").write_text(held, encoding="utf-8")
    with pytest.raises(ConfigError):
        token_of(ServeConfig(token_file=Path("token")), tmp_path, host="0.0.0.0")


def test_an_address_that_cannot_be_had_is_said() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(ConfigError):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(ConfigError):
        listen("203.0.113.7", 0)


def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_BODY_SECONDS", 0.01)
    status, reached = ask(lambda: asyncio.sleep(60))
    assert (status, reached) == (408, False)


def test_a_client_that_leaves_while_it_sends_is_no_request() -> None:
    async def left() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert ask(left) == (None, False)


def ask(receive: Callable[[], Awaitable[Any]]) -> tuple[int | None, bool]:
    """What a client is answered, and whether its request reached the routes."""
    sent: list[Any] = []
    reached = False

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(*_: Any) -> None:
        nonlocal reached
        reached = True

    scope = {"type": "http", "path": "/", "method": "GET", "headers": [(b"host", b"localhost")]}
    guarded = Guarded(app, local=True, token=None, max_body_kb=1)
    asyncio.run(guarded(scope, receive, send))
    return (sent[0]["status"] if sent else None), reached
