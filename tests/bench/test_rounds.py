"""Rounds in turn; a system that falls is left out from then on, and each finds a clean scratch."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from yukjo.bench.rounds import Race, interpreters, race
from yukjo.bench.systems import System
from yukjo.bench.task import Task

PROBE = """
import json, pathlib, sys
task = json.loads(pathlib.Path(sys.argv[1]).read_text())
scratch = pathlib.Path(task["scratch"])
assert list(scratch.iterdir()) == [], "a used scratch"
(scratch / "left").touch()
answer = {"seconds": [1.0] * 3, "losses": [1.0] * 3, "peak_memory_mb": 1.0, "versions": {}}
"""
SYSTEMS = {
    "good": "print(json.dumps(answer))",
    "falls": "sys.exit('no memory left')",
    "cut": "print(json.dumps(answer | {'losses': [1.0]}))",
    "odd": "print(json.dumps({'figures': 'none'}))",
}


@pytest.fixture
def run(
    task: Callable[..., Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Race, list[str]]]:
    """Race scripts of the names given, in processes of their own."""
    for name, rest in SYSTEMS.items():
        (tmp_path / f"probe_{name}.py").write_text(PROBE + rest)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.getenv("PYTHONPATH", "")]))

    def start(*names: str, rounds: int) -> tuple[Race, list[str]]:
        systems = [System(name, None, f"probe_{name}") for name in names]
        notes: list[str] = []
        done = race(systems, {False: task()}, rounds=rounds, folder=tmp_path, pythons={},
                    note=notes.append)  # fmt: skip
        return done, notes

    return start


def test_systems_take_turns_and_one_that_falls_gets_no_other(
    run: Callable[..., tuple[Race, list[str]]],
) -> None:
    done, notes = run("good", "falls", rounds=2)
    assert notes == ["2회 가운데 1회: good", "2회 가운데 1회: falls",
                     "실패: falls (no memory left)", "2회 가운데 2회: good"]  # fmt: skip
    assert len(done.outcomes["good"]) == len(done.ceilings) == 2
    assert done.left_out == {"falls": "no memory left"}


def test_an_answer_of_the_wrong_kind_is_no_figure(
    run: Callable[..., tuple[Race, list[str]]],
) -> None:
    done, _ = run("cut", "odd", rounds=1)
    assert done.outcomes == {}
    assert done.left_out.keys() == {"cut", "odd"}


def test_an_environment_that_cannot_be_had_is_named_with_its_systems_reason(tmp_path: Path) -> None:
    from yukjo.bench.environments import Environment

    wrong = System("x", Environment("wrong", ("./no-such-package.whl",)), "peers.x")
    pythons, missing = interpreters([wrong], cache=tmp_path, shared=False, note=print)
    assert pythons == {}
    assert "no-such-package" in missing["wrong"]
