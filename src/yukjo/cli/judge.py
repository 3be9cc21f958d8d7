"""`yukjo judge`: what a model makes of a run's kept answers, and how far people agree with it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.config import YukjoConfig
    from yukjo.evaluate.agreement import Agreement
    from yukjo.evaluate.judge import Judged, Pair

HELP = say(
    "Ask a model which of a run's answers are better, before or after; it decides nothing."
    " Example: yukjo judge latest --people rated.jsonl"
)


def judge(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help=say("Run id, a part of it, or `latest`"))
    ],
    project: Project = Path(),
    people: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help=say("People's verdicts as JSONL: `case` and `verdict`, before, after or tie"),
        ),
    ] = None,
    cases: Annotated[int | None, typer.Option(min=1, help=say("Ask about so many cases"))] = None,
    set_: Changes = None,
    json_: AsJson = False,
) -> None:
    """Ask about the greedy answers of both sides, case by case."""
    from yukjo.config import change, load
    from yukjo.evaluate.agreement import agreement
    from yukjo.evaluate.judge import judge as ask

    config = load(project, dict(map(change, set_ or ())))
    found = _pairs(project, config, run)[:cases]
    rated = _rated(people, found) if people else {}
    judged = ask(found, config.judge)
    verdicts = {one.case: one.verdict for one in judged.opinions if one.verdict}
    agreed = agreement(verdicts, rated)
    if json_:
        document = judged.model_dump(mode="json") | {"counts": judged.counts}
        print_json(document | {"people": agreed.model_dump(mode="json") if people else None})
        return
    _show(judged, agreed if people else None)


def _pairs(project: Path, config: "YukjoConfig", run: str) -> "list[Pair]":
    """Both greedy answers of every case of a run, by the project's data."""
    from yukjo import pipeline, runs
    from yukjo.agents import of_project
    from yukjo.data.read import read
    from yukjo.evaluate import raw
    from yukjo.evaluate.judge import pairs
    from yukjo.pipeline.prepare import data_files

    folder = runs.find(pipeline.runs_folder(project, config), run, having=["answers.jsonl"])
    with folder.answers.open(encoding="utf-8") as rows:
        kept = raw.read(rows, where=str(folder.answers))
    found = read(data_files(project, config), agents=set(of_project(project)),
                 contacts=config.data.allowed_contacts)  # fmt: skip
    return pairs(found.samples, kept)


def _rated(file: Path, asked: "list[Pair]") -> dict[str, str]:
    """People's verdicts by case; DataError names the line that can't be used."""
    from yukjo.errors import DataError

    known = {name: pair.case for pair in asked for name in (pair.name, pair.case)}
    found: dict[str, str] = {}
    rows = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(rows, 1):
        try:
            row = json.loads(line)
            verdict = {v: v for v in ("before", "after", "tie")}[row["verdict"]]
            if row["case"] in known:
                found[known[row["case"]]] = verdict
        except (ValueError, LookupError, TypeError, RecursionError):
            raise DataError(
                say("this line is no verdict"),
                where=f"{file}:{number}",
                fix='{"case": "rag-001", "verdict": "after"}',
            ) from None
    return found


def _show(judged: "Judged", agreed: "Agreement | None") -> None:
    typer.echo(
        say("{total} pairs: {after} better after, {before} better before, {tie} ties"
            " ({swayed} of them swayed by the order), {errors} errors",
            total=len(judged.opinions), **judged.counts)
    )  # fmt: skip
    if agreed:
        typer.echo(
            say("with people, over {n} cases: agreed {agreed}, kappa {kappa} ({low} ~ {high})",
                **{name: "–" if value is None else value
                   for name, value in agreed.model_dump().items()})
        )  # fmt: skip
