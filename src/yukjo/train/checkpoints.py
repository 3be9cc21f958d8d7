"""Resumable checkpoints of a run: a folder each, whole or not there, the newest few kept.

checkpoints/step-000020/
  progress.json       what the loop knows
  state.safetensors   what the trainer knows
  best/<agent>/       each adapter at its best so far
  sums.json           SHA-256 of all of them

1. A checkpoint comes to its place and leaves it by a rename: a kill never shows a part of one.
2. It stands alone: going on from it puts `best/` back as it was, whatever was written since.
3. One that is not what was written is set aside, and said; the run goes on from the one before,
   at last from its beginning. What a kill leaves needs no hand.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from yukjo.errors import RunError
from yukjo.files import copy_folder, move_whole, remove_whole, sha256_file, write_whole
from yukjo.ports import Trainer
from yukjo.records import Frozen
from yukjo.train.patience import Looks
from yukjo.words import say

_STATE, _PROGRESS, _BEST, _SUMS = "state.safetensors", "progress.json", "best", "sums.json"


class Best(Frozen):
    """The best held-out loss of one adapter, and the step it was seen at."""

    step: int
    loss: float | None
    """None where nothing is held out."""


class Progress(Frozen):
    """How far a run is, after `step` optimiser steps."""

    step: int
    best: dict[str, Best]
    """By adapter, as all that follows."""
    looks: dict[str, Looks] = Field(default_factory=dict)
    stopped: dict[str, int] = Field(default_factory=dict)
    """The step after which an adapter stopped early."""
    diverged: dict[str, int] = Field(default_factory=dict)
    """The step at which a figure of a sibling in a sweep was no number."""
    tokens: int
    seconds: float


START = Progress(step=0, best={}, tokens=0, seconds=0)


class Checkpoints:
    """The checkpoints of the run in folder `run`, and the best adapters that go with them."""

    def __init__(self, run: Path, *, keep: int) -> None:
        self.folder = run / "checkpoints"
        self.best = run / _BEST
        self.keep = keep

    def save_best(self, agent: str, trainer: Trainer) -> None:
        """Keep the adapter as it now is, until it is bettered."""
        scratch = self.best / f".{agent}"
        shutil.rmtree(scratch, ignore_errors=True)
        trainer.save(agent, scratch)
        move_whole(scratch, self.best / agent)

    def write(self, progress: Progress, trainer: Trainer) -> Path:
        """Write a checkpoint and drop the oldest beyond `keep`; RunError where there's no room."""
        place = self.folder / f"step-{progress.step:06d}"
        scratch = self.folder / f".{place.name}"
        try:
            self._clear()
            self._fill(scratch, progress, trainer)
            move_whole(scratch, place)
            for old in self._all()[: -self.keep]:
                remove_whole(old)
        except OSError as fault:
            shutil.rmtree(scratch, ignore_errors=True)
            raise RunError(
                say("the checkpoint can't be written: {fault}", fault=fault),
                where=str(self.folder),
                fix=say("free some room, then go on with --resume; the last checkpoint stands"),
            ) from fault
        return place

    def restore(
        self, trainer: Trainer, *, said: Callable[[str], None] = lambda _: None
    ) -> Progress:
        """Put the newest whole checkpoint into `trainer`; where there is none, the beginning."""
        self._clear()
        for place in reversed(self._all()):
            if progress := self._taken(place, trainer, said):
                return progress
        shutil.rmtree(self.best, ignore_errors=True)
        return START

    def _fill(self, folder: Path, progress: Progress, trainer: Trainer) -> None:
        folder.mkdir(parents=True)
        trainer.save_state(folder / _STATE)
        write_whole(folder / _PROGRESS, progress.model_dump_json())
        for agent in progress.best:
            copy_folder(self.best / agent, folder / _BEST / agent)
        write_whole(folder / _SUMS, json.dumps(_sums(folder), indent=2))

    def _taken(self, place: Path, trainer: Trainer, said: Callable[[str], None]) -> Progress | None:
        """Go on from the checkpoint at `place`; None, after setting it aside, if it's damaged."""
        try:
            _refuse_changes(place)
            progress = Progress.model_validate_json((place / _PROGRESS).read_bytes())
            trainer.load_state(place / _STATE)
        except (OSError, ValueError, KeyError) as fault:
            said(
                say("checkpoint {name} is damaged and set aside, going on from the one before:"
                    " {fault}", name=place.name, fault=fault)
            )  # fmt: skip
            move_whole(place, place.with_name(f"damaged-{place.name}"))
            return None
        shutil.rmtree(self.best, ignore_errors=True)
        for agent in progress.best:
            copy_folder(place / _BEST / agent, self.best / agent)
        return progress

    def _all(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.folder.glob("step-*"), key=lambda place: int(place.name[5:]))

    def _clear(self) -> None:
        """Remove what a killed process left half done."""
        for left in self.folder.glob(".*step-*"):
            shutil.rmtree(left)


def _refuse_changes(place: Path) -> None:
    """ValueError where the checkpoint at `place` is not what was written."""
    if json.loads((place / _SUMS).read_bytes()) != _sums(place):
        raise ValueError(say("its bytes have changed"))


def _sums(folder: Path) -> dict[str, str]:
    """File -> SHA-256, of all files of a checkpoint but the one these are kept in."""
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.name != _SUMS)
    return {f.relative_to(folder).as_posix(): sha256_file(f) for f in files}
