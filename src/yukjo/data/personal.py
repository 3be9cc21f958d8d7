"""The words of a check for personal data: a code for each kind, never the data itself.

Findings land in logs and reports, so a message shows a value's shape alone, with stars.
"""

from collections.abc import Collection, Mapping
from typing import Any

from yukjo.korean.pii import KINDS, Hit, Level, contact, shape
from yukjo.words import say

CODES = {f"pii-{kind}": kind for kind in KINDS}
"""Code of a finding -> kind of personal data."""

_CONTACTS = frozenset({"mobile", "email", "phone"})
_LONGEST = 40


def level(kind: str) -> Level:
    """Whether a kind is an error or a warning."""
    return KINDS[kind].level


def allowed(contacts: Collection[str]) -> frozenset[str]:
    """`[data] allowed_contacts` in the form in which they are compared."""
    return frozenset(map(contact, contacts))


def values(text: str, hit: Hit) -> dict[str, Any]:
    """What a message may say of a hit."""
    return {"position": hit.start + 1, "shape": shape(text[hit.start : hit.end])[:_LONGEST]}


def message(kind: str, values: Mapping[str, Any]) -> str:
    """That something looks like personal data."""
    return say("looks like {kind}: {shape}, at character {position}", kind=_called(kind),
               shape=values["shape"], position=values["position"])  # fmt: skip


def fix(kind: str, _: Mapping[str, Any]) -> str:
    """What to write instead."""
    placeholder = KINDS[kind].placeholder
    if kind in _CONTACTS:
        return say("write {placeholder}; an office's own goes into yukjo.toml, "
                   "`[data] allowed_contacts`", placeholder=placeholder)  # fmt: skip
    if level(kind) == "warning":
        return say("if it is a person's, write {placeholder}", placeholder=placeholder)
    return say("write {placeholder}", placeholder=placeholder)


def _called(kind: str) -> str:
    """What a kind is called in the language being spoken."""
    return {
        "rrn": say("a resident registration number"),
        "frn": say("a foreigner's registration number"),
        "passport": say("a passport number"),
        "licence": say("a driving licence number"),
        "insurance": say("a health insurance number"),
        "card": say("a card number"),
        "mobile": say("a mobile number"),
        "email": say("a personal e-mail address"),
        "phone": say("a private telephone number"),
        "account": say("a bank account"),
        "corporation": say("a corporation's registration number"),
        "business": say("a business registration number"),
        "plate": say("a number plate"),
        "birth": say("a day of birth"),
        "ip": say("an IP address"),
        "address": say("an address"),
        "name": say("a person's name"),
    }[kind]
