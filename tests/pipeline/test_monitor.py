"""`yukjo monitor` as a user calls it: beside a run, after it, and when it was killed."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from toys import Yukjo

LONG = ("--set", "train.epochs=200", "--set", "train.memory_limit_gb=3")


def look(yukjo: Yukjo, project: Path) -> Any:
    said = yukjo("monitor", "latest", "-p", project, "--json")
    assert said.code == 0, said.err
    return said.json()


def wait_for(yukjo: Yukjo, project: Path, step: int) -> Any:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any((project / "runs").glob("*/plan.json")):
            run = look(yukjo, project)
            if run["step"] >= step:
                return run
        time.sleep(0.05)
    pytest.fail("the run never came so far")


def test_a_run_is_watched_from_outside_and_shown_as_dead_once_it_is_killed(
    project: Path, yukjo: Yukjo
) -> None:
    command = [sys.executable, "-m", "yukjo", "train", "-p", str(project), *LONG]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:  # fmt: skip
        try:
            run = wait_for(yukjo, project, 3)
            frame = yukjo("monitor", "-p", project, "--once").out
            refused = yukjo("train", "-p", project, *LONG, "--resume", "latest")
        finally:
            process.kill()
    assert (run["condition"], run["pid"]) == ("running", process.pid)
    assert 0 < run["memory_mb"] <= run["peak_memory_mb"]
    assert run["peak_memory_mb"] < run["memory_limit_mb"] == 3072
    assert run["seconds_left"] > 0
    assert run["recent_tokens_per_s"] > 0
    for agent in run["adapters"]:
        assert agent["loss"] > 0
        assert agent["best"]["loss"] == min(loss for _, loss in agent["held_out"])
    assert f"프로세스 {process.pid}번" in frame
    assert refused.code == 2
    assert str(process.pid) in refused.err
    dead = look(yukjo, project)
    assert (dead["condition"], dead["resumable"], dead["memory_mb"]) == ("dead", True, None)
    shown = yukjo("monitor", "-p", project).out  # not a terminal: one frame
    assert "죽음" in shown
    assert f"--resume {dead['run']}" in shown


def test_a_finished_run_and_one_that_never_began_can_be_looked_at(
    project: Path, yukjo: Yukjo
) -> None:
    assert yukjo("monitor", "-p", project).code == 2
    assert yukjo("train", "-p", project, "--agent", "rag").code == 0
    run = look(yukjo, project)
    assert (run["condition"], run["step"], run["seconds_left"]) == ("finished", run["steps"], None)
    (rag,) = run["adapters"]
    assert (rag["adapter"], rag["step"]) == ("rag", rag["steps"])
    assert yukjo("evaluate", "-p", project, "--set", "agents=['rag']").code == 0
    assert (
        "학습을 끝까지 마침" in yukjo("monitor", "-p", project, "--once").out
    )  # not the measuring
    (events,) = (project / "runs").glob("*/events.jsonl")
    events.unlink()
    assert look(yukjo, project)["condition"] == "preparing"


def test_on_a_terminal_it_draws_until_the_run_ends(project: Path, yukjo: Yukjo) -> None:
    """The run is this process's own, as its events say; then it ends."""
    assert yukjo("train", "-p", project, "--agent", "rag").code == 0
    (events,) = (project / "runs").glob("*/events.jsonl")
    lines = events.read_text().splitlines(keepends=True)
    assert json.loads(lines[-1])["event"] == "end"
    events.write_text("".join(lines[:-1]))
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "yukjo", "--lang", "en", "monitor", "-p", str(project)]
    with subprocess.Popen(command, stdout=terminal, env={**os.environ, "COLUMNS": "100"}) as drawn:
        os.close(terminal)
        text = os.read(screen, 65536).decode(errors="replace")
        while "running" not in text:
            text += os.read(screen, 65536).decode(errors="replace")
        with events.open("a") as file:
            file.write(lines[-1])
        try:
            while part := os.read(screen, 65536):
                text += part.decode(errors="replace")
        except OSError:  # what Linux says of a terminal that everybody left
            pass
    os.close(screen)
    assert drawn.returncode == 0
    assert "trained to the end" in text
