"""The terminal shows what the page shows, and no control code of a run reaches it."""

import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from yukjo.dashboard.chart import WIDTH, chart
from yukjo.dashboard.summary import counts, detectable_points, limits
from yukjo.dashboard.table import table
from yukjo.ledger.body import run_body
from yukjo.ledger.chain import link
from yukjo.records import Entry


def printed(entry: Entry) -> str:
    out = io.StringIO()
    Console(file=out, width=160).print(table(entry))
    return out.getvalue()


def of(body: dict[str, Any]) -> Entry:
    return link(None, "run", "r1", created="2026-01-02T03:04:05Z", body=body)


def one(**metric: Any) -> Entry:
    return of({"agents": {"rag": {"metrics": [{"name": "perplexity", "n": 20} | metric]}}})


def test_the_table_has_a_row_for_each_agent_and_metric(entry: Entry) -> None:
    text = printed(entry)
    rows = [line for line in text.splitlines() if any(mark in line for mark in "▲▼＝")]
    assert len(rows) == 7 * 7
    assert "자료 검색" in rows[0]
    assert "전체 에이전트" in rows[-7]
    assert "−12.80~−8.800" in rows[0]


def test_markup_and_control_codes_are_only_text() -> None:
    body = {"titles": {"rag": "[red]x[/]\x1b[2J\x07"}, "agents": {"rag": {"metrics": [
        {"name": "[/]\x1b]0;x", "n": 1}]}}}  # fmt: skip
    text = printed(of(body))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]x[/]" in text


@given(st.text(), st.text())
def test_any_text_makes_a_table(title: str, metric: str) -> None:
    printed(of({"titles": {"rag": title}, "agents": {"rag": {"metrics": [{"name": metric}]}}}))


def test_the_summary_counts_agents_without_the_pseudo_agent(entry: Entry) -> None:
    perplexity, conformance = counts(run_body(entry))
    assert {verdict: len(names) for verdict, names in perplexity.agents.items()} == {
        "better": 5, "worse": 0, "unclear": 1}  # fmt: skip
    assert conformance.total == 6


def test_one_case_shows_nothing() -> None:
    assert "너무 적습니다" in limits(run_body(one(n=1)))[0]
    assert "너무 적습니다" not in limits(run_body(one(n=2)))[0]


def test_more_cases_show_smaller_changes() -> None:
    points = [detectable_points(n) for n in (1, 2, 20, 200, 600)]
    assert points == sorted(points, reverse=True)
    assert points[0] == 100


def test_the_chart_lays_the_interval_from_before() -> None:
    made = chart(run_body(one(before=100.0, after=20.0, low=-90.0, high=-50.0)))
    assert made
    [bar] = made.bars
    assert bar.low is not None
    assert bar.high is not None
    assert bar.low < bar.after < bar.high < bar.before


def test_what_has_no_logarithm_is_not_drawn() -> None:
    assert chart(run_body(one(before=0.0, after=2.0))) is None
    assert chart(run_body(one(before=None, after=2.0))) is None
    unbound = chart(run_body(one(before=5.0, after=2.0, low=-6.0, high=-1.0)))
    assert unbound
    assert unbound.bars[0].low is None


POSITIVE = st.floats(min_value=1e-290, max_value=1e290)


@given(before=POSITIVE, after=POSITIVE, low=st.floats(-1e6, 0), high=st.floats(0, 1e6))
def test_every_mark_stays_inside_the_box(
    before: float, after: float, low: float, high: float
) -> None:
    made = chart(run_body(one(before=before, after=after, low=low, high=high)))
    assert made
    [bar] = made.bars
    places = [bar.before, bar.after, bar.low, bar.high, *(tick.x for tick in made.ticks)]
    assert all(0 < place < WIDTH for place in places if place is not None)
    assert len(made.ticks) <= 8
