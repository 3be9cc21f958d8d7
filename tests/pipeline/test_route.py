"""`yukjo route`, as a user calls it."""

import json
from pathlib import Path

import pytest

from toys import Yukjo

FALLBACK = ("--set", "router.fallback=rag")
TEXT = "우체국 점검 결과를 검토해 주세요."


def test_a_text_goes_to_the_agent_that_its_manner_asks_for(yukjo: Yukjo, project: Path) -> None:
    said = yukjo("route", TEXT, "-p", project, *FALLBACK, "--json")
    (route,) = said.json()["routes"]  # type: ignore[misc]
    assert route["agent"] == "review"
    assert sum(route["scores"].values()) == pytest.approx(1)
    assert not route["abstained"]
    assert "review" in yukjo("route", TEXT, "-p", project, *FALLBACK).out


def test_a_file_is_routed_line_by_line(yukjo: Yukjo, project: Path, tmp_path: Path) -> None:
    file = tmp_path / "asked.jsonl"
    rows = [{"text": TEXT}, {"text": "우체국 점검 결과를 찾아 주세요."}, {"text": ""}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said = yukjo("route", "--file", file, "-p", project, *FALLBACK, "--json")
    routes: list[dict[str, object]] = said.json()["routes"]  # type: ignore[assignment]
    assert [route["agent"] for route in routes] == ["review", "rag", "rag"]
    assert [route["abstained"] for route in routes] == [False, False, False]


@pytest.mark.parametrize(
    "asked",
    [(), ("글", "--file", "a.jsonl"), ("글", "--cost"), ("--file", "a.jsonl", "--cost")],
)
def test_anything_but_one_thing_to_route_is_refused(
    yukjo: Yukjo, project: Path, asked: tuple[str, ...]
) -> None:
    said = yukjo("route", *asked, "-p", project)
    assert (said.code, said.out) == (2, "")
    assert "--evaluate" in said.err


def test_a_bad_line_and_a_bad_fallback_are_named(
    yukjo: Yukjo, project: Path, tmp_path: Path
) -> None:
    file = tmp_path / "asked.jsonl"
    file.write_text('{"text": "a"}\n{"question": "b"}\n', encoding="utf-8")
    said = yukjo("route", "--file", file, "-p", project, *FALLBACK)
    assert said.code == 2
    assert f"{file}:2" in said.err.replace("\n", "")
    assert yukjo("route", TEXT, "-p", project).code == 2  # citizen_support isn't there
    assert yukjo("route", "--evaluate", file, "-p", project, *FALLBACK).code == 2


def test_the_cost_of_a_misroute_is_what_the_other_adapter_loses(
    yukjo: Yukjo, project: Path, tmp_path: Path
) -> None:
    lacking = yukjo("route", "--cost", "-p", project)
    assert lacking.code == 2
    assert yukjo("train", "-p", project).code == 0
    file = tmp_path / "asked.jsonl"
    rows = [{"text": TEXT, "agent": "review"}, {"text": TEXT, "agent": "rag"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said = yukjo("route", "--evaluate", file, "--cost", "-p", project, *FALLBACK, "--json")
    found: dict[str, dict[str, dict[str, float]]] = said.json()  # type: ignore[assignment]
    assert set(found["losses"]) == set(found["costs"]) == {"rag", "review"}
    for agent, row in found["costs"].items():
        assert row[agent] == 0
        assert all(
            cost == pytest.approx(found["losses"][agent][other] - found["losses"][agent][agent])
            for other, cost in row.items()
        )
    # One of two questions went wrong: half of what rag's cases lose under review's adapter.
    assert found["expected_cost"] == pytest.approx(found["costs"]["rag"]["review"] / 2)
    table = yukjo("route", "--evaluate", file, "--cost", "-p", project, *FALLBACK)
    assert table.code == 0
    assert "50.0 %" in table.out


def test_a_bare_cost_needs_no_router(yukjo: Yukjo, project: Path) -> None:
    assert yukjo("train", "-p", project).code == 0
    said = yukjo("route", "--cost", "-p", project, "--json")
    assert set(said.json()) == {"losses", "costs", "blind_cost"}
    bare = yukjo("route", "--cost", "-p", project, "--set", "data.test=0.0")
    assert bare.code == 2
    assert "[data] test" in bare.err
