"""Fields read off an image; every edit is counted by hand."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.evaluate.fields import anls, cer, cer_without_spaces, field_accuracy, item_accuracy
from yukjo.evaluate.scorers import metrics

SLIP = {"이름": "홍길동", "금액": "3만 원", "날짜": "2026. 3. 2."}  # 3 + 4 + 11 characters


@pytest.mark.parametrize(
    ("found", "fields", "item", "errors", "closed"),
    [
        (SLIP, 1, 1, 0, 0),
        (SLIP | {"이름": " 홍길동\n"}, 1, 1, 0, 0),  # space at the ends
        (SLIP | {"금액": "3만원"}, 2 / 3, 0, 1 / 18, 0),
        (SLIP | {"이름": "홍길순"}, 2 / 3, 0, 1 / 18, 1 / 15),
        (SLIP | {"이름": ""}, 2 / 3, 0, 3 / 18, 3 / 15),
        (SLIP | {"이름": "홍길동동", "금액": "4만 원"}, 1 / 3, 0, 2 / 18, 2 / 15),
        (SLIP | {"비고": "긴급"}, 1, 0, 0, 0),  # made up
        (SLIP | {"비고": " "}, 1, 1, 0, 0),
        ({}, 0, 0, 1, 1),
        ({"이름": "가" * 36}, 0, 0, (36 + 15) / 18, (36 + 12) / 15),
    ],
)
def test_accuracies_and_error_rates_by_hand(
    found: dict[str, str], fields: float, item: float, errors: float, closed: float
) -> None:
    assert field_accuracy(SLIP, found) == pytest.approx(fields)
    assert item_accuracy(SLIP, found) == item
    assert cer(SLIP, found) == pytest.approx(errors)
    assert cer_without_spaces(SLIP, found) == pytest.approx(closed)


@pytest.mark.parametrize(
    ("found", "score"),
    [
        ({"이름": "홍길동", "동": "새봄동"}, 1),
        ({"이름": "홍길순", "동": "새봄동"}, (2 / 3 + 1) / 2),
        ({"이름": "김철수", "동": "새봄동"}, 1 / 2),
        ({"이름": "홍순신", "동": "새봄동"}, 1 / 2),  # 1 letter of 3: below one half
        ({"동": "새봄동"}, 1 / 2),
        ({"이름": "홍길동", "동": "새봄동", "비고": "긴급"}, 2 / 3),
        ({"이름": "홍길동", "동": "새봄동", "비고": ""}, 1),
        ({}, 0),
    ],
)
def test_anls_by_hand(found: dict[str, str], score: float) -> None:
    assert anls({"이름": "홍길동", "동": "새봄동"}, found) == pytest.approx(score)


def test_letter_case_counts_for_all_but_anls() -> None:
    assert anls({"코드": "ABC"}, {"코드": "abc"}) == 1
    assert field_accuracy({"코드": "ABC"}, {"코드": "abc"}) == 0
    assert cer({"코드": "ABC"}, {"코드": "abc"}) == 1


def test_where_nothing_stands_nothing_may_be_read() -> None:
    assert [m({}, {}) for m in (field_accuracy, item_accuracy, cer, anls)] == [1, 1, 0, 1]
    assert [m({"가": ""}, {"가": ""}) for m in (field_accuracy, cer, anls)] == [1, 0, 1]
    assert [m({"가": ""}, {"가": "나"}) for m in (field_accuracy, cer, anls)] == [0, 1, 0]


def test_each_is_registered_with_its_library() -> None:
    known = metrics([])
    assert known["cer"].library.startswith("jiwer ")
    assert known["anls"].library.startswith("anls_star ")
    assert [known[name].higher_is_better for name in ("field_accuracy", "cer")] == [True, False]


slips = st.dictionaries(st.sampled_from(["이름", "금액", "날짜"]), st.text(max_size=8))


@given(expected=slips, found=slips)
def test_any_fields_stay_in_range_whatever_their_encoding_and_order(
    expected: dict[str, str], found: dict[str, str]
) -> None:
    apart = {name: unicodedata.normalize("NFD", text) for name, text in reversed(found.items())}
    for measure in (field_accuracy, item_accuracy, cer, cer_without_spaces, anls):
        value = measure(expected, found)
        assert value >= 0
        assert measure in {cer, cer_without_spaces} or value <= 1
        assert measure(expected, apart) == value
    assert item_accuracy(expected, expected) == anls(expected, expected) == 1
    assert cer(expected, expected) == cer_without_spaces(expected, expected) == 0
