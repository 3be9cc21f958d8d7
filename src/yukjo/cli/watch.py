"""Show on stderr how a run goes: stages, and a bar with loss, tokens/s, memory and time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from yukjo.cli.monitor import clock
from yukjo.train.loop import StepReport
from yukjo.words import say


class Shown:
    """A watcher that draws; a context, so that the bar is taken down whatever happens."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        """Say which stage begins."""
        names = {
            "check": say("checking the data"),
            "base": say("loading the base model (the first time it is unpacked)"),
            "baseline": say("measuring the base before training"),
            "train": say("training all adapters"),
            "evaluate": say("measuring the adapters"),
            "chain": say("sending the test cases through both stages"),
        }
        if name == "train" and self._task is not None:  # a chain trains again
            self._bar.remove_task(self._task)
            self._task = None
        self._bar.console.print(f"[bold]▸[/bold] {names[name]}")

    def note(self, text: str) -> None:
        """Say something worth knowing."""
        if text:
            self._bar.console.print(Text(text.strip(), style="dim"), soft_wrap=True)

    def step(self, report: StepReport) -> None:
        """Move the bar."""
        if self._task is None:
            self._task = self._bar.add_task(say("training"), total=report.steps, figures="")
        mean = sum(report.losses.values()) / len(report.losses)
        figures = say(
            "loss {loss:.3f} · {rate:.0f} tokens/s · {memory:.1f} GB · {left} left",
            loss=mean,
            rate=report.tokens_per_s,
            memory=report.memory_mb / 1024,
            left=clock(report.seconds_left),
        )
        self._bar.update(self._task, completed=report.step, figures=figures)
