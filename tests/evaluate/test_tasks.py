import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from yukjo.agents import roles
from yukjo.errors import ConfigError, RunError
from yukjo.evaluate import ALL, Raw, RawCase, evaluate, rouge
from yukjo.evaluate.clusters import cluster_of
from yukjo.evaluate.raw import read
from yukjo.evaluate.tasks import cases, score
from yukjo.files import sorted_json
from yukjo.records import Answer, Comparison, Message, Picture, Sample

NAMES = ["perplexity", "chrf", "rouge_l", "rouge_2", "fact_recall", "fact_precision", "conformance",
         "failure_rate", "length", "length_drift", "script_drift", "politeness_drift",
         "consistency", "seconds"]  # fmt: skip


def sample(number: int, agent: str = "rag") -> Sample:
    return Sample(
        instruction=f"{number}번을 알려 주세요.",
        input=f"『제{number} 계획』 1쪽: {number}개이다.",
        output=f"모두 {number}개입니다. [출처: 제{number} 계획, 1쪽]",
        agent_type=agent,
        id=f"{agent}-{number}",
    )


def answer(asked: Sample, text: str, *, repeat: int = 0, adapter: str = "") -> Answer:
    return Answer(
        case=asked.hash, agent=asked.agent_type, adapter=adapter, repeat=repeat, text=text,
        tokens=9, seconds=2.0 if adapter else 3.0, finish="stop",
    )  # fmt: skip


def loss(asked: Sample) -> RawCase:
    return RawCase(
        case=asked.hash, agent=asked.agent_type, learned=10, nll_before=30.0, nll_after=20.0
    )


def raw_of(samples: list[Sample], *, repeats: int = 2) -> Raw:
    """Before: a useless word. After: the reference."""
    turns = range(repeats + 1)
    return Raw(
        cases=tuple(loss(s) for s in samples),
        before=tuple(answer(s, "네", repeat=k) for s in samples for k in turns),
        after=tuple(answer(s, s.output, repeat=k, adapter="a") for s in samples for k in turns),
    )


SAMPLES = [sample(number) for number in range(8)] + [sample(9, "review")]


def by_name(rows: list[Comparison]) -> dict[str, Comparison]:
    return {row.name: row for row in rows}


def test_every_agent_and_all_get_every_metric_that_can_be_had() -> None:
    found = evaluate(SAMPLES, raw_of(SAMPLES), roles=roles())
    assert list(found) == ["rag", "review", ALL]
    assert all([row.name for row in rows] == NAMES for rows in found.values())
    assert [found[name][0].n for name in found] == [8, 1, 9]


def test_the_figures_of_a_perfect_tuning() -> None:
    rows = by_name(evaluate(SAMPLES, raw_of(SAMPLES), roles=roles())["rag"])
    assert rows["perplexity"].before == pytest.approx(math.exp(3))
    assert rows["perplexity"].after == pytest.approx(math.exp(2))
    assert (rows["chrf"].before, rows["chrf"].after) == (0, 100)
    assert (rows["conformance"].before, rows["conformance"].after) == (0, 1)
    assert (rows["failure_rate"].before, rows["failure_rate"].after) == (0, 0)
    assert (rows["consistency"].before, rows["consistency"].after) == (1, 1)
    assert (rows["seconds"].before, rows["seconds"].after) == (3, 2)
    assert rows["length_drift"].after == 0
    verdicts = {name: row.verdict for name, row in rows.items()}
    assert verdicts == {
        "perplexity": "better", "chrf": "better", "rouge_l": "better", "rouge_2": "better",
        "fact_recall": "better", "fact_precision": "better", "conformance": "better",
        "failure_rate": "unclear", "length": "unclear", "length_drift": "better",
        "script_drift": "unclear", "politeness_drift": "better",
        "consistency": "unclear", "seconds": "better",
    }  # fmt: skip


def test_a_metric_counts_the_cases_whose_reference_has_what_it_measures() -> None:
    dated = SAMPLES[0].model_copy(update={"output": "2026. 3. 2.까지 3만 원을 냅니다."})
    cited = SAMPLES[1].model_copy(update={"output": "「가 조례」 제5조에 따라 냅니다."})
    document = sample(7, "document_writing").model_copy(
        update={"output": "1. 개요\n2. 2026. 3. 2."}
    )
    found = [dated, cited, document, *SAMPLES[2:4]]
    rows = evaluate(found, raw_of(found), roles=roles())
    names = ("dates", "amounts", "articles", "document_form", "fact_recall", "fact_precision")
    counts = {name: {n: row.n for n, row in by_name(rows[name]).items()} for name in rows}
    assert [counts[ALL].get(name) for name in names] == [2, 1, 1, 1, 5, 5]
    assert [counts["rag"].get(name) for name in names] == [1, 1, 1, None, 4, 4]
    after = by_name(rows[ALL])
    assert {after[name].after for name in names} == {1}
    assert {after[name].before for name in names} == {0}


def test_material_and_earlier_turns_ground_a_fact() -> None:
    earlier = (Message(role="user", content="어제 99명이 왔습니다."),)
    asked = SAMPLES[0].model_copy(update={"messages": earlier})
    answers = [answer(asked, text) for text in ("99명", "0개", "98명")]
    raws = [Raw(before=(a,), after=(a,)) for a in answers]
    rows = [by_name(evaluate([asked], raw, roles=roles())["rag"]) for raw in raws]
    assert [row["fact_precision"].after for row in rows] == [1, 1, 0]


def test_the_same_raw_input_in_another_order_gives_the_same_bits() -> None:
    raw = raw_of(SAMPLES)
    turned = Raw(cases=raw.cases[::-1], before=raw.before[::-1], after=raw.after[::-1])
    first = evaluate(SAMPLES, raw, roles=roles(), resamples=100)
    again = evaluate(SAMPLES[::-1], turned, roles=roles(), resamples=100)
    assert [r.model_dump_json() for rows in first.values() for r in rows] == [
        r.model_dump_json() for rows in again.values() for r in rows
    ]


def test_what_is_stored_comes_back_and_scores_the_same() -> None:
    raw = raw_of(SAMPLES)
    back = read((sorted_json(row) for row in raw.rows()), where="answers.jsonl")
    assert back == raw
    assert evaluate(SAMPLES, back, roles=roles()) == evaluate(SAMPLES, raw, roles=roles())


def test_sides_are_paired_by_case_not_by_place() -> None:
    two = SAMPLES[:2]
    raw = raw_of(two)
    turned = raw.model_copy(update={"after": raw.after[::-1]})
    assert by_name(evaluate(two, turned, roles=roles())["rag"])["chrf"].after == 100


def test_only_asked_cases_count_for_answers_and_all_for_perplexity() -> None:
    raw = raw_of(SAMPLES[:8])
    few = Raw(cases=raw.cases, before=raw.before[:9], after=raw.after[:9])
    rows = by_name(evaluate(SAMPLES, few, roles=roles())["rag"])
    assert rows["perplexity"].n == 8
    assert rows["chrf"].n == 3


def test_without_sampled_answers_there_is_no_row_for_consistency() -> None:
    rows = evaluate(SAMPLES, raw_of(SAMPLES, repeats=1), roles=roles())["rag"]
    assert [row.name for row in rows] == [name for name in NAMES if name != "consistency"]


def test_without_kiwi_there_is_no_row_for_rouge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rouge, "kiwi", lambda: None)
    rows = evaluate(SAMPLES, raw_of(SAMPLES), roles=roles())["rag"]
    assert [row.name for row in rows] == [name for name in NAMES if not name.startswith("rouge")]


def test_nothing_measured_gives_no_rows() -> None:
    assert evaluate([], Raw(), roles=roles()) == {ALL: []}
    assert evaluate(SAMPLES[:1], Raw(), roles=roles()) == {"rag": [], ALL: []}


def test_scores_of_a_case_can_be_looked_at() -> None:
    (found,) = score(cases(SAMPLES[:1], raw_of(SAMPLES[:1])), roles())
    assert found.before["conformance"].value == 0
    assert found.after["conformance"].value == 1
    assert found.after["chrf"].case == SAMPLES[0].hash


def test_a_cases_answers_come_greedy_first_however_they_were_stored() -> None:
    raw = raw_of(SAMPLES[:1])
    (found,) = cases(SAMPLES[:1], raw.model_copy(update={"before": raw.before[::-1]}))
    assert [one.repeat for one in found.before] == [0, 1, 2]


def test_the_same_row_stored_twice_counts_once() -> None:
    raw = raw_of(SAMPLES)
    double = Raw(cases=raw.cases * 2, before=raw.before * 2, after=raw.after * 2)
    assert evaluate(SAMPLES, double, roles=roles()) == evaluate(SAMPLES, raw, roles=roles())


def without_after(raw: Raw) -> Raw:
    return raw.model_copy(update={"after": raw.after[1:]})


def answered_twice(raw: Raw) -> Raw:
    other = raw.before[0].model_copy(update={"text": "아니요"})
    return raw.model_copy(update={"before": (*raw.before, other)})


def of_a_stranger(raw: Raw) -> Raw:
    return raw.model_copy(update={"cases": (loss(sample(77)),)})


def measured_twice(raw: Raw) -> Raw:
    other = raw.cases[0].model_copy(update={"nll_after": 1.0})
    return raw.model_copy(update={"cases": (*raw.cases, other)})


@pytest.mark.parametrize("harm", [without_after, answered_twice, measured_twice, of_a_stranger])
def test_raw_input_that_does_not_fit_is_refused(harm: Callable[[Raw], Raw]) -> None:
    with pytest.raises(RunError) as fault:
        evaluate(SAMPLES, harm(raw_of(SAMPLES)), roles=roles())
    assert fault.value.fix


def test_an_agent_without_a_role_is_refused() -> None:
    odd = sample(1, "reviev")
    with pytest.raises(ConfigError, match="review"):
        evaluate([odd], raw_of([odd]), roles=roles())


ENDLESS = sorted_json(answer(SAMPLES[0], "네").model_dump() | {"kind": "after"}).replace(
    '"seconds":3.0', '"seconds":1e999'
)


@pytest.mark.parametrize(
    "row",
    ["{", "[]", "3", "{}", '{"kind": "loss"}', '{"kind": "later", "case": "c"}', '{"kind": []}',
     '{"kind": "loss", "case": "c", "agent": "a", "learned": 0, "nll_before": 1, "nll_after": 1}',
     '{"kind": "loss", "case": "c", "agent": "a", "learned": 1, "nll_before": NaN, "nll_after": 1}',
     ENDLESS,
     "[" * 100_000],
)  # fmt: skip
def test_a_damaged_row_is_named_by_its_line(row: str) -> None:
    good = json.dumps({"kind": "loss", **loss(SAMPLES[0]).model_dump()})
    with pytest.raises(RunError) as fault:
        read([good, "", row], where="answers.jsonl")
    assert fault.value.where == "answers.jsonl:3"


# What was read off images


def slip(number: int, **changes: object) -> Sample:
    pictures = (Picture(path=Path(f"{number}.png"), sha256=f"{number:064}"),)
    return Sample(
        instruction="읽어 주세요.", output=f"부서: 세무과\n금액: {number},300원", agent_type="rag",
        images=pictures,
    ).model_copy(update=changes)  # fmt: skip


def test_fields_are_scored_where_the_reference_is_fields_read_off_an_image() -> None:
    slips = [slip(number) for number in range(6)]
    raw = Raw(
        before=tuple(answer(s, "부서: 세무과\n금액: 9,900원") for s in slips),
        after=tuple(answer(s, s.output, adapter="a") for s in slips),
    )
    rows = by_name(evaluate(slips, raw, roles=roles())["rag"])
    assert (rows["field_accuracy"].before, rows["field_accuracy"].after) == (0.5, 1)
    assert (rows["item_accuracy"].before, rows["item_accuracy"].after) == (0, 1)
    assert rows["cer"].before > rows["cer"].after == 0
    assert rows["anls"].after == rows["chrf"].after / 100 == 1
    assert rows["field_accuracy"].n == 6


def test_no_other_reference_is_taken_for_fields() -> None:
    others = [slip(1, images=()), slip(2, output="부서는 세무과입니다."), sample(3)]
    rows = by_name(evaluate(others, raw_of(others), roles=roles())["rag"])
    assert not {"field_accuracy", "item_accuracy", "cer", "anls"} & rows.keys()


def test_questions_about_one_image_are_one_cluster() -> None:
    one, same = slip(1), slip(1, instruction="얼마입니까?", input="다른 자료")
    assert cluster_of(one, "material") == cluster_of(same, "material")
    assert cluster_of(one, "material") != cluster_of(slip(2), "material")
    assert cluster_of(one, "case") != cluster_of(same, "case")
