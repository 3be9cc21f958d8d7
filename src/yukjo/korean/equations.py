"""Sums that a text writes out, `15개 × 500만 원 = 7,500만 원`, reckoned again.

Right when it speaks: whatever can't be read without doubt is left alone.

1. Numbers are exact (`numbers.parse`); `N%` counts as a hundredth, and the result may be meant in
   hundredths too.
2. A result may be rounded or cut at its last digit; after 약, or before 가량 and 여, by one of it.
3. Where the result has a unit that no operand has, it may differ by a power of ten (톤 to kg), or
   by a measure of time.
"""

import re
from fractions import Fraction

from yukjo.korean.found import Found, moved
from yukjo.korean.numbers import NUMBER, in_units, parse, round_half_up, written
from yukjo.korean.text import lines_with

_UNIT = r"(?:%\s?p|[%％]|[가-힣A-Za-z㎡㎥㎞㎏℃/²³]{1,8})"
_S = r"[^\S\n]*"
_LABEL = r"(?:[^\S\n]?[가-힣A-Za-z][가-힣A-Za-z ]{0,11}?)?"
VALUE = rf"(?:(?<![\d.,])(?=\d)(?>{NUMBER})(?:[^\S\n]?{_UNIT})?)"
"""A number that begins with a digit, and its unit."""
_OPERAND = rf"{_LABEL}{_S}\(*{_S}{VALUE}{_S}\)*{_S}"
_EQUATION = re.compile(
    rf"(?P<sum>\(*{_S}{VALUE}{_S}\)*{_S}(?:[-+*/×÷−]{_S}{_OPERAND})+)={_S}"
    rf"(?P<about>약\s?)?(?P<sign>[-−])?(?P<result>(?>{NUMBER}))\s?(?P<unit>{_UNIT})?"
)
_LEFT = re.compile(r"[-+*/×÷−=~∼]\s*[가-힣A-Za-z]{0,12}\s*$")
_TOKEN = re.compile(
    rf"\s*(?:(?P<sign>[-+*/×÷−()])|(?P<number>(?=\d)(?>{NUMBER}))\s?(?P<unit>{_UNIT})?)"
)
_WORD = re.compile(r"\s*[가-힣A-Za-z][가-힣A-Za-z ]*(?=[(\d])")
_GOES_ON = re.compile(r"\s?[)]?\s?[-+*/×÷−](?!\s?\n)")
_PERCENT = re.compile(r"[%％]")
_PARTICLE = re.compile(r"(?:이므로|이며|이고|으로|입니다|이다|로|을|를|이|가|은|는|임|의|씩)$")
_ROUGH = re.compile(r"\s?(?:가량|여(?![가-힣])|정도)")
_LONGEST = 200
_TIMES = (60, 3600, 24, 7, 12, 365)


def equation_faults(text: str) -> list[Found]:
    """Equations in `text`, in NFC, that don't come out, with the right result.

    >>> [f.mend for f in equation_faults("15개×500만 원=8,500만 원, (13-12)÷12×100=8.3%")]
    ['7,500만']
    >>> equation_faults("455톤 ÷ 50,000명 = 9.1kg, 82% - 75% = 7%p, 2 ÷ 3 = 약 0.66")
    []
    """
    found: list[Found] = []
    for start, line in lines_with(text, "="):
        whole = (m for m in _EQUATION.finditer(line) if not _LEFT.search(_before(m)))
        found += moved((one for match in whole if (one := _judged(match))), start)
    return found


def _before(match: re.Match[str]) -> str:
    """What stands in front of an equation: it may begin further left than can be read."""
    return match.string[max(0, match.start() - 24) : match.start()]


def agrees(
    said: str, value: Fraction, *, rough: bool = False, blur: Fraction = Fraction(0)
) -> bool:
    """Whether a number as written is `value`, rounded or cut to as many digits.

    `blur` is the share of the value that rounded operands leave open (`blurred`).

    >>> [agrees(s, Fraction(200, 3)) for s in ("66.7", "66.6", "67", "66.5")]
    [True, True, True, False]
    """
    number = parse(said)
    if number is None:
        return True
    step = last_digit(said)
    near = {round_half_up(value / step) * step, _cut(value, step)}
    if number in near or (rough and min(abs(number - one) for one in near) <= step):
        return True
    return bool(blur) and abs(number - value) <= abs(value) * blur + step


def blurred(said: str) -> Fraction:
    """The share of a written number that its rounding leaves open; 0 of a whole number.

    >>> str(blurred("46.2")), str(blurred("80"))
    ('1/924', '0')
    """
    value = parse(said)
    if "." not in said or not value:
        return Fraction(0)
    return last_digit(said) / 2 / abs(value)


def last_digit(said: str) -> Fraction:
    """What the last digit of a written number is worth.

    >>> [str(last_digit(s)) for s in ("66.7", "1,234", "3억 5천만", "1.5만")]
    ['1/10', '1', '10000000', '1000']
    """
    units = {"조": 10**12, "억": 10**8, "만": 10**4, "천": 1000, "백": 100, "십": 10}
    tail = re.search(r"(?:\.(\d+))?\s*([조억만천백십]*)\s*$", said)
    worth = Fraction(1)
    if tail:
        for unit in tail[2]:
            worth *= units[unit]
        worth /= 10 ** len(tail[1] or "")
    return worth


def _cut(value: Fraction, step: Fraction) -> Fraction:
    whole = abs(value) // step * step
    return whole if value >= 0 else -whole


def _judged(match: re.Match[str]) -> Found | None:
    if len(match[0]) > _LONGEST or _GOES_ON.match(match.string, match.end()):
        return None
    read, said = _read(match["sum"]), parse(match["result"])
    if read is None or said is None:
        return None
    value, units, blur = read
    if match["sign"]:
        said = -said
    unit = _PARTICLE.sub("", match["unit"] or "")
    after = match.string[match.end("result") :]
    rough = bool(match["about"] or _ROUGH.match(after))
    in_percent = _PERCENT.match(unit) or any(map(_PERCENT.match, units))
    meant = [value, value * 100] if in_percent else [value]
    size = [abs(one) for one in meant] if match["sign"] else meant
    # `2.2조` may be 2.2 teams.
    ways = {match["result"], re.sub(r"\s?[조억만천백십]+$", "", match["result"])}
    if any(agrees(way, one, rough=rough, blur=blur) for way in ways for one in size):
        return None
    if unit not in units and any(_scaled(said, one) for one in size):
        return None
    best = min(size, key=lambda one: abs(one - abs(said)))
    return Found("wrong-sum", *match.span("result"), rewritten(match["result"], best))


def rewritten(said: str, value: Fraction) -> str:
    """`value` in the manner of a number that was written, to as many decimals.

    >>> rewritten("8,500만", Fraction(75_000_000)), rewritten("8.3", Fraction(25, 3))
    ('7,500만', '8.3')
    """
    if re.search("[조억만]", said) and value.denominator == 1 and value % 1000 == 0:
        return in_units(int(value))
    decimals = re.search(r"\.(\d+)", said)
    return written(value, places=len(decimals[1]) if decimals else 0 if value > 1000 else 2)  # noqa: PLR2004


def _scaled(said: Fraction, value: Fraction) -> bool:
    """Whether the two may be one quantity in two units."""
    if not value or not said:
        return False
    ratio = abs(said / value)
    powers = [Fraction(10) ** power for power in range(-12, 13) if power]
    times = [one for time in _TIMES for one in (Fraction(time), Fraction(1, time))]
    return any(abs(ratio / one - 1) < Fraction(1, 100) for one in (*powers, *times))


def _read(text: str) -> tuple[Fraction, list[str], Fraction] | None:
    """Value, units and blur of a sum; None where it can't be reckoned."""
    tokens: list[Fraction | str] = []
    units: list[str] = []
    blur = Fraction(0)
    place, body = 0, text.strip()
    # `(3+4=7` opens an aside, and no bracket of the sum.
    while body.startswith("(") and body.count("(") > body.count(")"):
        body = body[1:].lstrip()
    while place < len(body):
        token = _TOKEN.match(body, place)
        if token is None:
            word = _WORD.match(body, place)
            if word is None or not tokens or isinstance(tokens[-1], Fraction):
                return None
            place = word.end()
            continue
        place = token.end()
        if sign := token["sign"]:
            tokens.append({"−": "-", "×": "*", "÷": "/"}.get(sign, sign))
            continue
        number = parse(token["number"])
        if number is None:
            return None
        unit = _PARTICLE.sub("", token["unit"] or "")
        units.append(unit)
        blur += blurred(token["number"])
        tokens.append(number / 100 if _PERCENT.match(unit) else number)
    value = _Sum(tokens).value()
    return None if value is None else (value, units, blur)


class _Sum:
    """Reckons tokens by the usual order; None where they are no sum."""

    def __init__(self, tokens: list[Fraction | str]) -> None:
        self._tokens = tokens
        self._at = 0

    def value(self) -> Fraction | None:
        """The value of all tokens."""
        found = self._added()
        return found if self._at == len(self._tokens) else None

    def _next(self, *wanted: str) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else ""
        if isinstance(token, str) and token in wanted:
            self._at += 1
            return token
        return ""

    def _added(self) -> Fraction | None:
        total = self._multiplied()
        while total is not None and (sign := self._next("+", "-")):
            more = self._multiplied()
            if more is None:
                return None
            total = total + more if sign == "+" else total - more
        return total

    def _multiplied(self) -> Fraction | None:
        total = self._one()
        while total is not None and (sign := self._next("*", "/")):
            more = self._one()
            if more is None or (sign == "/" and not more):
                return None
            total = total * more if sign == "*" else total / more
        return total

    def _one(self) -> Fraction | None:
        if self._next("("):
            inner = self._added()
            return inner if self._next(")") else None
        token = self._tokens[self._at] if self._at < len(self._tokens) else ""
        if isinstance(token, Fraction):
            self._at += 1
            return token
        return None
