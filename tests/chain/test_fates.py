"""Who lost a fact: adversarial stages are named, and every fact has one name."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.chain.facts import Look, facts_of, look
from yukjo.chain.fates import FATES, Told, tell
from yukjo.chain.measures import Draws, attribution, interaction, read_share, row_figures, share

FIELDS = {"종류": "name", "번호": "code", "날짜": "date", "금액": "amount", "부서": "name"}
TRUTH = "종류: 확인서\n번호: 12-3456\n날짜: 2026. 3. 2.\n금액: 12,300원\n부서: 세무과"
WHOLE = "세무과의 확인서(12-3456)입니다. 날짜는 2026. 3. 2., 금액은 12,300원입니다."
DRAWS = Draws(resamples=200, seed=0)
OTHERS = ["종류: 고지서\n부서: 홍보과", "종류: 영수증\n부서: 민원과"]


def looking(*truths: str) -> Look:
    known = [facts_of(text, FIELDS) for text in (TRUTH, *OTHERS, *truths)]
    return look(FIELDS, known)  # type: ignore[arg-type]


def told(summary: str, *, reading: str = TRUTH, truth: str = TRUTH, case: str = "c") -> Told:
    return tell(case, summary, truth=facts_of(truth, FIELDS), reading=facts_of(reading, FIELDS),
                reference=WHOLE, look=looking())  # fmt: skip


def named(summary: str, *, reading: str = TRUTH) -> Mapping[str, str]:
    return told(summary, reading=reading).fates


# One at a time


def test_what_is_read_and_said_is_kept_in_whatever_words() -> None:
    other = "2026년 3월 2일 세무과에서 1만 2,300원짜리 확인서 12-3456을 냈습니다."
    for summary in (WHOLE, other):
        found = told(summary)
        assert set(found.fates.values()) == {"kept"}
        assert (found.recall, found.precision, found.quality) == (1, 1, 1)


def test_a_second_stage_that_drops_facts_has_lost_them() -> None:
    fates = named("세무과의 확인서입니다.")
    assert fates == {"종류": "kept", "부서": "kept", "번호": "lost", "날짜": "lost", "금액": "lost"}
    assert set(named("").values()) == {"lost"}


@pytest.mark.parametrize("reading", [
    TRUTH.replace("12,300원", "12,800원"), TRUTH.replace("금액: 12,300원", ""),
    TRUTH.replace("12,300원", "12,3O0원"),
])  # fmt: skip
def test_a_first_stage_that_misreads_is_named_though_the_second_repeats_it(reading: str) -> None:
    repeated = WHOLE.replace("12,300원", "12,800원" if "12,800원" in reading else "확인 필요")
    fates = named(repeated, reading=reading)
    assert fates["금액"] == "misread"
    assert [fates[field] for field in FIELDS if field != "금액"] == ["kept"] * 4


@pytest.mark.parametrize(
    ("field", "summary"),
    [
        ("금액", WHOLE.replace("12,300원", "99,000원")),
        ("날짜", WHOLE.replace("2026. 3. 2.", "2025. 12. 31.")),
        ("번호", WHOLE.replace("12-3456", "77-7777")),
        ("부서", WHOLE.replace("세무과", "홍보과")),
        ("종류", WHOLE.replace("확인서", "영수증")),
    ],
)
def test_a_second_stage_that_invents_what_was_not_read_is_named(field: str, summary: str) -> None:
    unread = "\n".join(line for line in TRUTH.split("\n") if not line.startswith(field))
    for reading in (TRUTH, unread):
        found = told(summary, reading=reading)
        assert found.fates[field] == "invented"
        assert [found.fates[other] for other in FIELDS if other != field] == ["kept"] * 4
        assert found.precision == 0.8


def test_what_was_misread_and_is_rightly_said_all_the_same_is_suspicious() -> None:
    assert named(WHOLE, reading=TRUTH.replace("세무과", "민원과"))["부서"] == "recovered"


def test_saying_that_a_field_is_to_be_checked_is_no_invention() -> None:
    found = told(WHOLE.replace("12,300원", "확인 필요"), reading=TRUTH.replace("12,300원", "원"))
    assert found.fates["금액"] == "misread"
    assert found.precision == 1


def test_a_part_of_the_true_date_is_neither_the_fact_nor_an_invention() -> None:
    found = told(WHOLE.replace("2026. 3. 2.", "3월 2일"))
    assert (found.fates["날짜"], found.precision) == ("lost", 1)


def test_what_is_true_of_another_field_of_the_kind_is_not_invented() -> None:
    fields = {"요금": "amount", "과태료": "amount"}
    truth = {"요금": "1000", "과태료": "5000"}
    found = tell("c", "5,000원입니다.", truth=truth, reading={"요금": "1000", "과태료": ""},
                 reference="1,000원, 5,000원", look=look(fields, [truth]))  # type: ignore[arg-type] # fmt: skip
    assert found.fates == {"요금": "lost", "과태료": "recovered"}


def test_a_longer_name_or_number_is_another_one() -> None:
    assert named(WHOLE.replace("확인서", "사실확인서"))["종류"] == "lost"
    assert named(WHOLE.replace("12-3456", "112-3456"))["번호"] == "invented"
    assert named(WHOLE.replace("12-3456", "12-34567"))["번호"] == "invented"


def test_a_rambling_summary_is_not_concise() -> None:
    rambling = told(WHOLE + " 그렇습니다." * 40)
    assert rambling.recall == rambling.precision == 1
    assert rambling.quality == rambling.concise < 0.3


# Shares, by hand


def test_shares_of_a_handful_of_cases_are_those_of_the_hand() -> None:
    """Ten facts: five kept; two lost; one misread; one invented; one recovered."""
    partly = TRUTH.replace("12,300원", "12,800원").replace("세무과", "민원과")
    rows = [
        told(WHOLE.replace("12-3456", ""), case="a"),  # four kept, one lost
        told("세무과의 77-7777, 확인서입니다. 금액은 12,800원입니다.", reading=partly, case="b"),
    ]
    found = {fate: part["value"] for fate, part in attribution(rows, DRAWS).items()}
    assert found == {"kept": 0.5, "lost": 0.2, "misread": 0.1, "invented": 0.1, "recovered": 0.1}
    figures = {name: part["value"] for name, part in row_figures(rows, DRAWS).items()}
    assert figures["accuracy"] == pytest.approx(0.6)  # (4 + 2) / 10
    assert figures["whole"] == 0
    assert figures["precision"] == pytest.approx((1 + 2 / 4) / 2)
    assert figures["information_kept"] == pytest.approx(5 / 8)  # 5 + 3 were read
    assert read_share(rows, DRAWS)["value"] == 0.8


def test_the_interaction_is_what_both_tunings_give_beyond_their_sum() -> None:
    none, half, whole = told("세무과"), told("세무과의 확인서, 12-3456"), told(WHOLE)
    grid = {"before/before": [none] * 8, "after/before": [half] * 8,
            "before/after": [none] * 8, "after/after": [whole] * 8}  # fmt: skip
    found = interaction(grid, DRAWS)
    assert (found["value"], found["low"], found["high"]) == pytest.approx((0.4, 0.4, 0.4))


def test_a_share_of_nothing_is_unknown_and_an_interval_stays_in_its_range() -> None:
    assert share([(0.0, 0.0)], DRAWS) == {"value": None, "low": None, "high": None, "n": 0}
    never = share([(0.0, 1.0)] * 9, DRAWS)
    assert (never["value"], never["low"]) == (0, 0)
    assert never["high"] > 0.3  # nine cases without it don't show that it never happens


# Laws

VALUES = {
    "종류": ["확인서", "고지서", ""], "번호": ["12-3456", "65-4321", ""],
    "날짜": ["2026. 3. 2.", "2025년 1월 9일", "어제"], "금액": ["12,300원", "5천 원", "12,30원"],
    "부서": ["세무과", "민원과", ""],
}  # fmt: skip
readings = st.fixed_dictionaries({field: st.sampled_from(some) for field, some in VALUES.items()})
pieces = st.lists(st.sampled_from([v for some in VALUES.values() for v in some] + ["입니다."]))


@given(readings, pieces)
def test_every_fact_gets_exactly_one_name_and_shares_add_up(
    reading: dict[str, str], said: list[str]
) -> None:
    found = told(" ".join(said), reading="\n".join(f"{f}: {v}" for f, v in reading.items()))
    assert set(found.fates) == set(FIELDS)
    assert set(found.fates.values()) <= set(FATES)
    assert (
        found.read
        == sum(found.held.values())
        == found.count("kept", "lost")
        + sum(found.held[field] for field, fate in found.fates.items() if fate == "invented")
    )
    assert 0 <= found.quality <= min(found.recall, found.precision) <= 1
    shares = attribution([found, told(WHOLE)], DRAWS)
    assert sum(part["value"] for part in shares.values()) == pytest.approx(1)


@given(st.text(), st.text())
def test_no_text_whatever_breaks_it(summary: str, reading: str) -> None:
    assert set(told(summary, reading=reading).fates) == set(FIELDS)
