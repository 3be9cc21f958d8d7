"""Facts as they are written by hand; then laws."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.evaluate.reading import normal
from yukjo.korean.facts import Fact, facts, ground


def of(kind: str, text: str) -> set[str]:
    return {fact.value for fact in facts(text) if fact.kind == kind}


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("2025. 11. 7.", {"2025-11-7"}),
        ("2025.11.07.부터", {"2025-11-7"}),
        ("2025년 11월 7일까지", {"2025-11-7"}),
        ("2025-11-07", {"2025-11-7"}),
        ("2025/11/7", {"2025-11-7"}),
        ("20251107", {"2025-11-7"}),
        ("2026. 3. 3.~11. 30.", {"2026-3-3", "2026-11-30"}),
        ("2026. 3. 3.(화) ~ 11. 30.(월)", {"2026-3-3", "2026-11-30"}),
        ("2026년 3월 3일부터 11월 30일까지", {"2026-3-3", "2026-11-30"}),
        ("2026. 5. 6. 09:00부터 5. 12. 18:00까지", {"2026-5-6", "2026-5-12"}),
        ("8. 14.까지는", {"-8-14"}),
        ("채용 공고 5. 18., 면접 6. 10.", {"-5-18", "-6-10"}),
        ("절차는 1. 2. 순서로, 3. 4.까지", {"-3-4"}),
        ("11월 30일까지", {"-11-30"}),
        ("2023년 8.5%, 2024년 9.4%", {"2023--", "2024--"}),
        ("2026년 4월\n6. 효과", {"2026-4-"}),
        ("2025년 상반기", {"2025--"}),
        ("2025년 3월 기준", {"2025-3-"}),
        ("2025. 3. 기준", {"2025-3-"}),
        ("매년 3월", {"-3-"}),
        ("2026. 2. 30.", set()),
        ("1. 개요\n2. 배경\n3. 내용", set()),
        ("문의: 02-123-4567, 1588-1234", set()),
    ],
)
def test_a_date_is_one_fact_however_it_is_written(text: str, dates: set[str]) -> None:
    assert of("date", text) == dates


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("113,560원", {"113560"}),
        ("금113,560원(금일십일만삼천오백육십원)", {"113560"}),
        ("11만 3,560원", {"113560"}),
        ("113560 원을", {"113560"}),
        ("80만 원", {"800000"}),
        ("3억 5천만 원", {"350000000"}),
        ("2천5백만원", {"25000000"}),
        ("1.5억 원", {"150000000"}),
        ("하루 3,000원씩 5만 원가량", {"3000", "50000"}),
        ("(단위: 백만 원, 천원)", set()),
        ("3 원칙, 원서 2부, 1층 원무과", set()),
        ("수십만 원", set()),
    ],
)
def test_an_amount_is_one_fact_however_it_is_written(text: str, amounts: set[str]) -> None:
    assert of("amount", text) == amounts


@pytest.mark.parametrize(
    ("text", "articles"),
    [
        ("제10조의2제1항", {"제10조의2제1항"}),
        ("제10조의2 제1항", {"제10조의2제1항"}),
        ("제 10 조의 2 제 1 항", {"제10조의2제1항"}),
        ("「도서관법」 제5조제1항제3호가목", {"제5조제1항제3호가목"}),
        ("제6조제1항 및 제2항", {"제6조제1항", "제6조제2항"}),
        ("제6조제1항, 같은 조례 제7조제2호", {"제6조제1항", "제7조제2호"}),
        ("주차장법 5조 2항", {"제5조제2항"}),
        ("제2항에 따라", set()),
        ("제5조의 80만 원, 제4조의 100분의 50, 제5조의 2", {"제5조", "제4조", "제5조의2"}),
        ("예산 5조 원", set()),
    ],
)
def test_an_article_is_one_fact_however_it_is_spaced(text: str, articles: set[str]) -> None:
    assert of("article", text) == articles


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("어르신 60명에게 주 2회", {"60명", "2회"}),
        ("20.0% 늘어 11.0%p 높음", {"20%", "11%p"}),
        ("이천 명, 총1,234건", {"2000명", "1234건"}),
        ("만 65세 이상", {"65세"}),
        ("5퍼센트포인트, 5 퍼센트", {"5%p", "5%"}),
        ("2.5㎞, 30 kg", {"5/2㎞", "30kg"}),
        ("160 ÷ 800", set()),
        ("만일의 조건, 조회 결과, 구조 7건, 만점, 십분 활용: 만일, 조건", {"7건"}),
        ("만 명, 백 명, 천오백 명", {"10000명", "100명", "1500명"}),
        ("3 개선 사항", set()),
        ("24시간 안에", {"24시간"}),
        ("[출처: 2026년 3개년 계획, 2쪽]", {"2쪽"}),
        ("1" * 5000 + "명", set()),
    ],
)
def test_a_figure_is_a_number_with_its_unit(text: str, figures: set[str]) -> None:
    assert of("figure", text) == figures


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("14:00~15:30", {"14:00", "15:30"}),
        ("오후 2시", {"14:00"}),
        ("밤 10시, 낮 12시, 오후 12시 10분", {"22:00", "12:00", "12:10"}),
        ("오전 9시 30분", {"9:30"}),
        ("09:30", {"9:30"}),
        ("3시간, 5시군, 서울시", set()),
    ],
)
def test_a_time_is_one_fact_on_either_clock(text: str, times: set[str]) -> None:
    assert of("time", text) == times


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        ("name", "『가온군 포트홀 처리 요령』 2쪽", {"가온군포트홀처리요령"}),
        ("name", "[출처: 가온군 포트홀 처리 요령, 2쪽]", {"가온군포트홀처리요령"}),
        ("name", "「자연ㆍ환경 조례」와 「자연·환경조례」", {"자연환경조례"}),
        ("name", "주차장법 제5조", {"주차장법"}),
        ("contact", "000-450-7712, (02) 123-4567", {"0004507712", "021234567"}),
        ("contact", "Help@Gaon.example, https://gaon.example/a.", {"help@gaon.example",
                                                                  "https://gaon.example/a"}),
    ],
)  # fmt: skip
def test_names_and_contacts(kind: str, text: str, values: set[str]) -> None:
    assert of(kind, text) == values


MATERIAL = (
    "「가온군 지원 조례」\n제6조(제한) ① 지원하지 아니한다.\n② 후원금은 지원으로 보지 아니한다.\n"
    "연도, 공익활동형, 시장형\n2023년, 640, 160\n2025년 3월 2일 접수\n"
    "1. 신청 2. 처리\n가온군 정원 계획에 따름"
)


@pytest.mark.parametrize(
    ("fact", "stands"),
    [
        (Fact("figure", "640명"), True),
        (Fact("amount", "160"), True),
        (Fact("figure", "641명"), False),
        (Fact("figure", "1건"), False),
        (Fact("article", "제6조제2항"), True),
        (Fact("article", "제6조제2항제1호"), True),
        (Fact("article", "제6조"), True),
        (Fact("article", "제6조제3항"), False),
        (Fact("article", "제7조"), False),
        (Fact("date", "2025-3-2"), True),
        (Fact("date", "-3-2"), True),
        (Fact("date", "2023-3-2"), True),  # year and day each stand there: not seen
        (Fact("date", "2024-3-2"), False),
        (Fact("date", "2025-3-"), True),
        (Fact("date", "2025-3-3"), False),
        (Fact("name", "가온군정원계획"), True),
        (Fact("name", "가온군공원계획"), False),
    ],
)
def test_what_a_text_vouches_for(fact: Fact, stands: bool) -> None:  # noqa: FBT001
    assert ground(MATERIAL).holds(fact) is stands


PIECES = st.lists(
    st.sampled_from(
        ["2025. 3. 2.", "11월 30일", "제6조", "제2항", "3만 원", "12명", "「가 법」", "만", "천",
         "조", "금", "~", ".", ",", "1", "20.5%", "오후 2시", "a@b.kr", "02-123-4567",
         "\n", " ", "①"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(st.text() | PIECES)
def test_any_text_has_facts_that_it_vouches_for_itself(text: str) -> None:
    said = normal(text)
    assert all(ground(said).holds(fact) for fact in facts(said)), facts(said)
    assert facts(normal(unicodedata.normalize("NFD", text))) == facts(said)


@given(
    st.permutations(
        ["3만 원을 냅니다.", "12명이 옵니다.", "제6조제1항입니다.", "2025. 3. 2.입니다."]
    )
)
def test_whole_facts_have_no_order(parts: list[str]) -> None:
    assert facts("\n".join(parts)) == facts("\n".join(sorted(parts)))


@pytest.mark.parametrize("piece", ["만 1", "천만 ", "1억 1천만 1"])
def test_a_text_of_nothing_but_units_is_read_at_once(piece: str) -> None:
    began = time.process_time()
    facts(piece * 1500)
    assert time.process_time() - began < 2
