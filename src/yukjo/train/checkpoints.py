"""Resumable checkpoints of a run: a folder each, whole or not there, the newest few kept.

A checkpoint is written beside its place and renamed into it. `progress.json` is what the loop
knows; `state.safetensors` what the trainer knows.
"""

import shutil
from pathlib import Path

from yukjo.ports import Trainer
from yukjo.records import Frozen

_STATE, _PROGRESS = "state.safetensors", "progress.json"


class Best(Frozen):
    """The best held-out loss of one adapter, and the step it was seen at."""

    step: int
    loss: float | None
    """None where nothing is held out."""


class Progress(Frozen):
    """How far a run is, after `step` optimiser steps."""

    step: int
    best: dict[str, Best]
    tokens: int
    seconds: float


START = Progress(step=0, best={}, tokens=0, seconds=0)


class Checkpoints:
    """The checkpoints of the run in `folder`."""

    def __init__(self, folder: Path, *, keep: int) -> None:
        self.folder = folder
        self.keep = keep

    def write(self, progress: Progress, trainer: Trainer) -> Path:
        """Write a checkpoint and drop the oldest beyond `keep`."""
        place = self.folder / f"step-{progress.step:06d}"
        scratch = self.folder / f".{place.name}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        trainer.save_state(scratch / _STATE)
        (scratch / _PROGRESS).write_text(progress.model_dump_json(), encoding="utf-8")
        if place.exists():
            shutil.rmtree(place)
        scratch.rename(place)
        for old in self._all()[: -self.keep]:
            shutil.rmtree(old)
        return place

    def restore(self, trainer: Trainer) -> Progress:
        """Put the newest checkpoint into `trainer`; where there is none, the beginning."""
        found = self._all()
        if not found:
            return START
        newest = found[-1]
        trainer.load_state(newest / _STATE)
        return Progress.model_validate_json((newest / _PROGRESS).read_text(encoding="utf-8"))

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))
