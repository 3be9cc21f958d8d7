"""A process of a round: alone, with the same environment for all, and gone when we are.

1. A process has a session of its own and is killed with all it started, whatever ends the wait.
2. Threads that wait sleep: spinning beside another process costs both, and the noise would be ours.
3. What it says on stderr is kept; its last line is the reason where it fails.
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any


class Failed(Exception):
    """A process didn't do what it was started for; the text is the last line of its error."""


@contextmanager
def ended_by_term() -> Iterator[None]:
    """SIGTERM is Ctrl-C inside, so that rule 1 holds for it too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What `command` wrote to stdout; Failed with its last error line where it fails."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                env=_same_for_all() | dict(environment or {}),
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as fault:
            raise Failed(str(fault)) from fault
        try:
            written, _ = process.communicate()
        finally:
            _end(process)
        if process.returncode != 0:
            said.seek(0)
            raise Failed(_reason(said.read(), process.returncode))
        return written


def answer_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    """The JSON on the last line of what `command` wrote."""
    lines = run(command, environment).strip().splitlines()
    try:
        return json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        raise Failed((lines or ["no answer"])[-1][:200]) from None


def _same_for_all() -> dict[str, str]:
    """The environment of every system; no hub, no telemetry, no doubled thread settings."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "MKL_", "KMP_"))
    }
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _end(process: subprocess.Popen[str]) -> None:
    """Kill what is left of the process's session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _reason(said: str, code: int) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"exit code {code}"
