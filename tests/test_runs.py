"""A run's folder is new, and is found by its name, a part of it, or as the latest."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo import runs
from yukjo.errors import RunError

IDS = ("20260101-090000-aaaa", "20260101-090000-bbbb", "20260315-120000-cccc")


def made(root: Path, *ids: str, kept: str = "plan.json") -> Path:
    for name in ids:
        (root / name).mkdir(parents=True)
        (root / name / kept).touch()
    return root


def test_a_run_starts_in_an_empty_folder_named_by_its_time(tmp_path: Path) -> None:
    run = runs.start(tmp_path / "deep" / "runs")
    assert run.path.parent == tmp_path / "deep" / "runs"
    assert list(run.path.iterdir()) == []
    assert run.id == run.path.name
    day, time, micro = run.id.split("-")
    assert (len(day), len(time), len(micro)) == (8, 6, 6)


def test_runs_that_start_together_do_not_share_a_folder(tmp_path: Path) -> None:
    assert len({runs.start(tmp_path).id for _ in range(20)}) == 20


def test_the_places_of_a_run_are_in_its_folder(tmp_path: Path) -> None:
    run = runs.RunFolder(tmp_path / "run")
    places = (run.plan, run.before, run.best, run.adapters, run.answers, run.report)
    assert {place.parent for place in places} == {run.path}
    assert len({place.name for place in places}) == len(places)


def test_where_no_folder_can_be_made_a_run_says_so(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(RunError) as said:
        runs.start(tmp_path / "runs")
    assert str(tmp_path / "runs") in said.value.where


@pytest.mark.parametrize(
    ("name", "found"),
    [("latest", 2), (IDS[0], 0), ("bbbb", 1), ("0315", 2), ("20260315", 2)],
)
def test_a_run_is_found(tmp_path: Path, name: str, found: int) -> None:
    made(tmp_path, *IDS)
    run = runs.find(tmp_path, name)
    assert (run.id, run.path) == (IDS[found], tmp_path / IDS[found])


def test_a_whole_id_is_found_though_another_holds_it(tmp_path: Path) -> None:
    made(tmp_path, "run", "run-2")
    assert runs.find(tmp_path, "run").id == "run"


@pytest.mark.parametrize("name", ["", "2026", "zzzz", "*", "..", "/", "20260101-090000-aaab"])
def test_what_names_no_run_or_several_is_refused_with_those_near(tmp_path: Path, name: str) -> None:
    made(tmp_path, *IDS)
    with pytest.raises(RunError) as said:
        runs.find(tmp_path, name)
    assert said.value.where == str(tmp_path)
    assert any(known in said.value.fix for known in IDS)


def test_a_slip_of_the_pen_is_told_the_nearest(tmp_path: Path) -> None:
    made(tmp_path, *IDS)
    with pytest.raises(RunError) as said:
        runs.find(tmp_path, "20260101-090000-aaab")
    assert IDS[0] in said.value.fix


@pytest.mark.parametrize("name", ["latest", "anything", ""])
def test_where_nothing_ran_it_says_how_to_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError) as said:
        runs.find(tmp_path / "none", name)
    assert "yukjo run" in said.value.fix


def test_a_folder_that_is_no_run_is_not_found(tmp_path: Path) -> None:
    made(tmp_path, IDS[0])
    (tmp_path / "zzz-adapters").mkdir()
    assert runs.find(tmp_path, "latest").id == IDS[0]


def test_a_run_that_only_measured_is_found(tmp_path: Path) -> None:
    made(tmp_path, IDS[0], kept="answers.jsonl")
    assert runs.find(tmp_path, "latest").id == IDS[0]


@given(ids=st.sets(st.from_regex(r"[a-c]{1,4}", fullmatch=True), min_size=1), name=st.text("abc"))
def test_a_part_finds_a_run_if_and_only_if_no_other_has_it(
    tmp_path_factory: pytest.TempPathFactory, ids: set[str], name: str
) -> None:
    root = made(tmp_path_factory.mktemp("runs"), *ids)
    holders = [i for i in ids if name and name in i]
    expected = name if name in ids else holders[0] if len(holders) == 1 else None
    try:
        assert runs.find(root, name).id == expected
    except RunError:
        assert expected is None
