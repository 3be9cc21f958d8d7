"""The task as a peer reads it, and the line it answers with; standard library only."""

import json
import sys
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any


def read_task() -> dict[str, Any]:
    """The task file named on the command line."""
    task: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return task


def rows(samples: list[dict[str, Any]]) -> list[dict[str, list[int]]]:
    """Samples as transformers wants them; -100 marks a token that isn't learned."""
    return [
        {
            "input_ids": s["tokens"],
            "attention_mask": [1] * len(s["tokens"]),
            "labels": [t if yes else -100 for t, yes in zip(s["tokens"], s["learn"], strict=True)],
        }
        for s in samples
    ]


def sorted_steps(task: dict[str, Any]) -> list[dict[str, Any]]:
    """All samples in order, those of a step by length: less padding, the same mathematics."""
    return [s for step in task["steps"] for s in sorted(step, key=lambda s: len(s["tokens"]))]


def accumulate(task: dict[str, Any]) -> int:
    """Micro-batches a step."""
    return len(task["steps"][0]) // int(task["batch"])


def answer(marks: list[float], losses: list[float], *, packages: tuple[str, ...]) -> None:
    """Print the outcome: `marks` are seconds at the start and after each optimiser step."""
    seconds = [after - before for before, after in pairwise(marks)]
    versions = {name: version(name) for name in packages}
    outcome = {"seconds": seconds, "losses": losses, "peak_memory_mb": peak_mb(),
               "versions": versions}  # fmt: skip
    print("\n" + json.dumps(outcome), flush=True)  # noqa: T201 - how a peer answers


def peak_mb() -> float:
    """Peak resident memory of this process, in MiB.

    From VmHWM where there is one: `ru_maxrss` starts at what the parent held when it forked.
    """
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        found = [s for s in status.read_text().splitlines() if s.startswith("VmHWM")]
        return int(found[0].split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes
