"""The processes that work on a run: each leaves a `begin` event and, unless it is killed, an `end`.

It leaves one begin when it opens the run and another, which knows where it goes on from, when it
trains; the end is that of training. A begin without an end is a process at work or a dead one:
which of the two, its number and the mark of its start tell on the machine it runs on.
"""

import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from yukjo.errors import RunError
from yukjo.train.checkpoints import Progress
from yukjo.train.events import Events, read
from yukjo.words import say


def prepare(path: Path) -> None:
    """Note at `path` that this process works on the run, before it trains."""
    with Events(path) as events:
        events.write("begin", **_myself(), resumed=None)


@contextmanager
def session(
    events: Events, *, resumed: Progress, steps: int, stops: tuple[type[BaseException], ...]
) -> Iterator[None]:
    """Note that this process begins to train, and how it ends; `stops` is a stop, no failure."""
    events.write("begin", **_myself(), resumed=resumed.step, seconds=resumed.seconds, steps=steps)
    try:
        yield
    except BaseException as fault:
        how = "stopped" if isinstance(fault, (*stops, KeyboardInterrupt)) else "failed"
        why = getattr(fault, "what", None) or f"{type(fault).__name__}: {fault}".rstrip(": ")
        with suppress(OSError):  # a full disk is what it may be about
            events.write("end", how=how, time=time.time(), why=why.partition("\n")[0])
        raise
    events.write("end", how="finished", time=time.time())


def last(events: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """The last begin, and its end where there is one; an empty begin where nothing began."""
    begin: Mapping[str, Any] = {}
    end = None
    for event in events:
        if event["event"] == "begin":
            begin, end = event, None
        elif event["event"] == "end":
            end = event
    return begin, end


def alive(begin: Mapping[str, Any]) -> bool | None:
    """Whether the process that wrote `begin` still is; None where another machine wrote it."""
    if begin["host"] != platform.node():
        return None
    return bool(started(begin["pid"]) == begin["started"])


def started(pid: int) -> str | None:
    """A mark of the start of process `pid`, which no later one of its number has; None: no process.

    "" where the system doesn't tell when it started (no /proc).
    """
    if not Path("/proc/self/stat").exists():
        return "" if _answers(pid) else None
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold blanks; see proc(5)
    return None if fields[0] in "ZX" else fields[19]


def memory_mb(pid: int) -> float | None:
    """Resident memory of process `pid`, in MiB; None where the system doesn't tell (no /proc)."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return None
    return round(int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def refuse_second(path: Path) -> None:
    """RunError where another process is at work on the run whose events are at `path`."""
    begin, end = last(read(path))
    if begin and not end and begin["pid"] != os.getpid() and alive(begin):
        raise RunError(
            say("process {pid} is still training this run", pid=begin["pid"]),
            where=str(path.parent),
            fix=say("wait for it (`yukjo monitor {run}`), or stop it first", run=path.parent.name),
        )


def _myself() -> dict[str, Any]:
    pid = os.getpid()
    return {"host": platform.node(), "pid": pid, "started": started(pid), "time": time.time()}


def _answers(pid: int) -> bool:
    """Whether there is a process `pid`."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
