"""Numbers as officials write them are read and written without losing anything."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.korean.numbers import fits, in_units, in_words, parse, written

amounts = st.integers(min_value=0, max_value=10**16 - 1)


@given(amounts)
def test_an_amount_in_units_reads_as_itself(amount: int) -> None:
    assert parse(in_units(amount)) == amount


@given(amounts)
def test_an_amount_in_words_reads_as_itself(amount: int) -> None:
    assert parse(in_words(amount)) == amount


@given(st.integers(-(10**20), 10**20), st.integers(0, 10))
def test_written_digits_read_as_themselves(number: int, places: int) -> None:
    value = Fraction(number, 10**places)
    said = written(value)
    assert fits(value)
    assert (parse(said.lstrip("-")) or 0) * (-1 if said.startswith("-") else 1) == value


@given(st.fractions(max_denominator=10**6), st.integers(0, 6))
def test_rounding_is_off_by_half_a_last_place_at_most(value: Fraction, places: int) -> None:
    shown = Fraction(written(value, places=places).replace(",", ""))
    assert abs(shown - value) <= Fraction(1, 2 * 10**places)
    assert fits(value, places=places) == (shown == value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3억 5천만", 350_000_000),
        ("3억5천만", 350_000_000),
        ("1조 2,345억 6,789만 1,234", 1_234_567_891_234),
        ("2만5천300", 25_300),
        ("천만", 10_000_000),
        ("1.5억", 150_000_000),
        ("3천 5백만", 35_000_000),
        ("이천오백", 2500),
        ("1,234.5", Fraction(2469, 2)),
    ],
)
def test_the_forms_of_a_number(text: str, value: Fraction) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    "text", ["", "1,23", "1,2345", "3만 5억", "5 3", "3만 5만", "5만 30000", "십천", "원", "1.2.3"]
)
def test_what_is_no_single_number_is_none(text: str) -> None:
    assert parse(text) is None


def test_a_half_goes_away_from_zero() -> None:
    assert [written(Fraction(n, 2), places=0) for n in (1, 3, 5, -1)] == ["1", "2", "3", "-1"]
