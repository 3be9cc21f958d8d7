"""The rules officials live by, in groups; one call finds all places of a text that break them.

Who asks says which groups concern the text: `data.rules` for an agent's answers, the tool
`document_check` for a document.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from itertools import accumulate

from yukjo.korean.calendar_faults import calendar_faults
from yukjo.korean.document_ends import end_faults, section_faults
from yukjo.korean.documents import faults as form_faults
from yukjo.korean.equations import equation_faults
from yukjo.korean.found import Found, in_order
from yukjo.korean.grounding import citation_faults, quotation_faults, source_faults
from yukjo.korean.rates import rate_faults
from yukjo.korean.speech import foreign_faults, politeness_faults
from yukjo.korean.support import support_faults
from yukjo.korean.text import has_digit
from yukjo.korean.totals import comma_faults, total_faults

Finder = Callable[[str, str], list[Found]]
"""Given a text and its material, both in NFC."""

_LESS = {
    "doc-money": ("number-commas", "not-supported"),
    "doc-han": ("foreign-word",),
    "wrong-sum": ("not-supported",),
    "wrong-rate": ("not-supported",),
    "wrong-share": ("not-supported",),
    "percent-point": ("not-supported",),
    "impossible-date": ("not-supported", "doc-date"),
    "quote-not-found": ("not-supported",),
}
"""What isn't said beside a code, at the same place."""
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^“”\n]*”")
_WRONG_PART = re.compile(
    r"^\[오류\][ \t]*$.*?(?=^\[[^\[\]\n]+\][ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_WRONG = re.compile(r"^[^\n→]*→", re.MULTILINE)


def _document(text: str, _: str) -> list[Found]:
    return [*form_faults(text), *end_faults(text), *section_faults(text)]


def _numbers(text: str, _: str) -> list[Found]:
    if not has_digit(text) or not any(mark in text for mark in "=%％계총더합전"):
        return []
    own = _own(text)
    return [*equation_faults(own), *rate_faults(own), *total_faults(own)]


GROUPS: dict[str, Finder] = {
    "document": _document,
    "commas": lambda text, _: comma_faults(text),
    "numbers": _numbers,
    "calendar": lambda text, _: calendar_faults(_own(text)),
    "citations": citation_faults,
    "quotations": quotation_faults,
    "sources": source_faults,
    "politeness": lambda text, _: politeness_faults(text),
    "foreign": foreign_faults,
    "support": support_faults,
}
"""Every group of rules by its name."""

CODES = (
    "doc-labels", "doc-date", "doc-time", "doc-money", "doc-attachment", "doc-han", "doc-end",
    "doc-sections", "number-commas", "wrong-sum", "wrong-rate", "wrong-share", "percent-point",
    "wrong-weekday", "impossible-date", "wrong-period", "wrong-deadline", "law-not-shown",
    "article-not-shown", "quote-not-found", "source-not-shown", "mixed-politeness",
    "foreign-word", "not-supported",
)  # fmt: skip
"""What a rule can find, by the order of the groups."""


def found(text: str, material: str = "", *, groups: Collection[str]) -> list[Found]:
    """Every place in `text` that breaks a rule of `groups`, the first place first.

    >>> [(f.code, f.mend) for f in found("2026. 3. 5.(수) 3+4=8", groups=("numbers", "calendar"))]
    [('wrong-weekday', '목'), ('wrong-sum', '7')]
    """
    raw = [one for group in groups for one in GROUPS[group](text, material)]
    if not raw:
        return raw
    every = in_order(raw)
    said = {code: _Reach([one for one in every if one.code == code]) for code in _LESS}
    return [
        one for one in every
        if not any(said[code].meets(one) for code, less in _LESS.items() if one.code in less)
    ]  # fmt: skip


class _Reach:
    """The places of what one code found, in their order: a hostile text has many."""

    def __init__(self, found: Sequence[Found]) -> None:
        self._starts = [one.start for one in found]
        self._ends = list(accumulate((one.end for one in found), max))

    def meets(self, one: Found) -> bool:
        """Whether one of them shares a character with `one`."""
        before = bisect_left(self._starts, one.end)
        return before > 0 and self._ends[before - 1] > one.start


def _own(text: str) -> str:
    """`text` with blanks for what it only quotes: words in quotation marks, faults under [오류]."""
    if "[오류]" in text:
        text = _WRONG_PART.sub(lambda part: _WRONG.sub(_blank, part[0]), text)
    return _QUOTED.sub(_blank, text) if '"' in text or "“" in text else text


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])
