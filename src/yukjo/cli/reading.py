"""How far a command is in reading large files: a bar on stderr, on a terminal only."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from yukjo.words import say

LARGE = 64 << 20
"""Bytes from which a second process is worth its start."""

MOST = 2
"""Processes that are used unasked."""


def workers_for(files: Sequence[Path]) -> int:
    """How many processes to read files with: one, or two where they are large."""
    sizes = sum(file.stat().st_size for file in files if file.is_file())
    return min(MOST, os.cpu_count() or 1) if sizes >= LARGE else 1


class Reading:
    """Bytes read of all; nothing is drawn where stderr is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
            TransferSpeedColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(say("bytes read"), total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def progress(self, done: int, total: int) -> None:
        """Draw how far it is."""
        self._bar.update(self._task, completed=done, total=total)
