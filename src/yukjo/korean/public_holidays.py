"""Public holidays of Korea, 2024 to 2030, by the 「관공서의 공휴일에 관한 규정」.

Fixed days and substitutes are computed by its 제2조 and 제3조; what no rule computes stands in a
table.

1. 설날, 추석 and 부처님오신날 are days of the lunar calendar, reckoned at 135 degrees east. The
   table was written by hand and is held against the moon: a test computes each new moon (Meeus,
   *Astronomical Algorithms*, chapter 49) and demands the 1st of the lunar month at 설날, the 15th
   at 추석 and the 8th at 부처님오신날. 2027 and 2028 differ from the Chinese calendar by a day.
2. Elections that end a term follow from 공직선거법 제34조; early ones and 임시공휴일 are known up
   to 2026 only. A caller who knows of another hands it over.
3. 제헌절 and 노동절 are public holidays from 2026 on.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

FIRST, LAST = 2024, 2030
"""Years that the table covers."""

_LUNAR = {
    # 설날, 부처님오신날, 추석 as (month, day)
    2024: ((2, 10), (5, 15), (9, 17)),
    2025: ((1, 29), (5, 5), (10, 6)),
    2026: ((2, 17), (5, 24), (9, 25)),
    2027: ((2, 7), (5, 13), (9, 15)),
    2028: ((1, 27), (5, 2), (10, 3)),
    2029: ((2, 13), (5, 20), (9, 22)),
    2030: ((2, 3), (5, 9), (9, 12)),
}
_FIXED = (
    # month, day, name, whether 제3조 gives a substitute, first year
    (1, 1, "1월 1일", False, FIRST),
    (3, 1, "3ㆍ1절", True, FIRST),
    (5, 1, "노동절", True, 2026),
    (5, 5, "어린이날", True, FIRST),
    (6, 6, "현충일", False, FIRST),
    (7, 17, "제헌절", True, 2026),
    (8, 15, "광복절", True, FIRST),
    (10, 3, "개천절", True, FIRST),
    (10, 9, "한글날", True, FIRST),
    (12, 25, "기독탄신일", True, FIRST),
)
_SINGLE = {
    date(2024, 4, 10): "국회의원 선거일",
    date(2024, 10, 1): "임시공휴일",
    date(2025, 1, 27): "임시공휴일",
    date(2025, 6, 3): "대통령 선거일",
    date(2026, 6, 3): "지방선거일",
    date(2028, 4, 12): "국회의원 선거일",
    date(2030, 3, 27): "대통령 선거일",
    date(2030, 6, 12): "지방선거일",
}
_SATURDAY, _SUNDAY = 5, 6


@cache
def public_holidays(year: int) -> dict[date, str]:
    """Days and names, Sundays left out; ValueError where the table doesn't cover `year`.

    >>> [str(d) for d, name in public_holidays(2026).items() if "대체" in name]
    ['2026-03-02', '2026-05-25', '2026-08-17', '2026-10-05']
    """
    if not FIRST <= year <= LAST:
        raise ValueError(f"{year} is not within {FIRST} to {LAST}")
    found: dict[date, str] = {}
    due: list[date] = []
    for day, name, moves in _named(year):
        if _moves(day, moves, found):
            due.append(day)
        found[day] = f"{found[day]}, {name}" if day in found else name
    for day in sorted(due):
        free = _after(day, found)
        found[free] = f"대체공휴일({found[day]})"
    return dict(sorted(found.items()))


def is_off(day: date) -> bool:
    """Whether the day doesn't count in a period of 민원: 공휴일 or 토요일.

    >>> is_off(date(2026, 9, 25)), is_off(date(2026, 9, 28))
    (True, False)
    """
    return day.weekday() in {_SATURDAY, _SUNDAY} or day in public_holidays(day.year)


def _named(year: int) -> Iterator[tuple[date, str, str]]:
    """Every holiday with its name, and how it moves: "", "weekend" or "sunday"."""
    new_year, buddha, autumn = (date(year, *day) for day in _LUNAR[year])
    for name, middle in (("설날", new_year), ("추석", autumn)):
        for step in (-1, 0, 1):
            yield middle + timedelta(step), name, "sunday"
    for month, day, name, moves, since in _FIXED:
        if year >= since:
            yield date(year, month, day), name, "weekend" if moves else ""
    yield buddha, "부처님오신날", "weekend"
    for single, name in _SINGLE.items():
        if single.year == year:
            yield single, name, ""


def _moves(day: date, moves: str, taken: dict[date, str]) -> bool:
    """Whether another day is given for it (제3조제1항); two on one day give one (제2항)."""
    if not moves:
        return False
    lost = {_SUNDAY} if moves == "sunday" else {_SATURDAY, _SUNDAY}
    return day.weekday() in lost or day in taken


def _after(day: date, taken: dict[date, str]) -> date:
    """The first day after `day` that is no holiday; a Saturday counts as one for 대체공휴일."""
    while day in taken or day.weekday() in {_SATURDAY, _SUNDAY}:
        day += timedelta(1)
    return day
