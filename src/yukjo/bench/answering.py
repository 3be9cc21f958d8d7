"""Yukjo's side of a serving round, as `python -m yukjo.bench.answering TASK`.

The speaker and the scheduler that `yukjo serve` uses, without HTTP. Each figure is the median of
several goes; times are seconds on a clock that nobody sets.
"""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import Queue
from statistics import median, quantiles
from typing import Any

from yukjo import machine
from yukjo.bench.serving_task import ServeTask
from yukjo.config import ServeConfig
from yukjo.ports import Speaker, Turn
from yukjo.serve.question import Ended, Event, Failed, Question
from yukjo.serve.scheduler import Scheduler

_GOES = 5
_EACH = 10
"""Questions an agent in mixed traffic."""
_PERCENT = 100


def main(file: Path) -> None:
    """Measure for the task in `file` and print one line of JSON."""
    from yukjo import wiring
    from yukjo.config import load

    task = ServeTask.model_validate_json(file.read_bytes())
    config = load(Path(task.project), {"serve.cache": len(task.agents), "serve.slots": 4})
    speaker, _ = wiring.open_speaker(config, Path(task.project))
    # A thread that ends: were its helpers to stay, the scheduler's would be more than the cores.
    with ThreadPoolExecutor(1) as apart:
        made = apart.submit(steps, speaker, task).result()
    made |= traffic(speaker, task, config.serve)
    if task.requests:
        few = config.serve.model_copy(update={"cache": task.cache})
        made |= {"answers_s": answers(speaker, task, few)}
    print(json.dumps(made))  # noqa: T201 - how a side answers


def steps(speaker: Speaker, task: ServeTask) -> dict[str, Any]:
    """What the speaker does when it is stepped by hand."""
    made: dict[str, Any] = {"adapter_load_s": loads(speaker, task)}
    made |= {"memory_mb": memory(speaker, task)}
    return made | first_tokens(speaker, task) | decoding(speaker, task)


def loads(speaker: Speaker, task: ServeTask) -> float:
    """Seconds to load an adapter from its folder."""
    taken = []
    for adapter, folder in task.adapters():
        began = time.perf_counter()
        speaker.load(adapter, folder)
        taken.append(time.perf_counter() - began)
        speaker.unload(adapter)
    return median(taken)


def memory(speaker: Speaker, task: ServeTask) -> dict[str, float]:
    """Resident MiB with one, three and all adapters loaded, each having answered; all stay."""
    held = {}
    for count, (adapter, folder) in enumerate(task.adapters(), start=1):
        speaker.load(adapter, folder)
        answer(speaker, task.turn(count - 1, max_tokens=4))
        held[str(count)] = machine.resident_mb()
    return held


def first_tokens(speaker: Speaker, task: ServeTask) -> dict[str, float]:
    """Seconds to the first token: all of the prompt read, and with its prefix restored."""
    plain = [task.turn(number, max_tokens=1) for number in range(len(task.agents))]
    cold, restored = first_token(speaker, plain)
    found = {"ttft_cold_s": cold, "ttft_restored_s": restored}
    if offered := [task.turn(n, max_tokens=1, tools=True) for n in task.having_tools]:
        cold, restored = first_token(speaker, offered)
        found |= {"tools_ttft_cold_s": cold, "tools_ttft_restored_s": restored}
    return found


def first_token(speaker: Speaker, turns: Sequence[Turn]) -> tuple[float, float]:
    """Of turns that end with their first token: medians, cold and restored."""
    cold, restored = [], []
    for turn in turns:
        # State outlives an adapter's stay; without a prefix none is looked for.
        cold.append(median(answer(speaker, replace(turn, prefix=0)) for _ in range(_GOES)))
        answer(speaker, turn)
        restored.append(median(answer(speaker, turn) for _ in range(_GOES)))
    return median(cold), median(restored)


def decoding(speaker: Speaker, task: ServeTask) -> dict[str, float]:
    """Tokens a second of one answer, and what a change of adapter between two tokens adds."""
    slots = [speaker.open(task.turn(i, max_tokens=task.tokens * 2)).slot for i in (0, 1)]
    for slot in slots:
        while not speaker.step([slot])[0].tokens:
            pass
    alone = [stepped(speaker, slots[0]) for _ in range(task.tokens)]
    turns = [stepped(speaker, slots[i % 2]) for i in range(task.tokens)]
    for slot in slots:
        speaker.close(slot)
    return {
        "decode_tokens_per_s": 1 / median(alone),
        "switch_warm_s": max(0.0, median(turns) - median(alone)),
    }


def traffic(speaker: Speaker, task: ServeTask, serve: ServeConfig) -> dict[str, float]:
    """Tokens a second over many questions at once: to one agent, and to all in turn."""
    count = _EACH * len(task.agents)
    one = throughput(speaker, [task.turn(0, max_tokens=32) for _ in range(count)], task, serve)
    mixed = [task.turn(i % len(task.agents), max_tokens=32) for i in range(count)]
    return {"one_tokens_per_s": one, "mixed_tokens_per_s": throughput(speaker, mixed, task, serve)}


def throughput(
    speaker: Speaker, turns: Sequence[Turn], task: ServeTask, serve: ServeConfig
) -> float:
    """Tokens a second from the first question in to the last answer out."""
    began = time.perf_counter()
    ended = asked(speaker, turns, task, serve, together=True)
    return sum(end.tokens for end in ended) / (time.perf_counter() - began)


def answers(speaker: Speaker, task: ServeTask, serve: ServeConfig) -> list[float]:
    """Seconds of each of many answers, one after another, the agents in turn: swaps included."""
    count = len(task.agents)
    turns = [task.turn(i % count, max_tokens=task.answer) for i in range(task.requests)]
    return [e.timing.total for e in asked(speaker, turns, task, serve, together=False)]


def asked(
    speaker: Speaker,
    turns: Sequence[Turn],
    task: ServeTask,
    serve: ServeConfig,
    *,
    together: bool,
) -> list[Ended]:
    """What became of the turns, asked all at once or one after another."""
    for adapter, _ in task.adapters():
        speaker.unload(adapter)
    scheduler, events = Scheduler(speaker, serve), Queue[Event]()
    scheduler.start()
    ended: list[Ended] = []
    for number, turn in enumerate(turns, start=1):
        folder = dict(task.adapters())[turn.adapter]
        scheduler.ask(Question(turn, folder, (), tell=events.put))
        while len(ended) < (number if not together else (number == len(turns)) * number):
            event = events.get()
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Ended):
                ended.append(event)
    scheduler.stop()
    for adapter in scheduler.cache.held:
        speaker.unload(adapter)
    for adapter, folder in task.adapters():
        speaker.load(adapter, folder)
    return ended


def answer(speaker: Speaker, turn: Turn) -> float:
    """Seconds of a whole answer, the prompt included."""
    began = time.perf_counter()
    slot = speaker.open(turn).slot
    while not speaker.step([slot])[0].finish:
        pass
    taken = time.perf_counter() - began
    speaker.close(slot)
    return taken


def stepped(speaker: Speaker, slot: int) -> float:
    """Seconds of one token."""
    began = time.perf_counter()
    speaker.step([slot])
    return time.perf_counter() - began


def percentile(seconds: Sequence[float], share: int) -> float:
    """The value that `share` percent stay below.

    >>> percentile([1.0] * 50 + [2.0] * 50, 95)
    2.0
    """
    return quantiles(seconds, n=_PERCENT, method="inclusive")[share - 1]


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]))
