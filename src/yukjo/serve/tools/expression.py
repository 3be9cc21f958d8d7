"""Calculate what officials write: `(3억 5천만 원 - 1억 2천만 원) × 15%`, `증가율(1,200; 1,500)`.

Exact fractions from end to end, no eval, and units that refuse nonsense:

1. 원 goes with 원 or with a bare number, which takes the unit; 원 × 원 is refused.
2. The difference of two percentages is %p, and %p adds to % only: 45% - 40% = 5%p. An amount
   plus a percentage is refused, for it may mean two things.
3. Size is bounded before anything is computed: length, nesting, exponent, digits.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from yukjo.errors import DataError
from yukjo.korean import numbers
from yukjo.words import say

Unit = Literal["", "원", "%", "%p"]

LONGEST = 500
"""Characters of an expression."""
DEEPEST = 40
"""Brackets and signs inside each other."""
LARGEST_EXPONENT = 100
BITS = 2000
"""Of a numerator or denominator: far beyond any budget, and quick to compute with."""

_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{numbers.NUMBER})|(?P<unit>%\s*[pP]|퍼센트\s*포인트|퍼센트|％|%|원)"
    r"|(?P<name>[가-힣]+|[a-z]+)|(?P<sign>\*\*|[-+*/^()（）×÷−–·;,=]))"
)
_SAME = {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "**": "^", "（": "(", "）": ")"}
_UNITS: dict[str, Unit] = {"원": "원", "%": "%", "％": "%", "퍼센트": "%"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit; 5% is 5 and `%`."""

    value: Fraction
    unit: Unit = ""

    def __str__(self) -> str:
        if self.unit == "원":
            whole = numbers.fits(self.value, places=2)
            said = numbers.written(self.value, places=2 if whole else 0) + "원"
            if self.value.denominator == 1 and abs(self.value) >= min(numbers.GREAT.values()):
                said += f"({numbers.in_units(int(self.value))} 원)"
        else:
            whole = numbers.fits(self.value)
            said = numbers.written(self.value, places=10 if whole else 2) + self.unit
        return said if whole else say("about {value}", value=said)

    @property
    def share(self) -> Fraction:
        """What it multiplies with: 5% is 1/20."""
        return self.value / 100 if self.unit == "%" else self.value


def calculate(text: str) -> Quantity:
    """The value of an expression; DataError says what is wrong in it."""
    if len(text) > LONGEST:
        raise _refused(text[:20] + "…", say("it has more than {most} characters", most=LONGEST))
    return _Parser(text).whole()


class _Parser:
    """Reads by descent: sum > product > sign > power > atom, and computes as it goes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._place = 0
        self._depth = 0

    def whole(self) -> Quantity:
        value = self._sum()
        self._take("=")  # `3 + 5 =` is how people write it
        if self._place < len(self._tokens):
            raise self._fault(say("`{token}` is not expected", token=self._tokens[self._place][1]))
        return value

    def _sum(self) -> Quantity:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._fault(say("brackets are nested too deep"))
        value = self._product()
        while sign := self._take("+", "-"):
            value = self._do(_add if sign == "+" else _subtract, value, self._product())
        self._depth -= 1
        return value

    def _product(self) -> Quantity:
        value = self._signed()
        while sign := self._take("*", "/", "의"):
            value = self._do(_divide if sign == "/" else _multiply, value, self._signed())
        return value

    def _signed(self) -> Quantity:
        negative = False
        while sign := self._take("-", "+"):
            negative ^= sign == "-"
        value = self._power()
        return Quantity(-value.value, value.unit) if negative else value

    def _power(self) -> Quantity:
        value = self._atom()
        return self._do(_raise, value, self._signed()) if self._take("^") else value

    def _atom(self) -> Quantity:
        kind, token = self._next()
        if kind == "number":
            number = numbers.parse(token)
            if number is None:
                raise self._fault(say("`{token}` is no number", token=token.strip()))
            return self._bounded(Quantity(number, self._unit()))
        if token == "(":  # noqa: S105 - a bracket
            value = self._sum()
            self._need(")")
            unit = self._unit()
            return Quantity(value.value, unit or value.unit)
        if token in FUNCTIONS:
            return self._call(token)
        raise self._fault(say("`{token}` is not expected", token=token or say("the end")))

    def _unit(self) -> Unit:
        if self._place < len(self._tokens) and self._tokens[self._place][0] == "unit":
            written = "".join(self._next()[1].split())
            return _UNITS.get(written, "%p")
        return ""

    def _call(self, name: str) -> Quantity:
        self._need("(")
        given = [self._sum()]
        while self._take(";"):
            given.append(self._sum())
        self._need(")")
        function, least, most = FUNCTIONS[name]
        if not least <= len(given) <= most:
            raise self._fault(
                say("`{name}` takes {count} values, set apart by `;`", name=name,
                    count=f"{least}" if least == most else f"{least}~{most}")
            )  # fmt: skip
        return self._do(function, *given)

    def _do(self, operation: Callable[..., Quantity], *given: Quantity) -> Quantity:
        try:
            return self._bounded(operation(*given))
        except _Nonsense as why:
            raise self._fault(str(why)) from None

    def _bounded(self, made: Quantity) -> Quantity:
        if max(made.value.numerator.bit_length(), made.value.denominator.bit_length()) > BITS:
            raise self._fault(say("the numbers grow too large"))
        return made

    def _next(self) -> tuple[str, str]:
        if self._place == len(self._tokens):
            return "end", ""
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, *wanted: str) -> str:
        """The next token if it is one of `wanted`, else ""."""
        if self._place < len(self._tokens) and self._tokens[self._place][1] in wanted:
            return self._next()[1]
        return ""

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._fault(say("`{token}` is missing", token=wanted))

    def _fault(self, why: str) -> DataError:
        return _refused(self._text, why)


class _Nonsense(Exception):
    """An operation that means nothing; its text says why."""


def _tokens(text: str) -> list[tuple[str, str]]:
    """Kind and text of each token."""
    place, found = 0, []
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise _refused(text, say("`{token}` is not expected", token=text[place:].strip()[0]))
        kind, token = match.lastgroup or "", match.group().strip()
        place = match.end()
        # `, ` sets values apart; a bare comma doesn't, for `100,200` is one number.
        spaced = token == "," and text[place : place + 1] == " "  # noqa: S105 - a comma
        found.append((kind, ";" if spaced else _SAME.get(token, token)))
    return found


def _refused(text: str, why: str) -> DataError:
    return DataError(
        say("this can't be calculated: {why}", why=why),
        where=text,
        fix=say("write it like (3억 5천만 원 - 1억 원) × 15% or 증가율(1,200; 1,500)"),
    )


def _add(a: Quantity, b: Quantity) -> Quantity:
    return Quantity(a.value + b.value, _sum_unit(a.unit, b.unit))


def _subtract(a: Quantity, b: Quantity) -> Quantity:
    both = a.unit == b.unit == "%"
    return Quantity(a.value - b.value, "%p" if both else _sum_unit(a.unit, b.unit))


def _sum_unit(a: Unit, b: Unit) -> Unit:
    units = {a, b}
    if len(units) == 1:
        return a
    if units == {"", "원"}:
        return "원"
    if (a, b) == ("%", "%p"):
        return "%"
    raise _Nonsense(
        say("{a} and {b} can't be added; for a share of an amount multiply", a=_name(a), b=_name(b))
    )


def _multiply(a: Quantity, b: Quantity) -> Quantity:
    if "%p" in {a.unit, b.unit} and {a.unit, b.unit} != {"%p", ""}:
        raise _Nonsense(
            say("%p is a difference of percentages and multiplies with bare numbers only")
        )
    if a.unit == b.unit == "원":
        raise _Nonsense(say("an amount times an amount means nothing"))
    if a.unit == b.unit == "%":
        return Quantity(a.value * b.value / 100, "%")
    if "원" in {a.unit, b.unit}:
        return Quantity(a.share * b.share, "원")
    # `1,500 × 20%` is 300, `20% × 3` is 60%: the unit of the first stays.
    return Quantity(a.share * b.share) if not a.unit else Quantity(a.value * b.value, a.unit)


def _divide(a: Quantity, b: Quantity) -> Quantity:
    if not b.value:
        raise _Nonsense(say("something is divided by 0"))
    if a.unit == b.unit:
        return Quantity(a.value / b.value)
    if b.unit == "%" and a.unit != "%p":
        return Quantity(a.value / b.share, a.unit)
    if b.unit:
        raise _Nonsense(say("{a} can't be divided by {b}", a=_name(a.unit), b=_name(b.unit)))
    return Quantity(a.value / b.value, a.unit)


def _raise(a: Quantity, b: Quantity) -> Quantity:
    if b.unit or b.value.denominator != 1 or abs(b.value) > LARGEST_EXPONENT:
        raise _Nonsense(say("an exponent is a whole number up to {most}", most=LARGEST_EXPONENT))
    if a.unit in {"원", "%p"}:
        raise _Nonsense(say("{a} can't be raised to a power", a=_name(a.unit)))
    if not a.value and b.value < 0:
        raise _Nonsense(say("something is divided by 0"))
    return Quantity(a.share ** int(b.value))


def _growth(before: Quantity, after: Quantity) -> Quantity:
    """증가율: by how many per cent `after` is more than `before`."""
    if "%" in before.unit + after.unit:
        raise _Nonsense(say("percentages are compared by subtraction, in %p"))
    change = _subtract(after, before)
    if before.value <= 0:
        raise _Nonsense(say("a growth rate needs a value above 0 to start from"))
    return Quantity(change.value / before.value * 100, "%")


def _share(part: Quantity, whole: Quantity) -> Quantity:
    """비중: how many per cent of `whole` is `part`."""
    _sum_unit(part.unit, whole.unit)
    if not whole.value:
        raise _Nonsense(say("something is divided by 0"))
    return Quantity(part.value / whole.value * 100, "%")


def _total(*given: Quantity) -> Quantity:
    total = given[0]
    for one in given[1:]:
        total = _add(total, one)
    return total


def _mean(*given: Quantity) -> Quantity:
    total = _total(*given)
    return Quantity(total.value / len(given), total.unit)


def _rounded(given: Quantity, places: Quantity = Quantity(Fraction(0))) -> Quantity:
    """반올림 to `places` decimals, a half away from 0."""
    if places.unit or places.value.denominator != 1 or not -12 <= places.value <= 12:  # noqa: PLR2004
        raise _Nonsense(say("decimals are a whole number from -12 to 12"))
    scale = Fraction(10) ** int(places.value)
    return Quantity(numbers.round_half_up(given.value * scale) / scale, given.unit)


def _name(unit: Unit) -> str:
    return unit or say("a bare number")


_MANY = 50
FUNCTIONS: dict[str, tuple[Callable[..., Quantity], int, int]] = {
    "증가율": (_growth, 2, 2),
    "비중": (_share, 2, 2),
    "합계": (_total, 2, _MANY),
    "평균": (_mean, 2, _MANY),
    "반올림": (_rounded, 1, 2),
}
"""Name -> what it does, and the least and most values it takes."""
FUNCTIONS |= {
    english: FUNCTIONS[korean]
    for korean, english in zip(FUNCTIONS, ("growth", "share", "sum", "mean", "round"), strict=True)
}
