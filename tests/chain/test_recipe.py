"""The summaries a second stage learns from: true, in good Korean, and never invented."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.chain.facts import fact, facts_of
from yukjo.chain.recipe import UNKNOWN, summary, summary_sample
from yukjo.config.models import ChainConfig
from yukjo.records import Sample

CONFIG = ChainConfig(
    stages=("reader", "teller"),
    fields={"종류": "name", "날짜": "date", "금액": "amount"},
    phrasings=("{종류}을(를) {날짜}에 받고 {금액}을(를) 냈습니다.", "{금액}, {날짜}, {종류}"),
)
ONE = CONFIG.model_copy(update={"phrasings": CONFIG.phrasings[:1]})
NAMES = {"종류": {"고지서", "영수증"}}
TRUTH = "종류: 고지서\n날짜: 2026. 3. 2.\n금액: 12,300원"


def case(output: str = TRUTH, name: str = "a") -> Sample:
    return Sample(
        instruction="읽기", output=output, agent_type="reader", id=name, license="CC0-1.0"
    )


def test_a_true_reading_gives_a_summary_of_all_with_fitting_particles() -> None:
    said = summary(case(), TRUTH, config=ONE, names=NAMES, seed=0)
    assert said == "고지서를 2026. 3. 2.에 받고 12,300원을 냈습니다."


def test_values_stand_as_the_reading_writes_them() -> None:
    other = TRUTH.replace("2026. 3. 2.", "2026년 3월 2일").replace("12,300원", "1만 2,300원")
    said = summary(case(), other, config=ONE, names=NAMES, seed=0)
    assert said == "고지서를 2026년 3월 2일에 받고 1만 2,300원을 냈습니다."


@pytest.mark.parametrize("bad", ["", "금액: ", "금액: 12,3O0원"])
def test_a_field_that_is_missing_or_malformed_is_to_be_checked(bad: str) -> None:
    said = summary(case(), TRUTH.replace("금액: 12,300원", bad), config=ONE, names=NAMES, seed=0)
    assert said == f"고지서를 2026. 3. 2.에 받고 {UNKNOWN}를 냈습니다."


def test_a_wrong_figure_that_could_be_right_is_copied_since_no_reader_of_it_could_tell() -> None:
    said = summary(case(), TRUTH.replace("12,300", "99,000"), config=ONE, names=NAMES, seed=0)
    assert said == "고지서를 2026. 3. 2.에 받고 99,000원을 냈습니다."


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [("name", "영수증", True), ("name", "영 수 증", True), ("name", "영수층", False),
     ("code", "99 - 0001", True), ("code", "99-00A1", False), ("code", "", False)],
)  # fmt: skip
def test_unknown_names_and_numbers_of_another_form_are_to_be_checked(
    kind: str, value: str, *, held: bool
) -> None:
    config = ChainConfig(stages=("reader", "teller"), fields={"값": kind}, phrasings=("{값}",))
    true = {"name": "값: 고지서", "code": "값: 12-3456"}[kind]
    names = {"값": {"고지서", "영수증"}} if kind == "name" else {}
    said = summary(case(true), f"값: {value}", config=config, names=names, seed=0)
    assert said == (value if held else UNKNOWN)


def test_the_sample_carries_the_reading_and_where_it_came_from() -> None:
    made = summary_sample(case(), "종류: 고지서", role="teller", config=CONFIG, names=NAMES, seed=0)
    assert (made.agent_type, made.input, made.id) == ("teller", "종류: 고지서", "a")
    assert (made.instruction, made.license) == (CONFIG.instruction, "CC0-1.0")


def test_the_same_seed_chooses_the_same_phrasing_and_all_are_chosen() -> None:
    cases = [case(name=f"{n}", output=TRUTH.replace("12,300", f"{n},000")) for n in range(1, 40)]
    first, again, other = (
        [summary(one, one.output, config=CONFIG, names=NAMES, seed=seed) for one in cases]
        for seed in (0, 0, 1)
    )
    assert first == again != other
    assert {said.endswith("냈습니다.") for said in first} == {True, False}


@given(st.sampled_from(["금액", "날짜", "종류"]), st.text())
def test_what_is_copied_has_the_form_of_its_field_and_the_rest_is_as_read(f: str, v: str) -> None:
    reading = "\n".join(
        line if not line.startswith(f) else f"{f}: {v}" for line in TRUTH.split("\n")
    )
    said = summary(case(), reading, config=ONE, names=NAMES, seed=0)
    if f != "종류" and not facts_of(reading, CONFIG.fields)[f]:
        assert UNKNOWN in said
    assert fact("amount", said) == "12300" or f == "금액"


def test_lines_of_the_reading_may_stand_in_any_order_and_the_first_counts() -> None:
    for lines in itertools.permutations(TRUTH.split("\n")):
        assert "확인" not in summary(case(), "\n".join(lines), config=ONE, names=NAMES, seed=0)
    twice = TRUTH + "\n금액: 1원"
    assert facts_of(twice, CONFIG.fields)["금액"] == "12300"
