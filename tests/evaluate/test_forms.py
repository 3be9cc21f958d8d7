import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.evaluate.forms import document_form

# Keeps labels, dates and times.
REFERENCE = "1. 개요\n2. 일정: 2026. 3. 2. 14:00"


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (REFERENCE, 1),
        ("1. 개요\n2. 일정: 2026년 3월 2일 14:00", 2 / 3),
        ("1. 개요\n3. 일정: 2026년 3월 2일 오후 2시", 0),
        ("2026. 3. 2.", 1 / 3),  # labels and a time were asked for
        ("1. 개요\n2. 일정: 2026. 3. 2. 14:00, 금5,000원", 3 / 4),  # breaks one not asked for
        ("1. 개요\n2. 일정: 2026. 3. 2. 14:00, 금5,000원(금오천원)", 1),
        ("", 0),
    ],
)
def test_the_share_of_forms_by_hand(text: str, share: float) -> None:
    assert document_form("document_writing", text, REFERENCE) == pytest.approx(share)


def test_of_a_review_the_corrected_text_is_the_document() -> None:
    review = "[오류]\n1. 3월 2일 → 날짜 표기\n[개선 제안]\n없음\n[수정안]\n{}"
    good, bad = review.format("2026. 3. 2. 개최"), review.format("2026년 3월 2일 개최")
    assert document_form("review", good, good) == 1
    assert document_form("review", bad, good) == 0


def test_others_and_references_without_forms_are_not_measured() -> None:
    assert document_form("rag", REFERENCE, REFERENCE) is None
    assert document_form("document_writing", REFERENCE, "개요") is None
    assert document_form("document_writing", REFERENCE, "2026년 3월 2일") is None


@given(text=st.text(), reference=st.text() | st.just(REFERENCE))
def test_any_text_stays_in_range_whatever_its_encoding(text: str, reference: str) -> None:
    share = document_form("document_writing", text, reference)
    assert share is None or 0 <= share <= 1
    apart = unicodedata.normalize("NFD", text)
    assert document_form("document_writing", apart, reference) == share
