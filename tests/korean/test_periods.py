"""Public holidays against the moon, the rules and another's list; periods by hand and by law."""

import math
from datetime import date, datetime, time, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.korean.periods import due, due_by_calendar, working_days
from yukjo.korean.public_holidays import FIRST, LAST, is_off, public_holidays

YEARS = range(FIRST, LAST + 1)


def new_moon(k: int) -> datetime:
    """The k-th new moon after that of 2000-01-06, in Korea's time, right to a few minutes.

    Meeus, Astronomical Algorithms, chapter 49, with its greatest terms; 70 s of ΔT.
    """
    t = k / 1236.85
    sun = math.radians(2.5534 + 29.10535670 * k - 0.0000014 * t**2)
    moon = math.radians(201.5643 + 385.81693528 * k + 0.0107582 * t**2)
    node = math.radians(160.7108 + 390.67050284 * k - 0.0016118 * t**2)
    omega = math.radians(124.7746 - 1.56375588 * k + 0.0020672 * t**2)
    e = 1 - 0.002516 * t
    days = 2451550.09766 + 29.530588861 * k + 0.00015437 * t**2
    days += -0.40720 * math.sin(moon) + 0.17241 * e * math.sin(sun) + 0.01608 * math.sin(2 * moon)
    days += 0.01039 * math.sin(2 * node) + 0.00739 * e * math.sin(moon - sun)
    days += -0.00514 * e * math.sin(moon + sun) + 0.00208 * e**2 * math.sin(2 * sun)
    days += -0.00111 * math.sin(moon - 2 * node) - 0.00057 * math.sin(moon + 2 * node)
    days += 0.00056 * e * math.sin(2 * moon + sun) - 0.00042 * math.sin(3 * moon)
    days += 0.00042 * e * math.sin(sun + 2 * node) + 0.00038 * e * math.sin(sun - 2 * node)
    days += -0.00024 * e * math.sin(2 * moon - sun) - 0.00017 * math.sin(omega)
    days += -0.00007 * math.sin(moon + 2 * sun) + 0.00004 * math.sin(2 * moon - 2 * node)
    days += 0.000325 * math.sin(math.radians(299.77 + 0.107408 * k - 0.009173 * t**2))
    return datetime.fromisoformat("2000-01-01 12:00") + timedelta(
        days=days - 2451545, hours=9, seconds=-70
    )


MOONS = {new_moon(k).date() for k in range(290, 390)}


@pytest.mark.parametrize("year", YEARS)
def test_lunar_days_stand_as_far_from_the_new_moon_as_their_names_say(year: int) -> None:
    named = public_holidays(year)
    new_year = [day for day, name in named.items() if "설날" in name and "대체" not in name]
    autumn = [day for day, name in named.items() if "추석" in name and "대체" not in name]
    buddha = [day for day, name in named.items() if "부처님" in name and "대체" not in name]
    assert new_year[1] in MOONS
    assert autumn[1] - timedelta(14) in MOONS
    assert buddha[0] - timedelta(7) in MOONS
    # 정월, 사월 and 팔월 by the sun: the right month, and no other.
    assert date(year, 1, 21) <= new_year[1] <= date(year, 2, 20)
    assert date(year, 4, 28) <= buddha[0] <= date(year, 5, 28)
    assert date(year, 9, 7) <= autumn[1] <= date(year, 10, 8)


@pytest.mark.parametrize("year", YEARS)
def test_holidays_are_those_of_the_package_holidays(year: int) -> None:
    theirs = holidays.country_holidays("KR", years=year)
    assert set(public_holidays(year)) == set(theirs)


def test_years_outside_the_table_are_refused() -> None:
    with pytest.raises(ValueError, match="2024"):
        public_holidays(2031)


@pytest.mark.parametrize(
    ("received", "days", "ends"),
    [
        ("2026-09-21 10:00", 7, "2026-10-01 18:00"),  # over 추석
        ("2026-09-23 16:00", 1, "2026-09-28 16:00"),
        ("2026-06-08 09:00", 3, "2026-06-10 18:00"),
        ("2026-06-08 11:00", 5, "2026-06-15 11:00"),
        ("2026-06-05 17:30", 1, "2026-06-08 17:30"),  # 현충일 on a Saturday
        ("2026-06-05 20:00", 1, "2026-06-08 18:00"),
        ("2026-06-06 10:00", 6, "2026-06-15 18:00"),  # received on a day off
        ("2026-03-02 09:00", 14, "2026-03-20 18:00"),  # 대체공휴일
        ("2026-12-28 09:00", 7, "2027-01-06 18:00"),
    ],
)
def test_a_petition_is_due(received: str, days: int, ends: str) -> None:
    assert str(due(datetime.fromisoformat(received), days=days))[:16] == ends


def test_a_day_off_that_no_table_knows_can_be_handed_over() -> None:
    received = datetime.fromisoformat("2026-06-08 09:00")
    assert due(received, days=6).date() == date(2026, 6, 15)
    assert due(received, days=6, off=[date(2026, 6, 9)]).date() == date(2026, 6, 16)


@pytest.mark.parametrize(
    ("received", "length", "ends"),
    [
        ("2026-03-03", {"months": 1}, "2026-04-02"),
        ("2026-01-31", {"months": 1}, "2026-03-03"),  # 2. 28. is a Saturday, 3. 2. a day off
        ("2026-06-10", {"weeks": 2}, "2026-06-23"),
        ("2026-06-10", {"years": 1}, "2027-06-09"),
        ("2028-02-29", {"years": 1}, "2029-02-28"),
    ],
)
def test_a_period_by_the_calendar_ends(received: str, length: dict[str, int], ends: str) -> None:
    assert str(due_by_calendar(date.fromisoformat(received), **length)) == ends


@given(
    day=st.dates(date(FIRST, 1, 1), date(LAST - 1, 12, 31)),
    clock=st.times(),
    days=st.integers(1, 60),
)
def test_a_period_ends_on_a_day_of_work_and_grows_with_its_length(
    day: date, clock: time, days: int
) -> None:
    received = datetime.combine(day, clock)
    end = due(received, days=days)
    assert not is_off(end.date())
    assert received < end < due(received, days=days + 7)
    if days > 5:
        assert working_days(day, end.date()) == days
