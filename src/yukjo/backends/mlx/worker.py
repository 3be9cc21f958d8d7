"""A process that holds the base, seen from the run: JSON lines there and back.

A request is `{"do": name, ...}`; what comes back are any number of `{"event": ...}` and then one
`{"reply": ...}` or `{"fault": ...}`. While it works, its memory is looked at from outside.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal

from yukjo import errors, machine
from yukjo.errors import RunError, YukjoError
from yukjo.words import say, spoken

_TICK_SECONDS = 0.02 if sys.platform == "linux" else 0.25
"""Between two looks at the worker's memory; without /proc each look starts a `ps`."""
_LEAVE_SECONDS = 10


class OverLine(RunError):
    """The worker passed the memory line and was ended; the run can be resumed."""

    exit_code = 1


class Worker:
    """One worker with one base loaded. It ends with this object, or with this process."""

    def __init__(
        self,
        folder: Path,
        *,
        dtype: Literal["bfloat16", "float32"],
        limit_mb: float,
        recompute: bool = False,
    ) -> None:
        """Start it and load the base; ModelError where MLX can't.

        `limit_mb` is what this process and the worker may hold together.
        """
        self.limit_mb = limit_mb
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        self._process = subprocess.Popen(
            [sys.executable, "-m", "yukjo.backends.mlx.inside"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words, env=_environment(),
        )  # fmt: skip
        self.close = weakref.finalize(self, _end, self._process, self._words)
        self._heard = b""
        self._held_mb = 0.0
        self.facts: dict[str, str] = self.ask(
            "open", folder=str(folder), dtype=dtype, recompute=recompute, language=spoken()
        )

    @property
    def pid(self) -> int:
        """The worker's process number."""
        return self._process.pid

    def ask(self, do: str, **given: Any) -> Any:
        """What the worker answers; its YukjoErrors are raised here, RunError where it is gone."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"do": do, **given}).encode() + b"\n")
            self._process.stdin.flush()
            while "event" in (heard := json.loads(self._line())):
                self._held_mb = heard["held_mb"]
        except (BrokenPipeError, ValueError):  # a closed pipe, or half a line
            raise self._lost() from None
        except KeyboardInterrupt:  # what it answers would be taken for the next answer
            self._process.kill()
            raise
        if "fault" in heard:
            kind, *parts = heard["fault"]
            raise _fault(kind, *parts)
        return heard["reply"]

    def resident_mb(self) -> float:
        """Memory the worker holds now, in MiB: as the system sees it, or MLX where that is more."""
        return max(machine.resident_mb_of(self.pid) or 0.0, self._held_mb)

    def _line(self) -> bytes:
        assert self._process.stdout
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._heard:
            if select.select([pipe], [], [], _TICK_SECONDS)[0]:
                piece = os.read(pipe, 1 << 20)
                if not piece:
                    raise self._lost()
                self._heard += piece
            else:
                self._keep_under_the_line()
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _keep_under_the_line(self) -> None:
        held = machine.resident_mb() + self.resident_mb()
        if held > self.limit_mb:
            self._process.kill()
            raise OverLine(
                say("the MLX worker held {held:.3g} GiB and was ended", held=held / 1024),
                where=say("[train] memory_limit_gb = {limit:.3g} GiB", limit=self.limit_mb / 1024),
                fix=say("raise it, or lower [train] pack_tokens or [lora] rank; then go on with"
                        " --resume latest: the last checkpoint stands"),
            )  # fmt: skip

    def _lost(self) -> RunError:
        """Why the worker is gone, as far as can be told."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LEAVE_SECONDS)
        code = self._process.poll()
        return RunError(
            say("the MLX worker is gone: {why}", why=_why(code, self._words)),
            where=say("process {pid}", pid=self.pid),
            fix=say("go on with --resume latest: the last checkpoint stands"),
        )


def _fault(kind: str, what: str, where: str, fix: str) -> YukjoError:
    """The worker's error, as it would have been raised here."""
    made: YukjoError = getattr(errors, kind)(what, where=where, fix=fix)
    return made


def _environment() -> dict[str, str]:
    """The worker's. On Linux MLX would call a C++ compiler for what gains nothing there."""
    extra = {"MLX_DISABLE_COMPILE": "1"} if sys.platform == "linux" else {}
    return extra | os.environ


def _why(code: int | None, words: IO[bytes]) -> str:
    if code is not None and code < 0:
        return say("killed by {signal}", signal=signal.Signals(-code).name)
    words.seek(0)
    lines = words.read().decode(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), say("exit code {code}",
                                                                        code=code))  # fmt: skip


def _end(process: subprocess.Popen[bytes], words: IO[bytes]) -> None:
    """Let the worker leave: it does when nobody can ask it any more."""
    assert process.stdin
    assert process.stdout
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
    words.close()
