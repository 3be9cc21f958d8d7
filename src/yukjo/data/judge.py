"""What is right and wrong with one record, as faults.

1. A record without an error is a `Sample`; `fields` takes from it what a sample knows.
2. Every text in the record is looked at: labels and earlier turns too, unknown fields not.
3. A line has at most `MOST` faults; a hostile line can't fill a report.
"""

from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Any, get_args

from yukjo.data import personal
from yukjo.data.findings import LONG, SHORT, Fault, cut
from yukjo.data.rules import broken
from yukjo.korean import pii
from yukjo.korean import text as korean
from yukjo.records import DIFFICULTIES, Role, Sample

MOST = 50
"""Faults reported of one line."""

REQUIRED = ("instruction", "output", "agent_type")
TEXTS = ("instruction", "input", "output")
LABELS = ("id", "difficulty", "topic", "exception", "source", "license")
KNOWN = tuple(Sample.model_fields)
ROLES: tuple[str, ...] = get_args(Role)

_CHOSEN = frozenset({"agent_type", "difficulty", "exception", "license"})
"""Fields that hold one of a few words, where nobody is named."""
_KNOWN = frozenset(KNOWN)
TURN = ("role", "content")
_TURN = frozenset(TURN)

_FINDERS: dict[str, Callable[[str], int | None]] = {
    "lone-surrogate": korean.find_surrogate,
    "control-character": korean.find_control,
    "bidi": korean.find_bidi,
    "zero-width": korean.find_zero_width,
}


def judge(
    record: dict[str, Any], *, agents: Collection[str], allowed: Collection[str] = ()
) -> list[Fault]:
    """The faults of a record, those of its shape first.

    `allowed` are contacts that may stand in its texts, as `personal.allowed` makes them.
    """
    faults = list(islice(_shape(record, agents), MOST))
    # One pass over all texts together: nearly every line ends it here.
    joined = "\n".join([text for text in record.values() if isinstance(text, str)])
    if "messages" in record or korean.is_suspect(joined) or not korean.is_nfc(joined):
        for name, text in _texts(record):
            faults += _characters(name, text)
    faults += _personal(record, allowed)
    output = record.get("output")
    if isinstance(output, str):
        faults += _manner(output, seen=bool(record.get("images")))
        faults += broken(record)
    return faults[:MOST]


def fields(record: dict[str, Any]) -> dict[str, Any]:
    """What a `Sample` takes from a record that holds no error: unknown fields are left out."""
    taken = {key: value for key, value in record.items() if key in _KNOWN}
    if "messages" in taken:
        turns = taken["messages"]
        taken["messages"] = tuple({key: turn[key] for key in _TURN} for turn in turns)
    return taken


def _shape(record: dict[str, Any], agents: Collection[str]) -> Iterator[Fault]:
    """Fields that are missing, unknown, of the wrong kind or out of their values."""
    for name in REQUIRED:
        if name not in record:
            yield Fault("missing-field", name, {"field": name})
    for name, value in record.items():
        if name not in _KNOWN:
            yield Fault("unknown-field", korean.shown(name), {"field": cut(name), "known": KNOWN})
        elif name == "messages":
            yield from _turns(value)
        elif name == "images":
            yield from _images(value)
        elif fault := _value(name, value, agents):
            yield fault


def _value(name: str, value: object, agents: Collection[str]) -> Fault | None:
    """What is wrong with the value of a known field, `messages` aside."""
    if not isinstance(value, str):
        if value is None and name in LABELS:
            return None
        return Fault("wrong-type", name, {"field": name, "kind": type(value), "want": "text"})
    if name in REQUIRED and not value.strip():
        return Fault("empty-text", name, {"field": name})
    if name == "agent_type" and value not in agents:
        return Fault("unknown-agent", name, {"agent": cut(value), "known": tuple(agents)})
    if name == "difficulty" and value not in DIFFICULTIES:
        return Fault(
            "wrong-value", name, {"field": name, "value": cut(value), "known": DIFFICULTIES}
        )
    return None


def _images(names: object) -> Iterator[Fault]:
    """Faults of the list of images; `images` looks at the files."""
    if not isinstance(names, list):
        yield Fault(
            "wrong-type", "images", {"field": "images", "kind": type(names), "want": "names"}
        )
        return
    for number, name in enumerate(names):
        place = f"images[{number}]"
        if not isinstance(name, str):
            yield Fault("wrong-type", place, {"field": place, "kind": type(name), "want": "text"})
        elif not name.strip():
            yield Fault("empty-text", place, {"field": place})


def _turns(turns: object) -> Iterator[Fault]:
    """Faults of the earlier turns."""
    if not isinstance(turns, list):
        yield Fault(
            "wrong-type", "messages", {"field": "messages", "kind": type(turns), "want": "list"}
        )
        return
    for number, turn in enumerate(turns):
        place = f"messages[{number}]"
        if isinstance(turn, dict):
            yield from _turn(place, turn)
        else:
            yield Fault("wrong-type", place, {"field": place, "kind": type(turn), "want": "object"})


def _turn(place: str, turn: dict[str, Any]) -> Iterator[Fault]:
    """Faults of one earlier turn."""
    for key in [key for key in turn if key not in _TURN]:
        name = f"{place}.{korean.shown(key)}"
        yield Fault("unknown-field", name, {"field": cut(key), "known": TURN})
    for key in TURN:
        name = f"{place}.{key}"
        value = turn.get(key)
        if key not in turn:
            yield Fault("missing-field", name, {"field": name})
        elif not isinstance(value, str):
            yield Fault("wrong-type", name, {"field": name, "kind": type(value), "want": "text"})
        elif not value.strip():
            yield Fault("empty-text", name, {"field": name})
        elif key == "role" and value not in ROLES:
            yield Fault("wrong-value", name, {"field": name, "value": cut(value), "known": ROLES})


def _texts(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of the record with the name of its field."""
    for name in KNOWN:
        value = record.get(name)
        if isinstance(value, str):
            yield name, value
    turns = record.get("messages")
    if isinstance(turns, list):
        for number, turn in enumerate(turns):
            content = turn.get("content") if isinstance(turn, dict) else None
            if isinstance(content, str):
                yield f"messages[{number}].content", content


def _characters(name: str, text: str) -> Iterator[Fault]:
    """Characters that have no place in a text, the first of each kind."""
    for code, find in _FINDERS.items():
        position = find(text)
        if position is not None:
            shown = f"U+{ord(text[position]):04X}"
            yield Fault(code, name, {"position": position + 1, "shown": shown})
    if not korean.is_nfc(text):
        yield Fault("not-nfc", name)


def _personal(record: dict[str, Any], allowed: Collection[str]) -> Iterator[Fault]:
    """Personal data in the texts."""
    # All together first: nearly every line ends here.
    texts = [v for k, v in record.items() if k not in _CHOSEN and isinstance(v, str)]
    if "messages" in record:
        texts += [text for _, text in _texts(record)]
    if pii.find("\n\n".join(texts), allowed=allowed):
        for name, text in _texts(record):
            for hit in pii.find(text, allowed=allowed) if name not in _CHOSEN else ():
                yield Fault(f"pii-{hit.kind}", name, personal.values(text, hit))


def _manner(output: str, *, seen: bool) -> Iterator[Fault]:
    """How an answer reads: its length and its language; what is read off an image may be short."""
    if output.strip():
        if len(output) < SHORT and not seen:
            yield Fault("short-output", "output", {"count": len(output)})
        elif len(output) > LONG:
            yield Fault("long-output", "output", {"count": len(output)})
        if not korean.is_mostly_hangul(output):
            yield Fault("not-korean", "output")
