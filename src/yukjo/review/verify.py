"""Whether a session is what was announced, and its record what was said: anybody can check.

Before it is closed, an edit of the pairs or of a rating is found, and a change of the sides will
be when it is opened. After it is closed the sides are checked too, and every figure is counted
again. The record itself is checked by `Ledger.verify`; only that makes this more than a
comparison of two files that somebody could change together.
"""

from collections.abc import Iterator

from pydantic import ValidationError

from yukjo.files import canonical_json
from yukjo.ledger.store import Ledger
from yukjo.records import Entry
from yukjo.review.rating import Sheet
from yukjo.review.room import STARTED, Room, announced, closing, recorded
from yukjo.review.session import Seal, Session
from yukjo.words import say


def faults(room: Room, ledger: Ledger) -> list[str]:
    """What is wrong, in words; [] where nothing is."""
    broken = [
        *(say("record, entry {number}: {what}", number=fault.number, what=fault.what)
          for fault in ledger.verify()),
        *(say("ratings, line {number}: {what}", number=fault.number, what=fault.what)
          for fault in room.book.verify()),
    ]  # fmt: skip
    return broken or [*_start(room.session, ledger), *_end(room, ledger)]


def _start(session: Session, ledger: Ledger) -> Iterator[str]:
    """Faults of the pairs and the commitment."""
    told = [e.body for e in ledger.entries(STARTED) if e.body.get("session") == session.id]
    if not told:
        yield say("the session was never announced in the record")
    elif told[0] != announced(session):
        yield say("the session is not the one announced: its pairs, terms or seal were changed")


def _end(room: Room, ledger: Ledger) -> Iterator[str]:
    """Faults of what was recorded at closing."""
    said, entry = room.said(), recorded(room.session, ledger)
    if said.closed and entry is None:
        yield say("the session is closed but not recorded: run `yukjo review close` again")
    if entry is not None:
        yield from _opened(room.session, said, entry)


def _opened(session: Session, said: Sheet, entry: Entry) -> Iterator[str]:
    opened = entry.body.get("opened", {})
    try:
        seal = Seal(session=session.id, nonce=opened["nonce"], after=opened["after"])
    except (KeyError, ValidationError):
        yield say("the record opens no seal")
        return
    if not seal.opens(session):
        yield say("the sides recorded are not those that were sealed")
        return
    if (opened.get("lines"), opened.get("head")) != (said.lines, said.head):
        yield say("the ratings are not those that were recorded")
        return
    if canonical_json(entry.body) != canonical_json(closing(session, seal, said)):
        yield say("the figures recorded don't follow from the ratings")
