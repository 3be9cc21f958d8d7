"""Personal data masked on the way in: the only place that imports know the finder of it from.

1. Every text of a row is masked before anything is written, shown or counted: labels and the
   name of the file too.
2. What is counted is how many of which kind, never a value.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from yukjo.korean.pii import KINDS, contact, masked

KEPT = ("agent_type", "difficulty", "license", "role")
"""Fields of fixed words."""


class Masker:
    """Masks texts and counts what it masked; where it is off it does neither.

    `contacts` are an office's own numbers and addresses, which stay.
    """

    def __init__(self, *, on: bool, contacts: Iterable[str] = ()) -> None:
        self.on = on
        self._allowed = frozenset(map(contact, contacts))
        self.found: Counter[str] = Counter()
        """Kind -> how many, in rows that were taken."""
        self._row: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """The text without personal data."""
        if not self.on:
            return text
        safe, found = masked(text, allowed=self._allowed)
        self._row.update(hit.kind for hit in found)
        return safe

    def fields(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A record without personal data in any of its texts."""
        return {key: self._value(key, value) for key, value in record.items()}

    def row_ends(self, *, taken: bool) -> None:
        """Count what was masked in the row, if it was taken."""
        if taken:
            self.found += self._row
        self._row.clear()

    def counts(self) -> dict[str, int]:
        """What was masked: kind -> how many, as people call the kinds."""
        return {KINDS[kind].korean: count for kind, count in sorted(self.found.items())}

    def _value(self, key: str, value: object) -> object:
        if isinstance(value, str):
            return value if key in KEPT else self.text(value)
        if isinstance(value, list):
            return [self.fields(one) if isinstance(one, dict) else one for one in value]
        return value
