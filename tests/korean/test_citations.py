"""Citations are found however they are spaced, and written in one form."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.korean.citations import SUBITEMS, Citation, citations
from yukjo.korean.days import day_written, days
from yukjo.korean.text import visible

small = st.integers(1, 99)
cited = st.builds(
    Citation,
    law=st.sampled_from(["도서관법", "한빛시 주차장 설치 및 운영 조례", "자연ㆍ환경에 관한 법률"]),
    article=st.integers(1, 1200),
    branch=st.integers(0, 30),
    paragraph=st.none() | small,
    item=st.none() | small,
    subitem=st.none() | st.sampled_from(SUBITEMS),
)


@given(cited)
def test_a_written_citation_is_found_as_itself(citation: Citation) -> None:
    assert citations(f"근거는 {citation}입니다.") == [citation]


@pytest.mark.parametrize(
    "text",
    [
        "「도서관법」 제10조의2제1항제3호",
        "「도서관법」제10조의2제1항제3호",
        "「도서관법」 제10조의2 제1항 제3호",
        "「도서관법」 제 10 조 의 2 제 1 항 제 3 호",
        "「도서관법」 10조의2 1항 3호",
        "도서관법 제10조의2제1항제3호",
    ],
)
def test_spacing_and_brackets_do_not_matter(text: str) -> None:
    assert citations(text) == [Citation("도서관법", 10, 2, 1, 3)]


def test_a_branch_of_an_item_is_kept_apart_from_a_branch_of_an_article() -> None:
    assert citations("「가법」 제3조제1항제2호의3나목") == [Citation("가법", 3, 0, 1, 2, 3, "나")]


def test_the_same_law_and_its_decree_are_the_last_law_cited() -> None:
    found = citations("「도서관법」 제1조, 같은 법 제2조 및 같은 법 시행령 제3조")
    assert [str(one) for one in found] == [
        "「도서관법」 제1조", "「도서관법」 제2조", "「도서관법 시행령」 제3조",
    ]  # fmt: skip


def test_a_known_name_is_found_without_brackets_and_in_any_spacing() -> None:
    found = citations("한빛시공영 주차장 조례 제5조에서", ["한빛시 공영주차장 조례", "주차장 조례"])
    assert [one.article for one in found] == [5]
    assert found[0].law == "한빛시공영 주차장 조례"


@pytest.mark.parametrize(
    "text",
    ["같은 법 제3조", "이 법 제3조", "제3조", "도로에 관한 조례 제5조", "시행령 제3조", "3조 원"],
)
def test_what_names_no_law_is_no_citation(text: str) -> None:
    assert citations(text) == []


@given(st.dates(date(1000, 1, 1), date(9999, 12, 31)))
def test_a_written_day_is_found_as_itself(day: date) -> None:
    assert days(f"시행일은 {day_written(day)}이다") == [day]
    assert days(f"{day:%Y%m%d}") == days(day.isoformat()) == [day]


@given(st.text())
def test_visible_text_is_stable_and_holds_nothing_unseen(text: str) -> None:
    seen = visible(text)
    assert visible(seen) == seen
    assert not set(seen) & set("\r\x00\x1b\u200b\u202e\u2066\u2028\u2029\ufeff\U000e0041")
