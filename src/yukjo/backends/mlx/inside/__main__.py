"""Read requests from stdin, answer on stdout, end with the run.

    python -m yukjo.backends.mlx.inside

stdout carries nothing but answers: whatever a library prints goes to stderr, whose last words the
run shows if the worker dies.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlx.core as mx

from yukjo.backends.mlx.base_settings import eyes_of
from yukjo.backends.mlx.inside.answers import Asking
from yukjo.backends.mlx.inside.base import MIB, Base
from yukjo.backends.mlx.inside.steps import Training, peak_mb
from yukjo.errors import YukjoError
from yukjo.words import speak


class Desk:
    """What can be asked for, once a base is open."""

    def __init__(self) -> None:
        self.does: dict[str, Callable[..., Any]] = {"open": self.open}
        self._held: Any = None

    def open(self, *, folder: str, dtype: str, recompute: bool, language: Any) -> dict[str, str]:
        """Load the base; what of this process decides bits."""
        speak(language)
        base = opened(Path(folder))(Path(folder), dtype=dtype, recompute=recompute)
        training, asking = Training(base), Asking(base)
        self.does = {
            "add": training.add,
            "backward": training.backward,
            "update": training.update,
            "save": lambda adapter, file: training.save(adapter, Path(file)),
            "save_state": lambda file: training.save_state(Path(file)),
            "load_state": lambda file: training.load_state(Path(file)),
            "forecast": training.forecast,
            "probe": training.probe,
            "peak": peak_mb,
            "give_back": mx.clear_cache,
            "losses": lambda rows, training: (own if training else asking).losses(rows),
            "load": lambda adapter, folder: asking.load(adapter, Path(folder)),
            "unload": asking.unload,
            "next_logits": asking.next_logits,
            "hold": self.hold,
            "answer": lambda **asked: asking.answer(asked),  # type: ignore[arg-type]  # an Ask
        }
        own = training
        device = "metal" if mx.metal.is_available() else "cpu"
        return {"mlx": version("mlx"), "mlx-lm": version("mlx-lm"), "mlx device": device}

    def hold(self, mb: int) -> None:
        """Take so many MiB, for `trial`: is it seen from outside?"""
        self._held = mx.ones((mb, MIB // 4))
        mx.eval(self._held)


def opened(folder: Path) -> type[Base]:
    """Who reads the base in `folder`; ModelError where it would be read in part."""
    if kind := eyes_of(folder):
        from yukjo.backends.mlx.inside.seeing import Seeing, refuse_unproved

        refuse_unproved(kind, folder)
        return Seeing
    return Base


def main() -> None:
    """Answer until nobody can ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to answer
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    desk = Desk()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            said = {"reply": desk.does[asked.pop("do")](**asked)}
        except YukjoError as fault:
            said = {"fault": [type(fault).__name__, fault.what, fault.where, fault.fix]}
        held = (mx.get_active_memory() + mx.get_cache_memory()) / MIB
        answers.write(json.dumps({"event": "memory", "held_mb": held}) + "\n")
        answers.write(json.dumps(said) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
