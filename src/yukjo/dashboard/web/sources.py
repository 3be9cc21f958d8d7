"""What the pages read: a project's ledger, the folders of its runs, and its signed checkpoints.

The ledger is opened once and read by queries; a ledger that was put in its place is opened anew.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yukjo.config import YukjoConfig
from yukjo.ledger import opening
from yukjo.ledger.checkpoints import Found
from yukjo.ledger.faults import Fault
from yukjo.ledger.store import Ledger
from yukjo.records import Entry
from yukjo.runs import RunFolder

Trace = Callable[[str], dict[str, Any]]
"""What a thing came from or led to, as `ledger.lineage.trace` says it."""


@dataclass(slots=True)
class Sources:
    """A project as its pages see it."""

    project: Path
    config: YukjoConfig
    trace: Trace
    _ledger: Ledger | None = None
    _seen: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """What the project is called."""
        return self.config.project.name

    @property
    def runs(self) -> Path:
        """Where its runs are."""
        return self.project / self.config.project.runs

    @property
    def recorded(self) -> bool:
        """Whether there is a ledger yet."""
        return self.config.ledger.url is not None or opening.ledger_file(self.runs).exists()

    @property
    def ledger(self) -> Ledger:
        """The ledger to read; LedgerError where there is none yet."""
        with self._lock:
            now = self._inode()
            if self._ledger is not None and now != self._seen:
                self._ledger.close()
                self._ledger = None
            if self._ledger is None:
                self._ledger = opening.existing(self.project, self.config)
                self._seen = self._inode()
            return self._ledger

    def folder(self, run: str) -> RunFolder:
        """The folder of a run; it may be gone."""
        return RunFolder(self.runs / Path(run).name)

    def record(self, kind: str, run: str, body: Mapping[str, Any]) -> Entry:
        """Add an entry, signed as the project asks."""
        with opening.continued(self.project, self.config) as ledger:
            return ledger.append(kind, run, dict(body))

    def signed(self, number: int) -> Found | None:
        """The first checkpoint whose signature covers the entry `number`."""
        return opening.covering(self.project, self.config, self.ledger, number)

    def newest_signed(self) -> Found | None:
        """The newest checkpoint that the ledger fits."""
        return opening.newest_signed(self.project, self.config, self.ledger)

    def checked(self) -> list[Fault]:
        """What is wrong with the chain, or with it against all that was signed."""
        good, wrong = opening.signed(self.project, self.config)
        return wrong + self.ledger.verify(good)

    def close(self) -> None:
        """Let go of the ledger."""
        with self._lock:
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None

    def _inode(self) -> int | None:
        file = opening.ledger_file(self.runs)
        return file.stat().st_ino if self.config.ledger.url is None and file.exists() else None
