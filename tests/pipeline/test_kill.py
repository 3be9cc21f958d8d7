"""`kill -9` at any moment: the run that is gone on with ends as if nothing had happened.

A process that has imported everything forks children, each the true command line; a child is
killed before the n-th change it makes to the disk, so that every window between two changes can
be struck, or by the clock from outside.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from yukjo.files import sha256_file
from yukjo.ledger.store import Ledger
from yukjo.train import events

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and SIGKILL are POSIX's")

LAUNCHER = """
import json, os, signal, sys
import sacrebleu, torch, transformers.models.qwen3.modeling_qwen3
import yukjo.backends.torch.engine, yukjo.backends.torch.tokenizer, yukjo.backends.torch.trainer
import yukjo.cli.session
from yukjo.cli import main

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link"}

def strike(within, number):
    left = number

    def hook(event, values):
        nonlocal left
        writes = event == "open" and isinstance(values[2], int) and values[2] & os.O_ACCMODE
        if (writes or event in CHANGES) and within in f"{values[0]} {values[1]}":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

def run(asked):
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1), os.dup2(log, 2)
    sys.argv = ["yukjo", *asked["arguments"]]
    if asked["strike"]:
        strike(*asked["strike"])
    code = 0
    try:
        main()
    except SystemExit as left:
        code = left.code or 0
    if asked["at_exit"]:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(code)

print("ready", flush=True)
for line in sys.stdin:
    if (child := os.fork()) == 0:
        run(json.loads(line))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""
CLOCKS = {"seconds", "memory_mb", "peak_mb"}
SHAPE = ("train.accumulate=1", "train.batch=1", "train.max_steps=6", "train.keep=2")
KILLED = -signal.SIGKILL
CHANGES, DRAWN = 290, 8
"""Changes to the disk in a whole run, about; strikes drawn over them."""
WRITES = (
    ("plan.json", 2), ("events.jsonl", 3), (".state.safetensors", 1), ("best/.rag", 4),
    (".sums.json", 2), ("best/.review", 3), ("/best/", 20), (".gone", 1),
    (".progress.json", 2), ("adapters/rag", 3), ("adapters/.", 3), ("adapters/review", 4),
)  # fmt: skip
"""A part of a path, and the how manieth change to such a path is never made."""


class Launcher:
    """Starts `yukjo train` in forked children, and kills them."""

    def __init__(self, process: subprocess.Popen[str], project: Path) -> None:
        self.process = process
        self.project = project
        self.log = project / "log.txt"
        self.heard()

    def heard(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def train(self, runs: Path, *, strike: tuple[str, int] | None = None, at_exit: bool = False,
              after: float | None = None) -> int:  # fmt: skip
        """Begin a run in `runs`, or go on with the one there; the exit code."""
        asked = {"arguments": arguments(self.project, runs), "log": str(self.log),
                 "strike": strike, "at_exit": at_exit}  # fmt: skip
        assert self.process.stdin
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        child = int(self.heard())
        if after is not None:
            time.sleep(after)
            with suppress(ProcessLookupError):  # it was quicker
                os.kill(child, signal.SIGKILL)
        return int(self.heard())


def arguments(project: Path, runs: Path) -> list[str]:
    changes = [f"project.runs={runs}", *SHAPE]
    begun = any(runs.glob("*/plan.json"))
    return ["train", "-p", str(project), *(part for c in changes for part in ("--set", c)),
            *(("--resume", "latest") if begun else ())]  # fmt: skip


@pytest.fixture(scope="module")
def module_project(project_in: Callable[[Path], Path],
                   tmp_path_factory: pytest.TempPathFactory) -> Path:  # fmt: skip
    return project_in(tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="module")
def launcher(module_project: Path) -> Iterator[Launcher]:
    with subprocess.Popen([sys.executable, "-c", LAUNCHER], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:  # fmt: skip
        yield Launcher(process, module_project)
        process.kill()


@pytest.fixture(scope="module")
def whole(launcher: Launcher) -> tuple[dict[str, Any], float]:
    """What an undisturbed run leaves, and its seconds."""
    began = time.monotonic()
    runs = launcher.project / "whole"
    assert launcher.train(runs) == 0, launcher.log.read_text()
    return outcome(runs), time.monotonic() - began


def outcome(runs: Path) -> dict[str, Any]:
    """All that a run leaves but its clocks and its name."""
    (plan,) = runs.glob("*/plan.json")
    run = plan.parent
    files = [f for part in ("adapters", "best", "checkpoints") for f in (run / part).rglob("*")]
    with Ledger(runs / "ledger.sqlite") as ledger:
        assert ledger.verify() == []
        recorded = [(e.kind, set(e.body.get("adapters", ()))) for e in ledger.entries(run=run.name)]
    return {
        "files": {str(f.relative_to(run)): digest(f) for f in files if f.is_file()},
        "plan": json.loads(plan.read_text())["plan"],
        "events": [{k: v for k, v in e.items() if k not in CLOCKS}
                   for e in events.read(run / "events.jsonl")
                   if e["event"] not in {"begin", "end", "memory"}],
        "recorded": recorded,
        "store": {str(f.relative_to(runs)) for f in (runs / "adapters").rglob("*")},
        "left behind": [f.name for f in [*run.rglob(".*"), *(runs / "adapters").rglob(".*")]],
    }  # fmt: skip


def digest(file: Path) -> object:
    match file.name:
        case "progress.json":
            return json.loads(file.read_text()) | {"seconds": 0}
        case "yukjo.json":
            return json.loads(file.read_text()) | {"run": ""}
        case "sums.json":
            return sorted(json.loads(file.read_text()))
    return sha256_file(file)


def test_struck_before_changes_to_the_disk_drawn_from_all_a_run_ends_the_same(
    launcher: Launcher, whole: tuple[dict[str, Any], float]
) -> None:
    chance, struck = random.Random(3), 0
    for number in range(DRAWN):
        runs = launcher.project / f"drawn-{number}"
        while (code := launcher.train(runs, strike=("", chance.randint(1, CHANGES)))) == KILLED:
            struck += 1
        assert code == 0, launcher.log.read_text()
        assert outcome(runs) == whole[0]
        if struck >= DRAWN:
            return
    pytest.fail("the strikes went into the void")


def test_struck_inside_every_write_of_a_run_it_ends_the_same(
    launcher: Launcher, whole: tuple[dict[str, Any], float]
) -> None:
    """One run, struck in one write after another, at last when all is done but for leaving."""
    runs = launcher.project / "every"
    for place in WRITES:
        assert launcher.train(runs, strike=place) == KILLED, place
    for _ in range(2):
        assert launcher.train(runs, at_exit=True) == KILLED
    assert launcher.train(runs) == 0, launcher.log.read_text()
    assert outcome(runs) == whole[0]


def test_struck_by_the_clock_a_run_ends_the_same(
    launcher: Launcher, whole: tuple[dict[str, Any], float]
) -> None:
    chance, runs = random.Random(5), launcher.project / "clock"
    for _ in range(4):
        launcher.train(runs, after=chance.uniform(0, whole[1]))
    assert launcher.train(runs) == 0, launcher.log.read_text()
    assert outcome(runs) == whole[0]


def test_the_command_itself_struck_in_a_checkpoint_ends_the_same(
    launcher: Launcher, whole: tuple[dict[str, Any], float]
) -> None:
    runs = launcher.project / "command"
    command = [sys.executable, "-m", "yukjo", *arguments(launcher.project, runs)]
    with launcher.log.open("a") as log, subprocess.Popen(command, stderr=log) as process:
        while not any(runs.glob("*/checkpoints/.step-*")) and process.poll() is None:
            time.sleep(0)
        process.kill()
    assert process.returncode == KILLED
    assert launcher.train(runs) == 0, launcher.log.read_text()
    assert outcome(runs) == whole[0]
