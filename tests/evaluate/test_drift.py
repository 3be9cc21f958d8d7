import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.evaluate.drift import manners, politeness_drift, script_drift


@pytest.mark.parametrize(
    ("text", "reference", "drift"),
    [
        ("민원 접수", "처리 기한", 0),
        ("民願", "민원", 1),
        ("민원民願", "민원", 1 / 2),
        ("민원 ab", "민원 접수", 1 / 2),
        ("가나다 a", "가 abc", 1 / 2),  # 3/4 and 1/4 against 1/4 and 3/4
        ("가漢a", "가漢a", 0),
        ("123 !", "민원", 1),
        ("", "", 0),
        ("", "민원", 1),
    ],
)
def test_script_drift_by_hand(text: str, reference: str, drift: float) -> None:
    assert script_drift(text, reference) == pytest.approx(drift)


@pytest.mark.parametrize(
    ("text", "reference", "drift"),
    [
        ("접수합니다.", "처리합니다. 알립니다.", 0),
        ("접수한다.", "접수합니다.", 1),
        ("접수합니다. 오세요.", "접수합니다.", 1 / 2),
        ("접수합니다. 오세요. 낸다. 끝", "접수합니다.", 3 / 4),
        ("접수합니다.\n- 신분증", "접수합니다.", 1 / 2),
        ("접수합니다.\n- 신분증", "처리합니다.\n- 도장", 0),
        ('"해야 한다."라고 정합니다.', "정합니다.", 0),  # a quotation is not the speaker's
        ("", "접수합니다.", 1),
        ("", "", 0),
    ],
)
def test_politeness_drift_by_hand(text: str, reference: str, drift: float) -> None:
    assert politeness_drift(text, reference) == pytest.approx(drift)


def test_manners_are_counted_by_sentence() -> None:
    assert manners("접수합니다. 오세요. 내일까지 해.\n[오류]\n1. 신분증 필요") == {
        "formal": 1, "polite": 1, "casual": 1, "noun": 1,
    }  # fmt: skip


@given(text=st.text(), reference=st.text())
def test_both_are_distances_whatever_the_encoding(text: str, reference: str) -> None:
    apart = unicodedata.normalize("NFD", text)
    for drift in (script_drift, politeness_drift):
        assert 0 <= drift(text, reference) <= 1
        assert drift(text, reference) == drift(reference, text) == drift(apart, reference)
        assert drift(text, text) == 0
