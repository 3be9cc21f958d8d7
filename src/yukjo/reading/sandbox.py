"""Run a job on a file in a process that may crash, hang or eat memory without harm to this one.

1. One file at a time, within `seconds` and `memory_mb`; what goes beyond is a DataError that names
   the file, and the next file gets a fresh process.
2. The process is the same program: it speaks JSON lines, and its standard output is kept from
   the parsers' own prints.
3. A job is a function of ours at the top of a module, known by its name: `module:function`.
"""

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from yukjo.errors import DataError
from yukjo.reading.documents import refused
from yukjo.words import Language, say, speak, spoken

MEMORY_MB = 2048
SECONDS = 30.0


Job = Callable[[Path], str]
"""Makes one line of text of a file (JSON has no line ends); DataError where it can't."""


class Sandbox:
    """Runs jobs one by one; `end` ends its process."""

    def __init__(self, *, seconds: float = SECONDS, memory_mb: int = MEMORY_MB) -> None:
        self._seconds, self._memory_mb = seconds, memory_mb
        self._process: subprocess.Popen[str] | None = None

    def run(self, job: Job, path: Path) -> str:
        """What `job` makes of a file; DataError where it can't within the limits."""
        process = self._running()
        assert process.stdin is not None, "opened with a pipe"
        assert process.stdout is not None, "opened with a pipe"
        clock = threading.Timer(self._seconds, process.kill)
        clock.start()
        try:
            process.stdin.write(json.dumps([f"{job.__module__}:{job.__name__}", str(path)]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            in_time = clock.is_alive()
            clock.cancel()
        if not line.endswith("\n"):
            self.end()
            why = say("it broke its parser, or took more than {memory} MB of memory",
                      memory=self._memory_mb)  # fmt: skip
            late = say("it took longer than {seconds:g} seconds", seconds=self._seconds)
            raise refused(path, why if in_time else late)
        mark, _, answer = line.partition(" ")
        if mark == _FAULT:
            what, where, fix = json.loads(answer)
            raise DataError(what, where=where, fix=fix)
        return answer

    def end(self) -> None:
        """End the process; the next file starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                [sys.executable, "-m", __name__, spoken(), str(self._memory_mb)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )  # fmt: skip
        return self._process


@contextmanager
def opened(*, seconds: float = SECONDS, memory_mb: int = MEMORY_MB) -> Iterator[Sandbox]:
    """A sandbox whose process ends with the block."""
    sandbox = Sandbox(seconds=seconds, memory_mb=memory_mb)
    try:
        yield sandbox
    finally:
        sandbox.end()


def _serve(language: Language, memory_mb: int) -> None:
    """The other side: a job and a path a line in, what it came to or a fault a line out."""
    speak(language)
    _limit_memory(memory_mb)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        job, path = json.loads(line)
        try:
            answer = f"{_DONE} {_named(job)(Path(path))}"
        except DataError as fault:
            answer = f"{_FAULT} {json.dumps([fault.what, fault.where, fault.fix])}"
        except OSError as fault:
            told = refused(Path(path), str(fault.strerror))
            answer = f"{_FAULT} {json.dumps([told.what, told.where, told.fix])}"
        answers.write(answer + "\n")
        answers.flush()


_DONE, _FAULT = "done", "fault"


def _named(job: str) -> Job:
    """The function of a name."""
    module, _, function = job.partition(":")
    made: Job = getattr(importlib.import_module(module), function)
    return made


def _limit_memory(mb: int) -> None:
    """Bound the address space where the system can."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    resource.setrlimit(resource.RLIMIT_AS, (mb * 2**20,) * 2)


if __name__ == "__main__":
    _serve("en" if sys.argv[1] == "en" else "ko", int(sys.argv[2]))
