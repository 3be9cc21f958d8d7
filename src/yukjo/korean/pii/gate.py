"""One pass over a text that says which rules are worth running: most texts end here.

Every alternative begins with a letter that is not frequent: `re` skips from one such to the next,
at 5 ns a character. Words are found by their rarest letter, so a word's last letter may stand for
it with the rest in a lookbehind.
"""

import re
from collections.abc import Iterator

from yukjo.korean.pii.names import CLOSING_POINTS, LABEL_POINTS, TITLE_POINTS

_WORDS = {
    "email": ("@", "골뱅이", r"at ?[)\]]", r"AT ?[)\]]"),
    "spoken": ("공일", "영일"),
    "network": ("IP", "Ip", "ip", "피(?<=아이피)", "접속", "그(?<=로그)인"),
    "birth": (
        "생(?:년|일| 년)",
        "생(?:(?<=[일.]생)|(?<=[일.] 생)|(?<=출생))",
        "태어",
        "앞 ?(?:자리|번호)",
    ),
    "motorcycle": ("륜(?<=이륜)", "토(?<=오토)바", "호(?<=번호)판"),
    "tail": ("뒷(?: ?자리|번호)", "뒤 ?자리"),
    "passport": ("권(?<=여권)", "assport", *(f"{letter}(?= ?[0-9]{{3}})" for letter in "MSROD")),
    "label": LABEL_POINTS,
    "title": TITLE_POINTS,
    "closing": CLOSING_POINTS,
}
_POINTS = re.compile("|".join(f"{word}()" for words in _WORDS.values() for word in words))
_RULES = (None, *(rule for rule, words in _WORDS.items() for _ in words))
# Nine digits and more, close together: the shortest telephone number has as many.
_LONG = re.compile(r"[0-9](?:[-./·_~() ]{0,3}+[0-9]){8,}+")
_DATES = re.compile(r"(?:[^0-9]*+(?:(?:19|20)[0-9]{2}|[0-9]{1,2})(?![0-9]))++")
_SPACED = re.compile("[0-9] [0-9] [0-9] [0-9] ")


def points(text: str) -> Iterator[tuple[str, int]]:
    """The rule that each telling word speaks for, and where the word's letter ends."""
    for found in _POINTS.finditer(text):
        rule = _RULES[found.lastindex or 0]
        assert rule
        yield rule, found.start() + 1


def long_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where nine digits or more stand close together, and are not days and hours alone."""
    for found in _LONG.finditer(text):
        if not _DATES.fullmatch(found[0]) or _SPACED.match(found[0]):
            yield found.span()
