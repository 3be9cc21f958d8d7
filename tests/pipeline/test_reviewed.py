"""`[data] reviewed = "approved"`: what nobody approved is not trained on, and is named."""

from pathlib import Path
from typing import Any

import pytest

from toys import Yukjo
from yukjo.agents import of_project
from yukjo.config import load
from yukjo.data_review import ITEMS, Desk
from yukjo.errors import DataError
from yukjo.ledger.opening import open_ledger
from yukjo.pipeline.prepare import Source, source

APPROVED = {"data.reviewed": "approved"}


def _approve(project: Path, count: int) -> set[str]:
    """Approve some of the project's samples; their names."""
    with open_ledger(project, load(project)) as ledger:
        desk = Desk(ledger)
        desk.enrol(1)
        found = _source(project, reviewed="any").split
        samples = [*found.train, *found.valid, *found.test]
        desk.hand_in(samples)
        desk.assign()
        for sample in samples[:count]:
            desk.approve("r1", sample.hash, confirmed=ITEMS)
    return {sample.name for sample in samples[:count]}


def _source(project: Path, *, reviewed: str = "approved") -> Source:
    return source(project, load(project, {"data.reviewed": reviewed}), of_project(project))


def test_what_is_not_approved_is_left_out_by_name(project: Path) -> None:
    names = _approve(project, 20)
    found = _source(project)
    kept = {s.name for side in (found.split.train, found.split.valid, found.split.test)
            for s in side}  # fmt: skip
    assert kept == names
    assert len(found.unapproved) == 4
    assert not {refusal.name for refusal in found.unapproved} & names
    assert _source(project, reviewed="any").unapproved == ()


def test_a_sample_stands_on_the_side_where_it_stood_before_the_review(project: Path) -> None:
    _approve(project, 20)
    every, found = _source(project, reviewed="any").split, _source(project).split
    assert set(found.train) <= set(every.train)
    assert set(found.valid) <= set(every.valid)
    assert set(found.test) <= set(every.test)


def test_without_any_approval_it_says_so(project: Path) -> None:
    with pytest.raises(DataError, match="승인"):
        _source(project)
    assert not (project / "runs" / "ledger.sqlite").exists(), "a reader makes no ledger"
    _approve(project, 0)
    with pytest.raises(DataError, match="승인"):
        _source(project)


def test_a_run_names_and_records_what_was_left_out(project: Path, yukjo: Yukjo) -> None:
    _approve(project, 23)
    said = yukjo("train", "-p", project, "--set", "data.reviewed=approved")
    assert said.code == 0, said.err
    assert said.err.count("검토자가 승인하지 않음") == 1
    with open_ledger(project, load(project)) as ledger:
        (entry,) = [e for e in ledger.entries() if e.kind == "train"]
    refused: list[Any] = entry.body["data"]["refused"]
    assert len(refused) == 1
    assert sum(map(len, entry.body["data"]["lines"].values())) == 23
    with open_ledger(project, load(project)) as ledger:
        desk = Desk(ledger)
        (last,) = desk.waiting("r1")
        desk.approve("r1", last.hash, confirmed=ITEMS)
    again = yukjo("reproduce", "latest", "-p", project)
    assert again.code == 2
    assert "승인된 표본" in again.err
