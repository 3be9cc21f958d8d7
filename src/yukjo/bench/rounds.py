"""Run the systems in turn, round after round, so that the machine's moods fall on all of them.

A peer that fails is left out from then on, with its reason; the others go on.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from yukjo.bench import environments
from yukjo.bench.process import Failed, answer_of
from yukjo.bench.systems import PEERS_HOME, System, here
from yukjo.bench.task import Outcome, Task
from yukjo.words import say

Note = Callable[[str], None]


@dataclass(slots=True)
class Race:
    """What came of all rounds."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    """By system, one a round."""
    ceilings: list[float] = field(default_factory=list)
    """GFLOP/s, one a round."""
    left_out: dict[str, str] = field(default_factory=dict)
    """System -> why."""


def race(
    systems: Sequence[System],
    tasks: Mapping[bool, Task],
    *,
    rounds: int,
    folder: Path,
    pythons: Mapping[str, Path],
    note: Note,
) -> Race:
    """Run every system `rounds` times. `tasks[toy]` is what a system trains.

    `pythons` maps environment names to interpreters; systems of others are left out already.
    """
    made = Race()
    files = {toy: _written(task, folder / f"task-{toy}.json") for toy, task in tasks.items()}
    for number in range(1, rounds + 1):
        made.ceilings += _ceiling(files[False])
        for system in systems:
            if system.name in made.left_out:
                continue
            note(say("round {number} of {rounds}: {name}", number=number, rounds=rounds,
                     name=system.name))  # fmt: skip
            python = pythons[system.environment.name] if system.environment else here()
            try:
                outcome = _round(system, python, files[system.toy], tasks[system.toy])
            except Failed as fault:
                made.left_out[system.name] = str(fault)
                note(say("{name} failed: {reason}", name=system.name, reason=fault))
                continue
            made.outcomes.setdefault(system.name, []).append(outcome)
    return made


def interpreters(
    systems: Sequence[System], *, cache: Path, shared: bool, note: Note
) -> tuple[dict[str, Path], dict[str, str]]:
    """Interpreter of each environment the systems need, and why some can't be had.

    `shared` takes the running one for all and installs nothing.
    """
    pythons: dict[str, Path] = {}
    missing: dict[str, str] = {}
    for environment in dict.fromkeys(s.environment for s in systems if s.environment):
        if shared:
            pythons[environment.name] = here()
            continue
        try:
            pythons[environment.name] = environments.python_of(environment, cache, note=note)
        except Failed as fault:
            missing[environment.name] = str(fault)
    return pythons, missing


def _round(system: System, python: Path, file: Path, task: Task) -> Outcome:
    """One round of one system; Failed where it doesn't answer as asked."""
    shutil.rmtree(task.scratch, ignore_errors=True)  # LLaMA-Factory refuses a used one
    Path(task.scratch).mkdir(parents=True)
    path = {} if system.environment is None else {"PYTHONPATH": str(PEERS_HOME)}
    answered = answer_of([str(python), "-P", "-m", system.module, str(file)], path)
    try:
        outcome = Outcome.model_validate(answered)
    except ValidationError as fault:
        raise Failed(str(fault.errors()[0]["msg"])) from None
    if not len(outcome.seconds) == len(outcome.losses) == len(task.steps):
        raise Failed(f"{len(outcome.seconds)} steps, not {len(task.steps)}")
    return outcome


def _ceiling(file: Path) -> list[float]:
    answered = answer_of([str(here()), "-m", "yukjo.bench.ceiling", str(file)])
    return [float(answered["gflops"])]


def _written(task: Task, file: Path) -> Path:
    file.write_text(task.model_dump_json(), encoding="utf-8")
    return file
