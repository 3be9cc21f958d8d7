"""`yukjo doctor`: can this machine run this project, and what will it take."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.config import YukjoConfig
    from yukjo.ports import Trainer
    from yukjo.records import Forecast
    from yukjo.train.loop import Job

HELP = say(
    "Machine, versions, base, and the memory this project's training will take; exit 1 if"
    " something prevents a run. Example: yukjo doctor --project my-project"
)

_EXTRAS = ("torch", "transformers", "safetensors", "peft", "bitsandbytes")
_NEEDED = _EXTRAS[:3]
_DISK_GB = 2
"""Free room a small project needs for checkpoints and adapters."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    level: Literal["ok", "warning", "error"]
    what: str
    fix: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def doctor(
    project: Project = Path(),
    set_: Changes = None,
    json_: AsJson = False,
    mlx: Annotated[
        bool, typer.Option("--mlx", help=say("Look at MLX on this machine instead; no project"))
    ] = False,
) -> None:
    """Look at everything, then say it."""
    from yukjo.cli import doctor_mlx

    found = [*doctor_mlx.findings()] if mlx else _of_project(project, set_ or [])
    if json_:
        print_json({"findings": [asdict(f) for f in found]})
    else:
        _show(found)
    raise typer.Exit(1 if any(f.level == "error" for f in found) else 0)


def _of_project(project: Path, changes: list[str]) -> list[Finding]:
    from yukjo.config import change, load

    config = load(project, dict(map(change, changes)))
    found = [*_machine(project, config), *_libraries()]
    if not any(f.level == "error" for f in found):
        for name in config.chain.stages:
            found += _stage(project, config, name)
        if not config.chain.stages:
            found += _base_and_memory(project, config)
    return found


def _machine(project: Path, config: "YukjoConfig") -> Iterator[Finding]:
    from yukjo import machine

    yield Finding(
        "processor",
        "ok",
        say("{name}, {cores} cores", name=machine.processor(), cores=os.cpu_count()),
        figures={"cores": os.cpu_count()},
    )
    limit, _ = machine.cgroup_mb()
    total, free = min(machine.total_mb(), limit), machine.available_mb()
    yield Finding(
        "memory",
        "ok",
        say("{free:.1f} of {total:.1f} GiB can be had", free=free / 1024, total=total / 1024),
        figures={"total_mb": round(total), "available_mb": round(free),
                 "container_mb": None if limit == float("inf") else round(limit)},
    )  # fmt: skip
    place = project / config.project.runs
    while not place.exists():
        place = place.parent
    room = shutil.disk_usage(place).free / 2**30
    small = room < _DISK_GB
    yield Finding(
        "disk",
        "warning" if small else "ok",
        say("{room:.1f} GiB free for runs", room=room),
        say("free some room, or name a writable folder in [project] runs") if small else "",
        {"free_gb": round(room, 1)},
    )


def _libraries() -> Iterator[Finding]:
    """What is installed; what only some settings need is no fault where it is missing."""
    from importlib.metadata import PackageNotFoundError, version

    for name in _EXTRAS:
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            needed = name in _NEEDED
            yield Finding(
                name,
                "error" if needed else "ok",
                say("not installed"),
                "pip install 'yukjo[torch]'" if needed else "",
            )


def _stage(project: Path, config: "YukjoConfig", name: str) -> "Iterator[Finding]":
    """A stage's base; its memory too where it has data before the run: the first one has."""
    from yukjo.config.chain import of_stage

    own = of_stage(config, name)
    looked = _base_and_memory if own.data.files else _base
    for finding in looked(project, own):
        yield replace(finding, name=f"{name}: {finding.name}")


def _base_and_memory(project: Path, config: "YukjoConfig") -> Iterator[Finding]:
    from yukjo import wiring
    from yukjo.errors import YukjoError

    yield from _base(project, config)
    folder = wiring.base_at_hand(config.base, project)
    if folder is None or config.train.backend == "mlx":
        return
    try:
        yield _memory(project, config, folder)
    except YukjoError as fault:
        yield Finding("project", "error", f"{fault.what} ({fault.where})", fault.fix)


def _base(project: Path, config: "YukjoConfig") -> Iterator[Finding]:
    from yukjo import wiring

    folder = wiring.base_at_hand(config.base, project)
    if folder is None:
        yield Finding(
            "base",
            "warning",
            say("`{name}` is not on this machine yet; its memory can't be told",
                name=config.base.model),
            say("the first run fetches or unpacks it"),
        )  # fmt: skip
        return
    yield Finding("base", "ok", str(folder))
    if config.train.backend == "mlx":
        yield Finding("training", "ok", say("MLX measures before the first step; see also --mlx"))
        return
    yield _device(config.base.device)


def _device(asked: str) -> Finding:
    from torch import cuda

    there = cuda.is_available()
    missing = asked == "cuda" and not there
    return Finding(
        "cuda",
        "error" if missing else "ok",
        say("a GPU can be used") if there else say("no GPU; training runs on the processor"),
        say("set [base] device to cpu, or install a torch built for the GPU") if missing else "",
    )


def _memory(project: Path, config: "YukjoConfig", folder: Path) -> Finding:
    """What training will take at most, against the line."""
    from yukjo import pipeline, wiring
    from yukjo.pipeline.prepare import with_adapters
    from yukjo.train.loop import Job
    from yukjo.train.memory import halvings, line_of, over

    tokenizer, trainer = wiring.open_sketch(config, folder)
    data = pipeline.prepare(project, config, tokenizer)
    job = Job(with_adapters(config, data, trainer), config.train, data.train, data.valid, project)
    drawn = line_of(trainer, config.train.memory_limit_gb)
    asked = config.train.pack_tokens
    forecast = _forecast(trainer, job, asked)
    figures = forecast.model_dump() | {"line_mb": drawn.mb, "line_drawn_by": drawn.drawn_by}
    said = say(
        "training takes about {expected:.2f} GiB ({low:.2f} to {high:.2f}); the line is {line:.2f}",
        expected=forecast.expected_mb / 1024,
        low=forecast.low_mb / 1024,
        high=forecast.high_mb / 1024,
        line=drawn.mb / 1024,
    )
    if forecast.expected_mb <= drawn.mb:
        return Finding("training", "ok", said, figures=figures)
    longest = max(len(e.tokens) for own in data.train.values() for e in own)
    *_, smallest = halvings(asked, longest=longest)
    least = _forecast(trainer, job, smallest)
    if least.low_mb > drawn.mb:
        return Finding("training", "error", said, over(least.low_mb, drawn, run="RUN").fix, figures)
    return Finding("training", "warning", said, say("packs will shrink, which is slower"), figures)


def _forecast(trainer: "Trainer", job: "Job", pack_tokens: int) -> "Forecast":
    from yukjo.train.loop import largest

    found = [trainer.forecast(pack) for pack in largest(job, pack_tokens)]
    return max(found, key=lambda forecast: forecast.expected_mb)


def _show(found: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    marks = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "bold red")}
    grid = Table(box=None, show_header=False)
    for finding in found:
        sign, style = marks[finding.level]
        said = finding.what + (f" → {finding.fix}" if finding.fix else "")
        grid.add_row(Text(sign, style), Text(finding.name), Text(said))
        for part, size in finding.figures.get("parts", {}).items():
            grid.add_row("", "", Text(f"{part}  {size:,.0f} MiB", "dim"))
    Console(highlight=False).print(grid)
