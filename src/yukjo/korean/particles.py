"""Particles that follow the last sound of the word before them: `세무과를`, `12,300원을`, `2일에`.

A text says both forms, as `{부서}을(를)`, because what stands before is filled in later; `attach`
keeps the one that is read.

1. What is read decides, not what is written: `3` is 삼, and `2026. 3. 2.` ends in 일.
2. What stands in brackets after a word isn't read: `고지서(12-3456)를`.
"""

import re

_PAIRS = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
}
"""As written -> after a closed syllable, after an open one."""

_BOTH = re.compile("|".join(map(re.escape, _PAIRS)))
_ASIDE = re.compile(r"\([^()]*\)$")
_DAY = re.compile(r"\d\.$")
_UNREAD = " \"'”’」』])}.,"
_FIRST, _LAST, _FINALS, _RIEUL = ord("가"), ord("힣"), 28, 8
_DIGIT_FINALS = dict(zip("0123456789", (21, 8, 0, 16, 0, 0, 1, 8, 8, 0), strict=True))
"""The final consonant of 영, 일, 이, 삼 ... by its place among the 28."""


def attach(text: str) -> str:
    """`text` with every pair of forms reduced to the one that fits.

    >>> attach("세무과을(를) 거쳐 12,300원을(를) 냅니다.")
    '세무과를 거쳐 12,300원을 냅니다.'
    >>> attach("고지서(12-3456)을(를) 2026. 3. 2.(으)로 미룹니다.")
    '고지서(12-3456)를 2026. 3. 2.로 미룹니다.'
    """
    made, done = "", 0
    for found in _BOTH.finditer(text):
        made += text[done : found.start()]
        closed, open_ = _PAIRS[found[0]]
        final = _final(made)
        bare = not final or (final == _RIEUL and found[0] == "(으)로")
        made, done = made + (open_ if bare else closed), found.end()
    return made + text[done:]


def _final(text: str) -> int:
    """The final consonant of the last sound, by its place; 0 where it is open or not known."""
    read = _ASIDE.sub("", text)
    if _DAY.search(read):
        return _RIEUL
    last = read.rstrip(_UNREAD)[-1:]
    if last in _DIGIT_FINALS:
        return _DIGIT_FINALS[last]
    return (ord(last) - _FIRST) % _FINALS if last and _FIRST <= ord(last) <= _LAST else 0
