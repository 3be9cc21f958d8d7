"""The chain's part of the page: whole, escaped, in order, and silent where a run has none."""

from typing import Any

import pytest

from yukjo.dashboard import chain
from yukjo.dashboard.report import report
from yukjo.dashboard.results import markdown
from yukjo.dashboard.table import tables
from yukjo.ledger.body import run_body
from yukjo.ledger.chain import link
from yukjo.records import Entry

SURE = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 9}
NASTY = "<script>alert(1)</script>|\n`x`"


def entry(body: dict[str, Any], **more: Any) -> Entry:
    document = {
        "stages": ["rag", "review"], "cases": 9, "final": "joint", "fields": ["금액"],
        "chosen_by": {"cases": 4, "after": SURE, "joint": SURE},
        "ways": {way: {"accuracy": SURE} for way in
                 ("truth/joint", "after/joint", "after/before", "before/before")},
        "reader_alone": SURE, "interaction": SURE, "fates": {"before/before": {"kept": SURE}},
        "examples": [{"case": "c1", "truth": NASTY, "reading": NASTY, "before": "",
                      "summary": NASTY, "fates": {NASTY: "kept"}}],
        "memory_mb": {"reader": {"held_before": 300, "peak": 800.0, "held_after": 320}},
    }  # fmt: skip
    made = body | {"chain": document | more}
    return link(None, "run", "r1", created="2026-11-22T10:44:10Z", body=made)


def test_the_page_holds_the_tables_and_cases_and_escapes_all_texts(body: dict[str, Any]) -> None:
    page = report(entry(body), language="ko")
    for words in ("연쇄의 모든 조합", "0.500 [0.250, 0.750]", "판독 결과로 학습", "유지", "c1"):
        assert words in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_ways_stand_from_nothing_tuned_to_the_truth(body: dict[str, Any]) -> None:
    found = run_body(entry(body)).chain
    assert found
    assert [row[:2] for row in chain.ways(found)][1:] == [
        ("학습 전", "학습 전"), ("학습 후", "학습 전"), ("학습 후", "판독 결과로 학습"),
        ("정답", "판독 결과로 학습"),
    ]  # fmt: skip


def test_markdown_keeps_each_text_in_its_cell(body: dict[str, Any]) -> None:
    page = markdown(entry(body), None, None)
    rows = [line for line in page.splitlines() if line.startswith("| 학습 전")]
    assert rows
    assert "## 연쇄" in page


@pytest.mark.parametrize("missing", ["ways", "fates", "examples", "chosen_by", "memory_mb"])
def test_a_missing_part_leaves_a_gap_and_no_error(body: dict[str, Any], missing: str) -> None:
    made = entry(body)
    del made.body["chain"][missing]
    assert "연쇄" in report(made, language="ko")
    assert len(tables(made)) == 3


def test_a_run_that_is_no_chain_says_nothing_of_one(body: dict[str, Any]) -> None:
    made = link(None, "run", "r1", created="2026-11-22T10:44:10Z", body=body)
    assert "연쇄" not in report(made, language="ko")
    assert len(tables(made)) == 1
