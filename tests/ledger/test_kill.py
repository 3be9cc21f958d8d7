"""Two writers at once, killed again and again: nothing acknowledged is lost, nothing breaks."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from yukjo.ledger.store import Ledger

LAUNCHER = """
import os, sys, time
from pathlib import Path
from yukjo.ledger.store import Ledger

def write(path, file):
    place = path if "://" in path else Path(path)
    with Ledger(place) as ledger, open(file, "ab", buffering=0) as acknowledged:
        while True:
            entry = ledger.append("run", str(os.getpid()), {"payload": "육조" * 500})
            acknowledged.write(f"{entry.number} {entry.hash}\\n".encode())
            time.sleep(0.002)  # so that the other one gets its turn

for line in sys.stdin:
    path, *files = line.rstrip("\\n").split("\\t")
    for file in files:
        if (child := os.fork()) == 0:
            write(path, file)
        print(child, flush=True)
    for _ in files:
        os.wait()
    print("gone", flush=True)
"""
"""Imports once, then forks two writers for each line; "gone" when both are dead."""

ROUNDS = 25


def lines(file: Path) -> list[str]:
    whole, _, _ = file.read_text().rpartition("\n") if file.exists() else ("", "", "")
    return whole.splitlines()


def killed_round(launcher: subprocess.Popen[str], ledger: Path | str, files: list[Path],
                 chance: random.Random) -> None:  # fmt: skip
    assert launcher.stdin
    assert launcher.stdout
    launcher.stdin.write("\t".join(map(str, (ledger, *files))) + "\n")
    launcher.stdin.flush()
    writers = [int(launcher.stdout.readline()) for _ in files]
    deadline = time.monotonic() + 30
    while not all(len(lines(file)) >= 3 for file in files) and time.monotonic() < deadline:
        time.sleep(0.002)
    for writer in writers:
        time.sleep(chance.uniform(0, 0.01))
        os.kill(writer, signal.SIGKILL)
    assert launcher.stdout.readline() == "gone\n"


@pytest.mark.skipif(os.name != "posix", reason="forks and SIGKILL are POSIX's")
def test_fifty_kills_of_two_writers_lose_nothing_that_was_acknowledged(
    tmp_path: Path, place: Path | str
) -> None:
    chance = random.Random(7)
    files = [tmp_path / f"{kill}.txt" for kill in range(2 * ROUNDS)]
    command = [sys.executable, "-c", LAUNCHER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as launcher:
        for start in range(0, len(files), 2):
            killed_round(launcher, place, files[start : start + 2], chance)
    with Ledger(place) as opened:
        assert opened.verify() == []
        kept = {f"{entry.number} {entry.hash}" for entry in opened.entries()}
    promised = [line for file in files for line in lines(file)]
    assert all(len(lines(file)) >= 3 for file in files), "every writer had its turn"
    assert set(promised) <= kept
    assert len(promised) == len(set(promised)), "no number was given twice"
    assert len(kept) - len(promised) <= len(files), "a kill leaves at most one unacknowledged"
