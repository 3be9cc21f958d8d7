"""Ctrl-C for real: a process that trains, and a signal from outside."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from yukjo.train.interrupt import interrupts

RUN = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import make_job, make_learner
from yukjo.train.interrupt import interrupts
from yukjo.train.loop import Stopped, train

job = make_job(Path(sys.argv[2]), {"rag": 400}, batch=1, accumulate=1, checkpoint_every=10**6)

def shown(report):
    print(report.step, flush=True)
    time.sleep(0.01)

with interrupts() as stop:
    try:
        train(make_learner(job), job, stop=stop, shown=shown)
    except Stopped as stopped:
        print("stopped", stopped.what, flush=True)
        sys.exit(3)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_writes_a_checkpoint_and_stops(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "1\n"
        process.send_signal(number)
        *steps, said = process.stdout.read().split("\n")[:-1]
        assert process.wait(timeout=20) == 3
    last = int(steps[-1]) if steps else 1
    assert said.startswith("stopped")
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    assert json.loads((checkpoint / "progress.json").read_text())["step"] == last < 400


def test_nothing_is_asked_until_somebody_asks() -> None:
    with interrupts() as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()


def test_a_second_ctrl_c_is_now() -> None:
    with interrupts() as asked:
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with interrupts():
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
