"""The memory contract: a run says what it will take, checks that, and never takes more.

1. The line is `[train] memory_limit_gb`, or what the machine can still give where that is less.
2. A pack whose forecast doesn't fit under the line is halved, down to the longest sample. The
   mathematics stays: denominators belong to the step, not to the pack.
3. The largest pack is tried before the first step. What was measured then replaces what was
   counted; no bit of the run changes.
4. Before every pack the memory held and the largest pack's need must stay under the line. Else
   the run ends with exit code 1, resumable, before it crosses.
5. A run that has taken steps keeps its micro-batches when it goes on, so that it ends with the
   same bits; only a line that they no longer fit under makes them smaller.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from yukjo.errors import RunError
from yukjo.files import write_whole
from yukjo.ports import Piece, Trainer
from yukjo.records import Forecast, Frozen, Probe
from yukjo.words import say

FILE = "memory.json"

Packs = Callable[[int], Sequence[Sequence[Piece]]]
"""From a `pack_tokens` to the packs of the run that may be its largest."""


class OverLimit(RunError):
    """The run would take more memory than it may; it ends before, and can be resumed."""

    exit_code = 1


class Line(NamedTuple):
    """What may never be crossed, in MiB of this process, and who drew it."""

    mb: float
    drawn_by: Literal["limit", "machine"]


class Agreed(Frozen):
    """What a run agreed with the machine: `memory.json`."""

    limit_gb: float
    line_mb: float
    drawn_by: Literal["limit", "machine"]
    pack_tokens: int
    """Asked for, or less."""
    forecast: Forecast
    probe: Probe


class Guard:
    """Keeps a run under its line."""

    def __init__(self, trainer: Trainer, agreed: Agreed, *, run: str) -> None:
        self._trainer = trainer
        self._agreed = agreed
        self._run = run

    def check(self) -> None:
        """Before a pack: OverLimit if the largest one might cross the line from here."""
        if not self._fits():
            self._trainer.give_back()
            if not self._fits():
                need = self._trainer.resident_mb() + self._agreed.probe.pass_mb
                raise over(need, self._line(), run=self._run)

    def _fits(self) -> bool:
        return self._trainer.resident_mb() + self._agreed.probe.pass_mb <= self._line().mb

    def _line(self) -> Line:
        return line_of(self._trainer, self._agreed.limit_gb)


def line_of(trainer: Trainer, limit_gb: float) -> Line:
    """The line of the process the trainer lives in, now."""
    return line(limit_gb, held=trainer.resident_mb(), available=trainer.available_mb())


def line(limit_gb: float, *, held: float, available: float) -> Line:
    """The line of a process that holds `held` MiB where `available` more can be had.

    >>> line(20, held=1000, available=3000), line(2, held=1000, available=3000)
    (Line(mb=4000, drawn_by='machine'), Line(mb=2048, drawn_by='limit'))
    """
    limit, most = limit_gb * 1024, held + available
    return Line(limit, "limit") if limit <= most else Line(most, "machine")


def agree(trainer: Trainer, packs: Packs, *, limit_gb: float, asked: int, run: str) -> Agreed:
    """Find the largest `pack_tokens` that stays under the line, and try it; OverLimit if none.

    The smallest is tried where it may fit at all: the guard keeps the heap tidy near the line.
    """
    longest = _longest(packs(asked))
    for tokens in halvings(asked, longest=longest):
        forecasts = [(trainer.forecast(pack), pack) for pack in packs(tokens)]
        forecast, pack = max(forecasts, key=lambda pair: pair[0].expected_mb)
        drawn = line_of(trainer, limit_gb)
        need = forecast.expected_mb if tokens > longest else forecast.low_mb
        if need <= drawn.mb:
            probe = trainer.probe(pack)
            need = probe.peak_mb
            if need <= drawn.mb:
                return Agreed(limit_gb=limit_gb, line_mb=drawn.mb, drawn_by=drawn.drawn_by,
                              pack_tokens=tokens, forecast=forecast, probe=probe)  # fmt: skip
    raise over(need, drawn, run=run)


def halvings(asked: int, *, longest: int) -> Iterator[int]:
    """Ever smaller packs, the last as small as the longest sample lets it be.

    >>> list(halvings(2048, longest=500)), list(halvings(100, longest=500))
    ([2048, 1024, 512, 500], [100])
    """
    yield asked
    while asked > longest:
        asked = max(asked // 2, longest)
        yield asked


def over(need: float, drawn: Line, *, run: str) -> OverLimit:
    """The error that names both figures and the way out."""
    where = {
        "limit": say("[train] memory_limit_gb = {limit:.3g} GiB", limit=drawn.mb / 1024),
        "machine": say("the machine gives {limit:.3g} GiB", limit=drawn.mb / 1024),
    }[drawn.drawn_by]
    mend = {
        "limit": say("raise it, then go on with --resume {run}; or start anew with a lower [lora]"
                     " rank or shorter samples", run=run),
        "machine": say("end other programs, then go on with --resume {run}", run=run),
    }[drawn.drawn_by]  # fmt: skip
    return OverLimit(
        say("training would take up to {need:.3g} GiB of memory", need=need / 1024),
        where=where,
        fix=mend,
    )


def recorded(folder: Path) -> Agreed | None:
    """What the run in `folder` agreed before."""
    try:
        return Agreed.model_validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None


def record(agreed: Agreed, folder: Path) -> None:
    """Keep it for when the run goes on."""
    write_whole(folder / FILE, agreed.model_dump_json(indent=2) + "\n")


def _longest(packs: Sequence[Sequence[Piece]]) -> int:
    return max(len(e.tokens) for pack in packs for piece in pack for e in piece.examples)
