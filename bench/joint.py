"""Six adapters in one run against six runs of one: the same weights? Which time, which memory?

    python bench/joint.py examples/gov [--steps 4]

Each run is `yukjo train --deterministic`, a process of its own, loading and proving included;
solo runs come one after another. Seconds are of the clock and of the processor.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from yukjo.config import load


class Took(NamedTuple):
    """What one process took."""

    seconds: float
    cpu: float
    peak_mb: float


def main() -> None:
    """Print both sides."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("project", type=Path)
    asked.add_argument("--steps", type=int, default=4)
    options = asked.parse_args()
    agents = load(options.project).agents
    with tempfile.TemporaryDirectory(prefix="yukjo-joint.") as scratch:
        solo = [
            trained(options.project, Path(scratch) / "solo", options.steps, "--agent", agent)
            for agent in agents
        ]
        joint = trained(options.project, Path(scratch) / "joint", options.steps)
        kept = [adapters(Path(scratch) / side) for side in ("solo", "joint")]
    alone = Took(
        sum(one.seconds for one in solo),
        sum(one.cpu for one in solo),
        max(one.peak_mb for one in solo),
    )
    print(
        f"{len(agents)} adapters, {options.steps} steps each; the same bits: {kept[0] == kept[1]}"
    )
    for name, took in (("one run", joint), ("a run each", alone)):
        print(
            f"{name}: {took.seconds:.0f} s, {took.cpu:.0f} CPU-s, {took.peak_mb:,.0f} MiB at most"
        )
    print(f"one run takes {joint.seconds / alone.seconds:.2f} of the time, "
          f"{joint.cpu / alone.cpu:.2f} of the CPU time")  # fmt: skip


def trained(project: Path, runs: Path, steps: int, *more: str) -> Took:
    """Train, with all that a run brings."""
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "yukjo", "train", "--project", project, "--deterministic",
         "--set", f"project.runs={runs}", "--set", f"train.max_steps={steps}", *more],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"yukjo train ended with {os.waitstatus_to_exitcode(status)}")
    return Took(time.perf_counter() - began, used.ru_utime + used.ru_stime, peak(used))


def peak(used: resource.struct_rusage) -> float:
    """In MiB; Linux counts KiB, macOS bytes."""
    return used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def adapters(runs: Path) -> dict[str, str]:
    """Agent -> content hash."""
    kept = [json.loads(f.read_bytes()) for f in (runs / "adapters").glob("*/yukjo.json")]
    return {one["agent"]: one["id"] for one in kept}


if __name__ == "__main__":
    main()
