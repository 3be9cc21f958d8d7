"""Two Korean texts word by word: what stands in one and not in the other.

A word is an *eojeol* without its punctuation. Where two words in the same place begin alike, as
`접수를` and `접수가`, only what differs is marked: most changes of Korean stand at a word's end.
"""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\s+|\d[\d.,:]*\d|\w+|[^\w\s]")
MOST_WORDS = 3000
"""Of one side; texts longer than that are shown without marks."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text."""

    text: str
    marked: bool
    """Whether it stands in this text only."""


def marked(text: str, other: str) -> list[Span]:
    """`text` in pieces, those that `other` lacks marked.

    >>> [s.text for s in marked("접수를 7일 안에", "접수가 7일 안에") if s.marked]
    ['를']
    >>> [s.text for s in marked("같은 글", "같은  글") if s.marked]
    []
    """
    own, others = _WORD.findall(text), _WORD.findall(other)
    if max(len(own), len(others)) > MOST_WORDS:
        return [Span(text, marked=False)]
    keys, other_keys = [_key(word) for word in own], [_key(word) for word in others]
    spans: list[Span] = []
    for tag, a, b, c, d in SequenceMatcher(None, keys, other_keys, autojunk=False).get_opcodes():
        if tag == "equal":
            spans.append(Span("".join(own[a:b]), marked=False))
        elif b - a == d - c:
            for word, counterpart in zip(own[a:b], others[c:d], strict=True):
                spans.extend(_ends(word, counterpart))
        else:
            spans.extend(Span(word, marked=not word.isspace()) for word in own[a:b])
    return _joined(spans)


def _key(word: str) -> str:
    return " " if word.isspace() else word


def _ends(word: str, other: str) -> list[Span]:
    """A word whose counterpart begins alike: only its end is marked; else all of it."""
    if word.isspace():
        return [Span(word, marked=False)]
    same = 0
    while same < min(len(word), len(other)) and word[same] == other[same]:
        same += 1
    if same * 2 < len(word) or word[:1].isdigit():  # half a figure is no figure
        return [Span(word, marked=True)]
    return [Span(word[:same], marked=False), Span(word[same:], marked=True)]


def _joined(spans: list[Span]) -> list[Span]:
    """Neighbours of one kind as one; a blank between two marked ones is marked with them."""
    joined: list[Span] = []
    for place, span in enumerate(spans):
        after = spans[place + 1].marked if place + 1 < len(spans) else False
        between = span.text == " " and bool(joined) and joined[-1].marked and after
        one = Span(span.text, marked=span.marked or between)
        if joined and joined[-1].marked == one.marked:
            joined[-1] = Span(joined[-1].text + one.text, marked=one.marked)
        elif one.text:
            joined.append(one)
    return joined
