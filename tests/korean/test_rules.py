"""Each rule by examples written by hand; then laws over any text."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.evaluate.reading import normal
from yukjo.korean.documents import faults
from yukjo.korean.found import Found, in_order, moved
from yukjo.korean.rules import CODES, GROUPS, found

LAW = "「누리구 공원 조례」\n제5조(이용) ① 이용료는 2천 원으로 한다.\n② 구청장은 줄일 수 있다.\n"


def of(text: str, material: str = "", *, group: str) -> list[tuple[str, str, str]]:
    text = normal(text)
    places = found(text, normal(material), groups=(group,))
    return [(one.code, text[one.start : one.end], one.mend) for one in places]


@pytest.mark.parametrize(
    ("text", "shown", "mend"),
    [
        ("2026-03-05", "2026-03-05", "2026. 3. 5."),
        ("2026. 03. 05.부터", "2026. 03. 05.", "2026. 3. 5."),
        ("2026년 3월 5일(목)", "2026년 3월 5일", "2026. 3. 5."),
        ("3월 5일까지", "3월 5일", "3. 5."),
        ("오전 9시", "오전 9시", "09:00"),
        ("오후 12시 30분", "오후 12시 30분", "12:30"),
        ("오후 2시", "오후 2시", "14:00"),
        ("9:05~", "9:05", "09:05"),
        ("금123400원", "금123400원", "금123,400원(금일십이만삼천사백원)"),
        ("금1,000원(세금 포함)", "금1,000원", "금1,000원(금일천원)"),
        ("붙임  1. 계획서 1부.", "1. 계획서 1부.", "계획서 1부."),
        ("붙임  계획서 1부.\n      명단 2부.", "계획서 1부.", "1. 계획서 1부."),
        ("붙임  계획서", "계획서", ""),
        ("道路 보수", "道路", ""),
        ("1. 하나\n3. 셋", "3", "2"),
        ("1. 하나\n  나. 둘\n  다. 셋\n2. 넷", "나", "가"),
    ],
)
def test_a_broken_form_has_its_place_and_its_mend(text: str, shown: str, mend: str) -> None:
    first = faults(text)[0]
    assert (text[first.start : first.end], first.mend) == (shown, mend)


@pytest.mark.parametrize("text", ["2026-03-05", "오후 2시", "금123400원", "3월 5일", "9:05"])
def test_a_mend_of_a_form_is_well_formed(text: str) -> None:
    (one,) = faults(text)
    assert faults(text[: one.start] + one.mend + text[one.end :]) == []


@pytest.mark.parametrize(
    ("text", "found_"),
    [
        ("1. 가\n2. 나", [("doc-end", "나", "나  끝.")]),
        ("1. 가\n2. 나 끝.", [("doc-end", " ", "  ")]),
        ("1. 가\n2. 나  끝", [("doc-end", "끝", "끝.")]),
        ("1. 가\n2. 나.끝.", [("doc-end", "끝.", "  끝.")]),
        ("1. 가\n2. 나  끝.", []),
        ("1. 가\n2. 나\u3000끝.", []),
        ("알립니다.  끝.\n\n붙임  명단 1부.  끝.", [("doc-end", "끝.", "")]),
        ("표\n1. 가\n2. 나\n| 가 | 나 |\n  끝.", []),
        ("이야기는 이것으로 끝", []),
    ],
)
def test_the_end_mark(text: str, found_: list[tuple[str, str, str]]) -> None:
    assert [one for one in of(text, group="document") if one[0] == "doc-end"] == found_


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("15개×500만 원=8,500만 원", [("wrong-sum", "8,500만 ", "7,500만")]),
        ("인건비 3만 원 + 재료비 2만 원 = 6만 원", [("wrong-sum", "6만 ", "5만")]),
        ("(84+91+77)÷3=86점", [("wrong-sum", "86", "84")]),
        ("산출: 3+4=8", [("wrong-sum", "8", "7")]),
        ("82% - 75% = 8%p", [("wrong-sum", "8", "7")]),
        ("480명 ÷ 1,200명 = 41%", [("wrong-sum", "41", "40")]),
        ("100 - 120 = -30", [("wrong-sum", "30", "20")]),
        ("총 48명(남 21명, 여 26명)", [("wrong-sum", "48", "47")]),
        ("| 곳 | 건 |\n|---|---|\n| 가 | 1 |\n| 나 | 2 |\n| 합계 | 4 |", [("wrong-sum", "4", "3")]),
        ("- 가: 10건\n- 나: 20건\n- 합계: 31건", [("wrong-sum", "31", "30")]),
        ("400건에서 460건으로 12% 증가", [("wrong-rate", "12", "15")]),
        ("40분에서 30분으로 25% 늘었다", [("wrong-rate", "늘", "")]),
        ("150명 → 120명(20% 증가)", [("wrong-rate", "증가", "감소")]),
        ("72%에서 78%로 6% 상승", [("percent-point", "%", "%p")]),
        ("41%에서 46%로 6%p 상승", [("wrong-rate", "6", "5")]),
        ("200건 중 150건(80%)", [("wrong-share", "80", "75")]),
        ("88.0%(44÷55)", [("wrong-share", "88.0", "80")]),
        # and what is right, or can't be judged
        ("15개×500만 원=7,500만 원, 2 ÷ 3 = 약 0.66", []),
        ("455톤 ÷ 50,000명 = 9.1kg", []),
        ("22,000원\n- 초과분 2.0-0.75=1.25㎥", []),
        ("4 × 483 ÷ 859 = 2.2조", []),
        ("185명 × 312.1만 원 = 57,735만 원", []),
        ("x + 3 + 4 = 10", []),
        ("어른 3,000원(청소년 1,500원, 어린이 1,000원)", []),
        ("- 봄: 120건\n- 여름: 90건\n- 평균: 105건", []),
        ("50%에서 60%로 20% 상승", []),
        ("48.4초 → 56.8초, 17.2% 증가", []),
        ("24만 원 → 26만 원 → 28만 원으로 16.7% 증가", []),
        ("40일 → 48일, 8일(20.0%) 증가", []),
        ("312,000명에서 4,400명(1.4%) 늘어", []),
        ("이자는 3%에서 3.5%로 올랐고, 대출은 15% 줄었다", []),
        ('"3+4=8"이라고 적었다', []),
        ("[오류]\n1. 3+4=8 → 7임", []),
    ],
)  # fmt: skip
def test_figures_are_reckoned_again(text: str, wrong: list[tuple[str, str, str]]) -> None:
    assert of(text, group="numbers") == wrong


@pytest.mark.parametrize(
    ("text", "mends"),
    [
        ("1500만 원", ["1,500"]),
        ("12,34,567명", ["1,234,567"]),
        ("1,500만 원, 2026년, 제2026호, 1203호, 2024 대 1", []),
        ("000-1234-5678", []),
    ],
)
def test_commas(text: str, mends: list[str]) -> None:
    assert [mend for _, _, mend in of(text, group="commas")] == mends


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("2026. 3. 5.(수)", [("wrong-weekday", "수", "목")]),
        ("2026년 4월 10일 목요일", [("wrong-weekday", "목", "금")]),
        ("2026. 8. 3.(월), 8. 11.(수)", [("wrong-weekday", "수", "화")]),
        ("2026. 2. 29.", [("impossible-date", "2026. 2. 29.", "")]),
        ("4월 31일", [("impossible-date", "4월 31일", "")]),
        ("2026. 4. 6.~4. 10.(4일간)", [("wrong-period", "4", "5")]),
        ("2026. 5. 20.~2026. 5. 11.", [("wrong-period", "2026. 5. 20.~2026. 5. 11.", "")]),
        ("접수 2026. 9. 21., 처리 기간 7일, 처리 기한 2026. 9. 30.",
         [("wrong-deadline", "2026. 9. 30.", "2026. 10. 1.")]),
        ("2026. 3. 5.(목), 2028. 2. 29.(화), 2월 29일", []),
        ("2026. 12. 28.(월)~1. 8.(금)", []),
        ("8. 3.(수)", []),
        ("2026. 4. 6.~4. 17.(10일간)", []),
        ("접수 2026. 9. 21., 처리 기간 7일, 처리 기한 2026. 10. 1.", []),
    ],
)  # fmt: skip
def test_days_are_held_against_the_calendar(text: str, wrong: list[tuple[str, str, str]]) -> None:
    assert of(text, group="calendar") == wrong


@pytest.mark.parametrize(
    ("group", "text", "codes"),
    [
        ("citations", "「지방세법」 제3조", ["law-not-shown"]),
        ("citations", "「누리구 공원 조례」 제7조", ["article-not-shown"]),
        ("citations", "「누리구 공원 조례」 제5조제3항", ["article-not-shown"]),
        ("citations", "「누리구 공원 조례」 제5조의2", ["article-not-shown"]),
        ("citations", "「누리구공원조례」 제5조제2항과 같은 조례 제5조", []),
        ("citations", "「지방세법」 제3조는 자료에 없습니다.", []),
        ("quotations", '[조문]\n제5조: "이용료는 3천 원으로 한다."', ["quote-not-found"]),
        ("quotations", '[조문]\n제5조: "이용료는 … 한다."', []),
        ("quotations", '"이용료는 삼천 원으로 한다"고 규정합니다.', ["quote-not-found"]),
        ("quotations", '"이용료를 내 주시기 바랍니다"라고 쓰면 좋습니다.', []),
        ("sources", "됩니다. [출처: 공원 지침, 2쪽]", ["source-not-shown"]),
        ("sources", "됩니다. [출처: 누리구공원조례, 5조]", []),
        ("support", "보증금은 75,300원입니다.", ["not-supported"]),
        ("support", "세 명이면 6,000원입니다. 2천 원씩입니다.", []),
        ("support", "한빛시청으로 오세요.", ["not-supported"]),
        ("support", "시청이나 가까운 동 행정복지센터로 오세요.", []),
        ("support", "문의: 000-210-9999", ["not-supported"]),
        ("foreign", "신청서를 submit해 주세요.", ["foreign-word"]),
        ("foreign", "확인(check)과 CCTV, 3km, a@b.go.kr", []),
        ("politeness", "됩니다. 내일 처리한다. 오세요.", ["mixed-politeness"]),
        ("politeness", "됩니다. ‘내일 처리한다.’ 오세요.\n1. 신분증", []),
    ],
)
def test_an_answer_is_held_against_its_material(group: str, text: str, codes: list[str]) -> None:
    assert [code for code, _, _ in of(text, LAW, group=group)] == codes


@pytest.mark.parametrize("group", ["citations", "quotations", "sources", "support"])
def test_without_material_nothing_is_held_against_it(group: str) -> None:
    text = '[조문]\n「지방세법」 제3조: "세금은 98,765원으로 한다." [출처: 지침, 1쪽] 000-210-9999'
    assert of(text, group=group) == []


def test_one_place_is_not_said_twice() -> None:
    codes = [
        one.code for one in found("금1200000원(금일백이십만원)", groups=("document", "commas"))
    ]
    assert codes == ["doc-money"]


def test_places_move_and_stand_in_order() -> None:
    ones = [Found("b", 3, 4), Found("a", 1, 2), Found("a", 1, 2)]
    assert in_order(moved(ones, 2)) == [Found("a", 3, 4), Found("b", 5, 6)]


PIECES = st.sampled_from([
    *'0123456789,.()%=+-×÷→~:·"“” \n', "2026. 3. 5.", "2026년 3월 5일", "(목)", "14:00",
    "오후 2시", "금1,000원", "(금일천원)", "붙임  ", "끝.", "1. ", "가. ", "①", "합계", "총 ", "명",
    "원", "만 ", "억 ", "에서 ", "으로 ", "보다 ", " 중 ", "증가", "감소", "「누리구 조례」 ",
    "제5조", "제2항", "[조문]\n", "[오류]\n", "[출처: 지침, 1쪽]", "한다.", "합니다.", "道路",
    "word", "| 1 | 2 |\n", "누리구청", "000-210-1100", "처리 기간 7일", "접수 ", "처리 기한 ",
    "1. 개요\n", "2. 배경\n", "라고 적혀", "\u1100\u1161", "𝟙", "٣",
])  # fmt: skip
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=40).map("".join)


@pytest.mark.parametrize("group", GROUPS)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS, material=TEXTS)
def test_any_text_is_judged_and_places_lie_within_it(group: str, text: str, material: str) -> None:
    for source in (text, unicodedata.normalize("NFC", text)):
        for one in found(source, material, groups=(group,)):
            assert one.code in CODES
            assert 0 <= one.start < one.end <= len(source)
            assert one.mend != source[one.start : one.end]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(
    "piece", ["1", "1,", "가", "가 1원, ", "1+", "(", '"', "1. ", "만", "1%에서 ", "제1조"]
)
def test_a_hostile_text_takes_no_longer_than_its_length(group: str, piece: str) -> None:

    text = piece * (20_000 // len(piece))
    start = time.process_time()
    found(text, text[:10_000], groups=(group,))
    assert time.process_time() - start < 5
