"""Whether a number follows from others: what an answer may have reckoned from its material.

1. From two: `+ - × ÷`, a share, a rate of change, an amount more or less a per cent; from
   neighbours, their sum and mean; from three, products and quotients of those.
2. What so follows is known from then on, and so are results that a text reckons in the open
   (`= 2,400`): whether they are right is asked by `equations`.
3. A result may be rounded to as many digits as the number has; from `_MANY` up, to 만.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from yukjo.korean.numbers import NUMBER, parse

Numbers = NDArray[np.float64]

NUMBERS = re.compile(rf"(?<![\d.,])(?=\d)(?>{NUMBER})")
_PLAIN = re.compile(r"(?a:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,10})?")
_RESULT = re.compile(
    r"=\s?(?:[가-힣]{1,3}\s)?(?:약\s?)?\d[^\n=;]{0,20}"
    r"|\d[\d,.]*\s?[÷×]\s?\d[\d,.]*"
)
_MINUTES = re.compile(r"(\d{1,3})분\s?(\d{1,2})초")
_BETWEEN = re.compile(r"\s*[|;\t/]\s*|[^\S\n]{2,}|,(?!\d{3})")
_UNIT_NOTE = re.compile(
    r"단위|[(（,]\s?(?:천|만|십만|백만|천만|억)\s?(?:원|명|톤)?\s?[)）,:]|백만\s?원|억\s?원"
)
_SCALES = (1.0, 1e3, 1e4, 1e6, 1e8)
"""What the numbers of a table may be counted in."""
_FIRST, _FEW = 60, 12
"""Numbers of a material that are combined by twos, and by threes."""
_CELLS = 12
_MOST, _ROUNDS = 250, 8
"""Numbers known at a time, and how often they grow: more than a real text needs."""
_MANY = 1e7
_SMALL = 31
_LONGEST = 24


def follows(asked: set[float], text: str, material: str) -> set[float]:
    """Those of the numbers `asked`, of `text`, that do not follow from `material`.

    >>> follows({2400.0, 50.0, 5370.0}, "", "1,200원, 2시간")
    {5370.0}
    """
    own = [value for value in _values(text) if value <= _SMALL or 1900 <= value <= 2100]  # noqa: PLR2004
    shown = [value for match in _RESULT.finditer(text) for value in _values(match[0])]
    known = [*list(_values(material))[:_FIRST], 100.0, *own, *shown, *_columns(material)]
    scales = _SCALES if _UNIT_NOTE.search(material) else _SCALES[:1]
    left = asked.difference(shown)
    for _ in range(_ROUNDS):
        new = _found(left, list(dict.fromkeys(known))[:_MOST], scales) if left else set()
        if not new:
            break
        left -= new
        known += sorted(new)
    return left


def _found(left: set[float], known: list[float], scales: tuple[float, ...]) -> set[float]:
    """Which of the numbers left follow from those known."""
    numbers = np.array(known)
    ends = numbers if len(numbers) <= 2 * _FEW else np.r_[numbers[:_FEW], numbers[-_FEW:]]
    for combined, some in ((_by_twos, numbers), (_by_threes, ends)):
        reach = combined(some)
        found = {v for v in left if any(_near(reach, v / scale) for scale in scales)}
        if found:
            return found
    return set()


def _by_twos(known: Numbers) -> Numbers:
    """Everything that two of the numbers, or neighbours among them, come to."""
    a, b = known[:, None], known[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, product = a / b, a * b
        made = [a + b, a - b, product, product / 100, a - product / 100, a + product / 100]
        made += [ratio, ratio * 100, (ratio - 1) * 100]
    sums = np.concatenate([[0.0], np.cumsum(known)])
    sizes = np.arange(len(sums))[None, :] - np.arange(len(sums))[:, None]
    windows = (sums[None, :] - sums[:, None])[sizes > 1]
    return _flat([*made, known, windows, windows / sizes[sizes > 1]])


def _by_threes(known: Numbers) -> Numbers:
    """What three of the numbers come to: products, quotients, `(a ± b) × c` and the like."""
    a, b, c = known[:, None, None], known[None, :, None], known[None, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        plus, minus, product = a + b, a - b, a * b
        made = [product * c, product * c / 100, product / c, a / b / c, product + c, product - c]
        made += [plus * c, minus * c]
        made += [plus / c, minus / c, plus / c * 100, minus / c * 100, plus + c, plus - c]
    return _flat(made)


def _columns(material: str) -> Iterator[float]:
    """What runs of cells in each column of a table add up to."""
    lines = (line.strip().strip("|") for line in material.split("\n"))
    rows = [row for line in lines if len(row := _BETWEEN.split(line)) > 1]
    widths = [len(row) for row in rows]
    usual = max(set(widths), key=widths.count, default=0)
    for column in zip(*[row for row in rows if len(row) == usual], strict=True):
        cells = [next(_values(cell), None) for cell in column]
        values = [value for value in cells if value is not None][:_CELLS]
        for start in range(len(values)):
            total = values[start]
            for value in values[start + 1 :]:
                total += value
                yield total


def _flat(made: list[Numbers]) -> Numbers:
    flat: Numbers = np.abs(np.concatenate([one.ravel() for one in made]))
    return flat


def _near(reach: Numbers, value: float) -> bool:
    """Whether a result rounds to the value, to as many digits as it has."""
    return bool((np.abs(reach - value) <= _step(value)).any())


def _step(value: float) -> float:
    if value >= _MANY and value % 1e4 == 0:
        return 1e4
    decimals = len(f"{value:.6f}".rstrip("0").partition(".")[2])
    return 10.0**-decimals * (1.0 if decimals else 0.5) + 1e-9


def value_of(number: str) -> float | None:
    """A written number; None where it is none.

    >>> value_of("1,234.5"), value_of("3억 5천만"), value_of("3만 5억")
    (1234.5, 350000000.0, None)
    """
    if len(number) < _LONGEST:
        return _value(number)
    return float(number.replace(",", "")) if _PLAIN.fullmatch(number) else None


@lru_cache(maxsize=4096)
def _value(number: str) -> float | None:
    if _PLAIN.fullmatch(number):
        return float(number.replace(",", ""))
    found = parse(number)
    return None if found is None else float(found)


def values(text: str) -> Iterator[float]:
    """Every number that begins with a digit, in order."""
    for number in NUMBERS.findall(text):
        value = value_of(number)
        if value is not None:
            yield value


def _values(text: str) -> Iterator[float]:
    yield from values(text)
    if "분" in text:
        for minutes, seconds in _MINUTES.findall(text):
            yield float(int(minutes) * 60 + int(seconds))
