import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.chrf import CHRF

from yukjo.agents import roles
from yukjo.evaluate import scorers
from yukjo.evaluate.scorers import (
    Metric,
    chrf,
    consistency,
    failure,
    failure_reason,
    length,
    length_drift,
    loops,
    metrics,
)
from yukjo.records import Answer

GOOD = "신청서를 작성하여 주민센터에 내시면 됩니다. 처리 기한은 7일입니다."


def answer(text: str, *, finish: str = "stop") -> Answer:
    return Answer.model_validate(
        {"case": "c", "agent": "rag", "adapter": "", "repeat": 0, "text": text, "tokens": 3,
         "seconds": 1.0, "finish": finish}
    )  # fmt: skip


def test_the_same_text_in_another_encoding_is_the_same_answer() -> None:
    apart = unicodedata.normalize("NFD", GOOD)
    assert chrf(apart, GOOD) == 100
    assert length(apart) == length(GOOD)
    assert consistency([apart, GOOD]) == 1


def test_chrf_is_sacrebleus() -> None:
    other = "신청서는 누리집에 내셔도 됩니다."
    assert chrf(other, GOOD) == CHRF().sentence_score(other, [GOOD]).score
    assert 0 < chrf(other, GOOD) < 100


@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [
        (GOOD, "stop", None),
        ("1. 예산: 12,345,678원", "stop", None),
        ("", "stop", "empty"),
        (" \n\u3000", "length", "empty"),
        (GOOD, "length", "cut"),
        ("The application is due within seven days.", "stop", "not-korean"),
        ("申請書を提出してください。 네", "stop", "not-korean"),
        ("12 34 !!", "stop", "not-korean"),
        (GOOD + " 네, 그렇게 하시면 됩니다." * 10, "stop", "loop"),
    ],
)
def test_an_answer_of_no_use_says_why(text: str, finish: str, reason: str | None) -> None:
    assert failure_reason(answer(text, finish=finish)) == reason
    assert failure(answer(text, finish=finish)) == (reason is not None)


def test_three_times_is_no_loop_and_four_times_is() -> None:
    row = "가. 주민센터 방문 신청\n"
    assert not loops(row * 3 + GOOD)
    assert loops(row * 4 + GOOD)
    assert loops((row + GOOD + "\n") * 4)


def test_a_short_line_loops_only_where_it_stands_in_a_row() -> None:
    gap = "(확인 필요)"
    assert not loops(f"{gap}\n4. 예산\n{gap}\n5. 일정\n{gap}\n6. 효과\n{gap}")
    assert loops("\n".join([gap] * 4))


def test_naming_one_document_many_times_is_no_loop() -> None:
    cited = "[출처: 2026년 가온군 가로등 교체계획 보고, {}쪽]"
    text = "\n".join(
        f"{said} {cited.format(page)}" for page, said in enumerate(("하나", "둘", "셋", "넷"))
    )
    assert not loops(text)


def test_a_ruled_line_is_no_loop() -> None:
    assert not loops("-" * 200 + "\n" + GOOD)


def test_length_drift_is_a_share_of_the_reference() -> None:
    assert length_drift("가" * 15, "가" * 10) == 0.5
    assert length_drift("", "가" * 10) == 1
    assert length_drift("가", "") == 1


def test_consistency_needs_two_answers_and_has_no_order() -> None:
    assert consistency([]) is None
    assert consistency([GOOD]) is None
    assert consistency(["", ""]) == 1
    assert consistency(["가나다라", "마바사아"]) == 0
    three = ["가나다라마", "가나다라바", "사아자차카"]
    assert consistency(three) == consistency(three[::-1])
    assert consistency(three) == pytest.approx((2 * chrf(three[0], three[1])) / 200 / 3)


def test_a_metric_id_changes_with_everything_that_gives_a_figure_its_meaning() -> None:
    base = Metric("chrf", 1, higher_is_better=True, library="sacrebleu 2", settings={"beta": 2})
    others = [
        Metric("chrg", 1, higher_is_better=True, library="sacrebleu 2", settings={"beta": 2}),
        Metric("chrf", 2, higher_is_better=True, library="sacrebleu 2", settings={"beta": 2}),
        Metric("chrf", 1, higher_is_better=True, library="sacrebleu 3", settings={"beta": 2}),
        Metric("chrf", 1, higher_is_better=True, library="sacrebleu 2", settings={"beta": 3}),
    ]
    assert len({base.metric_id, *(other.metric_id for other in others)}) == 5
    assert len(base.metric_id) == 12


def test_other_rules_make_another_conformance_and_leave_the_rest() -> None:
    six = list(roles().values())
    all_rules, rag_rules = metrics(six), metrics(six[:1])
    changed = {n for n in all_rules if all_rules[n].metric_id != rag_rules[n].metric_id}
    assert changed == {"conformance"}
    assert metrics(six) == all_rules


def test_the_metrics_and_their_good_sides() -> None:
    assert {name: metric.higher_is_better for name, metric in metrics([]).items()} == {
        "perplexity": False,
        "chrf": True,
        "conformance": True,
        "failure_rate": False,
        "length": None,
        "length_drift": False,
        "script_drift": False,
        "politeness_drift": False,
        "consistency": True,
        "seconds": False,
        "fact_recall": True,
        "fact_precision": True,
        "dates": True,
        "amounts": True,
        "articles": True,
        "document_form": True,
        "rouge_l": True,
        "rouge_2": True,
        "field_accuracy": True,
        "item_accuracy": True,
        "cer": False,
        "cer_without_spaces": False,
        "anls": True,
    }


@given(text=st.text(), reference=st.text())
def test_any_text_stays_in_range(text: str, reference: str) -> None:
    assert 0 <= chrf(text, reference) <= 100
    assert failure(answer(text)) in {0.0, 1.0}
    assert length(text) >= 0
    assert length_drift(text, reference) >= 0
    alike = consistency([text, reference])
    assert alike is not None
    assert 0 <= alike <= 1


@given(st.text(alphabet="가나-", min_size=20, max_size=60))
def test_a_text_said_eight_times_loops_unless_it_says_nothing(text: str) -> None:
    assert loops((text + " ") * 8) == any(c.isalpha() for c in text)


def test_a_score_is_what_it_says() -> None:
    assert scorers.Score("c", "chrf", 1.0).value == 1.0
