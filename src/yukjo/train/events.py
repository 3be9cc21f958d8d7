"""What happens in a run, a JSON object a line, as it goes: `events.jsonl`.

A line is written whole and flushed; a run that is killed leaves at most one torn last line,
which readers skip and a resumed run cuts off. Events of a step carry it; `begin` and `end` tell of
the processes that worked on the run (see `sessions`), carry none, and are never cut off.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from yukjo.files import sorted_json, write_whole


class Events:
    """The event file of a run, open for appending."""

    def __init__(self, path: Path, *, upto_step: int | None = None) -> None:
        """Open `path`; with `upto_step` forget what a killed run did after that step."""
        if upto_step is not None:
            kept = [e for e in read(path) if e.get("step", 0) <= upto_step]
            write_whole(path, "".join(sorted_json(e) + "\n" for e in kept))
        path.parent.mkdir(parents=True, exist_ok=True)
        # A path in an error's words may hold bytes that are no Unicode.
        self._file = path.open("a", encoding="utf-8", errors="replace")

    def write(self, kind: str, **values: Any) -> None:  # noqa: ANN401 - any JSON value
        """Append one event."""
        self._file.write(sorted_json({"event": kind, **values}) + "\n")
        self._file.flush()

    def settle(self) -> None:
        """Make all events so far survive a power cut: no checkpoint may know more than they."""
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a run so far; a torn line is skipped."""
    if not path.exists():
        return
    with path.open("rb") as file:
        yield from parsed(file)


def parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The events in `lines`; what is no event is skipped."""
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            yield event
