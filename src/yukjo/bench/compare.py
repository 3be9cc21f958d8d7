"""The whole of `yukjo bench train`: a project's samples, the peers, the rounds, the figures."""

import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yukjo import pipeline, wiring
from yukjo.bench.environments import CACHE
from yukjo.bench.flops import task_flops
from yukjo.bench.process import ended_by_term
from yukjo.bench.result import Bench, bench
from yukjo.bench.rounds import Note, interpreters, race
from yukjo.bench.systems import SYSTEMS, System, chosen
from yukjo.bench.task import make_task
from yukjo.bench.tiny import tiny_task
from yukjo.config import load
from yukjo.pipeline.versions import machine


def compare(
    project: Path,
    *,
    rounds: int,
    steps: int,
    samples: int,
    dropout: float,
    only: Sequence[str],
    shared: bool,
    note: Note,
) -> Bench:
    """Measure the systems named by `only` (all where it is empty) beside Yukjo."""
    config = load(project)
    systems = chosen(SYSTEMS, only)
    prepared = pipeline.prepare(project, config, wiring.open_tokenizer(config, project))
    with tempfile.TemporaryDirectory(prefix="yukjo-bench.") as scratch, ended_by_term():
        pythons, missing = interpreters(systems, cache=CACHE, shared=shared, note=note)
        folder = Path(scratch)
        task = make_task(
            prepared.train,
            model=wiring.base_folder(config.base, project),
            dtype=config.base.dtype,
            steps=steps,
            samples=samples,
            dropout=dropout,
            scratch=folder / "work",
        )
        tasks = {False: task}
        if any(system.toy for system in systems):
            tasks[True] = tiny_task(task, folder / "tiny")
        ready = [s for s in systems if _name(s) not in missing]
        done = race(ready, tasks, rounds=rounds, folder=folder, pythons=pythons, note=note)
        done.left_out |= {s.name: missing[_name(s)] for s in systems if _name(s) in missing}
        return bench(done, tasks, minimal_flops=task_flops(task), machine=_machine())


def _name(system: System) -> str:
    return system.environment.name if system.environment else ""


def _machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {"processor": names[0] if names else platform.processor(), **machine()}
