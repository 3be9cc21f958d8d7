"""One pass over a text that says which rules are worth running: most texts end here.

Every alternative begins with a letter that is not frequent: `re` skips from one such to the next,
at 5 ns a character. Words are found by their rarest letter, so a word's last letter may stand for
it with the rest in a lookbehind.
"""

import re
from collections.abc import Iterator

from yukjo.korean.pii.names import LABEL_POINTS, TITLE_POINTS

_WORDS = {
    "email": ("@", "골뱅이", r"at ?[)\]]", r"AT ?[)\]]"),
    "spoken": ("공일", "영일"),
    "network": ("IP", "Ip", "ip", "피(?<=아이피)", "접속", "그(?<=로그)인"),
    "birth": ("생(?:년|일| 년)", "생(?:(?<=[일.]생)|(?<=[일.] 생)|(?<=출생))", "태어"),
    "motorcycle": ("륜(?<=이륜)", "토(?<=오토)바", "호(?<=번호)판"),
    "label": LABEL_POINTS,
    "title": TITLE_POINTS,
}
_POINTS = re.compile("|".join(f"{word}()" for words in _WORDS.values() for word in words))
_RULES = (None, *(rule for rule, words in _WORDS.items() for _ in words))
# Seven digits and more, whatever stands between them: only then is there a number to look for.
_LONG = re.compile(r"[0-9](?:[^0-9가-힣\n]{0,3}+[0-9]){6,}+")


def points(text: str) -> Iterator[tuple[str, int]]:
    """The rule that each telling word speaks for, and where the word's letter ends."""
    for found in _POINTS.finditer(text):
        rule = _RULES[found.lastindex or 0]
        assert rule
        yield rule, found.start() + 1


def long_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where digits stand close together, seven or more."""
    for found in _LONG.finditer(text):
        yield found.span()
