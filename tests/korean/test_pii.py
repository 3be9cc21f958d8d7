"""Personal data is found in whatever form it is written, and nothing of it is left.

Numbers are invented: 010-0 and 010-1 are no exchange, nobody alive was born in the 1880s.
"""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.korean.pii import KINDS, contact, find, masked, shape

anything = st.text(alphabet=st.characters())
"""Lone surrogates included."""

SAMPLES = {
    "rrn": ("주민등록번호 {}", "880315-9711069"),
    "frn": ("외국인등록번호 {}", "880417-5000002"),
    "passport": ("여권번호 {}", "M123A4567"),
    "licence": ("면허 {}", "11-08-123456-78"),
    "insurance": ("건강보험증 번호 {}", "1-2345678901"),
    "card": ("카드 {}", "4000-0000-0000-0002"),
    "mobile": ("연락처 {}", "010-0123-4567"),
    "email": ("메일 {}", "haru5@naver.com"),
    "phone": ("집 전화 {}", "02-0123-4567"),
    "account": ("농협 {}", "352-0123-4567-13"),
    "corporation": ("법인등록번호 {}", "110111-0000007"),
    "business": ("사업자등록번호 {}", "123-00-00005"),
    "plate": ("차량번호 {}", "12가3456"),
    "birth": ("생년월일: {}", "1958. 3. 2."),
    "ip": ("접속 IP: {}", "121.170.4.88"),
    "address": ("주소: {}", "한빛시 누리구 새봄로 123"),
    "name": ("성명: {}", "곽도윤"),
}
"""A kind -> a text with room for a value, and the value."""


def kinds(text: str) -> list[str]:
    return [hit.kind for hit in find(text)]


def found(text: str) -> list[str]:
    return [text[hit.start : hit.end] for hit in find(text)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_and_replaced_whole(kind: str) -> None:
    text, value = SAMPLES[kind]
    written = text.format(value)
    assert [hit.kind for hit in find(written)] == [kind]
    assert masked(written)[0] == text.format(KINDS[kind].placeholder)


@pytest.mark.parametrize(
    "text",
    [
        "010-0123-4567",
        "01001234567",
        "010 0123 4567",
        "010.0123.4567",
        "(010) 0123-4567",
        "010)0123-4567",
        "010–0123–4567",
        "010ㅡ0123ㅡ4567",
        "０１０－０１２３－４５６７",
        "𝟎𝟏𝟎-0123-4567",
        "+82 10-0123-4567",
        "0082-10-0123-4567",
        "O1O-0123-4567",
        "0 1 0 0 1 2 3 4 5 6 7",
        "공일공 공일이삼 사오육칠",
        "010\u200b-0123-\u200b4567",
    ],
)
def test_a_number_is_one_in_every_spelling(text: str) -> None:
    written = f"연락처 {text}로 주세요"
    assert kinds(written) == ["mobile"]
    assert masked(written)[0] == "연락처 [휴대전화번호]로 주세요"


def test_a_label_in_pieces_is_a_label() -> None:
    text = unicodedata.normalize("NFD", "성명: 곽도윤")
    assert kinds(text) == ["name"]
    assert unicodedata.normalize("NFC", masked(text)[0]) == "성명: [이름]"


def test_a_failed_check_digit_clears_nothing_and_is_said() -> None:
    good, bad = find("880315-9711069 880315-9711060")
    assert (good.kind, good.fits) == ("rrn", True)
    assert (bad.kind, bad.fits) == ("rrn", False)


def test_a_number_with_no_day_in_it_needs_a_word() -> None:
    assert kinds("994399-1234567") == []
    assert kinds("주민번호 994399-1234567") == ["rrn"]


@pytest.mark.parametrize(
    "text",
    [
        "010-0000-0000",
        "주민등록번호 000000-0000000",
        "주민등록번호 900101-1******",
        "연락처 010-****-1234, 010-XXXX-XXXX",  # hidden digits, as forms print them
        "성명: 김○○",
        "성명: [이름] (서명)",
        "000-450-1010",
        "name@example.com",
        "여권번호 M00000000",
        "(예시) 성명: 홍길동",
    ],
)
def test_placeholders_stand(text: str) -> None:
    assert find(text) == ()


def test_the_name_of_examples_is_a_name_elsewhere() -> None:
    assert found("성명: 홍길동") == ["홍길동"]


def test_offices_are_reached_by_their_own_lines() -> None:
    assert kinds("문의: 도로과(☎ 02-0123-4567), 국번 없이 110, 1577-0000") == []
    assert kinds("doro@korea.kr, parking@hanbit.go.kr") == []
    assert kinds("집 전화 02-0123-4567") == ["phone"]


def test_allowed_contacts_stand_however_they_are_written() -> None:
    allowed = {contact("010-0123-4567"), contact("Desk@Hanbit.kr"), contact("@nuri.kr")}
    text = "０１０ 0123 4567, desk@hanbit.kr, anyone@nuri.kr"
    assert find(text, allowed=allowed) == ()
    assert kinds(text) == ["mobile", "email", "email"]


def test_what_is_a_things_number_is_nobodys() -> None:
    for text in ("주문번호 4111111111111111", "부품번호 M12345678", "ISBN 9788901234567"):
        assert find(text) == (), text


def test_a_column_is_read_by_its_head() -> None:
    table = "| 성명 | 계좌번호 |\n| 곽도윤 | 110-123-456789 |\n| 표지안 | 110-123-456780 |"
    assert kinds(table) == ["name", "account"] * 2


def test_several_stand_in_one_text_in_their_order() -> None:
    text = "곽도윤(010-0123-4567), 새봄아파트 103동 1204호, haru5@naver.com"
    assert kinds(text) == ["name", "mobile", "address", "email"]


def test_a_value_is_shown_as_stars() -> None:
    assert shape("곽도윤 010-0123") == "*** ***-****"
    assert not any(c.isalnum() for c in shape("a_b@한글.kr"))


@given(anything)
def test_any_text_can_be_read_and_what_is_masked_holds_nothing(text: str) -> None:
    written, hits = masked(text)
    assert find(written) == ()
    assert masked(written) == (written, ())
    assert (written == text) == (not hits)


pieces = st.sampled_from(
    [value for _, value in SAMPLES.values()]
    + [text.partition("{}")[0] for text, _ in SAMPLES.values()]
    + [
        "-",
        " ",
        "\n",
        ",",
        "|",
        "(",
        ")",
        "0",
        "1",
        "님",
        "에 사는",
        "[이름]",
        "\u200b",
        "ㅡ",
        "．",
    ]
)


@given(st.lists(pieces, max_size=12).map("".join))
def test_masking_is_done_once_whatever_stands_side_by_side(text: str) -> None:
    written, hits = masked(text)
    assert find(written) == ()
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)
    ends = [0, *(end for hit in hits for end in (hit.start, hit.end)), len(text)]
    assert ends == sorted(ends)
    kept = [text[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True)]
    places = [KINDS[hit.kind].placeholder for hit in hits]
    assert written == "".join(
        part for pair in zip(kept, [*places, ""], strict=True) for part in pair
    )


@given(st.sampled_from(sorted(SAMPLES)), st.text("가나다 .\n", max_size=5))
def test_nothing_of_a_value_is_left(kind: str, around: str) -> None:
    text, value = SAMPLES[kind]
    written, _ = masked(f"{around} {text.format(value)} {around}")
    assert value not in written
    assert not any(digit in written for digit in "0123456789")


def test_the_labelled_set_is_whole() -> None:
    path = Path(__file__).parents[2] / "bench" / "checks" / "pii.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 320
    assert {row["split"] for row in rows} == {"dev", "held"}
    for row in rows:
        assert set(row) == {"text", "hits", "note", "split"}
        assert all(hit["kind"] in KINDS and hit["text"] in row["text"] for hit in row["hits"])
    assert {hit["kind"] for row in rows for hit in row["hits"]} == set(KINDS)
    assert sum(not row["hits"] for row in rows) >= len(rows) * 0.45
