"""Which rules of `korean.rules` a line of data is held to: those that its agent's role demands.

1. An agent that isn't one of the six is held to what every text should keep: numbers and days.
2. All are warnings. A line has at most `MOST` of one code.
3. Only the answer is judged; question, material and earlier turns are what it may rest on.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from yukjo.data.findings import Fault, cut
from yukjo.korean.rules import found

MOST = 5
"""Faults of one code reported of a line."""

EVERY = ("numbers", "calendar")
"""Groups for any agent."""

GROUPS: dict[str, tuple[str, ...]] = {
    "rag": (*EVERY, "sources", "citations", "quotations", "politeness", "foreign", "support"),
    "citizen_support": (*EVERY, "politeness", "foreign", "support"),
    "document_writing": (*EVERY, "document", "commas", "foreign", "support"),
    "legal_research": (*EVERY, "citations", "quotations", "politeness", "foreign", "support"),
    "data_analysis": (*EVERY, "commas", "foreign", "support"),
    "review": (*EVERY, "quotations"),
}
"""Groups for each of the six, as their answer rules (`agents/roles/*.toml`) have it."""


def broken(record: dict[str, Any]) -> Iterator[Fault]:
    """The rules that a record's answer breaks; nothing where a text of it is none."""
    output = record.get("output")
    if not isinstance(output, str):
        return
    groups = GROUPS.get(str(record.get("agent_type")), EVERY)
    text = _nfc(output)
    wrong = found(text, _nfc(material(record)), groups=groups)
    if not wrong:
        return
    counts = Counter[str]()
    for one in wrong:
        counts[one.code] += 1
        if counts[one.code] <= MOST:
            shown = cut(text[one.start : one.end])
            yield Fault(one.code, "output", {"shown": shown, "mend": one.mend})


def material(record: dict[str, Any]) -> str:
    """All that the answer may rest on; "" where it was given nothing but the question."""
    turns = record.get("messages")
    known = turns if isinstance(turns, list) else ()
    said = [turn.get("content") for turn in known if isinstance(turn, dict)]
    given = [text for text in (*said, record.get("input")) if isinstance(text, str)]
    if not any(text.strip() for text in given):
        return ""
    asked = record.get("instruction")
    return "\n".join([*given, asked if isinstance(asked, str) else ""])


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)
