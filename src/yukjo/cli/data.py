"""`yukjo data`: check files, count samples, compare with the plan, split. Results go to stdout."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Contacts, contacts_of, print_json
from yukjo.errors import DataError
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.data.split import Split
    from yukjo.records import Sample

app = typer.Typer(no_args_is_help=True, help=say("Data files: check, count, plan, split"))

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help=say("JSONL files"))]
Agents = Annotated[
    list[str] | None,
    typer.Option(
        "--agent", help=say("An agent that may occur; repeat for more (default: the six)")
    ),
]


@app.command(help=say("What is wrong with data files; exit 1 on errors. "
                      "Example: yukjo data check data/*.jsonl --json"))  # fmt: skip
def check(
    files: Files,
    agents: Agents = None,
    project: Contacts = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help=say("Processes that read (default: 2 where the files are large)")),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Every fault, with its place and its mend."""
    from yukjo.cli.data_shown import findings, show
    from yukjo.cli.reading import Reading, workers_for
    from yukjo.data.check import check as checked

    with Reading() as reading:
        report = checked(files, agents=_allowed(agents), contacts=contacts_of(project),
                         workers=workers or workers_for(files),
                         progress=reading.progress)  # fmt: skip
    if json_:
        print_json(report.model_dump(mode="json"))
    else:
        show(*findings(report))
    raise typer.Exit(1 if report.errors else 0)


@app.command(help=say("Samples per agent, by difficulty and topic; exceptions, lengths, sources. "
                      "Example: yukjo data stats data/train.jsonl"))  # fmt: skip
def stats(
    files: Files, agents: Agents = None, project: Contacts = None, json_: AsJson = False
) -> None:
    """Count samples every way."""
    from yukjo.cli.data_shown import counts, show
    from yukjo.data.stats import stats as counted

    found = counted(_samples(files, agents, project))
    if json_:
        print_json(found.model_dump(mode="json"))
    else:
        show(*counts(found))


@app.command(help=say("What is still to be collected, and what of it next. "
                      "Example: yukjo data plan data/train.jsonl --stage 2 --next 10"))  # fmt: skip
def plan(
    *,
    files: Files,
    stage: Annotated[int, typer.Option(help=say("1, 2 or 3: 100, 200 or 500 an agent"))] = 1,
    next_: Annotated[
        int,
        typer.Option("--next", min=0, help=say("Kinds of lines to collect next, of each agent")),
    ] = 6,
    agents: Agents = None,
    project: Contacts = None,
    json_: AsJson = False,
) -> None:
    """The gap between the samples and a stage of the plan."""
    from yukjo.agents import roles
    from yukjo.cli.data_shown import gaps, show
    from yukjo.data.plan import plan as planned
    from yukjo.data.wanted import wanted

    tooled = [name for name, role in roles().items() if role.tools]
    found = _samples(files, agents, project)
    gap = planned(found, stage=stage, agents=_allowed(agents), tooled=tooled)
    coming = wanted(gap)
    if json_:
        first = [one.model_dump(mode="json") for agent in gap.agents
                 for one in [own for own in coming if own.agent == agent][:next_]]  # fmt: skip
        print_json(gap.model_dump(mode="json") | {"next": first})
    else:
        show(*gaps(gap, coming, most=next_))


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
    from yukjo.cli.data_shown import show, table
    from yukjo.data.split import SIDES
    from yukjo.data.split import split as divided

    made = divided(_samples(files, agents, project), valid=valid, test=test)
    _write({f"{side}.jsonl": made.side(side) for side in SIDES}, out, force=force)
    _warn_of_bare(made)
    _warn_of_shared(made)
    counts = {side: len(made.side(side)) for side in SIDES}
    if json_:
        print_json({"out": str(out), "samples": counts, "shares": made.shares})
        return
    grid = table(say("agent"), *SIDES)
    for agent, shares in made.shares.items():
        grid.add_row(agent, *(f"{shares[side]:.1%}" for side in SIDES))
    grid.add_row(say("samples"), *(f"{counts[side]:,}" for side in SIDES))
    show(grid)


@app.command(help=say("What test files share with training files; exit 1 where they do."
                      " Example: yukjo data leak train.jsonl --test test.jsonl"))  # fmt: skip
def leak(
    files: Files,
    test: Annotated[
        list[Path], typer.Option(help=say("JSONL file that is measured on; repeat for more"))
    ],
    agents: Agents = None,
    project: Contacts = None,
    json_: AsJson = False,
) -> None:
    """Copies and near copies of samples, questions, answers and images."""
    from yukjo.cli.data_shown import leaked, show
    from yukjo.data.leak import leaks

    found = leaks(files, test, agents=_allowed(agents), contacts=contacts_of(project))
    if json_:
        print_json(found.model_dump(mode="json"))
    else:
        show(*leaked(found))
    raise typer.Exit(1 if found.leaks else 0)


def _allowed(agents: list[str] | None) -> tuple[str, ...]:
    """The agents that may occur: those asked for, else the six."""
    from yukjo.records import SIX

    return tuple(agents or SIX)


def _samples(
    files: list[Path], agents: list[str] | None, project: Path | None
) -> "tuple[Sample, ...]":
    """The samples in `files`; says on stderr how many repeats were dropped."""
    from yukjo.data.read import read

    data = read(files, agents=_allowed(agents), contacts=contacts_of(project))
    if data.dropped:
        typer.echo(say("repeated samples dropped: {count}", count=data.dropped), err=True)
    return data.samples


def _warn_of_bare(made: "Split") -> None:
    """Say on stderr which agent has nothing on which side."""
    for agent, side in made.bare:
        typer.echo(say("{agent} has no sample on side {side}", agent=agent, side=side), err=True)


def _warn_of_shared(made: "Split") -> None:
    """Say on stderr what the test side shares with training though no sample is near another."""
    from yukjo.data.leak import shared

    for aspect, count in sorted(shared([*made.train, *made.valid], made.test).items()):
        typer.echo(say("{count} test samples share their {aspect} with training", count=count,
                       aspect=aspect), err=True)  # fmt: skip


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
