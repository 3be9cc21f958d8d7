"""Days that a text names, held against the calendar: impossible ones, 요일, periods, 처리기한.

1. A day without a year has the last year named before it in the text, or the year after where
   that alone makes it right (`2026. 12. 28.(월)~1. 8.(금)`); with no year named it has none, and
   its 요일 isn't judged.
2. A period of N일 is counted with both its ends. One that agrees with its days of work, or says
   what it leaves out, is left alone.
3. A 처리기한 is judged where the text states receipt, 처리기간 in 일 and the day it ends, and the
   years lie in the table of `public_holidays`.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from yukjo.korean.days import day_written
from yukjo.korean.found import Found
from yukjo.korean.periods import IN_HOURS, due, working_days
from yukjo.korean.public_holidays import FIRST, LAST
from yukjo.korean.text import has_digit

_YEAR = r"(?:19|20)\d\d"
_DAY = re.compile(
    rf"(?<![\d.,/-])(?:"
    rf"(?P<y1>{_YEAR})\s?(?P<by>[./-])\s?(?P<m1>\d{{1,2}})\s?(?P=by)\s?(?P<d1>\d{{1,2}})(?!\d)\s?\.?"
    rf"|(?:(?P<y2>{_YEAR})\s?년\s?)?(?P<m2>\d{{1,2}})\s?월\s?(?P<d2>\d{{1,2}})\s?일(?!정|부터\s?\d)"
    # Without a year `3. 5.` may be two labels: what follows must show a day.
    r"|(?P<m3>\d{1,2})\.\s?(?P<d3>\d{1,2})\."
    r"(?=\s?(?:[(（][월화수목금토일][)）]|[월화수목금토일]요일|까지|부터|[~∼～]|\d\d:\d\d)))"
)
_AFTER_RANGE = re.compile(r"(?P<m4>\d{1,2})\.\s?(?P<d4>\d{1,2})\.(?!\d)")
_WEEKDAY = re.compile(
    r"\s?[(（](?P<short>[월화수목금토일])(?:요일)?[)）]|\s?(?P<long>[월화수목금토일])요일"
)
_LINK = re.compile(
    r"(?:\s?[(（][월화수목금토일][)）])?(?:\s?\d\d:\d\d)?\s?(?:[~∼～–]|부터|에서)\s?"
)
_SPAN = re.compile(
    r"(?:\s?[(（][월화수목금토일][)）])?(?:까지)?\s?(?:[,(（]\s?)?(?:총\s?)?(?P<days>\d{1,3})일(?:간|\s?동안)"
)
_LEFT_OUT = re.compile("제외|빼고|평일|근무일|영업일|주말|휴무|공휴일|중\\s|매주|격일")
_RECEIVED = re.compile(r"접수(?:일|일자|일시)?\s?[:：은는]?\s?(?=(?:19|20)\d\d)")
_PERIOD = re.compile(r"처리\s?기간\s?[:：은는]?\s?(?P<days>\d{1,3})일(?!\s?\d)")
_DUE = re.compile(r"처리\s?(?:기한|예정일|만료일)\s?[:：은는]?\s?(?=(?:19|20)\d\d)")
_LEAP = 2024
_FRIDAY = 4
_LONGEST = 1000
"""Days of a period that may be counted in days of work."""
_NAMES = "월화수목금토일"
_HINT = re.compile(r"\d\s?[.월/-]\s?\d")


class Named(NamedTuple):
    """A day as a text has it."""

    start: int
    end: int
    year: int | None
    month: int
    day: int
    own_year: bool
    earlier: bool
    """Whether its month lies before that of the day named before it: the year may have changed."""

    def on(self, year: int) -> date | None:
        """The day in that year; None where it has no such day."""
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return None


def calendar_faults(text: str) -> list[Found]:
    """What the calendar says against `text`, in NFC.

    >>> [(f.code, f.mend) for f in calendar_faults("2026. 3. 5.(수) 14:00, 2026. 2. 30.까지")]
    [('impossible-date', ''), ('wrong-weekday', '목')]
    >>> calendar_faults("2026. 4. 6.~4. 10.(4일간)")
    [Found(code='wrong-period', start=19, end=20, mend='5')]
    """
    if not has_digit(text) or not _HINT.search(text):
        return []
    named = list(days_named(text))
    found = [*_impossible(named), *_weekdays(text, named), *_periods(text, named)]
    if "처리" in text and "접수" in text:
        found += _deadline(text, named)
    return found


def days_named(text: str) -> Iterator[Named]:
    """Every day of a month in `text`, in order, whether or not the calendar has it."""
    year: int | None = None
    place, last_end, before = 0, -1, 0
    while True:
        match = _DAY.search(text, place)
        link = _LINK.match(text, last_end) if last_end >= 0 else None
        after = _AFTER_RANGE.match(text, link.end()) if link else None
        if after and (match is None or after.start() < match.start()):
            match = after
        if match is None:
            return
        groups = match.groupdict()
        own, month, day = (
            next((v for k, v in groups.items() if v and k[0] == part and k != "by"), None)
            for part in "ymd"
        )
        year = int(own) if own else year
        assert month, "every form has a month"
        assert day, "every form has a day"
        yield Named(*match.span(), year, int(month), int(day), own is not None, int(month) < before)
        before = int(month)
        last_end = place = match.end()


def _impossible(named: list[Named]) -> Iterator[Found]:
    for one in named:
        # Without a year 29 February may well exist.
        if one.on(one.year if one.own_year and one.year else _LEAP) is None:
            yield Found("impossible-date", one.start, one.end)


def _years(one: Named) -> list[int]:
    """The years that a day may be of."""
    if one.year is None:
        return []
    return [one.year, one.year + 1] if one.earlier and not one.own_year else [one.year]


def _weekdays(text: str, named: list[Named]) -> Iterator[Found]:
    for one in named:
        said = _WEEKDAY.match(text, one.end)
        possible = [day for year in _years(one) if (day := one.on(year))]
        if said is None or not possible:
            continue
        right = [_NAMES[day.weekday()] for day in possible]
        name = "short" if said["short"] else "long"
        if said[name] not in right:
            yield Found("wrong-weekday", *said.span(name), right[0])


def _periods(text: str, named: list[Named]) -> Iterator[Found]:
    for first, last in pairwise(named):
        link = _LINK.match(text, first.end)
        if link is None or link.end() != last.start or first.year is None or last.year is None:
            continue
        begin, end = first.on(first.year), last.on(last.year)
        if begin is None or end is None:
            continue
        if end < begin:
            if last.own_year or (last.month == first.month):
                yield Found("wrong-period", first.start, last.end)
                continue
            end = last.on(last.year + 1) or end
        said = _SPAN.match(text, last.end)
        if said is None or _LEFT_OUT.search(text[max(0, first.start - 20) : said.end() + 20]):
            continue
        count = (end - begin).days + 1
        if int(said["days"]) != count and int(said["days"]) not in _worked(begin, end):
            yield Found("wrong-period", *said.span("days"), str(count))


def _worked(begin: date, end: date) -> set[int]:
    """How many days of work there may be, holidays aside or not."""
    span = (end - begin).days + 1
    if span > _LONGEST:
        return set()
    weekdays = sum((begin + timedelta(step)).weekday() <= _FRIDAY for step in range(span))
    if begin.year < FIRST or end.year > LAST:
        return {weekdays}
    return {weekdays, working_days(begin, end)}


def _deadline(text: str, named: list[Named]) -> Iterator[Found]:
    received, ends, period = _RECEIVED.search(text), _DUE.search(text), _PERIOD.search(text)
    if not (received and ends and period) or _LEFT_OUT.search(text):
        return
    at = {one.start: one for one in named}
    first, last = at.get(received.end()), at.get(ends.end())
    if first is None or last is None or not (first.year and last.year):
        return
    begin, end, days = first.on(first.year), last.on(last.year), int(period["days"])
    if begin is None or end is None or not days or not (FIRST <= begin.year < LAST):
        return
    clock = re.match(r"\s?(?:[(（][월화수목금토일][)）])?\s?(\d\d):(\d\d)", text[first.end :])
    if days <= IN_HOURS and clock is None:
        return
    hour, minute = (int(clock[1]) % 24, int(clock[2]) % 60) if clock else (9, 0)
    received_at = datetime.combine(begin, time(hour, minute))
    right = due(received_at, days=days).date()
    if right != end:
        yield Found("wrong-deadline", last.start, last.end, day_written(right))
