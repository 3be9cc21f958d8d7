"""Ctrl-C while training means: finish the step, write a checkpoint, stop. A second one is now."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Yields a question: was Ctrl-C (or SIGTERM) given since?"""
    asked = False

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
