"""Reviewers at once, killed again and again: no approval is lost, none stands twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_review.desks import desk_at, sample
from ledger.conftest import place, postgres, server
from yukjo.data_review import KIND
from yukjo.ledger.store import Ledger
from yukjo.records import Entry

__all__ = ["place", "postgres", "server"]

REVIEWER = """
import sys, time
from pathlib import Path
from yukjo.data_review import ITEMS, Desk
from yukjo.ledger.store import Ledger

path, name, file = sys.argv[1:]
place = path if "://" in path else Path(path)
with Ledger(place) as ledger, open(file, "ab", buffering=0) as acknowledged:
    desk = Desk(ledger)
    print("ready", flush=True)
    while left := desk.waiting(name):
        said = desk.approve(name, left[0].hash, confirmed=ITEMS)
        acknowledged.write(f"{said.decision.sample} {said.entry}\\n".encode())
        time.sleep(0.002)  # so that the other one gets its turn
"""

SAMPLES, KILLS = 150, 6


def _reviewer(place: Path | str, name: str, file: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", REVIEWER, str(place), name, str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_kills_in_the_middle_of_approvals_lose_and_double_nothing(
    tmp_path: Path, place: Path | str
) -> None:
    chance = random.Random(7)
    with desk_at(place) as desk:
        desk.enrol(2)
        desk.hand_in([sample("legal_research", n) for n in range(SAMPLES)])
        desk.assign()
    names = ("r1", "r2")
    files = {name: tmp_path / name for name in names}
    for _ in range(KILLS):
        before = _acknowledged(files)
        at_work = [_reviewer(place, name, files[name]) for name in names]
        for process in at_work:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        while _acknowledged(files) == before and at_work[0].poll() is None:
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.03))
        for process in at_work:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
    decided = len(_decisions(place))
    for process in [_reviewer(place, name, files[name]) for name in names]:
        process.communicate()
        assert process.returncode == 0
    with desk_at(place) as desk:
        book = desk.book
    assert len(book.approved()) == SAMPLES
    assert 0 < decided < 2 * SAMPLES, "they were killed in the middle, not after the end"
    assert all(len(words) == 2 for words in book.said.values()), "nothing stands twice"
    entries = {(e.body["sample"], e.number) for e in _decisions(place)}
    for file in files.values():
        whole, _, _ = file.read_text().rpartition("\n")
        told = {(one.split()[0], int(one.split()[1])) for one in whole.splitlines()}
        assert told <= entries
    with Ledger(place) as opened:
        assert opened.verify() == []


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_two_processes_as_one_reviewer_approve_each_sample_once(
    tmp_path: Path, place: Path | str
) -> None:
    with desk_at(place) as desk:
        desk.enrol(1)
        desk.hand_in([sample("rag", n) for n in range(30)])
        desk.assign()
    both = [_reviewer(place, "r1", tmp_path / str(n)) for n in range(2)]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    assert len(_decisions(place)) == 30


def _acknowledged(files: dict[str, Path]) -> int:
    """Bytes of all that reviewers were told is recorded."""
    return sum(file.stat().st_size for file in files.values() if file.exists())


def _decisions(place: Path | str) -> list[Entry]:
    with Ledger(place) as opened:
        return [e for e in opened.entries(KIND) if e.body["event"] == "decide"]
