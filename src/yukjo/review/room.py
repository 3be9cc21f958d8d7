"""The folder of a session, and what may be done in it.

runs/reviews/<id>/
  session.json     the pairs, and the commitment to their sides
  raters.json      pseudonym -> SHA-256 of the rater's token
  ratings.sqlite   what was shown and said: a ledger of its own, so that no acknowledged rating is
                   lost to a kill, none is taken back, and an edit breaks its chain
runs/review-keys/<id>.json   the seal, unless another file was named

1. A rater rates what they were shown, and is shown nothing twice except a repeat.
2. The record's ledger is told of a session before anybody can rate: one that is dropped is seen
   to be missing, and no other can take its place.
3. Closing is one way. It stops ratings first and counts then; a kill in between leaves it to be
   done again, with the same figures.
"""

import time
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import ValidationError

from yukjo import runs
from yukjo.errors import ReviewError
from yukjo.files import write_whole
from yukjo.ledger.store import Ledger
from yukjo.records import Entry
from yukjo.review.draw import Contest, draw
from yukjo.review.keys import enrol, key_file, rater, reason, write_seal
from yukjo.review.rating import CLOSE, OPEN, RATING, SHOWN, Opinion, Rating, Sheet, sheet, waiting
from yukjo.review.results import results
from yukjo.review.session import Pair, Seal, Session, Terms
from yukjo.words import say

LATEST = "latest"
STARTED, REVIEWED = "review-start", "review"
"""Kinds of entries in the record's ledger."""

_SESSION, _BOOK = "session.json", "ratings.sqlite"


class Started(NamedTuple):
    """A session that was just made."""

    folder: Path
    session: Session
    tokens: tuple[str, ...]
    """One a rater; they are told here and never again."""
    key: Path


def start(
    place: Path,
    found: Sequence[Contest],
    terms: Terms,
    *,
    run: str,
    against: str = "",
    raters: int,
    key: Path | None = None,
    ledger: Ledger,
) -> Started:
    """A new session in the folder `place`, announced in `ledger`."""
    folder = runs.start(place).path
    session, seal = draw(found, terms, session=folder.name, run=run, against=against)
    key = key or key_file(place, session.id)
    write_seal(key, seal)
    with Ledger(folder / _BOOK) as book:
        book.append(OPEN, session.id, announced(session))
    tokens = enrol(folder, raters)
    ledger.append(STARTED, run, announced(session))
    write_whole(folder / _SESSION, session.model_dump_json(indent=1) + "\n")
    return Started(folder, session, tokens, key)


def announced(session: Session) -> dict[str, Any]:
    """What the record says of a session before it is rated."""
    return {
        "session": session.id,
        "session_sha256": session.hash,
        "commitment": session.commitment,
        "adapters": session.adapters,
        "opponents": session.opponents,
        "pairs": len(session.pairs),
        "terms": session.terms.model_dump(mode="json"),
    }


def find(place: Path, name: str) -> Path:
    """The folder of the session called `name`: its id, a part only it has, or `latest`."""
    ids = sorted(file.parent.name for file in place.glob(f"*/{_SESSION}"))
    if not ids:
        raise ReviewError(
            say("there is no review yet"),
            where=str(place),
            fix=say("start one: `yukjo review start`"),
        )
    meant = [ids[-1]] if name == LATEST else [one for one in ids if name and name in one]
    if len(meant) != 1:
        near = meant or get_close_matches(name, ids, n=3) or ids[-3:]
        raise ReviewError(
            say("no review is called `{name}`", name=name),
            where=str(place),
            fix=say("reviews here: {ids}", ids=", ".join(near[:3])),
        )
    return place / meant[0]


class Room:
    """A session opened for work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = _read_session(folder / _SESSION)
        if not (folder / _BOOK).exists():  # the ledger would begin an empty one
            raise ReviewError(
                say("the session's ratings are gone"),
                where=str(folder / _BOOK),
                fix=say("restore the session's folder from a copy"),
            )
        self.book = Ledger(folder / _BOOK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()

    def rater(self, token: str) -> str:
        """The pseudonym that goes with a token."""
        return rater(self.folder, token)

    def said(self) -> Sheet:
        """All that was shown and said until now, or until the session was closed."""
        return sheet(self.book.entries())

    def show(self, rater: str) -> Pair | None:
        """The next pair for `rater`, noted as shown; None where none is left for them."""
        said = self._open()
        left = waiting(self.session, rater, said)
        if left and (rater, left[0].id) not in said.shown:
            line = {"rater": rater, "pair": left[0].id, "at": time.time()}
            self.book.append(SHOWN, self.session.id, line)
        return left[0] if left else None

    def rate(self, rater: str, pair: str, opinion: Opinion, *, amend: bool = False) -> Rating:
        """Keep what `rater` says of a pair they were shown; it is on disk when this returns."""
        said = self._open()
        key = rater, self.session.pair(pair).id
        if key not in said.shown:
            raise self._refusal(
                say("pair `{pair}` was not shown to this rater", pair=pair),
                say("ask for one: `yukjo review next`"),
            )
        if (key in said.last) != amend:
            raise self._refusal(
                say("pair `{pair}` is rated already", pair=pair) if not amend
                else say("pair `{pair}` is not rated yet", pair=pair),
                say("say it again with --amend; what was said first stays in the history")
                if not amend else say("rate it without --amend"),
            )  # fmt: skip
        seconds = round(max(0.0, time.time() - said.shown[key]), 1)
        rating = Rating(pair=pair, rater=rater, opinion=opinion, seconds=seconds)
        line = self.book.append(RATING, self.session.id, rating.model_dump(mode="json"))
        if self.said().lines < line.number:  # somebody closed it in between
            raise self._closed()
        return rating

    def close(self, seal: Seal, ledger: Ledger) -> Entry:
        """Stop ratings, open the sides, record what was found; again the same entry.

        LedgerError where a rating was changed after it was said.
        """
        self.book.refuse_bent()
        said = self.said()
        if not said.last:
            raise self._refusal(
                say("nothing is rated yet"), say("ask for a pair: `yukjo review next`")
            )
        if not said.closed:
            self.book.append(CLOSE, self.session.id, {})
        if entry := recorded(self.session, ledger):
            return entry
        return ledger.append(REVIEWED, self.session.run, closing(self.session, seal, self.said()))

    def _open(self) -> Sheet:
        """What was said, in a session that isn't closed."""
        said = self.said()
        if said.closed:
            raise self._closed()
        return said

    def _closed(self) -> ReviewError:
        return self._refusal(
            say("the session is closed: nothing is rated any more"),
            say("see what it found: `yukjo review show`"),
        )

    def _refusal(self, what: str, fix: str) -> ReviewError:
        return ReviewError(what, where=say("session {session}", session=self.session.id), fix=fix)


def closing(session: Session, seal: Seal, said: Sheet) -> dict[str, Any]:
    """The body of the entry that closes a session: what was found, and what it is checked by."""
    opened = {
        "session_sha256": session.hash,
        "commitment": session.commitment,
        "nonce": seal.nonce,
        "after": seal.after,
        "lines": said.lines,
        "head": said.head,
    }
    return results(session, seal, said) | {"opened": opened}


def recorded(session: Session, ledger: Ledger) -> Entry | None:
    """The entry that closed `session`, if there is one."""
    entries = ledger.entries(REVIEWED, session.run)
    return next((e for e in entries if e.body.get("session") == session.id), None)


def _read_session(file: Path) -> Session:
    try:
        return Session.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as fault:
        raise ReviewError(
            say("the session can't be read: {reason}", reason=reason(fault)),
            where=str(file),
            fix=say("restore the session's folder from a copy"),
        ) from None
