"""A question to the scheduler, and what its asker is told of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yukjo.ports import Turn


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one answer, each from where the one before ends; `total` from the start."""

    queue: float
    load: float
    prefill: float
    """Up to the first token."""
    total: float

    def header(self) -> str:
        """In milliseconds.

        >>> Timing(0.25, 0.004, 0.1, 1.5).header()
        'queue=250.0;load=4.0;prefill=100.0;total=1500.0'
        """
        parts = {"queue": self.queue, "load": self.load, "prefill": self.prefill}
        return ";".join(f"{k}={1000 * v:.1f}" for k, v in (parts | {"total": self.total}).items())


@dataclass(frozen=True, slots=True)
class Began:
    """The first token is made; `timing.total` is the time up to it."""

    timing: Timing
    restored: int


@dataclass(frozen=True, slots=True)
class Said:
    """More of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is whole."""

    finish: Literal["stop", "length"]
    tokens: int
    timing: Timing


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no more of this answer."""

    error: Exception


Event = Began | Said | Ended | Failed


@dataclass(eq=False, slots=True)
class Question:
    """A turn that waits to be spoken, and who is told what comes of it."""

    turn: Turn
    folder: Path
    stops: tuple[str, ...]
    tell: Callable[[Event], None]
    """Called from the scheduler's thread."""
    arrived: float = 0.0
    given_up: bool = False
