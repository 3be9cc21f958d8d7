"""The gate's answer in words, in the terminal, on the page and in Markdown."""

from typing import Any, get_args

import pytest
from rich.console import Console

from yukjo.dashboard import crossed, verdict
from yukjo.dashboard.report import report
from yukjo.dashboard.results import markdown
from yukjo.errors import LedgerError
from yukjo.ledger.chain import link
from yukjo.ledger.verdict import Gate, Line, gate_of
from yukjo.records import Entry, Ruled

TITLES = {"rag": "자료 검색"}


def line(**changes: Any) -> Line:
    fields: dict[str, Any] = {
        "target": "it", "metric": "perplexity", "agent": "rag", "kind": "improvement", "bar": 15.0,
        "ruling": "hold", "why": "few", "before": 20.0, "after": 16.0, "low": 5.0, "high": 30.0,
        "n": 40, "needed": 37,
    }  # fmt: skip
    return Line(**(fields | changes))


def gate(*lines: Line, ruling: Any = "hold", rule: str = "it/rag") -> Gate:
    return Gate(verdict=ruling, rule=rule, lines=lines, seal=1)


def cell(difference: float, ruling: str) -> dict[str, Any]:
    return {"name": "loss_per_token", "difference": difference, "low": difference - 0.1,
            "high": difference + 0.1, "n": 9, "verdict": ruling}  # fmt: skip


CROSS = {
    "cells": {"rag": {"rag": cell(-0.5, "better"), "review": cell(0.25, "worse")},
              "review": {"rag": cell(0.1, "unclear"), "review": cell(-0.75, "better")}},
    "oracle": cell(-0.625, "better"), "router": cell(-0.5, "better"),
    "misroute": cell(0.125, "unclear"), "routed": {"right": 15, "n": 18},
}  # fmt: skip


def with_gate(body: dict[str, Any], ruled: Gate) -> Entry:
    made = body | {"gate": ruled.model_dump(mode="json")}
    return link(None, "run", "r1", created="2026-01-02T03:04:05Z", body=made)


def test_a_hold_names_its_rule_and_how_many_cases_are_missing() -> None:
    said = verdict.sentence(gate(line()), TITLES)
    assert said == (
        "판정: 보류. 결정한 규칙: 시험 자료 퍼플렉시티, 자료 검색: 37건 더 필요."
        " 목표 1개 가운데 0개 도달"
    )


def test_a_pass_and_an_empty_gate_are_told_apart() -> None:
    passed = gate(line(ruling="pass", why="met"), ruling="pass", rule="")
    assert verdict.sentence(passed, {}) == "판정: 통과(모든 목표에 도달)"
    assert verdict.sentence(gate(rule=""), {}) == "판정: 보류(정한 목표가 없음)"


def test_every_reason_the_gate_can_give_has_words() -> None:
    for why in get_args(Ruled.model_fields["why"].annotation):
        assert verdict.reason(line(why=why, needed=None)) != why


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "15 % 이상 나아짐"),
        ({"bar": 0.0}, "나아짐"),
        ({"bar": -5.0}, "5 % 넘게 나빠지지 않음"),
        ({"bar": -0.05, "kind": "difference"}, "0.05 넘게 나빠지지 않음"),
        ({"bar": 0.85, "kind": "level", "metric": "agent_selection"}, "0.85 이상"),
        ({"bar": 3.0, "kind": "level", "metric": "p95_seconds"}, "3 이하"),
        ({"metric": "seal"}, "학습 전 봉인"),
    ],
)
def test_a_target_is_said_in_words(changes: dict[str, Any], words: str) -> None:
    assert verdict.asked(line(**changes)) == words


def test_the_page_shows_the_verdict_first_and_every_target(body: dict[str, Any]) -> None:
    page = report(with_gate(body, gate(line(), line(agent="all", metric="memory_gb"))),
                  language="ko")  # fmt: skip
    assert page.index("△ 보류") < page.index("에이전트별 결과")
    assert "37건 더 필요" in page
    assert "학습 중 최대 메모리" in page
    assert 'href="#gate"' in page


def test_a_run_of_before_there_was_a_gate_has_no_such_part(entry: Entry) -> None:
    assert gate_of(entry) is None
    assert 'id="gate"' not in report(entry, language="ko")
    assert "판정 기준과 결과" not in markdown(entry, None, None)


def test_the_terminal_shows_a_row_a_target_with_mark_and_word() -> None:
    console = Console(width=160)
    with console.capture() as shown:
        console.print(verdict.table(gate(line(), line(ruling="pass", why="met")), TITLES))
    assert "자료 검색" in shown.get()
    assert "△ 보류: 37건 더 필요" in shown.get()
    assert "○ 통과: 도달" in shown.get()


def test_markdown_holds_verdict_metrics_and_the_cross(body: dict[str, Any]) -> None:
    cross = link(None, "cross", "r2", created="2026-01-02T03:04:05Z", body=CROSS)
    page = markdown(with_gate(body, gate(line())), None, cross)
    for part in ("# 결과", "**판정: 보류.", "### 민원 응대", "| 기준 답과의 유사도(chrF) |",
                 "▼+0.250 [+0.150, +0.350]", "18건 가운데 15건"):  # fmt: skip
        assert part in page
    assert all(row.count(" | ") == 7 for row in page.splitlines() if "37건 더 필요 |" in row)


def test_no_text_of_a_run_breaks_out_of_its_cell(body: dict[str, Any]) -> None:
    body["titles"] = {"rag": "a|b\n# <script>"}
    page = markdown(with_gate(body, gate(line())), None, None)
    assert "a\\|b # &lt;script>" in page
    assert "\n# <script>" not in page


def test_a_cross_is_a_table_of_who_was_asked_about_whose_cases() -> None:
    shown = crossed.cells(CROSS)
    assert list(shown) == ["rag", "review"]
    assert shown["rag"][1] == "▼+0.250 [+0.150, +0.350]"


def test_agents_stand_in_their_order_though_the_ledger_sorts_names() -> None:
    named = {"citizen_support": "rag", "rag": "citizen_support"}
    one = CROSS["cells"]["rag"]["rag"]  # type: ignore[index]
    swapped = {owner: dict.fromkeys(named, one) for owner in named}
    assert list(crossed.cells({"cells": swapped})) == ["rag", "citizen_support"]
    assert crossed.asked({"cells": swapped}) == ["rag", "citizen_support"]
    assert len(crossed.lines(CROSS)) == 3


def test_a_verdict_that_makes_no_sense_is_refused_by_its_entry() -> None:
    broken = link(None, "verdict", "r1", created="", body={"verdict": "maybe"})
    with pytest.raises(LedgerError) as said:
        gate_of(broken)
    assert "1" in said.value.where
