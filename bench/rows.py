"""CPU milliseconds of a pass of llama.cpp by the answers in it, and of a change of adapter.

    python bench/rows.py examples/gov     # needs adapters, proved: yukjo adapter export

One thread, processor time, ways interleaved, medians: it can be run beside other work.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from yukjo import wiring
from yukjo.bench.serving import make_task
from yukjo.config import load
from yukjo.ports import Speaker, Turn

GOES = 40
MS = 1000


def main(project: Path) -> None:
    """Measure and print."""
    config = load(project, {"serve.threads": 1, "serve.slots": 4, "serve.cache": 6})
    task = make_task(project, config, tokens=1, requests=0)
    speaker, _ = wiring.open_speaker(config, project)
    for adapter, folder in task.adapters():
        speaker.load(adapter, folder)
    slots = [begun(speaker, task.turn(0, max_tokens=2000)) for _ in range(4)]
    ways = {f"{count} answers in a pass": [slots[:count]] for count in (1, 2, 3, 4)}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(GOES):
        for name, passes in ways.items():
            found[name].append(taken(speaker, passes))
    speaker.close(slots.pop())
    found["3 answers and a free slot"] = [taken(speaker, [slots]) for _ in range(GOES)]
    for name, each in found.items():
        print(f"{name}: {MS * median(each):.1f} ms")
    for slot in slots[1:]:
        speaker.close(slot)
    other = begun(speaker, task.turn(1, max_tokens=2000))
    pairs = [taken(speaker, [[slots[0]], [slots[0]]]) for _ in range(GOES)]
    turns = [taken(speaker, [[slots[0]], [other]]) for _ in range(GOES)]
    change = (median(turns) - median(pairs)) / 2
    print(f"a change of adapter adds {MS * change:.1f} ms to the pass after it")


def begun(speaker: Speaker, turn: Turn) -> int:
    """The slot of an answer whose prompt is read."""
    slot = speaker.open(turn).slot
    while not speaker.step([slot])[0].tokens:
        pass
    return slot


def taken(speaker: Speaker, passes: Sequence[Sequence[int]]) -> float:
    """Processor seconds of the passes."""
    began = time.process_time()
    for slots in passes:
        speaker.step(slots)
    return time.process_time() - began


if __name__ == "__main__":
    main(Path(sys.argv[1]))
