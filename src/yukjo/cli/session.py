"""What the commands that work on a base do first: settings, data check, base, data, run folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from yukjo import pipeline, runs, wiring
from yukjo.agents import of_project
from yukjo.cli.reading import workers_for
from yukjo.cli.watch import Shown
from yukjo.config import YukjoConfig, load
from yukjo.config.chain import of_stage
from yukjo.data.check import check
from yukjo.ledger.opening import open_ledger
from yukjo.pipeline.chain import Chain
from yukjo.pipeline.prepare import data_files
from yukjo.train.sessions import refuse_second
from yukjo.words import say


@contextmanager
def opened(
    project: Path, *, resume: str | None = None, changes: Mapping[str, Any] | None = None
) -> Iterator[pipeline.Work]:
    """Open a project, with `changes` to its settings. Exit 1 where its data has errors."""
    with working(project, load(project, changes), resume=resume) as work:
        yield work


@contextmanager
def working(
    project: Path, config: YukjoConfig, *, resume: str | None = None, interrupted: str = ""
) -> Iterator[pipeline.Work]:
    """Open a project with these settings instead of its file's.

    `interrupted` is said to who stops it, if it can't be gone on with.
    """
    place = pipeline.runs_folder(project, config)
    with Shown() as watch, open_ledger(project, config) as ledger:
        folder = _begun(place, resume) if resume else None
        watch.stage("check")
        _refuse_errors(project, data_files(project, config), config.data.allowed_contacts)
        watch.stage("base")
        parts = wiring.open_parts(config, project)
        watch.note(parts.notice)
        prepared = pipeline.prepare(project, config, parts.tokenizer)
        for refusal in prepared.refused:
            watch.note(say("left out: {name} ({reason})", name=refusal.name, reason=refusal.reason))
        folder = folder or runs.start(place)
        with _at_work(folder, watch, interrupted):
            yield pipeline.Work(project, parts, config, prepared, folder, ledger, watch)


@contextmanager
def linked(project: Path, config: YukjoConfig, *, resume: str | None = None) -> Iterator[Chain]:
    """Open a chain project; its bases are opened by its stages, one after another."""
    place = pipeline.runs_folder(project, config)
    with Shown() as watch, open_ledger(project, config) as ledger:
        folder = _begun(place, resume) if resume else None
        watch.stage("check")
        first = of_stage(config, config.chain.stages[0])
        more = (*config.chain.files, *config.chain.kept_files)
        files = [*data_files(project, first), *(project / f for f in more)]
        _refuse_errors(project, files, first.data.allowed_contacts)
        folder = folder or runs.start(place)
        with _at_work(folder, watch):
            yield Chain(project, config, of_project(project), folder, ledger, watch,
                        wiring.open_parts)  # fmt: skip


@contextmanager
def _at_work(folder: runs.RunFolder, watch: Shown, interrupted: str = "") -> Iterator[None]:
    """Say how to go on where the work in `folder` is interrupted or the disk refuses."""
    try:
        with folder.writing():
            yield
    except KeyboardInterrupt:
        watch.note(interrupted or say("go on with --resume {run}", run=folder.id))
        raise


def _begun(place: Path, name: str) -> runs.RunFolder:
    """The folder of a run to go on with, which nobody else is at work on."""
    folder = runs.find(place, name, having=runs.TRAINED)
    with folder.writing():
        for events in (folder.events, *folder.path.glob("*/events.jsonl")):
            refuse_second(events)
        folder.clear()
    return folder


def _refuse_errors(project: Path, files: Sequence[Path], contacts: Sequence[str]) -> None:
    """Leave with 1, after the first errors on stderr, where the data can't be trained on."""
    report = check(files, agents=set(of_project(project)), contacts=contacts,
                   workers=workers_for(files))  # fmt: skip
    if not report.errors:
        return
    errors = [finding for finding in report.findings if finding.level == "error"]
    for finding in errors[:10]:
        typer.echo(f"{finding.file}:{finding.line} {finding.code}: {finding.message}", err=True)
    typer.echo(
        say("{count} errors in the data; all: yukjo data check {files}",
            count=report.errors, files=" ".join(map(str, files))),
        err=True,
    )  # fmt: skip
    raise typer.Exit(1)
