"""`yukjo data`: check files, count samples, compare with the plan, split. Results go to stdout."""

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, print_json
from yukjo.errors import DataError
from yukjo.words import say

if TYPE_CHECKING:
    from rich.table import Table

    from yukjo.data.findings import Report
    from yukjo.data.plan import AgentPlan, Gap
    from yukjo.data.split import Split
    from yukjo.data.stats import Part
    from yukjo.records import Sample

app = typer.Typer(no_args_is_help=True, help=say("Data files: check, count, plan, split"))

SHOWN = 50
"""Findings in a table; `--json` has more."""

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help=say("JSONL files"))]
Agents = Annotated[
    list[str] | None,
    typer.Option(
        "--agent", help=say("An agent that may occur; repeat for more (default: the six)")
    ),
]

Contacts = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        help=say("The project whose `[data] allowed_contacts` may stand in the data"
                 " (default: the one here, if there is one)"),
    ),
]  # fmt: skip


@app.command(help=say("What is wrong with data files; exit 1 on errors. "
                      "Example: yukjo data check data/*.jsonl --json"))  # fmt: skip
def check(
    files: Files, agents: Agents = None, project: Contacts = None, json_: AsJson = False
) -> None:
    """Every fault, with its place and its mend."""
    from yukjo.data.check import check as checked

    report = checked(files, agents=_allowed(agents), contacts=_contacts(project))
    if json_:
        print_json(report.model_dump(mode="json"))
    else:
        _print(*_findings(report))
    raise typer.Exit(1 if report.errors else 0)


@app.command(help=say("Samples and shares per agent. Example: yukjo data stats data/train.jsonl"))
def stats(
    files: Files, agents: Agents = None, project: Contacts = None, json_: AsJson = False
) -> None:
    """Count samples per agent, difficulty and topic."""
    from yukjo.data.stats import stats as counted

    found = counted(_samples(files, agents, project))
    if json_:
        print_json(found.model_dump(mode="json"))
        return
    _print(
        _parts(say("agent"), found.agents),
        _parts(say("difficulty"), found.difficulty),
        _parts(say("topic"), found.topics),
        say("{count} samples in all", count=f"{found.total:,}"),
    )


@app.command(help=say("What is still to be collected. "
                      "Example: yukjo data plan data/train.jsonl --stage 2"))  # fmt: skip
def plan(
    files: Files,
    stage: Annotated[int, typer.Option(help=say("1, 2 or 3: 100, 200 or 500 an agent"))] = 1,
    agents: Agents = None,
    project: Contacts = None,
    json_: AsJson = False,
) -> None:
    """The gap between the samples and a stage of the plan."""
    from yukjo.data.plan import plan as planned

    gap = planned(_samples(files, agents, project), stage=stage, agents=_allowed(agents))
    if json_:
        print_json(gap.model_dump(mode="json"))
        return
    table = _table(say("agent"), say("samples"), *_DIFFICULTY, say("exceptions"), say("absent"))
    for agent, part in gap.agents.items():
        absent = ", ".join(part.absent) if part.samples.have else say("all topics")
        table.add_row(agent, *_gaps(part), absent or "-")
    _print(
        table,
        say("have/wanted at stage {stage}; topics fall {missing} short", stage=stage,
            missing=sum(t.missing for part in gap.agents.values() for t in part.topics.values())),
    )  # fmt: skip


@app.command(help=say("Write train, valid and test files, split by content. "
                      "Example: yukjo data split data/*.jsonl --out data/split"))  # fmt: skip
def split(
    *,
    files: Files,
    out: Annotated[Path, typer.Option(help=say("Folder for train, valid and test .jsonl"))],
    valid: Annotated[float, typer.Option(help=say("Share held out to choose"))] = 0.1,
    test: Annotated[float, typer.Option(help=say("Share held out to measure"))] = 0.2,
    force: Annotated[bool, typer.Option("--force", help=say("Overwrite other content"))] = False,
    agents: Agents = None,
    project: Contacts = None,
    json_: AsJson = False,
) -> None:
    """Three files; near duplicates never stand in two of them."""
    from yukjo.data.split import SIDES
    from yukjo.data.split import split as divided

    made = divided(_samples(files, agents, project), valid=valid, test=test)
    _write({f"{side}.jsonl": made.side(side) for side in SIDES}, out, force=force)
    _warn_of_bare(made)
    counts = {side: len(made.side(side)) for side in SIDES}
    if json_:
        print_json({"out": str(out), "samples": counts, "shares": made.shares})
        return
    table = _table(say("agent"), *SIDES)
    for agent, shares in made.shares.items():
        table.add_row(agent, *(f"{shares[side]:.1%}" for side in SIDES))
    table.add_row(say("samples"), *(f"{counts[side]:,}" for side in SIDES))
    _print(table)


_DIFFICULTY = ("쉬움", "보통", "어려움")


def _allowed(agents: list[str] | None) -> tuple[str, ...]:
    """The agents that may occur: those asked for, else the six."""
    from yukjo.records import SIX

    return tuple(agents or SIX)


def _contacts(project: Path | None) -> tuple[str, ...]:
    """The contacts that a project lets stand; none where there is no project."""
    from yukjo.config import load
    from yukjo.config.load import FILE

    if project is None and not Path(FILE).is_file():
        return ()
    return load(project or Path()).data.allowed_contacts


def _samples(
    files: list[Path], agents: list[str] | None, project: Path | None
) -> "tuple[Sample, ...]":
    """The samples in `files`; says on stderr how many repeats were dropped."""
    from yukjo.data.read import read

    data = read(files, agents=_allowed(agents), contacts=_contacts(project))
    if data.dropped:
        typer.echo(say("repeated samples dropped: {count}", count=data.dropped), err=True)
    return data.samples


def _warn_of_bare(made: "Split") -> None:
    """Say on stderr which agent has nothing on which side."""
    for agent, side in made.bare:
        typer.echo(say("{agent} has no sample on side {side}", agent=agent, side=side), err=True)


def _write(files: "dict[str, tuple[Sample, ...]]", out: Path, *, force: bool) -> None:
    """Write all files or none; the same content again is no overwriting."""
    from yukjo.files import sorted_json

    contents = {
        out / name: "".join(sorted_json(_row(sample, out)) + "\n" for sample in samples).encode()
        for name, samples in files.items()
    }
    try:
        fresh = {
            p: data for p, data in contents.items() if not p.exists() or p.read_bytes() != data
        }
        taken = [path.name for path in fresh if path.exists()]
        if not taken or force:
            _replace_all(fresh, out)
            return
    except OSError as fault:
        raise DataError(
            say("the split can't be written: {fault}", fault=fault.strerror or fault),
            where=str(out),
            fix=say("name a folder that can be written with --out"),
        ) from None
    raise DataError(
        say("other content stands there already: {files}", files=", ".join(taken)),
        where=str(out),
        fix=say("choose another folder, or overwrite it with --force"),
    )


def _replace_all(contents: dict[Path, bytes], out: Path) -> None:
    """Put every file beside its place, whole and on disk, before the first one is moved in."""
    import tempfile

    from yukjo.files import write_whole

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".split.") as folder:
        for path, data in contents.items():
            write_whole(Path(folder) / path.name, data)
        for path in contents:
            (Path(folder) / path.name).replace(path)


def _row(sample: "Sample", out: Path) -> dict[str, object]:
    """A sample as a line of a file in `out`: absent fields left out, `input` always there."""
    row: dict[str, object] = sample.model_dump(mode="json", exclude_defaults=True)
    if sample.images:
        row["images"] = [_below(image.path, out) for image in sample.images]
    return row | {"input": sample.input}


def _below(image: Path, out: Path) -> str:
    """The name of an image from `out` on; DataError where it lies elsewhere."""
    if not image.is_relative_to(out.resolve()):
        raise DataError(
            say("the images don't lie below the folder that is written to"),
            where=str(image),
            fix=say("name the folder of the data file itself with --out"),
        )
    return image.relative_to(out.resolve()).as_posix()


def _findings(report: "Report") -> "list[Table | str]":
    """A report as one table a file, then the count of each code and a last line."""
    warnings_last = sorted(report.findings, key=lambda found: found.level == "warning")
    kept = {id(found) for found in warnings_last[:SHOWN]}
    shown = [found for found in report.findings if id(found) in kept]
    parts: list[Table | str] = []
    for file, group in groupby(shown, key=lambda found: found.file):
        table = _table(say("line"), say("code"), say("message"), say("mend"))
        for found in group:
            mark = "✗" if found.level == "error" else "!"
            message = _message(found.field, found.message)
            table.add_row(f"{found.line:,}", f"{mark} {found.code}", message, found.fix)
        parts += [file, table]
    if len(report.findings) + report.omitted > SHOWN:
        counts = Counter(found.code for found in report.findings).most_common()
        parts.append(say("the first {count} are shown; --json has more", count=SHOWN))
        parts.append(", ".join(f"{code} {count:,}" for code, count in counts))
    last = say("{lines} lines, {errors} errors, {warnings} warnings", lines=f"{report.lines:,}",
               errors=f"{report.errors:,}", warnings=f"{report.warnings:,}")  # fmt: skip
    return [*parts, last]


def _message(field: str | None, message: str) -> str:
    """A message with the field it is about, unless it names it itself."""
    return message if field is None or field in message else f"{field}: {message}"


def _parts(name: str, parts: "dict[str, Part]") -> "Table":
    """Counts and shares as a table."""
    table = _table(name, say("count"), say("share"))
    for label, part in parts.items():
        table.add_row(label, f"{part.count:,}", f"{part.share:.1%}")
    return table


def _gaps(part: "AgentPlan") -> list[str]:
    """An agent's numbers, have/wanted."""
    gaps: list[Gap] = [part.samples, *part.difficulty.values(), part.exceptions]
    return [f"{gap.have}/{gap.want}" for gap in gaps]


def _table(*columns: str) -> "Table":
    """An empty table; cells are plain text, whatever brackets they hold."""
    from rich.table import Table

    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    return table


def _print(*parts: "Table | str") -> None:
    """Print tables and lines to stdout."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    for part in parts:
        console.print(part)
