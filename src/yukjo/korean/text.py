"""What can be said of a text by looking at its characters; all pure, none knows a sample.

1. `fold` keeps what makes two texts say the same: letters and digits, whatever their form.
2. Positions are 0-based indices into the text as given; nothing is repaired here.
3. A sentence never crosses a line, and an item label ("나.") or a date never ends one.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb"
"""Jamo and syllables, as the inside of a character class."""

CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f"
"""Control characters, without tab and line feed."""

ZERO_WIDTH = "\u00ad\u180e\u200b-\u200d\u2060-\u2064\ufeff"
"""Characters that take no room: soft hyphen, zero-width space and joiners, stray BOM."""

BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Characters that turn the direction of text and can make it read other than it is stored."""

SURROGATE = "\ud800-\udfff"
"""Halves of a pair; alone they are no character and can't be stored as UTF-8."""

_HANGUL = re.compile(f"[{HANGUL}]")
_LETTER = re.compile(r"[^\W\d_]")
_SCRIPTS = {
    "hangul": _HANGUL,
    "han": re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
    "latin": re.compile(
        "[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\uff21-\uff3a\uff41-\uff5a]"
    ),
}
_CONTROL = re.compile(f"[{CONTROL}]")
_ZERO_WIDTH = re.compile(f"[{ZERO_WIDTH}]")
_BIDI = re.compile(f"[{BIDI}]")
_SURROGATE = re.compile(f"[{SURROGATE}]")
_SUSPECT = re.compile(f"[{CONTROL}{ZERO_WIDTH}{BIDI}{SURROGATE}]")
_LINE_END = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_NOT_SAID = re.compile(r"[\W_]+")

_LABELS = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허"
# An end: closing punctuation, perhaps a closing quote or bracket, then a space.
_END = re.compile(r"[.?!…。]+[\"'”’」』)\]]*(?=\s)")
# A full stop after one of these, as a whole word, is a label or a piece of a date or number.
_LABEL = re.compile(rf"(?:^|[\s(\[「『])(?:[{_LABELS}]|[A-Za-z]|[0-9]+)$")


def fold(text: str) -> str:
    """Letters and digits only, in one form (NFKC) and one case; for telling copies apart.

    >>> fold("도로 보수-공사, 제１차") == fold("도로보수 공사(제1차)")
    True
    """
    return _NOT_SAID.sub("", unicodedata.normalize("NFKC", text).casefold())


def hangul_share(text: str) -> float:
    """Share of the letters that are Hangul, 0..1; 1 where there is no letter at all.

    >>> hangul_share("예산 1,000원"), hangul_share("abc 가")
    (1.0, 0.25)
    """
    letters = len(_LETTER.findall(text))
    return len(_HANGUL.findall(text)) / letters if letters else 1.0


def scripts(text: str) -> dict[str, int]:
    """How many letters of `text` are Hangul, Han, Latin and other; each script that occurs.

    >>> scripts("민원(民願) FAQ 1건")
    {'hangul': 3, 'han': 2, 'latin': 3}
    """
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS.items()}
    counts["other"] = len(_LETTER.findall(text)) - sum(counts.values())
    return {name: count for name, count in counts.items() if count > 0}


def has_digit(text: str) -> bool:
    """Whether one of the digits 0 to 9 stands in the text; ten times as fast as a pattern.

    >>> has_digit("3월"), has_digit("삼월")
    (True, False)
    """
    return any(digit in text for digit in "1203546789")


def lines_with(text: str, *marks: str) -> Iterator[tuple[int, str]]:
    r"""The lines that hold one of `marks`, with where each starts.

    >>> list(lines_with("가\n나=1", "="))
    [(2, '나=1')]
    """
    if not any(mark in text for mark in marks):
        return
    start = 0
    for line in text.split("\n"):
        if any(mark in line for mark in marks):
            yield start, line
        start += len(line) + 1


def is_mostly_hangul(text: str) -> bool:
    """Whether at least half of the letters are Hangul; true where there is no letter.

    >>> is_mostly_hangul("민원 접수"), is_mostly_hangul("civil complaint 민원")
    (True, False)
    """
    # EB and EC begin only Hangul syllables in UTF-8: taking out bytes settles most texts 10x
    # faster, and quicker than counting them. Letters are at most the characters that are no space.
    data = text.encode("utf-8", "surrogatepass")
    surely = len(data) - len(data.translate(None, b"\xeb\xec"))
    return 2 * surely >= len(text) - text.count(" ") or hangul_share(text) >= 1 / 2


def is_nfc(text: str) -> bool:
    r"""Whether the text is in Normalization Form C (Unicode Annex 15), as Korean should be stored.

    >>> is_nfc("가"), is_nfc("\u1100\u1161")
    (True, False)
    """
    return unicodedata.is_normalized("NFC", text)


def is_suspect(text: str) -> bool:
    r"""Whether one of the `find_*` functions would find something; one quick pass.

    >>> is_suspect("안녕\n하세요\t"), is_suspect("안\u200b녕")
    (False, True)
    """
    # All of them are unprintable, and asking that of a text is three times as fast.
    plain = text.replace("\n", " ").replace("\t", " ").isprintable()
    return not plain and _SUSPECT.search(text) is not None


def find_control(text: str) -> int | None:
    r"""Position of the first control character other than tab and line feed.

    >>> find_control("가\x00"), find_control("가\t나\n")
    (1, None)
    """
    return _first(_CONTROL, text)


def find_zero_width(text: str) -> int | None:
    r"""Position of the first character that takes no room.

    >>> find_zero_width("가\u200b나")
    1
    """
    return _first(_ZERO_WIDTH, text)


def find_bidi(text: str) -> int | None:
    r"""Position of the first character that turns the direction of text.

    >>> find_bidi("가나\u202e")
    2
    """
    return _first(_BIDI, text)


def find_surrogate(text: str) -> int | None:
    r"""Position of the first half of a surrogate pair.

    >>> find_surrogate("가\ud800")
    1
    """
    return _first(_SURROGATE, text)


def visible(text: str) -> str:
    r"""The text without what can't be seen, in NFC, with one kind of line end.

    What goes: control and format characters (zero width, direction, tags) and lone surrogates.
    Tabs become spaces. Letters for private use stay: Hangul editors draw their bullets with them.

    >>> visible("가\u200b\u202e\x00나\r\n다\u2028라")
    '가나\n다\n라'
    """
    lines = _LINE_END.sub("\n", text).replace("\t", " ")
    return unicodedata.normalize("NFC", "".join(c for c in lines if c == "\n" or not _unseen(c)))


def shown(text: str, *, limit: int = 60) -> str:
    r"""The text on one line, at most `limit` characters, with what can't be seen written out.

    Safe to print whatever the text holds.

    >>> shown("가\n나\u202e\ud800")
    '가\\n나\\u202e\\ud800'
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else _escape(c) for c in cut)


def sentences(text: str) -> list[str]:
    r"""The sentences in order, trimmed, none empty; by line first, then by closing punctuation.

    >>> sentences("가. 접수합니다. 나. 2026. 3. 2.까지 냅니다.\n문의하시겠습니까? 네. 그렇습니다.")
    ['가. 접수합니다.', '나. 2026. 3. 2.까지 냅니다.', '문의하시겠습니까?', '네.', '그렇습니다.']
    """
    return [found for line in text.splitlines() for found in _sentences_of_line(line)]


def _sentences_of_line(line: str) -> list[str]:
    """The sentences of one line."""
    starts = [0, *(end.end() for end in _END.finditer(line) if _closes(line, end)), len(line)]
    pieces = (line[a:b].strip() for a, b in pairwise(starts))
    return [piece for piece in pieces if piece]


def _closes(line: str, end: re.Match[str]) -> bool:
    """Whether this punctuation ends a sentence rather than a label, a date or a number."""
    before = line[max(0, end.start() - 24) : end.start()]
    return end.group() != "." or _LABEL.search(before) is None


def _first(pattern: re.Pattern[str], text: str) -> int | None:
    """Where `pattern` first stands in `text`."""
    found = pattern.search(text)
    return found.start() if found else None


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def _escape(character: str) -> str:
    """A character as Python would write it in a string."""
    return ascii(character)[1:-1]
