"""Who may do what: tokens of which only hashes are kept, and the sessions they open.

1. A token is told once, when it is made; it has 128 random bits, so a plain hash keeps it.
2. A name given to a token stays in its file, which its owner alone may read. The ledger and the
   pages know the token's number only.
3. A token that was taken back ends its sessions at once; so does a restart.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from yukjo.errors import ConfigError
from yukjo.files import sha256_bytes, write_whole
from yukjo.records import Frozen
from yukjo.words import say

Role = Literal["viewer", "reviewer", "admin"]
"""Each may do all that the one before it may: look; decide and rate; look after the server."""

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 10 * 3600
_BYTES = 16
_LONGEST_NAME = 80


class Token(Frozen):
    """Who may come in, as the file knows them."""

    id: str
    """`t1`, `t2`, ...; never given again."""
    role: Role
    name: str = ""
    sha256: str
    """Of the token; "" once it was taken back."""
    created: str


_FILE = TypeAdapter(tuple[Token, ...])


class Tokens:
    """The tokens of a project."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read: tuple[object, tuple[Token, ...]] = (None, ())

    @property
    def valid(self) -> tuple[Token, ...]:
        """Those that open a session."""
        return tuple(token for token in self.every() if token.sha256)

    def every(self) -> tuple[Token, ...]:
        """All that were ever made; read again whenever the file has changed."""
        try:
            stat = self.file.stat()
        except FileNotFoundError:
            return ()
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if self._read[0] != seen:
            self._read = (seen, self._load())
        return self._read[1]

    def add(self, role: Role, name: str = "") -> tuple[Token, str]:
        """A new token, and the text that is told this once."""
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise ConfigError(
                say("a token's name has at most {most} printable letters", most=_LONGEST_NAME),
                where="--name",
                fix=say("name a post rather than a person, as `reviewer-2`"),
            )
        known = self.every()
        number = f"t{len(known) + 1}"
        text = f"{number}-{secrets.token_hex(_BYTES)}"
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        token = Token(id=number, role=role, name=name, sha256=_hash(text), created=created)
        self._write((*known, token))
        return token, text

    def remove(self, number: str) -> Token:
        """Take a token back; ConfigError where there is none of that number."""
        known = self.every()
        for token in known:
            if token.id == number and token.sha256:
                gone = token.model_copy(update={"sha256": ""})
                self._write(tuple(gone if each is token else each for each in known))
                return token
        raise ConfigError(
            say("there is no token `{number}`", number=number),
            where=str(self.file),
            fix=say("see `yukjo dashboard token list`"),
        )

    def holder(self, text: str) -> Token | None:
        """The token that `text` is; None where it is none."""
        given = _hash(text.strip())
        matching = [t for t in self.valid if secrets.compare_digest(t.sha256, given)]
        return matching[0] if matching else None

    def _load(self) -> tuple[Token, ...]:
        try:
            return _FILE.validate_json(self.file.read_bytes())
        except (OSError, ValidationError) as fault:
            raise ConfigError(
                say("the list of tokens can't be read: {reason}", reason=_reason(fault)),
                where=str(self.file),
                fix=say("restore it from a copy, or remove it and make new tokens"),
            ) from None

    def _write(self, tokens: tuple[Token, ...]) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.file.parent.chmod(0o700)
            document = [token.model_dump(mode="json") for token in tokens]
            write_whole(self.file, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
            self.file.chmod(0o600)
        except OSError as fault:
            raise ConfigError(
                say("the list of tokens can't be written: {reason}", reason=fault.strerror),
                where=str(self.file),
                fix=say("make its folder writable"),
            ) from None


def tokens_file(runs: Path) -> Path:
    """Where a project keeps its tokens."""
    return runs / "dashboard" / "tokens.json"


def may(role: Role, needed: Role) -> bool:
    """Whether a role is enough.

    >>> may("admin", "reviewer"), may("viewer", "reviewer")
    (True, False)
    """
    order = get_args(Role)
    return order.index(role) >= order.index(needed)


@dataclass(slots=True)
class _Session:
    token: str
    began: float
    seen: float


class Sessions:
    """Who is logged in; kept in memory, by the hash of the cookie."""

    def __init__(self, tokens: Tokens, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tokens, self._clock = tokens, clock
        self._open: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def begin(self, token: Token) -> str:
        """A new session's cookie."""
        cookie, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if self._lives(one)}
            self._open[_hash(cookie)] = _Session(token.id, now, now)
        return cookie

    def holder(self, cookie: str) -> Token | None:
        """Whose session it is; None where it is over, was never, or its token was taken back."""
        with self._lock:
            one = self._open.get(_hash(cookie))
            if one is None or not self._lives(one):
                return None
            one.seen = self._clock()
        return next((token for token in self._tokens.valid if token.id == one.token), None)

    def end(self, cookie: str) -> None:
        """Log out."""
        with self._lock:
            self._open.pop(_hash(cookie), None)

    def _lives(self, one: _Session) -> bool:
        now = self._clock()
        return now - one.seen < IDLE_SECONDS and now - one.began < LONGEST_SECONDS


def _hash(text: str) -> str:
    return sha256_bytes(text.encode(errors="replace"))


def _reason(fault: OSError | ValidationError) -> str:
    if isinstance(fault, ValidationError):
        first = fault.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or '-'}: {first['msg']}"
    return str(fault.strerror or fault)
