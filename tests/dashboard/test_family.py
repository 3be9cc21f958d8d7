"""The graph of the lineage joins what led to what, and nothing else."""

import re
from typing import Any

from yukjo.dashboard.family import BOX, MOST, TALL, Column, Graph, Thing, columns, graph

TITLES = {"rag": "자료 검색"}


def score(agent: str, metric: str) -> dict[str, Any]:
    return {"agent": agent, "metric": metric, "before": 2.0, "after": 1.0, "entry": 2}


FOUND: dict[str, Any] = {
    "kind": "score",
    "scores": [score(agent, "perplexity") for agent in ("all", "rag", "review")],
    "adapters": [{"agent": agent, "id": agent * 9} for agent in ("review", "rag")],
    "data": {"files": [{"name": "d.jsonl", "now": "changed"}], "train": [1, 2], "valid": [3],
             "test": [4]},
}  # fmt: skip


def joined(made: Graph) -> set[tuple[str, str]]:
    """Labels of the boxes at both ends of each line."""
    at = {(round(box.x), round(box.y)): box.label for box in made.boxes}
    found = set()
    for path in made.paths:
        numbers = [float(n) for n in re.findall(r"[\d.]+", path)]
        start = round(numbers[0] - BOX), round(numbers[1] - TALL / 2)
        end = round(numbers[-2]), round(numbers[-1] - TALL / 2)
        found.add((at[start], at[end]))
    return found


def test_test_lines_shape_no_adapter_and_no_adapter_another_s_figures() -> None:
    lines = joined(graph(columns(FOUND, TITLES)))
    assert lines == {
        ("d.jsonl", "학습"), ("d.jsonl", "검증"), ("d.jsonl", "시험"),
        ("학습", "자료 검색"), ("학습", "review"), ("검증", "자료 검색"), ("검증", "review"),
        ("시험", "전체 에이전트 · 퍼플렉시티"), ("시험", "자료 검색 · 퍼플렉시티"),
        ("시험", "review · 퍼플렉시티"),
        ("자료 검색", "자료 검색 · 퍼플렉시티"), ("자료 검색", "전체 에이전트 · 퍼플렉시티"),
        ("review", "review · 퍼플렉시티"), ("review", "전체 에이전트 · 퍼플렉시티"),
    }  # fmt: skip


def test_agents_stand_in_their_order_and_files_say_whether_they_changed() -> None:
    files, _, adapters, _ = columns(FOUND, TITLES)
    assert [one.name for one in adapters.things] == ["자료 검색", "review"]
    assert files.things[0].more == "기록과 다름"


def test_many_figures_are_drawn_by_their_first_metric_and_all_stand_in_the_table() -> None:
    many = [score(a, m) for a in ("rag", "all") for m in ("perplexity", *map(str, range(9)))]
    column = columns(FOUND | {"scores": many}, TITLES)[-1]
    assert len(column.things) == 20
    assert [one.role for one in column.shown] == ["figure:rag", "figure:all"]


def test_a_long_column_counts_what_it_does_not_draw() -> None:
    made = graph([Column("a", tuple(Thing(str(n)) for n in range(30))), Column("b", (Thing("x"),))])
    assert len(made.boxes) == MOST + 2
    assert any("22" in box.label for box in made.boxes)
    assert len(made.paths) == MOST + 1
    assert all(0 <= box.y < made.height for box in made.boxes)
