"""The folder of a run: what stands where, how a run is named and found again.

runs/<id>/
  plan.json       what was asked and what was derived from it
  before.json     what the bare base did on the test cases
  memory.json     memory predicted and tried, the line, and the packs agreed on
  events.jsonl    steps, losses, memory, as they happen
  checkpoints/    to resume from        best/  the adapters at their best so far
  adapters/<agent>/   the finished adapters
  answers.jsonl   raw answers and losses, before and after
  cases.jsonl     each answered case for people: both answers, their scores, fixed or broken
  baseline.jsonl  losses on the general-ability set, bare and under each adapter
  report.html

A chain's run has these in a folder a stage, `<stage>/`, and `<stage>/stage.json` once the stage is
over; and `chain.jsonl`, what every way through the chain said of every case.
"""

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from yukjo.errors import RunError
from yukjo.words import say

LATEST = "latest"
TRAINED = ("plan.json",)
"""What a run that trains has; one that only measures has answers."""
_KEPT = (*TRAINED, "answers.jsonl")
_REFUSALS = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO,
    errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
}  # fmt: skip
"""What a disk answers that is full, shut or has something else in the place."""


class RunFolder:
    """The places of one run, or of one stage of it: then `run` is the whole run's id."""

    def __init__(self, path: Path, *, run: str = "") -> None:
        self.path = path
        self.id = run or path.name
        self.plan = path / "plan.json"
        self.events = path / "events.jsonl"
        self.before = path / "before.json"
        self.best = path / "best"
        self.adapters = path / "adapters"
        self.answers = path / "answers.jsonl"
        self.cases = path / "cases.jsonl"
        self.baseline = path / "baseline.jsonl"
        self.report = path / "report.html"

    def clear(self) -> None:
        """Remove the files that a killed process left half written."""
        for left in self.path.glob(".*"):
            if left.is_file():
                left.unlink()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the disk refuses into a RunError that says how to go on."""
        try:
            yield
        except OSError as fault:
            # shutil.Error gathers what several files met and has no number of its own.
            if fault.errno not in _REFUSALS and not isinstance(fault, shutil.Error):
                raise
            raise RunError(
                say("the run can't be written: {fault}", fault=fault),
                where=str(fault.filename or self.path),
                fix=say("free some room and let the folder be written to, then go on with"
                        " --resume {run}; the last checkpoint stands", run=self.id),
            ) from fault  # fmt: skip


def start(runs: Path) -> RunFolder:
    """A new, empty run folder: its name sorts by time, and no two are the same."""
    path = runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    try:
        path.mkdir(parents=True)
    except OSError as fault:
        raise RunError(
            say("the run's folder can't be made: {fault}", fault=fault),
            where=str(path),
            fix=say("free some room, or name a writable folder in [project] runs"),
        ) from fault
    return RunFolder(path)


def find(runs: Path, name: str, *, having: Sequence[str] = _KEPT) -> RunFolder:
    """The run called `name`: its id, a part of it that no other has, or `latest`.

    Only runs that have one of the files `having` are looked at.
    """
    ids = sorted({p.parent.name for kept in having for p in runs.glob(f"*/{kept}")})
    if name == LATEST and ids:
        return RunFolder(runs / ids[-1])
    matching = [i for i in ids if name in i] if name else []
    if name in ids or len(matching) == 1:
        return RunFolder(runs / (name if name in ids else matching[0]))
    near = get_close_matches(name, ids, n=3) or matching[:3] or ids[-3:]
    raise RunError(
        say("no run is called `{name}`", name=name),
        where=str(runs),
        fix=say("runs here: {ids}", ids=", ".join(near)) if near else say("start one: `yukjo run`"),
    )


def trained_in(folder: RunFolder) -> Path:
    """Where a run trains: its folder, or that of a chain's stage begun last."""
    stages = sorted(folder.path.glob("*/plan.json"), key=lambda plan: plan.stat().st_mtime)
    return stages[-1].parent if stages else folder.path
