"""Each form of an official document, kept, broken, and not there."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.evaluate.reading import normal
from yukjo.korean.documents import FORMS

DEEP = """1. 가
  가. 나
    1) 다
      가) 라
        (1) 마
          (가) 바
            ① 사
              ㉮ 아
              ㉯ 자
            ② 차
          (나) 카
        (2) 타
      나) 파
    2) 하
  나. 가
2. 나"""

KEPT = [
    ("labels", "1. 개요\n2. 배경"),
    ("labels", DEEP),
    ("labels", "1. 개요\n  가. 대상\n  나. 기간\n2. 배경\n  가. 하나\n  나. 둘"),
    ("labels", "1. 2026년 계획\n2. 12.5% 증가\n  - 세부\n붙임  1. 계획서 1부."),
    ("labels", "1. 개요\n11. 30. 개최\n2. 배경"),
    ("labels", "1. 개요\n2. 12. 31. 완료\n3. 2026. 1. 5. 점검"),
    ("labels", "1. 개요\n2. 배경\n붙임  1. 계획서 1부.\n      2. 명단 1부.  끝."),
    ("labels", "\n".join(f"{n}. 항목" for n in range(1, 13))),
    ("dates", "2026. 3. 3.~11. 30."),
    ("dates", "2026. 3. 3.부터 2026. 11. 30.까지"),
    ("dates", "접수일 2026. 12. 31.(목)"),
    ("times", "14:00~15:30"),
    ("times", "09:00, 24시간 안에"),
    ("money", "금113,560원(금일십일만삼천오백육십원)"),
    ("money", "예산: 금10,000원(금일만원)"),
    ("attachments", "붙임  계획서 1부.  끝."),
    ("attachments", "알립니다.\n\n붙임  1. 계획서 1부.\n      2. 명단 3매.  끝."),
    ("attachments", "붙임  계획서 1부.\n끝."),
    ("hangul", "도로(道路) 보수"),
]
BROKEN = [
    ("labels", "1. 개요\n3. 배경"),
    ("labels", "2. 개요\n3. 배경"),
    ("labels", "1. 개요\n1. 배경"),
    ("labels", "1. 개요\n  1) 대상\n  2) 기간\n2. 배경"),
    ("labels", "1. 개요\n  나. 대상\n  다. 기간\n2. 배경"),
    ("labels", "1. 개요\n  가. 대상\n2. 배경"),
    ("labels", "1. 개요"),
    ("labels", "가. 개요\n나. 배경"),
    ("dates", "2026년 3월 3일"),
    ("dates", "2026. 03. 03."),
    ("dates", "2026.3.3."),
    ("dates", "2026. 3. 3"),
    ("dates", "2026-03-03"),
    ("dates", "2026. 3. 3.과 3월 4일"),
    ("times", "오후 2시"),
    ("times", "9:00"),
    ("times", "14시 30분"),
    ("money", "금113,560원"),
    ("money", "금113560원(금일십일만삼천오백육십원)"),
    ("money", "금113,560원(금십일만삼천오백육십원)"),
    ("money", "금113,560원(금일십일만삼천오백육십칠원)"),
    ("money", "금" + "9" * 30 + "원(금구원)"),
    ("attachments", "붙임  계획서  끝."),
    ("attachments", "붙임  1. 계획서 1부.  끝."),
    ("attachments", "붙임  계획서 1부.\n      명단 1부.  끝."),
    ("attachments", "붙임\n끝."),
    ("hangul", "道路 보수(補修)"),
]
ABSENT = [
    ("labels", "개요 - 세부\n□ 대상\n○ 기간"),
    ("dates", "2026년 상반기, 3월"),
    ("dates", "2026년 4월\n6. 효과, 2023년 8.5%"),
    ("times", "3시간, 24시간, 서울시"),
    ("money", "지원금 50만 원, 현금 3,000원"),
    ("attachments", "붙임과 같이 알립니다."),
    ("hangul", "도로 보수"),
]


@pytest.mark.parametrize(("form", "text"), KEPT)
def test_a_good_document_keeps_the_form(form: str, text: str) -> None:
    assert FORMS[form](text) is True


@pytest.mark.parametrize(("form", "text"), BROKEN)
def test_a_bad_document_breaks_the_form(form: str, text: str) -> None:
    assert FORMS[form](text) is False


@pytest.mark.parametrize(("form", "text"), ABSENT)
def test_where_there_is_nothing_to_judge_nothing_is_judged(form: str, text: str) -> None:
    assert FORMS[form](text) is None


def test_every_form_has_examples_and_names_its_article() -> None:
    for examples in (KEPT, BROKEN, ABSENT):
        assert {form for form, _ in examples} == set(FORMS)
    assert all("조" in (check.__doc__ or "") for check in FORMS.values())


@pytest.mark.parametrize("form", FORMS)
@given(
    text=st.text()
    | st.lists(st.sampled_from([*"1가.)(① \n금붙임원,붙임", "1. 가", "붙임  1. "])).map("".join)
)
def test_any_text_can_be_judged_whatever_its_encoding(form: str, text: str) -> None:
    judged = FORMS[form](normal(text))
    assert judged in {True, False, None}
    assert FORMS[form](normal(unicodedata.normalize("NFD", text))) is judged
