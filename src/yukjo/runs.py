"""The folder of a run: what stands where, how a run is named and found again.

runs/<id>/
  plan.json       what was asked and what was derived from it
  before.json     what the bare base did on the test cases
  memory.json     memory predicted and tried, the line, and the packs agreed on
  events.jsonl    steps, losses, memory, as they happen
  checkpoints/    to resume from        best/  the adapters at their best so far
  adapters/<agent>/   the finished adapters
  answers.jsonl   raw answers and losses, before and after
  report.html
"""

from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from yukjo.errors import RunError
from yukjo.words import say

LATEST = "latest"
_KEPT = ("plan.json", "answers.jsonl")


class RunFolder:
    """The places of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self.plan = path / "plan.json"
        self.before = path / "before.json"
        self.best = path / "best"
        self.adapters = path / "adapters"
        self.answers = path / "answers.jsonl"
        self.report = path / "report.html"


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


def find(runs: Path, name: str) -> RunFolder:
    """The run called `name`: its id, a part of it that no other has, or `latest`."""
    ids = sorted({p.parent.name for kept in _KEPT for p in runs.glob(f"*/{kept}")})
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
