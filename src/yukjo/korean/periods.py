"""When a period ends: 「민원 처리에 관한 법률」 제19조, and 「민법」 제157조 to 제161조.

1. Five days or fewer are counted in hours of work, eight a day, from the minute of receipt
   (제19조제1항). Work is 09:00 to 18:00 without 12:00 to 13:00 (국가공무원 복무규정 제9조).
2. Six days or more are counted in days, the first included (제2항).
3. Weeks, months and years are counted by the calendar, the first day included (제3항); one that
   ends on a day off ends on the next working day (민법 제161조).
4. 공휴일 and 토요일 don't count in 1 and 2. A day off that no table knows is handed over in `off`.
"""

from calendar import monthrange
from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from yukjo.korean.public_holidays import is_off

HOURS_A_DAY = 8
IN_HOURS = 5
"""Days up to which a period is counted in hours."""

_SHIFTS = ((time(9), time(12)), (time(13), time(18)))


def due(received: datetime, *, days: int, off: Collection[date] = ()) -> datetime:
    """The last moment of a period of `days` for a 민원 received at `received`.

    ValueError where a day lies outside the years that `public_holidays` knows.

    >>> str(due(datetime(2026, 9, 21, 10), days=7)), str(due(datetime(2026, 9, 23, 16), days=1))
    ('2026-10-01 18:00:00', '2026-09-28 16:00:00')
    """
    assert days > 0, "a period has a day at least"
    if days <= IN_HOURS:
        return _in_hours(received, days * HOURS_A_DAY, off)
    day, left = received.date(), days
    while True:
        left -= _works(day, off)
        if not left:
            return datetime.combine(day, _SHIFTS[-1][1])
        day += timedelta(1)


def due_by_calendar(
    received: date, *, weeks: int = 0, months: int = 0, years: int = 0, off: Collection[date] = ()
) -> date:
    """The last day of a period in weeks, months or years that begins on `received`.

    >>> str(due_by_calendar(date(2026, 3, 2), months=1))
    '2026-04-01'
    >>> str(due_by_calendar(date(2026, 1, 31), months=1))
    '2026-03-03'
    """
    count = received.year * 12 + received.month - 1 + 12 * years + months
    year, month = divmod(count, 12)
    length = monthrange(year, month + 1)[1]
    # 제160조: the day before the one that answers to the first; the month's last where none does.
    if received.day > length:
        last = date(year, month + 1, length)
    else:
        last = date(year, month + 1, received.day) - timedelta(1)
    last += timedelta(7 * weeks)
    while not _works(last, off):
        last += timedelta(1)
    return last


def working_days(first: date, last: date, *, off: Collection[date] = ()) -> int:
    """Days of work from `first` to `last`, both included.

    >>> working_days(date(2026, 9, 21), date(2026, 10, 1))
    7
    """
    span = (last - first).days + 1
    return sum(_works(first + timedelta(step), off) for step in range(span))


def _works(day: date, off: Collection[date]) -> bool:
    return day not in off and not is_off(day)


def _in_hours(moment: datetime, hours: int, off: Collection[date]) -> datetime:
    """`hours` of work after `moment`."""
    left, day = timedelta(hours=hours), moment.date()
    while True:
        for opens, closes in _SHIFTS if _works(day, off) else ():
            end = datetime.combine(day, closes)
            start = max(datetime.combine(day, opens), moment)
            if end - start >= left:
                return start + left
            left -= max(end - start, timedelta())
        day += timedelta(1)
