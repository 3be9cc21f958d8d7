"""A run seen from outside: its events, and what they say about how it goes.

`state` is a pure function of plan and events; `Watch` reads them as they grow.

1. Reading costs little beside training: of many steps a sample is taken, and what was read once is
   not read again.
2. A torn line is skipped, a run that was gone on with is read anew.
3. A run whose process is gone without a word is dead; on another machine's copy, one that has
   been silent for ten minutes.
"""

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from yukjo.records import Frozen
from yukjo.train import sessions
from yukjo.train.checkpoints import Best
from yukjo.train.events import parsed

SILENT_SECONDS = 600
"""After that without a step a run of another machine counts as dead."""
SAMPLED = 2000
"""Steps read of the past."""
RECENT = 20
"""Steps whose speed counts as the present one."""
POINTS = 60
"""Of a curve."""

Condition = Literal["preparing", "running", "finished", "stopped", "failed", "dead"]
Point = tuple[int, float]
"""A step and a loss."""


class AdapterState(Frozen):
    """How one adapter does."""

    adapter: str
    """Its name in the run: the agent, and in a sweep the setting."""
    step: int
    steps: int
    loss: float | None
    """Of the last step, in nats a learned token."""
    curve: tuple[Point, ...]
    """Mean losses of at most `POINTS` stretches of equal length, with their last steps."""
    held_out: tuple[Point, ...]
    best: Best | None
    """None until something held out was looked at."""
    learning_rate: float | None


class RunState(Frozen):
    """How a run does; sizes in MiB, None where it isn't known."""

    run: str
    condition: Condition
    why: str | None
    """The last words of a run that stopped or failed."""
    resumable: bool
    host: str | None
    pid: int | None
    step: int
    steps: int
    seconds: float
    """Spent training, over all processes that worked on it."""
    seconds_left: float | None
    silent_seconds: float | None
    """Since the last step, while it is training."""
    tokens: int
    tokens_per_s: float | None
    recent_tokens_per_s: float | None
    memory_mb: float | None
    """Of the process, now."""
    peak_memory_mb: float | None
    memory_limit_mb: float | None
    adapters: tuple[AdapterState, ...]


class Watch:
    """A run being watched from its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._events: list[dict[str, Any]] = []
        self._read = 0
        self._file = 0
        """Number of the file that was read: a run that is gone on with writes another."""

    def look(self) -> RunState:
        """The run as it is now."""
        self._read_on(self.folder / "events.jsonl")
        begin, end = sessions.last(self._events)
        alive = sessions.alive(begin) if begin and not end else False
        return state(
            self.folder.name,
            json.loads((self.folder / "plan.json").read_bytes()),
            self._events,
            now=time.time(),
            alive=alive,
            memory_mb=sessions.memory_mb(begin["pid"]) if alive else None,
            resumable=bool(list((self.folder / "checkpoints").glob("step-*"))),
        )

    def _read_on(self, path: Path) -> None:
        """Take up the whole lines that were added since the last look."""
        if not path.exists():
            return
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_ino != self._file or found.st_size < self._read:
                self._events, self._read, self._file = [], 0, found.st_ino
            file.seek(self._read)
            whole, end, _ = file.read().rpartition(b"\n")
        self._read += len(whole + end)
        self._events += parsed(sampled(whole.split(b"\n")))


def sampled(lines: Sequence[bytes]) -> list[bytes]:
    """The lines without most of the steps, where these are many; the last `RECENT` stay.

    A step is known by its canonical text: reading all of them as JSON would take seconds.
    """
    steps = [number for number, line in enumerate(lines) if b'"event":"step"' in line]
    chosen = {*steps[:: math.ceil(len(steps) / SAMPLED) or 1], *steps[-RECENT:]}
    left_out = set(steps) - chosen
    return [line for number, line in enumerate(lines) if number not in left_out]


def state(
    run: str,
    plan: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    *,
    now: float,
    alive: bool | None,
    memory_mb: float | None,
    resumable: bool,
) -> RunState:
    """What `events` say about the run that `plan.json` describes.

    `alive` is whether the process of the last begin is: None where that can't be known from here.
    """
    begin, end = sessions.last(events)
    steps = [e for e in events if e["event"] == "step"]
    last = steps[-1] if steps else {"step": 0, "tokens": 0, "seconds": 0.0}
    # A begin knows when it was written and what the training clock then said.
    trained = last["seconds"] - begin.get("seconds", last["seconds"])
    silent = max(0.0, now - begin.get("time", now) - max(0.0, trained))
    if begin and alive is None:
        alive = silent <= SILENT_SECONDS
    total = plan["plan"]["steps"]
    condition = _condition(begin, end, alive=bool(alive), done=last["step"] == total)
    running = condition == "running"
    recent = _since([e for e in steps[-RECENT:] if e["step"] > (begin.get("resumed") or 0)])
    held = memory_mb if running else None
    peaks = [e["peak_mb"] for e in steps]
    if peaks and held is not None:
        peaks.append(held)  # the step under way may hold more than any before it
    return RunState(
        run=run,
        condition=condition,
        why=end.get("why") if end else None,
        resumable=resumable and condition in {"stopped", "failed", "dead"},
        host=begin.get("host"),
        pid=begin.get("pid"),
        step=last["step"],
        steps=total,
        seconds=last["seconds"],
        seconds_left=_left(last, recent, total) if running else None,
        silent_seconds=round(silent, 1) if running else None,
        tokens=last["tokens"],
        tokens_per_s=_rate(last["tokens"], last["seconds"]),
        recent_tokens_per_s=_rate(recent[1], recent[2]),
        memory_mb=held,
        peak_memory_mb=max(peaks, default=None),
        memory_limit_mb=plan["config"]["train"]["memory_limit_gb"] * 1024,
        adapters=tuple(_adapter(one, events) for one in plan["plan"]["agents"]),
    )


def _condition(
    begin: Mapping[str, Any], end: Mapping[str, Any] | None, *, alive: bool, done: bool
) -> Condition:
    if end:
        how: Condition = end["how"]
        return how
    if not begin:
        return "finished" if done else "preparing"
    if not alive:
        return "dead"
    return "preparing" if begin["resumed"] is None else "running"


def _since(steps: Sequence[Mapping[str, Any]]) -> tuple[int, int, float]:
    """Steps, tokens and seconds from the first of `steps` to the last."""
    if not steps:
        return 0, 0, 0.0
    first, last = steps[0], steps[-1]
    return (
        last["step"] - first["step"],
        last["tokens"] - first["tokens"],
        last["seconds"] - first["seconds"],
    )


def _left(last: Mapping[str, Any], recent: tuple[int, int, float], total: int) -> float | None:
    """Seconds for the steps not taken yet, at the present speed, or else at that of all."""
    steps, _, seconds = recent if recent[0] else (last["step"], 0, last["seconds"])
    return round(seconds / steps * (total - last["step"]), 1) if steps else None


def _rate(tokens: float, seconds: float) -> float | None:
    return round(tokens / seconds, 1) if seconds > 0 else None


def _adapter(plan: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> AdapterState:
    adapter = plan["adapter"]
    own = [e for e in events if adapter in e.get("losses", ())]
    steps = [e for e in own if e["event"] == "step"]
    held = [(e["step"], e["losses"][adapter]) for e in own if e["event"] == "valid"]
    best = min(held, key=lambda point: point[1], default=None)
    return AdapterState(
        adapter=adapter,
        step=steps[-1]["step"] if steps else 0,
        steps=plan["steps"],
        loss=steps[-1]["losses"][adapter] if steps else None,
        curve=curve([(e["step"], e["losses"][adapter]) for e in steps]),
        held_out=tuple(held),
        best=Best(step=best[0], loss=best[1]) if best else None,
        learning_rate=steps[-1].get("rates", {}).get(adapter) if steps else None,
    )


def curve(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points, joined to at most `POINTS` means over stretches of as many steps each.

    >>> curve([(1, 4.0), (2, 2.0)])
    ((1, 4.0), (2, 2.0))
    >>> len(curve([(step, 1.0) for step in range(1, 1001)]))
    59
    """
    if not points:
        return ()
    length = math.ceil(points[-1][0] / POINTS)
    stretches = groupby(points, key=lambda point: (point[0] - 1) // length)
    joined = [list(stretch) for _, stretch in stretches]
    return tuple((part[-1][0], fmean(loss for _, loss in part)) for part in joined)
