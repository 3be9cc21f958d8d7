"""What can be wrong with a ledger or a checkpoint, by code; the standalone verifier has the same.

A fault stands at the number of the entry where it shows; 0 is a checkpoint file itself.
"""

from dataclasses import dataclass
from typing import Literal

from yukjo.words import say

Code = Literal[
    "missing", "unlinked", "changed", "unreadable",  # the chain
    "other-ledger", "cut", "rewritten",  # the chain against what was signed
    "no-checkpoint", "bad-signature", "other-key",  # a checkpoint file
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    number: int
    code: Code
    what: str
    where: str = ""
    """The checkpoint file that shows it; "" where the chain itself does."""


def missing(number: int, *, before: int) -> Fault:
    """Entries are gone, out of order, or there twice."""
    return Fault(number, "missing", say("entry {number} should stand before it, and is missing",
                                        number=before))  # fmt: skip


def unlinked(number: int) -> Fault:
    """An entry names another hash than the one before it has."""
    return Fault(number, "unlinked", say("does not follow from the entry before it"))


def changed(number: int) -> Fault:
    """An entry's hash is not that of its fields."""
    return Fault(number, "changed", say("was changed after it was written"))


def unreadable(number: int, reason: object) -> Fault:
    """The store gives nothing from here on."""
    return Fault(number, "unreadable", say("can't be read from here on: {reason}", reason=reason))


def other_ledger(where: str) -> Fault:
    """The first entry is not the one that was signed."""
    return Fault(1, "other-ledger", say("another first entry was signed: another ledger, or one"
                                        " written anew from the start"), where)  # fmt: skip


def cut(number: int, *, count: int, where: str) -> Fault:
    """The end is gone."""
    return Fault(number, "cut", say("is gone, as all after it: {count} entries were signed",
                                    count=count), where)  # fmt: skip


def rewritten(number: int, *, count: int, where: str) -> Fault:
    """A hash that was signed is another now, and the chain up to it holds together all the same."""
    return Fault(number, "rewritten", say("was written anew, or one after it up to {count}: the"
                                          " hash of entry {count} that was signed is another",
                                          count=count), where)  # fmt: skip


def no_checkpoint(where: str, reason: object) -> Fault:
    """A file is no checkpoint."""
    return Fault(0, "no-checkpoint", say("is no checkpoint: {reason}", reason=reason), where)


def bad_signature(where: str) -> Fault:
    """A checkpoint was changed, or signed by nobody."""
    return Fault(0, "bad-signature", say("its signature does not hold: it was changed"), where)


def other_key(where: str, key: str) -> Fault:
    """A checkpoint whose signer is not known."""
    return Fault(0, "other-key", say("was signed with another key: {key}", key=key[:16]), where)
