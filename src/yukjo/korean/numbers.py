"""Numbers as officials write them: `3억 5천만`, `1,234`, `금일십일만삼천오백육십원`.

1. A number is exact: a Fraction in, a Fraction out; nothing passes through a float.
2. Units fall: 조 before 억 before 만, 천 before 백 before 십; `3만 5억` is two numbers.
3. Commas stand every three digits or not at all: `1,23` is no number.
"""

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import zip_longest

GREAT = {"조": 10**12, "억": 10**8, "만": 10**4}
"""Units that close a group of four digits, from the greatest."""

SMALL = {"천": 1000, "백": 100, "십": 10}
"""Units inside a group, from the greatest."""

_DIGITS = "영일이삼사오육칠팔구"
_PLAIN = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d)"
# Inside a group: `2천5백`, `5천`, `천`, `이천오백`, `2,345`. Units fall, so there are three at
# most; without that bound a text of nothing but units is searched for minutes.
_SMALL = (
    rf"(?:(?:(?:{_PLAIN}|[{_DIGITS}])?[천백십]\s?){{1,3}}(?:{_PLAIN}|[{_DIGITS}])?"
    rf"|{_PLAIN}|[{_DIGITS}])"
)
# A group in words opens a number only with a unit after it: 일, 이, 사 are also plain words.
_GROUP = rf"(?:{_SMALL}?\s?[조억만])"
NUMBER = rf"(?:(?:{_GROUP}\s?){{1,3}}{_SMALL}?|(?=\d|[{_DIGITS}]?[천백십]){_SMALL})"
"""A number in any of these forms, as a piece of a regular expression; `parse` judges it."""

_TOKEN = re.compile(rf"\s*(?:(?P<plain>{_PLAIN})|(?P<word>[{_DIGITS}])|(?P<unit>[조억만천백십]))")


def parse(text: str) -> Fraction | None:
    """The number written as `text`; None where it isn't one number.

    >>> [str(parse(x)) for x in ("3억 5천만", "1.5만", "이천오백", "1,23", "3만 5억")]
    ['350000000', '15000', '2500', 'None', 'None']
    """
    # A text and its material name the same numbers; what is long is seldom said twice.
    return _kept(text) if len(text) <= _KEPT else _parsed(text)


def _parsed(text: str) -> Fraction | None:
    tokens = _tokens(text)
    if tokens is None:
        return None
    total, last = Fraction(0), 10**16
    group: list[Fraction | str] = []
    for token in tokens:
        if isinstance(token, str) and token in GREAT:
            value = _group(group) if group else Fraction(1)
            if value is None or GREAT[token] >= last:
                return None
            total, last, group = total + value * GREAT[token], GREAT[token], []
        else:
            group.append(token)
    rest = _group(group) if group else Fraction(0)
    # `5만 30000` would be two numbers said as one.
    if rest is None or (total and rest >= last):
        return None
    return total + rest


_KEPT = 32
"""Characters of the longest number that is remembered."""
_kept = lru_cache(maxsize=4096)(_parsed)


def written(value: Fraction, *, places: int = 10) -> str:
    """Digits with commas, at most `places` decimals, rounded half up; exact where it fits.

    >>> written(Fraction(350_000_000)), written(Fraction(-5, 4)), written(Fraction(2, 3), places=2)
    ('350,000,000', '-1.25', '0.67')
    """
    scaled = round_half_up(value * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    decimals = f"{part:0{places}d}".rstrip("0") if places else ""
    return f"{'-' if scaled < 0 else ''}{whole:,}" + (f".{decimals}" if decimals else "")


def fits(value: Fraction, *, places: int = 10) -> bool:
    """Whether `written` shows the value itself and nothing rounded.

    >>> fits(Fraction(1, 8)), fits(Fraction(1, 3))
    (True, False)
    """
    return bool(10**places % value.denominator == 0)


def in_units(value: int) -> str:
    """An amount in 조, 억 and 만, the rest in digits.

    >>> in_units(350_000_000), in_units(12_345), in_units(-20_000), in_units(999)
    ('3억 5,000만', '1만 2,345', '-2만', '999')
    """
    left, pieces = abs(value), []
    for unit, size in GREAT.items():
        count, left = divmod(left, size)
        if count:
            pieces.append(f"{count:,}{unit}")
    if left or not pieces:
        pieces.append(f"{left:,}")
    return ("-" if value < 0 else "") + " ".join(pieces)


def in_words(value: int) -> str:
    """A number below 10,000조 in Hangul, 일 always written, as beside an amount in a document.

    >>> in_words(113_560), in_words(10_000), in_words(0)
    ('일십일만삼천오백육십', '일만', '영')
    """
    assert 0 <= value < 10**16, "beyond the units of an official document"
    groups = []
    while value:
        value, group = divmod(value, 10**4)
        groups.append(group)
    names = ["", *reversed(GREAT)]
    said = [_four(g) + unit for g, unit in zip_longest(groups, names[: len(groups)]) if g]
    return "".join(reversed(said)) or _DIGITS[0]


def round_half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes away from 0, as 사사오입 does."""
    whole = (abs(value) * 2 + 1) // 2
    return int(whole if value >= 0 else -whole)


def _four(group: int) -> str:
    """A group of at most four digits in words."""
    return "".join(
        _DIGITS[int(digit)] + unit
        for digit, unit in zip(f"{group:04d}", [*SMALL, ""], strict=True)
        if digit != "0"
    )


def _tokens(text: str) -> list[Fraction | str] | None:
    """Numbers and units in their order; None where something else stands between."""
    place, found = 0, list[Fraction | str]()
    stripped = text.strip()
    while place < len(stripped):
        token = _TOKEN.match(stripped, place)
        if token is None:
            return None
        if plain := token["plain"]:
            found.append(Fraction(Decimal(plain.replace(",", ""))))
        elif word := token["word"]:
            found.append(Fraction(_DIGITS.index(word)))
        else:
            found.append(token["unit"])
        place = token.end()
    return found or None


def _group(tokens: list[Fraction | str]) -> Fraction | None:
    """What stands before a great unit: `2천5백`, `천`, `2,345`; None where it is no number."""
    total, last, digit = Fraction(0), 10**4, None
    for token in tokens:
        if isinstance(token, Fraction):
            if digit is not None or (total and token >= last):
                return None
            digit = token
        elif SMALL[token] >= last:
            return None
        else:
            total += (1 if digit is None else digit) * SMALL[token]
            last, digit = SMALL[token], None
    return total + (digit or 0)
