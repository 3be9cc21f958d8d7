"""The calculator is exact, knows its units, and can't be made to work for long."""

import time
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.errors import DataError
from yukjo.korean.numbers import in_units
from yukjo.serve.tools.calculator import Calculator
from yukjo.serve.tools.expression import BITS, DEEPEST, LONGEST, calculate

Sum = tuple[str, Fraction]


def _leaf(number: int, places: int) -> Sum:
    value = Fraction(number, 10**places)
    whole, rest = divmod(number, 10**places)
    return f"{whole:,}" + (f".{rest:0{places}d}" if places else ""), value


def _pair(a: Sum, b: Sum, sign: str) -> Sum:
    operations: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
        "+": lambda x, y: x + y, "-": lambda x, y: x - y, "×": lambda x, y: x * y,
        "÷": lambda x, y: x / y,
    }  # fmt: skip
    if sign == "÷" and not b[1]:
        sign = "+"
    return f"({a[0]} {sign} {b[0]})", operations[sign](a[1], b[1])


sums = st.recursive(
    st.builds(_leaf, st.integers(0, 10**9), st.integers(0, 4)),
    lambda inner: st.builds(_pair, inner, inner, st.sampled_from("+-×÷")),
    max_leaves=12,
)


@given(sums)
def test_a_sum_is_what_fractions_say(made: Sum) -> None:
    text, value = made
    if len(text) <= LONGEST:
        assert calculate(text).value == value


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_amounts_in_korean_units_add_exactly(a: int, b: int) -> None:
    total = calculate(f"{in_units(a)} 원 + {in_units(b)} 원")
    assert (total.value, total.unit) == (a + b, "원")


@given(st.integers(1, 10**12), st.integers(0, 10**12))
def test_a_growth_rate_is_the_change_by_the_first(a: int, b: int) -> None:
    assert calculate(f"증가율({a}; {b})").value == Fraction(b - a, a) * 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(3억 5천만 원 - 1억 2천만 원) × 15%", "34,500,000원(3,450만 원)"),
        ("3억 5천만 원의 12%", "42,000,000원(4,200만 원)"),
        ("45.2% - 40%", "5.2%p"),
        ("40% + 5%p", "45%"),
        ("30% + 20%", "50%"),
        ("50% × 40%", "20%"),
        ("증가율(1,200; 1,500)", "25%"),
        ("증가율(1,200원; 900원)", "-25%"),
        ("비중(3억 원; 12억 원)", "25%"),
        ("합계(100, 200, 300)", "600"),
        ("평균(1,200원; 1,500원)", "1,350원"),
        ("12억 원 / 3억 원", "4"),
        ("1,000원 + 500", "1,500원"),
        ("2 + 3 × 4", "14"),
        ("2^3^2", "512"),
        ("-2^2", "-4"),
        ("1/3", "약 0.33"),
        ("3억 원 ÷ 7", "약 42,857,143원"),
        ("0.1 + 0.2", "0.3"),
        ("반올림(2.5)", "3"),
        ("반올림(12.345; 1)", "12.3"),
        ("3 + 5 =", "8"),
    ],
)
def test_what_a_sum_comes_to(text: str, said: str) -> None:
    assert str(calculate(text)) == said


@pytest.mark.parametrize(
    "text",
    [
        "1,000원 + 10%",  # of what?
        "10% + 1",
        "5%p + 40%",
        "1,000원 × 5%p",
        "3원 × 3원",
        "3 / 3원",
        "3 / 0",
        "0 ^ -1",
        "증가율(0; 5)",
        "증가율(10%; 20%)",  # a difference in %p
        "합계(100,200)",  # one number or two?
        "1,23 + 1",
        "3만 5억",
        "2^0.5",
        "9^9^9",
        "2^100^2",
        "1 2",
        "1 +",
        "(1",
        "1)",
        "",
        "__import__('os').system('true')",
        "x = 3",
        "(lambda: 1)()",
        "1 if 1 else 2",
        "a.b",
        "반올림(1; 99)",
        "1e999",
        "(" * (DEEPEST + 1) + "1" + ")" * (DEEPEST + 1),
        "1+" * LONGEST + "1",
    ],
)
def test_nonsense_is_refused_in_words(text: str) -> None:
    with pytest.raises(DataError) as refused:
        calculate(text)
    assert refused.value.what.startswith("계산할 수 없습니다")
    assert "증가율" in refused.value.fix


def test_a_fault_is_a_result_that_can_be_read() -> None:
    result = Calculator().call({"expression": "3 / 0"})
    assert result.failed
    assert "0으로 나눌 수 없습니다" in result.text


@pytest.mark.parametrize("given_", [{}, {"expression": 3}, {"expression": "1", "x": 1}])
def test_wrong_arguments_are_a_result_too(given_: dict[str, object]) -> None:
    result = Calculator().call(given_)
    assert result.failed
    assert "expression" in result.text


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    Calculator().call({"expression": text})
    Calculator().by_rule(text)


@pytest.mark.parametrize(
    "text",
    ["1," * 9000, "1천" * 9000, "(" * 9000, "1 " * 9000, "일" * 9000, "1+" * 9000, "천 " * 9000],
)
def test_a_hostile_question_costs_little(text: str) -> None:
    began = time.process_time()
    Calculator().by_rule(text)
    assert time.process_time() - began < 2


def test_numbers_stay_small_however_often_they_are_multiplied() -> None:
    with pytest.raises(DataError):
        calculate("×".join(["2^100"] * 40))
    assert calculate("2^100 × 2^100").value.numerator.bit_length() < BITS


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("39,000+36,000은 얼마인가요?", ["39,000+36,000"]),
        ("3억 5천만 원의 12%는 얼마죠?", ["3억 5천만 원 × 12%"]),
        ("인구가 1,200명에서 1,500명으로 늘었습니다.", ["증가율(1,200; 1,500)"]),
        ("실업률이 5.2%에서 4.8%로 줄었다", ["4.8% - 5.2%"]),
        ("비중(3억; 12억)과 증가율(3; 4)을 구해 줘", ["비중(3억; 12억)", "증가율(3; 4)"]),
        ("(3억 원 - 1억 원) × 15%", ["(3억 원 - 1억 원) × 15%"]),
        ("2026-03-02에 회의합니다", []),
        ("전화 000-123-4567", []),
        ("10-12월 실적", []),
        ("1~3쪽을 보세요", []),
        ("안녕하세요", []),
    ],
)
def test_sums_in_a_question_are_found(question: str, asked: list[str]) -> None:
    assert [call["expression"] for call in Calculator().by_rule(question)] == asked
