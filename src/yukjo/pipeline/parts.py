"""What the story is told with: a base with its tokenizer, trainer and engine, and a watcher."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from yukjo.ports import Engine, Tokenizer, Trainer
from yukjo.train.loop import StepReport


@dataclass(frozen=True, slots=True)
class Parts:
    """One base, loaded. The trainer and the engine share it."""

    base: str
    """As the project names it."""
    notice: str
    """The base's licence or the notice it asks to travel with copies; "" where it has none."""
    conditions: Mapping[str, str]
    """What of this process decides bits beside versions: its threads, the instructions it uses."""
    tokenizer: Tokenizer
    trainer: Trainer
    engine: Engine


class Watcher(Protocol):
    """Somebody who is shown how a run goes."""

    def stage(self, name: str) -> None:
        """A stage begins: check, base, baseline, train, evaluate."""

    def step(self, report: StepReport) -> None:
        """A training step is done."""

    def note(self, text: str) -> None:
        """Something worth knowing."""
