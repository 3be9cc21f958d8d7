"""Two Korean texts word by word: what stayed, what went, what came.

A word is what stands between spaces (어절). Where one word became another that begins or ends
alike, only the part that differs is marked: a particle or an ending is what mostly changes.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

MOST_WORDS = 2000
"""Words of both texts beyond which only their common beginning and end are told apart."""

_WORD = re.compile(r"\s*\S+|\s+$")

_NUMBER = "0123456789.,:"

Fate = Literal["same", "gone", "new"]


class Piece(NamedTuple):
    """A stretch of text and its fate."""

    fate: Fate
    text: str


def word_diff(before: str, after: str) -> list[Piece]:
    """The pieces of both texts in order: same and gone make `before`, same and new `after`.

    >>> marked(word_diff("담당자가 7일 안에 답합니다.", "담당자는 14일 안에 답합니다."))
    '담당자[-가-]{+는+} [-7일-]{+14일+} 안에 답합니다.'
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) > MOST_WORDS:
        return _joined(_ends(old, new))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return _joined(
        piece for _, a, b, c, d in matcher.get_opcodes() for piece in _block(old[a:b], new[c:d])
    )


def marked(pieces: Sequence[Piece], *, around: int | None = None) -> str:
    """The pieces as one text, `[-gone-]` and `{+new+}`, as git and wdiff mark them.

    `around` is how many characters of what stayed are shown beside a change; None for all.
    """
    signs = {"same": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}")}
    return "".join(
        f"{signs[fate][0]}{text}{signs[fate][1]}" for fate, text in shortened(pieces, around)
    )


def shortened(pieces: Sequence[Piece], around: int | None) -> Iterator[Piece]:
    """The pieces with the middle of long unchanged ones left out."""
    for place, piece in enumerate(pieces):
        if around is None or piece.fate != "same" or len(piece.text) <= 2 * around:
            yield piece
            continue
        start = piece.text[:around] if place else ""
        end = piece.text[-around:] if place < len(pieces) - 1 else ""
        yield Piece("same", f"{start}…{end}")


def _block(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    """The pieces of a stretch that stayed or was replaced as a whole."""
    if old == new:
        yield Piece("same", "".join(old))
    elif len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _word(one, other)
    else:
        yield from _replaced("".join(old), "".join(new))


def _word(old: str, new: str) -> Iterator[Piece]:
    """One word and what became of it."""
    space = _space(old, new)
    start, end = _alike(old[space:], new[space:])
    start, end = _around_numbers(old[space:], start, end)
    if old != new and 2 * (start + end) < max(len(old), len(new)) - space:
        yield from _replaced(old, new)
        return
    start += space
    yield Piece("same", old[:start])
    yield Piece("gone", old[start : len(old) - end])
    yield Piece("new", new[start : len(new) - end])
    yield Piece("same", old[len(old) - end :])


def _around_numbers(word: str, start: int, end: int) -> tuple[int, int]:
    """The same ends, but so that no number is cut: 13:00 becomes 13:30, not 0 becomes 3."""
    while 0 < start < len(word) and word[start - 1] in _NUMBER:
        start -= 1
    while 0 < end < len(word) and word[-end] in _NUMBER:
        end -= 1
    return start, end


def _replaced(old: str, new: str) -> Iterator[Piece]:
    """What stood there and what stands there now; the space before both stayed."""
    space = _space(old, new)
    yield Piece("same", old[:space])
    yield Piece("gone", old[space:])
    yield Piece("new", new[space:])


def _space(old: str, new: str) -> int:
    """How many spaces both begin with."""
    start, _ = _alike(old, new)
    return start - len(old[:start].lstrip())


def _ends(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    """Common beginning, what differs as a whole, common end."""
    start, end = _alike(old, new)
    yield Piece("same", "".join(old[:start]))
    yield from _replaced("".join(old[start : len(old) - end]), "".join(new[start : len(new) - end]))
    yield Piece("same", "".join(old[len(old) - end :]))


def _alike(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How much of the beginning and of the end is the same."""
    shortest = min(len(old), len(new))
    start = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    rest = shortest - start
    return start, next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)


def _joined(pieces: Iterator[Piece]) -> list[Piece]:
    """The pieces, none empty, neighbours of one fate together."""
    made: list[Piece] = []
    for piece in pieces:
        if piece.text and made and made[-1].fate == piece.fate:
            made[-1] = Piece(piece.fate, made[-1].text + piece.text)
        elif piece.text:
            made.append(piece)
    return made
