import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.korean.particles import attach


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("세무과을(를)", "세무과를"), ("금액은(는)", "금액은"), ("고지서이(가)", "고지서가"),
        ("12,300원과(와)", "12,300원과"), ("7(으)로", "7로"), ("3(으)로", "3으로"),
        ("서울(으)로", "서울로"), ("12-3450을(를)", "12-3450을"),
        ("2026. 3. 2.은(는)", "2026. 3. 2.은"),
        ("「조례」을(를)", "「조례」를"), ("확인서(12-3456)을(를)", "확인서(12-3456)를"),
        ("FAQ을(를)", "FAQ를"), ("을(를)", "를"), ("", ""), ("값이 없음", "값이 없음"),
    ],
)  # fmt: skip
def test_the_particle_follows_the_sound_that_is_read(text: str, read: str) -> None:
    assert attach(text) == read


@given(st.text())
def test_text_without_a_pair_is_left_alone(text: str) -> None:
    if "(" not in text:
        assert attach(text) == text
