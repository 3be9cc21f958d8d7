"""`yukjo monitor`: how a run goes, from any other terminal."""

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from yukjo.train.watching import AdapterState, RunState

HELP = say(
    "Watch a run: curves, speed, memory, time left; also when it is over."
    " Example: yukjo monitor latest"
)

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH, _BAR = 20, 60
"""Letters of a curve and of the bar, so that all fits 80 columns."""


def monitor(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help=say("Run id, a part of it, or `latest`"))
    ] = "latest",
    project: Project = Path(),
    once: Annotated[bool, typer.Option("--once", help=say("Show it once and leave"))] = False,
    json_: AsJson = False,
) -> None:
    """Draw the run each second until it ends, or once."""
    from rich.console import Console
    from rich.live import Live

    from yukjo import pipeline, runs
    from yukjo.config import load
    from yukjo.train.watching import Watch

    place = pipeline.runs_folder(project, load(project))
    watch = Watch(runs.trained_in(runs.find(place, run, having=runs.TRAINED)))
    found, console = watch.look(), Console(highlight=False)
    if json_:
        print_json(found.model_dump(mode="json"))
        return
    if once or not console.is_terminal:
        console.print(frame(found))
        return
    with Live(frame(found), console=console, auto_refresh=False) as live:
        while found.condition in {"preparing", "running"}:
            time.sleep(1)
            found = watch.look()
            live.update(frame(found), refresh=True)


def frame(run: "RunState") -> "Group":
    """The run on some lines, and a table of its adapters."""
    from rich.console import Group
    from rich.text import Text

    done = run.step * _BAR // run.steps
    bar = Text("█" * done + "░" * (_BAR - done))
    figures = [Text(line, no_wrap=True) for line in (_steps(run), _speed(run), _memory(run))]
    head = Text(f"{run.run}  {_condition(run)}", style="bold")
    return Group(head, *_ending(run), bar, *figures, _table(run))


def _condition(run: "RunState") -> str:
    names = {
        "preparing": say("preparing: no step has been trained yet"),
        "running": say("running (process {pid} on {host})", pid=run.pid, host=run.host),
        "finished": say("trained to the end"),
        "stopped": say("stopped"),
        "failed": say("failed"),
        "dead": say("dead: its process is gone without a word"),
    }
    return names[run.condition]


def _ending(run: "RunState") -> list[str]:
    """Why it ended, and how to go on."""
    resume = say("go on with --resume {run}", run=run.run) if run.resumable else ""
    return [line for line in (run.why, resume) if line]


def _steps(run: "RunState") -> str:
    line = say("step {step} of {steps} · {elapsed} elapsed",
               step=run.step, steps=run.steps, elapsed=clock(run.seconds))  # fmt: skip
    if run.seconds_left is not None:
        line += " · " + say("{left} left", left=clock(run.seconds_left))
    if run.silent_seconds is not None:
        line += " · " + say("last step {silent} ago", silent=clock(run.silent_seconds))
    return line


def _speed(run: "RunState") -> str:
    return say(
        "{rate} tokens/s, lately {recent} · {tokens} tokens",
        rate=_number(run.tokens_per_s, ".0f"),
        recent=_number(run.recent_tokens_per_s, ".0f"),
        tokens=f"{run.tokens:,}",
    )


def _memory(run: "RunState") -> str:
    return say("memory {now} GB now, {peak} GB at most, limit {limit} GB",
               now=_gb(run.memory_mb), peak=_gb(run.peak_memory_mb),
               limit=_gb(run.memory_limit_mb))  # fmt: skip


def _table(run: "RunState") -> "Table":
    from rich.table import Table

    table = Table(say("agent"), say("step"), say("loss"), say("curve"), say("held-out loss"),
                  say("best (step)"), say("learning rate"), box=None, pad_edge=False)  # fmt: skip
    for adapter in run.adapters:
        table.add_row(*_row(adapter))
    return table


def _row(adapter: "AdapterState") -> tuple[str, ...]:
    best = adapter.best
    return (
        adapter.adapter,
        f"{adapter.step}/{adapter.steps}",
        _number(adapter.loss, ".3f"),
        blocks([loss for _, loss in adapter.curve]),
        _number(adapter.held_out[-1][1] if adapter.held_out else None, ".3f"),
        f"{_number(best.loss, '.3f')} ({best.step})" if best else "-",
        _number(adapter.learning_rate, ".1e"),
    )


def blocks(values: Sequence[float]) -> str:
    """A curve in letters, from its lowest value to its highest.

    >>> blocks([4.0, 3.0, 2.0, 1.0, 1.0]), blocks([2.0])
    ('█▆▃▁▁', '▁')
    """
    if not values:
        return ""
    width = min(_WIDTH, len(values))
    edges = [place * len(values) // width for place in range(width + 1)]
    means = [fmean(values[start:end]) for start, end in pairwise(edges)]
    low, span = min(means), (max(means) - min(means)) or 1.0
    return "".join(_BLOCKS[round((mean - low) / span * (len(_BLOCKS) - 1))] for mean in means)


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss.

    >>> clock(125.4), clock(3723)
    ('2:05', '1:02:03')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _number(value: float | None, shape: str) -> str:
    return "-" if value is None else format(value, shape)


def _gb(mib: float | None) -> str:
    return _number(None if mib is None else mib / 1024, ".1f")
