"""`calculator`: exact sums with 원, 만, 억, 조, % and %p; and finding the sums in a question."""

import re
from typing import Annotated, Any

from pydantic import StringConstraints

from yukjo.errors import DataError
from yukjo.korean.numbers import NUMBER
from yukjo.serve.tools.expression import LONGEST, calculate
from yukjo.serve.tools.tool import Arguments, Result, Tool
from yukjo.words import say

READ = 1000
"""Characters of a question that are searched for sums."""
MOST = 5
"""Sums taken from one question."""

_COUNTED = "(?:명|건|대|개|곳|회|톤|권|면|가구|세대|kWh|km|㎡)?"
# Atomic: a number is never cut short so that something else may match.
_VALUE = rf"(?>{NUMBER})(?:\s?(?:%\s?p|%|원))?"
_OPERAND = rf"[(\s]*[-−]?\s*{_VALUE}[)\s]*"
_SUM = re.compile(rf"(?<![\w.,]){_OPERAND}(?:[-+*/×÷−]\s*{_OPERAND})+(?!\s?[월일년시분층\dA-Za-z])")
_DASHED = re.compile(r"[\d\s]+(?:-\d+)+\s*")
"""A day or a telephone number rather than a difference."""
_PART = re.compile(rf"({_VALUE})의\s*((?>{NUMBER})\s?%)(?!\s?p)")
_CHANGE = re.compile(
    rf"({_VALUE}){_COUNTED}(?:에서|보다)\s[^.?!\n0-9]{{0,12}}?({_VALUE}){_COUNTED}(?:으로|로)"
    r"[^.?!\n]{0,20}?(?:늘|줄|증가|감소|오르|올|내리|변|증감|상승|하락)"
)
_CALL = re.compile(r"(?:증가율|비중|합계|평균|반올림)\s?\([^()\n]{1,200}\)")


class CalculatorArguments(Arguments):
    """[calculator]"""

    expression: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
    """For example `(3억 5천만 원 - 1억 원) × 15%`, `증가율(1,200; 1,500)`, `45.2% - 40%`.
    Functions, values set apart by `;`: 증가율(before; after), 비중(part; whole), 합계, 평균,
    반올림(value; decimals)."""


class Calculator(Tool[CalculatorArguments]):
    """Knows nothing but the expression."""

    name = "calculator"
    arguments = CalculatorArguments

    @property
    def about(self) -> str:
        """What it does."""
        return say("Calculate exactly: + - × ÷, amounts with 만, 억, 조 and 원, shares (%), growth"
                   " rates and differences of percentages (%p).")  # fmt: skip

    def run(self, asked: CalculatorArguments) -> Result:
        """One value, as `expression = value`."""
        value = calculate(asked.expression)
        expression = " ".join(asked.expression.split()).rstrip("= ")
        return Result(
            tool=self.name,
            text=f"{expression} = {value}",
            extra={"value": str(value.value), "unit": value.unit, "written": str(value)},
        )

    def by_rule(self, text: str) -> list[dict[str, Any]]:
        """Sums written out, a share of an amount, a change from one figure to another."""
        head = text[:READ]
        found = [match.group() for match in _CALL.finditer(head)]
        rest = _CALL.sub(" ", head)
        found += [
            match.group().strip()
            for match in _SUM.finditer(rest)
            if not _DASHED.fullmatch(match.group())
        ]
        found += [f"{a} × {share}" for a, share in _PART.findall(rest)]
        found += [_change(a, b) for a, b in _CHANGE.findall(rest)]
        sums = [one for one in dict.fromkeys(found) if _works(one)]
        return [{"expression": one} for one in sums[:MOST]]


def _change(before: str, after: str) -> str:
    """What is asked where a figure went from `before` to `after`."""
    if before.strip().endswith("%"):
        return f"{after} - {before}"
    return f"증가율({before}; {after})"


def _works(expression: str) -> bool:
    """Whether it can be calculated: what only looks like a sum (a day, a range) is left alone."""
    try:
        calculate(expression)
    except DataError:
        return False
    return True
