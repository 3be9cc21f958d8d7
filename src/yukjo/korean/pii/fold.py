"""One form for what is written in many: a text as the rules read it, with the way back.

1. Full-width and other forms of ASCII become ASCII (NFKC), every dash `-`, every space a space.
2. What takes no room is left out, and Hangul in pieces (NFD) is put together; only then do
   positions move, and `span` leads back.
3. A placeholder is blanked: it is no context for what stands beside it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from yukjo.korean.pii.kinds import PLACED
from yukjo.korean.text import BIDI, ZERO_WIDTH

_RANGES = (
    (0x00A0, 0x0100), (0x2000, 0x2100), (0x3000, 0x3001), (0xFE50, 0xFE70), (0xFF00, 0xFFE6),
    (0x1D400, 0x1D800),
)  # fmt: skip
"""Where characters live that are ASCII in another form."""
_DASHES = "‐‑‒–—―−⁃﹘﹣－ーㅡ─━"
_CELLS = "│┃￨"


def _table() -> dict[str, str]:
    """Characters that stand for one character of ASCII each."""
    ours = dict.fromkeys(_DASHES, "-") | dict.fromkeys(_CELLS, "|")
    codes = (code for start, end in _RANGES for code in range(start, end))
    pairs = ((chr(code), unicodedata.normalize("NFKC", chr(code))) for code in codes)
    return {c: plain for c, plain in pairs if len(plain) == 1 and plain.isascii()} | ours


_PLAIN = _table()
# All of them, and some that have no other form: a class of few ranges is quick.
_ODD = re.compile(
    "[\u00a0\u00aa\u00b2-\u00ba\u2000-\u2015\u202f\u2043\u205f\u2070-\u209c\u2212\u2500-\u2503\u3000"
    "\u30fc\u3161\ufe50-\ufe6b\uff01-\uffe8\U0001d400-\U0001d7ff]"
)
_MARKS = "\u0300-\u036f\u1160-\u11ff\ud7b0-\ud7fb"
_MOVING = re.compile(f"[{ZERO_WIDTH}{BIDI}{_MARKS}]")
_PIECE = re.compile(f"[{ZERO_WIDTH}{BIDI}]|[\\s\\S][{_MARKS}]*")
_UNSEEN = re.compile(f"[{ZERO_WIDTH}{BIDI}]")
_ALIKE = {"O": "0", "o": "0", "l": "1", "I": "1"}
_CUTS = tuple("-. )")
_SCANNED = re.compile(r"[OoIl](?<![A-Za-z][OoIl])[OoIl]{0,5}(?![A-Za-z])")
_SPECIAL = re.compile(f"[{ZERO_WIDTH}{BIDI}{_MARKS}]|{_ODD.pattern}")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in one form."""

    text: str
    places: tuple[tuple[int, int], ...] | None
    """Where each character stood in the text as given; None where nothing moved."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a part that isn't empty stood in the text as given."""
        if self.places is None:
            return start, end
        return self.places[start][0], self.places[end - 1][1]


def fold(text: str) -> Folded:
    """The text in one form.

    >>> fold("０１０－１２３４").text, fold("01\u200b0").text, fold("01\u200b0").span(0, 3)
    ('010-1234', '010', (0, 4))
    """
    places = None
    if _SPECIAL.search(text):
        if _MOVING.search(text):
            text, places = _joined(text)
        text = _ODD.sub(lambda found: _PLAIN.get(found[0], found[0]), text)
    if "O" in text or "o" in text or "l" in text or "I" in text:
        text = _SCANNED.sub(_as_digits, text)
    if "[" in text:
        text = PLACED.sub(lambda found: "\0" * len(found[0]), text)
    return Folded(text, places)


def _as_digits(found: re.Match[str]) -> str:
    """Digits that scanning took for letters: they stand beside a digit, and in no word."""
    text, start, end = found.string, found.start(), found.end()
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    beside = (before[-1:], before[:1] if before[-1:] in _CUTS else "",
              after[:1], after[1:] if after[:1] in _CUTS else "")  # fmt: skip
    if any("0" <= one <= "9" for one in beside):
        return "".join(_ALIKE[letter] for letter in found[0])
    return found[0]


def _joined(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text without what takes no room, each letter whole, and where each stood."""
    pairs = list(_letters(text))
    return "".join(letter for letter, _ in pairs), tuple(span for _, span in pairs)


def _letters(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for piece in _PIECE.finditer(text):
        if not _UNSEEN.match(piece[0]):
            for letter in unicodedata.normalize("NFC", piece[0]):
                yield letter, piece.span()
