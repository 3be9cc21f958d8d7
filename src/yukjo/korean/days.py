"""Days as officials write them: `2026. 3. 2.`, `2026년 3월 2일`, `2026-03-02`, `20260302`."""

import re
from datetime import date

_DAY = re.compile(
    r"(?<!\d)(?:(\d{4})\s*(?P<by>[./-])\s*(\d{1,2})\s*(?P=by)\s*(\d{1,2})"
    r"|(\d{4})\s*년\s*(\d{1,2})\s*월\s*(\d{1,2})|(\d{4})(\d{2})(\d{2}))(?!\d)"
)


def days(text: str) -> list[date]:
    """Every day named in `text`, in order; what is no day of the calendar is left out.

    >>> [str(d) for d in days("2026. 3. 2.부터 2026년 12월 31일까지, 20260101, 2026. 2. 30.")]
    ['2026-03-02', '2026-12-31', '2026-01-01']
    >>> days("2023년 8.5%에서 2024년 9.1%로")
    []
    """
    found = []
    for match in _DAY.finditer(text):
        year, month, day = (int(part) for part in match.groups() if part and part.isdigit())
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    return found


def day_written(day: date) -> str:
    """A day in the form of an official document.

    >>> day_written(date(2026, 3, 2))
    '2026. 3. 2.'
    """
    return f"{day.year}. {day.month}. {day.day}."
