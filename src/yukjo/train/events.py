"""What happens in a run, a JSON object a line, as it goes: `events.jsonl`.

A line is written whole and flushed; a run that is killed leaves at most one torn last line,
which readers skip and a resumed run cuts off.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from yukjo.files import canonical_json, write_whole


class Events:
    """The event file of a run, open for appending."""

    def __init__(self, path: Path, *, upto_step: int | None = None) -> None:
        """Open `path`; with `upto_step` forget what a killed run did after that step."""
        if upto_step is not None:
            kept = [e for e in read(path) if e.get("step", 0) <= upto_step]
            write_whole(path, "".join(canonical_json(e) + "\n" for e in kept))
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def write(self, kind: str, **values: Any) -> None:  # noqa: ANN401 - any JSON value
        """Append one event."""
        self._file.write(canonical_json({"event": kind, **values}) + "\n")
        self._file.flush()

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
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue
