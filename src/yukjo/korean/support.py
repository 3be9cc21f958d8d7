"""Figures, days, phone numbers and offices of an answer that nothing it was given supports.

1. A number is supported where it stands in the material in any form and with any unit, or follows
   from numbers that do: by + - × ÷, a share, a rate of change, the sum or mean of neighbours, and
   again from what was so found. Small ones (up to `SMALL`) are never asked about.
2. A day is supported where it stands there, or lies as many days or months from one that does as
   the material names.
3. Where the material is blank, nothing is said. A chance result supports a wrong number too: the
   finder is made to be right when it speaks.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from yukjo.korean.citations import name_key
from yukjo.korean.equations import last_digit
from yukjo.korean.facts import Fact, facts, ground
from yukjo.korean.found import Found
from yukjo.korean.numbers import NUMBER, parse
from yukjo.korean.text import sentences

SMALL = 31
"""Counts, days and months up to which a number is no claim worth asking about."""

_DIGITS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_NUMBER = re.compile(rf"(?<![\d.,])(?=\d)(?>{NUMBER})")
_OFFICE = re.compile(
    r"(?<![가-힣])(?P<place>[가-힣]{1,5}(?:특별시|광역시|시|군|구|읍|면|동))"
    r"(?=청(?![년소구약각원력])|의회|\s?(?:행정복지센터|주민센터|보건소|체육센터|문화센터))"
)
_GENERAL = re.compile(
    r"^(?:우리|해당|관할|각|담당|인근|가까운|거주지|주소지|소재지|타|다른|귀|본|시|군|구)"
)
_PHONE = re.compile(r"(?<![\d-])(?:0\d{1,2}-\d{3,4}-\d{4}|1[568]\d\d-\d{4})(?![\d-])")
_MOST = 60
"""Numbers of a material that are combined."""
_UNIT_NOTE = re.compile(
    r"단위|[(（,]\s?(?:천|만|십만|백만|천만|억)\s?(?:원|명|톤)?\s?[)）,:]|백만\s?원|억\s?원"
)
_SCALES = (1.0, 1e3, 1e4, 1e6, 1e8)
"""What the numbers of a table may be counted in."""
_COUNTED_ON = re.compile(
    r"근무일|영업일|진행 시|예상|매주|격주|번째|회째|산입|공휴일|토요일|주말|휴무|연휴|계산하면|\d일째"
)
"""Days reckoned over days off, or from a rhythm, are not followed here."""
_MINUTES = re.compile(r"(\d{1,3})분\s?(\d{1,2})초")
_LABELS = re.compile(r"^[ \t]*\d{1,2}[.)](?=\s)", re.MULTILINE)
_MANY = 1e7
_FEW = 24
"""Numbers of which three are combined."""
_RESULT = re.compile(r"=\s?(?:약\s?)?\d[^\n=;]{0,20}")


def support_faults(text: str, material: str) -> list[Found]:
    """What `text`, in NFC, states and `material` doesn't support.

    >>> given = "한빛시 공원과 000-210-1100, 이용료 1,200원, 2026. 3. 2.부터"
    >>> said = "2시간이면 2,400원이고 보증금은 5,370원입니다. 누리구청 000-210-9999"
    >>> [said[f.start : f.end] for f in support_faults(said, given)]
    ['5,370', '누리구', '000-210-9999']
    """
    if not material.strip():
        return []
    found = [*_offices(text, material), *_phones(text, material)]
    if _doubtful(text, material):
        found += _figures(text, material)
    return sorted(found, key=lambda one: one.start)


def _doubtful(text: str, material: str) -> bool:
    """Whether a number of the text stands nowhere in the material; one quick pass."""
    said = {plain for digits in _DIGITS.findall(text) if (plain := digits.replace(",", ""))}
    left = said - {digits.replace(",", "") for digits in _DIGITS.findall(material)}
    return any(float(one) > SMALL or "." in one for one in left)


def _offices(text: str, material: str) -> Iterator[Found]:
    words = ""
    for match in _OFFICE.finditer(text):
        if _GENERAL.match(match["place"]):
            continue
        words = words or name_key(material)
        if name_key(match["place"]) not in words:
            yield Found("not-supported", *match.span("place"))


def _phones(text: str, material: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        if match[0].replace("-", "") not in re.sub(r"[-\s).]", "", material):
            yield Found("not-supported", *match.span())


def _figures(text: str, material: str) -> Iterator[Found]:
    """Numbers and days that neither stand in the material nor follow from it."""
    source = ground(material)
    # `2. 5. 8.까지` is an item's label and a day.
    text = _LABELS.sub(lambda label: " " * len(label[0]), text)
    missing = [fact for fact in facts(text) if not source.holds(fact)]
    dates = [fact for fact in missing if fact.kind == "date"]
    asked = [fact for fact in missing if fact.kind in {"amount", "figure"}]
    if dates and not _COUNTED_ON.search(text):
        reached = _reached(material, text)
        for fact in dates:
            if not _is_named(fact, material) and not _is_reached(fact, reached):
                yield from _placed(text, fact)
    if asked:
        yield from _not_reckoned(text, material, asked)


def _not_reckoned(text: str, material: str, asked: list[Fact]) -> Iterator[Found]:
    # Small numbers of the answer itself (`3대 × 2개월`), and results that it reckons in the open.
    own = [value for value in _values(text) if value <= SMALL]
    shown = [value for match in _RESULT.finditer(text) for value in _values(match[0])]
    known = list(dict.fromkeys([*list(_values(material))[:_MOST], 100.0, *own, *shown]))
    scales = _SCALES if _UNIT_NOTE.search(material) else (1.0,)
    wanted = {fact: _value(fact) for fact in asked}
    left = {
        fact: value for fact, value in wanted.items()
        if value is not None and (value > SMALL or value != int(value))
    }  # fmt: skip
    while left:
        new = _found(left, known, scales)
        if not new:
            break
        known = list(dict.fromkeys([*known, *(left.pop(fact) for fact in new)]))
    for fact in left:
        yield from _placed(text, fact)


def _found(left: dict[Fact, float], known: list[float], scales: tuple[float, ...]) -> set[Fact]:
    """Which of the values left follow from those known."""
    numbers = np.array(known)
    for reach in (_combined(numbers), _thrice(numbers[:_FEW]), _thrice(numbers[-_FEW:])):
        found = {
            fact for fact, value in left.items()
            if any(_near(reach, value / scale) for scale in scales)
        }  # fmt: skip
        if found:
            return found
    return set()


def _combined(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Everything that two of the numbers, or neighbours among them, come to."""
    a, b = known[:, None], known[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, product = a / b, a * b
        made = [a + b, a - b, product, product / 100, a - product / 100, a + product / 100]
        made += [ratio, ratio * 100, (ratio - 1) * 100]
    sums = np.concatenate([[0.0], np.cumsum(known)])
    sizes = np.arange(len(sums))[None, :] - np.arange(len(sums))[:, None]
    windows = (sums[None, :] - sums[:, None])[sizes > 1]
    return _sorted([*made, known, windows, windows / sizes[sizes > 1]])


def _thrice(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """What three of the numbers come to: products, quotients, `(a ± b) × c` and the like."""
    a, b, c = known[:, None, None], known[None, :, None], known[None, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        made = [a * b * c, a * b / c, a / (b * c), (a + b) * c, (a - b) * c, a * b + c, a * b - c]
        made += [
            (a + b) / c,
            (a - b) / c,
            (a + b) / c * 100,
            (a - b) / c * 100,
            a + b + c,
            a + b - c,
        ]
    return _sorted(made)


def _sorted(made: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    reach = np.abs(np.concatenate([one.ravel() for one in made]))
    return np.sort(reach[np.isfinite(reach)])


def _near(reach: NDArray[np.float64], value: float) -> bool:
    """Whether a result rounds to the value, to as many digits as it has."""
    step = _step(value)
    at = int(np.searchsorted(reach, value - step))
    return at < len(reach) and bool(reach[at] <= value + step)


def _step(value: float) -> float:
    """What the value's last digit is worth; 만 and 억 are said whole."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    if value >= _MANY and value % 1e4 == 0:
        return 1e4
    return float(last_digit(text)) * (1 if "." in text else 0.5) + 1e-9


def _values(material: str) -> Iterator[float]:
    for match in _NUMBER.finditer(material):
        value = parse(match[0]) if len(match[0]) < 24 else None  # noqa: PLR2004
        if value is not None:
            yield float(value)
    for minutes, seconds in _MINUTES.findall(material):
        yield float(int(minutes) * 60 + int(seconds))


def _value(fact: Fact) -> float | None:
    number = re.match(r"\d+(?:/\d+)?", fact.value)
    if number is None:
        return None
    whole, _, part = number[0].partition("/")
    return int(whole) / int(part or 1)


def _reached(material: str, text: str) -> set[date]:
    """Days that the material names, and those as far from them as it says."""
    named = {day for fact in facts(material) if (day := _day(fact))}
    years = {int(f.value.split("-")[0]) for f in facts(material) | facts(text)
             if f.kind == "date" and f.value.split("-")[0]}  # fmt: skip
    steps = {int(v) for v in _values(material) if v == int(v) and v <= 400}  # noqa: PLR2004
    found = set(named)
    for start in named:
        for step in {*steps, *(s * 7 for s in steps if s <= 60), 0}:  # noqa: PLR2004
            found |= {
                start + timedelta(days=sign * step + off) for sign in (1, -1) for off in (-1, 0, 1)
            }
        for step in {s for s in steps if s <= 60}:  # noqa: PLR2004
            found |= set(_months_away(start, step))
    return found | {day for one in found for day in _in_years(one, years)}


def _months_away(start: date, step: int) -> Iterator[date]:
    for months in (step, -step, 12 * step, -12 * step):
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        if not 1900 <= year <= 2100:  # noqa: PLR2004
            continue
        day = date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
        yield from (day, day - timedelta(1), day + timedelta(1))


def _in_years(day: date, years: Iterable[int]) -> Iterator[date]:
    for year in years:
        try:
            yield day.replace(year=year)
        except ValueError:
            continue


def _day(fact: Fact) -> date | None:
    if fact.kind != "date":
        return None
    year, month, day = fact.value.split("-")
    try:
        return date(int(year or 2026), int(month), int(day))
    except ValueError:
        return None


def _is_named(fact: Fact, material: str) -> bool:
    """Whether month and day stand side by side, whatever is between them, or each with its word."""
    _, month, day = fact.value.split("-")
    if not day:
        return True
    return bool(
        re.search(_day_shape(month, day), material)
        or (re.search(rf"(?<!\d){month}월", material) and re.search(rf"(?<!\d){day}일", material))
    )


def _day_shape(month: str, day: str) -> str:
    return rf"(?<!\d)(?:\d{{4}}\s?[.년/-]\s?)?0?{month}\s?[.월/-]\s?0?{day}(?!\d)\s?[.일]?"


def _is_reached(fact: Fact, reached: set[date]) -> bool:
    """Whether the day is known; the first and the last of a month are said without being named."""
    day = _day(fact)
    if day is None or day.day in {1, monthrange(day.year, day.month)[1]}:
        return True
    if not fact.value.startswith("-"):
        return day in reached
    return any((one.month, one.day) == (day.month, day.day) for one in reached)


def _placed(text: str, fact: Fact) -> Iterator[Found]:
    """Where the fact stands: its number, else its sentence."""
    place = 0
    for sentence in sentences(text):
        start = text.index(sentence, place)
        place = start + len(sentence)
        if fact not in facts(sentence) and fact.kind != "date":
            continue
        if fact.kind == "date":
            _, month, day = fact.value.split("-")
            spot = re.search(_day_shape(month, day), sentence)
            if spot is None:
                continue
            yield Found("not-supported", start + spot.start(), start + spot.end())
            return
        value = _value(fact)
        for number in _NUMBER.finditer(sentence):
            found = parse(number[0]) if len(number[0]) < 40 else None  # noqa: PLR2004
            if found is not None and float(found) == value:
                yield Found("not-supported", start + number.start(), start + number.end())
                return
        yield Found("not-supported", start, place)
        return
