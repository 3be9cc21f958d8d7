"""Figures, days, phone numbers and offices of an answer that nothing it was given supports.

1. A number with a unit is supported where it stands in the material with any unit, or follows from
   numbers that do: `reckoning`. Small ones (up to `SMALL`) are never asked about.
2. A day is supported where its month and day stand there side by side, or where it lies as many
   days, weeks or months from a day there as the material says. One that is reckoned over days off
   isn't asked about.
3. What the answer quotes, and names of documents and laws, are no claims of its own.
4. Where the material is blank, nothing is said. A chance result supports a wrong number too: the
   finder is made to be right when it speaks.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations

from yukjo.korean.calendar_faults import days_named
from yukjo.korean.citations import name_key
from yukjo.korean.found import Found
from yukjo.korean.numbers import NUMBER
from yukjo.korean.reckoning import follows, value_of, values
from yukjo.korean.text import has_digit

SMALL = 31
"""Counts, days and months up to which a number is no claim worth asking about."""

_DIGITS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_PAIR = re.compile(r"(?<!\d)0?(\d{1,2})\s?[.월/-]\s?0?(\d{1,2})(?!\d)")
_CLAIM = re.compile(
    rf"(?<![\d.,A-Za-z제])(?<!\d-)(?<![조억만천]\s)(?P<number>(?=\d)(?>{NUMBER}))\s?"
    r"(?P<unit>원|%|％|퍼센트|명|인(?![가-힣])|건|개|대|회|가구|세대|권|곳|톤|그루|마리|필지|㎡|㎏|㎞|kg|km|배|점"
    r"|시간|분(?!기|의)|일(?!자)|년|매|부|장|팀|면|m|L|kWh)"
)
_NOT_OWN = re.compile(
    r"\"[^\"\n]*\"|“[^“”\n]*”|「[^「」\n]*」|『[^『』\n]*』|\[출처[^\[\]\n]*\]"
    r"|^[ \t]*\d{1,2}[.)](?=\s)|제\s?\d+\s?(?:조|항|호)(?:의\s?\d+)?|\d{1,2}시\s?\d{1,2}분",
    re.MULTILINE,
)
_OFFICE = re.compile(
    r"(?<![가-힣])(?P<place>[가-힣]{1,5}(?:특별시|광역시|시|군|구|읍|면|동))"
    r"(?=청(?![년소구약각원력])|의회|\s?(?:행정복지센터|주민센터|보건소|체육센터|문화센터))"
)
_GENERAL = re.compile(
    r"^(?:우리|해당|관할|각|담당|인근|가까운|거주지|주소지|소재지|타|다른|귀|본|시|군|구|읍|면|동)"
)
_PHONE = re.compile(r"(?<![\d-])(?:0\d{1,2}-\d{3,4}-\d{4}|1[568]\d\d-\d{4})(?![\d-])")
_COUNTED_ON = re.compile(
    r"근무일|영업일|진행 시|예상|매주|격주|번째|회째|산입|공휴일|토요일|주말|휴무|연휴"
    r"|계산하면|\d일째"
)
_YEARS = range(1900, 2101)
_DAYS, _WEEKS, _STEPS = 400, 60, 8
_ASKED, _FROM = 60, 100
"""Figures of a text that are asked about, days that others are reckoned from: a bound on time."""


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
    number, day = _doubtful(text, material)
    if number or day:
        own = _NOT_OWN.sub(lambda part: " " * len(part[0]), text)
        found += _figures(own, material) if number else ()
        found += _days(own, material) if day else ()
    return sorted(found, key=lambda one: one.start)


def _doubtful(text: str, material: str) -> tuple[bool, bool]:
    """Whether a number, or a month and day, stands nowhere in the material; one quick pass."""
    if not has_digit(text):
        return False, False
    left = set(_DIGITS.findall(text)).difference(_DIGITS.findall(material))
    number = any(len(one) > 2 or int(one) > SMALL for one in left)  # noqa: PLR2004 - two digits
    return number, not set(_PAIR.findall(text)) <= set(_PAIR.findall(material))


def _offices(text: str, material: str) -> Iterator[Found]:
    if not any(word in text for word in ("청", "센터", "의회", "보건소")):
        return
    words = ""
    for match in _OFFICE.finditer(text):
        if _GENERAL.match(match["place"]):
            continue
        words = words or name_key(material)
        if name_key(match["place"]) not in words:
            yield Found("not-supported", *match.span("place"))


def _phones(text: str, material: str) -> Iterator[Found]:
    if "-" not in text:
        return
    dialled = ""
    for match in _PHONE.finditer(text):
        dialled = dialled or re.sub(r"[-\s).]", "", material)
        if match[0].replace("-", "") not in dialled:
            yield Found("not-supported", *match.span())


def _figures(own: str, material: str) -> Iterator[Found]:
    """Numbers with a unit that neither stand in the material nor follow from it."""
    given = set(values(material))
    asked = [
        (*match.span("number"), value)
        for match in _CLAIM.finditer(own)
        if (value := value_of(match["number"])) is not None
        and (value > SMALL or value % 1)
        and not (match["unit"] == "년" and value in _YEARS)
        and value not in given
    ]
    if asked := asked[:_ASKED]:
        left = follows({value for *_, value in asked}, own, material)
        yield from (
            Found("not-supported", start, end) for start, end, value in asked if value in left
        )


def _days(own: str, material: str) -> Iterator[Found]:
    """Days that the material neither names nor leads to."""
    if _COUNTED_ON.search(own):
        return
    pairs = {(int(month), int(day)) for month, day in _PAIR.findall(material)}
    words = set(re.findall(r"(?<!\d)\d{1,2}[월일]", material))
    reached: set[tuple[int, int]] | None = None
    for one in days_named(own):
        pair = (one.month, one.day)
        if pair in pairs or {f"{one.month}월", f"{one.day}일"} <= words or _is_edge(*pair):
            continue
        if reached is None:
            reached = set(_reached(own, material))
        if pair not in reached:
            yield Found("not-supported", one.start, one.end)


def _is_edge(month: int, day: int) -> bool:
    """The first and the last of a month are said without being named; no day is no claim."""
    if not 1 <= month <= 12:  # noqa: PLR2004
        return True
    last = monthrange(2024, month)[1]
    return day in {1, last} or not 1 <= day <= last or (month, day) == (2, 28)


def _reached(own: str, material: str) -> Iterator[tuple[int, int]]:
    """Month and day of all days that lie as far from one in the material as it says."""
    numbers = {int(value) for value in values(material) if not value % 1 and value <= _DAYS}
    numbers -= {0}
    steps = numbers | {
        sum(few) for size in (2, 3) for few in combinations(sorted(numbers)[:_STEPS], size)
    }
    weeks = {7 * number for number in numbers if number <= _WEEKS}
    for start in sorted(_starts(own, material))[:_FROM]:
        for step in steps | weeks | {0}:
            for days in (step - 1, step, step + 1):
                for day in (start + timedelta(days), start - timedelta(days)):
                    yield day.month, day.day
        for months in {step for step in numbers if step <= _WEEKS}:
            for day in (_months_away(start, months), _months_away(start, -months)):
                yield from (
                    (near.month, near.day) for near in (day, day - timedelta(1), day + timedelta(1))
                )


def _starts(own: str, material: str) -> set[date]:
    """Days of the material, in the years that are named, or in this one's stead 2026."""
    years = {int(year) for year in re.findall(r"(?:19|20)\d\d", material + own)} or {2026}
    found = set()
    for month, day in _PAIR.findall(material):
        for year in years:
            try:
                found.add(date(year, int(month), int(day)))
            except ValueError:
                continue
    return found


def _months_away(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
