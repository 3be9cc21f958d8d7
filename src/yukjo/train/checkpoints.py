"""Resumable checkpoints of a run: a folder each, whole or not there, the newest few kept.

A checkpoint is written beside its place and renamed into it. `progress.json` is what the loop
knows; `state.safetensors` what the trainer knows.
"""

import shutil
from pathlib import Path

from pydantic import Field

from yukjo.errors import RunError
from yukjo.files import write_whole
from yukjo.ports import Trainer
from yukjo.records import Frozen
from yukjo.train.patience import Looks
from yukjo.words import say

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
    """The checkpoints of the run in `folder`."""

    def __init__(self, folder: Path, *, keep: int) -> None:
        self.folder = folder
        self.keep = keep

    def write(self, progress: Progress, trainer: Trainer) -> Path:
        """Write a checkpoint and drop the oldest beyond `keep`; RunError where there's no room."""
        place = self.folder / f"step-{progress.step:06d}"
        scratch = self.folder / f".{place.name}"
        try:
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            trainer.save_state(scratch / _STATE)
            write_whole(scratch / _PROGRESS, progress.model_dump_json())
            if place.exists():
                shutil.rmtree(place)
            scratch.rename(place)
            for old in self._all()[: -self.keep]:
                shutil.rmtree(old)
        except OSError as fault:
            raise RunError(
                say("the checkpoint can't be written: {fault}", fault=fault),
                where=str(self.folder),
                fix=say("free some room, then go on with --resume; the last checkpoint stands"),
            ) from fault
        return place

    def restore(self, trainer: Trainer) -> Progress:
        """Put the newest checkpoint into `trainer`; where there is none, the beginning."""
        found = self._all()
        if not found:
            return START
        newest = found[-1]
        try:
            trainer.load_state(newest / _STATE)
            return Progress.model_validate_json((newest / _PROGRESS).read_bytes())
        except (OSError, ValueError, KeyError) as fault:
            raise RunError(
                say("the checkpoint is damaged: {fault}", fault=fault),
                where=str(newest),
                fix=say("delete this checkpoint to go on from the one before"),
            ) from fault

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))
