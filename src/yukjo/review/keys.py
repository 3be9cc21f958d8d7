"""The secrets of a session: the seal in its key file, and the raters' tokens.

1. A key file is readable by its owner alone, and never written over.
2. Of a token only the hash is kept: it is told once, when it is made.
3. Nobody's name is asked for: who holds which token is known to who gave it out.
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from yukjo.errors import ReviewError
from yukjo.files import sha256_bytes, write_whole
from yukjo.review.session import Seal, Session
from yukjo.words import say

_RATERS = "raters.json"
_TOKEN_BYTES = 16


def key_file(place: Path, session: str) -> Path:
    """Where the seal is kept unless another file is named: beside the folder of sessions."""
    return place.parent / "review-keys" / f"{session}.json"


def write_seal(file: Path, seal: Seal) -> None:
    """Write a new key file."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(seal.model_dump_json() + "\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as fault:
        raise ReviewError(
            say("the seal can't be kept: {reason}", reason=fault.strerror),
            where=str(file),
            fix=say("name a new file in a folder that can be written to: --key FILE"),
        ) from None


def read_seal(file: Path, session: Session) -> Seal:
    """The seal of `session`; ReviewError where the file holds none, or another's."""
    try:
        seal = Seal.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as fault:
        raise ReviewError(
            say("the seal can't be read: {reason}", reason=reason(fault)),
            where=str(file),
            fix=say("name the key file of this session: --key FILE"),
        ) from None
    if not seal.opens(session):
        raise ReviewError(
            say("this seal doesn't open the session: its pairs or its sides are not those drawn"),
            where=f"{file} / {session.id}",
            fix=say("name the key file of this session; `yukjo review verify` looks for changes"),
        )
    return seal


def enrol(folder: Path, count: int) -> tuple[str, ...]:
    """Tokens of `count` more raters, whose pseudonyms go on from those there are."""
    known = _raters(folder)
    names = [f"r{number}" for number in range(len(known) + 1, len(known) + count + 1)]
    tokens = tuple(map(new_token, names))
    more = {name: token_hash(token) for name, token in zip(names, tokens, strict=True)}
    write_whole(folder / _RATERS, json.dumps({**known, **more}, indent=1) + "\n")
    return tokens


def rater(folder: Path, token: str) -> str:
    """The pseudonym that goes with a token; ReviewError where none does."""
    name = holder(_raters(folder), token)
    if name is None:
        raise ReviewError(
            say("this rater's token is not known here"),
            where=say("session {session}", session=folder.name),
            fix=say("use the token given out for this session;"
                    " `yukjo review raters --add 1` makes another"),
        )  # fmt: skip
    return name


def new_token(name: str) -> str:
    """A fresh token for the person behind a pseudonym."""
    return f"{name}-{secrets.token_hex(_TOKEN_BYTES)}"


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return sha256_bytes(token.encode(errors="replace"))


def holder(known: Mapping[str, str], token: str) -> str | None:
    """The pseudonym that goes with a token, by the hashes that are known; None where none does."""
    name = token.partition("-")[0]
    return name if secrets.compare_digest(known.get(name, ""), token_hash(token)) else None


def _raters(folder: Path) -> Mapping[str, str]:
    """Pseudonym -> hash of the token."""
    file = folder / _RATERS
    try:
        known = json.loads(file.read_bytes()) if file.exists() else {}
        return {name: str(each) for name, each in known.items()}
    except (OSError, ValueError, AttributeError) as fault:
        raise ReviewError(
            say("the list of raters can't be read: {reason}", reason=fault),
            where=str(file),
            fix=say("restore the session's folder from a copy"),
        ) from None


def reason(fault: OSError | ValidationError) -> str:
    """What was wrong with a file, on one line."""
    if isinstance(fault, ValidationError):
        first = fault.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or '-'}: {first['msg']}"
    return str(fault.strerror or fault)
