"""Facts of a text, as toys; then laws."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.korean.text import (
    find_bidi,
    find_control,
    find_surrogate,
    find_zero_width,
    fold,
    hangul_share,
    is_mostly_hangul,
    is_nfc,
    is_suspect,
    sentences,
    shown,
)

anything = st.text(alphabet=st.characters())
"""Lone surrogates included."""


def test_folding_forgets_spaces_punctuation_form_and_case() -> None:
    assert fold("「도로 보수」 — Ｐｌａｎ １.") == fold("도로보수 plan-1")


def test_folding_keeps_what_is_said() -> None:
    assert fold("7일") != fold("9일")


def test_composed_and_decomposed_korean_fold_alike() -> None:
    assert fold(unicodedata.normalize("NFD", "민원 접수")) == "민원접수"


def test_jamo_count_as_hangul() -> None:
    assert hangul_share(unicodedata.normalize("NFD", "가나")) == 1


def test_digits_and_signs_are_no_letters() -> None:
    assert hangul_share("1,234 % ― 가") == 1
    assert hangul_share("2026. 3. 2.") == 1


def test_japanese_and_chinese_are_not_korean() -> None:
    assert not is_mostly_hangul("申請受付後七日以内に処理します。")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("접수합니다. 처리합니다.", ["접수합니다.", "처리합니다."]),
        ("나. 예산은 없음\n다. 끝.", ["나. 예산은 없음", "다. 끝."]),
        (
            "2026. 3. 2.까지 냅니다. 늦으면 안 됩니다!",
            ["2026. 3. 2.까지 냅니다.", "늦으면 안 됩니다!"],
        ),
        ("비율은 3.5%입니다. 네? 그렇군요…", ["비율은 3.5%입니다.", "네?", "그렇군요…"]),
        ("그는 “됩니다.” 하고 말했다.", ["그는 “됩니다.”", "하고 말했다."]),
        ("1. 신청\n2. 접수", ["1. 신청", "2. 접수"]),
        ("  \n\n", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("find", "character"),
    [
        *[(find_control, c) for c in "\x00\x07\x0b\x1b\r\x7f\x85"],
        *[(find_zero_width, c) for c in "\u200b\u200c\u200d\u2060\ufeff\u00ad"],
        *[(find_bidi, c) for c in "\u200e\u200f\u202a\u202e\u2066\u2069\u061c"],
        *[(find_surrogate, c) for c in "\ud800\udfff"],
    ],
)
def test_finds_where_a_character_stands_that_should_not(find: object, character: str) -> None:
    assert callable(find)
    assert find(f"가나{character}{character}") == 2
    assert is_suspect(f"가나{character}")


def test_tab_line_feed_and_ideographic_space_are_fine() -> None:
    assert not is_suspect("가\t나\n다\u3000라\u00a0마")


@given(text=anything)
def test_suspect_means_that_something_is_found(text: str) -> None:
    finders = (find_control, find_zero_width, find_bidi, find_surrogate)
    assert is_suspect(text) == any(find(text) is not None for find in finders)


@given(text=anything)
def test_the_quick_answer_is_the_exact_one(text: str) -> None:
    assert is_mostly_hangul(text) == (hangul_share(text) >= 0.5)


@given(text=st.text(alphabet="가힣뷁abcé漢字ㅋ 1.\u1100\u1161", max_size=30))
def test_the_quick_answer_is_the_exact_one_near_the_border(text: str) -> None:
    assert is_mostly_hangul(text) == (hangul_share(text) >= 0.5)


@given(text=anything)
def test_what_is_shown_can_be_printed_on_one_line(text: str) -> None:
    made = shown(text, limit=20)
    made.encode()
    assert made.isprintable()
    assert len(made) <= 20 * len("\\U0010ffff")


@given(text=anything)
def test_a_text_in_nfc_is_called_so(text: str) -> None:
    assert is_nfc(unicodedata.normalize("NFC", text))
    assert is_nfc(text) == (unicodedata.normalize("NFC", text) == text)


@given(text=st.text(alphabet='가나 다.?!\n"”1a', max_size=40))
def test_sentences_lose_nothing_but_blanks(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
    assert all(
        sentence == sentence.strip() and "\n" not in sentence for sentence in sentences(text)
    )
