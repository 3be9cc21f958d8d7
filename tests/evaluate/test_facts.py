"""Recall, precision and agreement of facts, with the counts worked out beside each case."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.evaluate.facts import fact_precision, fact_recall, invented, match
from yukjo.korean.facts import Fact, Kind

# Facts: 2026-3-2, 12명, 30000.
REFERENCE = "2026. 3. 2.까지 12명에게 3만 원을 지급합니다."


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (REFERENCE, 1),
        ("12명에게 30,000원을 2026년 3월 2일에 지급합니다.", 1),
        ("12명에게 3만 원을 지급합니다.", 2 / 3),
        ("12명에게 2026. 3. 3.에 지급합니다.", 1 / 3),  # another day
        ("13명에게 4만 원을 지급합니다.", 0),
        ("12건을 지급합니다.", 0),  # another unit
        ("", 0),
    ],
)
def test_recall_is_the_share_of_the_references_facts(text: str, share: float) -> None:
    assert fact_recall(text, REFERENCE) == pytest.approx(share)


MATERIAL = "예산: 5만 원, 담당 3명\n「가온군 조례」 제4조"


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (REFERENCE, 1),
        ("3명이 12명에게 5만 원을 지급합니다.", 1),  # from both
        ("12명에게 7만 원을 지급합니다.", 1 / 2),  # 7만 is made up
        ("「가온군 조례」 제9조에 따라 12명에게", 2 / 3),  # 제9조 is made up, its law is not
        ("「나온군 조례」 제4조에 따라", 1 / 2),
        ("99명에게 98만 원", 0),
        ("네, 알겠습니다.", 0),  # facts were asked for
    ],
)
def test_precision_counts_what_is_made_up_against_the_answer(text: str, share: float) -> None:
    assert fact_precision(text, REFERENCE, MATERIAL) == pytest.approx(share)


def test_where_no_fact_was_asked_for_silence_is_right_and_invention_is_not() -> None:
    assert fact_recall("네, 알겠습니다.", "그렇습니다.") is None
    assert fact_precision("네, 알겠습니다.", "그렇습니다.", "") == 1
    assert fact_precision("네, 3만 원입니다.", "그렇습니다.", "") == 0
    assert fact_precision("네, 3만 원입니다.", "그렇습니다.", "수수료(원): 30,000") == 1


def test_what_is_made_up_can_be_named() -> None:
    found = invented("12명에게 7만 원, 문의: 02-123-4567", REFERENCE, MATERIAL)
    assert found == [Fact("amount", "70000"), Fact("contact", "021234567")]


@pytest.mark.parametrize(
    ("kind", "text", "reference", "f1"),
    [
        ("date", "2026년 3월 2일", "2026. 3. 2.", 1),
        ("date", "2026. 3. 2.", "2026. 3. 2.~11. 30.", 2 / 3),  # 1 of 1 and 1 of 2
        ("date", "2026. 3. 3.", "2026. 3. 2.", 0),
        ("date", "2026. 3. 2., 2026. 3. 3.", "2026. 3. 2., 2026. 3. 4.", 1 / 2),
        ("date", "없음", "2026. 3. 2.", 0),
        ("date", "2026. 3. 2.", "없음", None),
        ("amount", "금113,560원(금일십일만삼천오백육십원)", "11만 3,560원", 1),
        ("amount", "5만 원", "50,000원과 3만 원", 2 / 3),
        ("amount", "5만 원", "50,001원", 0),
        ("amount", "1천 원, 2천 원, 3천 원", "1,000원", 1 / 2),  # 1 of 3 and 1 of 1
        ("amount", "12명", "5명", None),
        ("article", "제10조의2 제1항", "제10조의2제1항", 1),
        ("article", "제6조제1항 및 제2항", "제6조제1항, 제6조제2항", 1),
        ("article", "제6조", "제6조제1항", 0),
        ("article", "제6조, 제7조", "제6조, 제8조, 제9조", 2 / 5),
        ("article", "", "제6조", 0),
    ],
)
def test_agreement_of_a_kind_is_an_f1_of_sets(
    kind: Kind, text: str, reference: str, f1: float | None
) -> None:
    assert match(kind, text, reference) == (None if f1 is None else pytest.approx(f1))


@given(text=st.text(), reference=st.text(), material=st.text())
def test_any_text_stays_in_range_whatever_its_encoding(
    text: str, reference: str, material: str
) -> None:
    apart = unicodedata.normalize("NFD", text)
    recall, precision = fact_recall(text, reference), fact_precision(text, reference, material)
    assert recall is None or 0 <= recall <= 1
    assert 0 <= precision <= 1
    assert fact_recall(apart, reference) == recall
    assert fact_precision(apart, reference, material) == precision
    assert fact_recall(text, text) in {None, 1}
    assert fact_precision(text, text, "") == 1


@given(st.permutations(["3만 원", "12명", "제6조제1항", "2026. 3. 2."]), st.integers(1, 3))
def test_order_and_repetition_do_not_count(parts: list[str], times: int) -> None:
    said = "\n".join(parts * times)
    asked = "3만 원\n12명\n제7조\n2026. 3. 2."
    assert fact_recall(said, asked) == 3 / 4
    assert fact_precision(said, asked, "") == 3 / 4
    assert match("article", said, asked) == 0
