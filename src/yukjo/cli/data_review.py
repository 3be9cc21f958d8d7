"""`yukjo data review`: samples before reviewers, from handing in to approval. Results to stdout."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.data_review import Desk, Said
    from yukjo.data_review.records import Item
    from yukjo.records import Sample

app = typer.Typer(
    no_args_is_help=True, help=say("Review of samples by people: assign, approve, return")
)

Token = Annotated[
    str, typer.Option("--reviewer", metavar="TOKEN", help=say("The token the reviewer was given"))
]
Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE]...", help=say("JSONL files; left out: those of yukjo.toml")),
]
Named = Annotated[str, typer.Argument(metavar="SAMPLE", help=say("A sample by its id or hash"))]


@app.command(
    help=say("Hand samples in for review; again after samples were edited."
             " Example: yukjo data review start --reviewers 2")
)  # fmt: skip
def start(
    files: Files = None,
    reviewers: Annotated[
        int, typer.Option(min=0, help=say("How many new reviewers get a token"))
    ] = 0,
    author: Annotated[
        list[str] | None,
        typer.Option(help=say("Reviewer who wrote or brought in the samples, as r1; may repeat")),
    ] = None,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Put samples into the record by their hashes; tokens are shown now and never again."""
    samples = _samples(project, files)
    with _desk(project) as desk:
        tokens = desk.enrol(reviewers) if reviewers else ()
        made = desk.hand_in(samples.values(), author or ())
    edited = sum(bool(one.before) for one in made)
    if json_:
        print_json({"samples": len(samples), "new": len(made) - edited, "edited": edited,
                    "reviewers": tokens})  # fmt: skip
        return
    typer.echo(say("{count} samples: {new} new, {edited} edited since", count=f"{len(samples):,}",
                   new=f"{len(made) - edited:,}", edited=f"{edited:,}"))  # fmt: skip
    if tokens:
        typer.echo(say("tokens, shown only now; give each to one reviewer:"))
    for token in tokens:
        typer.echo(f"  {token}")


@app.command(
    help=say("Give out what waits, to those who have least to do."
             " Example: yukjo data review assign --agent legal_research")
)  # fmt: skip
def assign(
    reviewer: Annotated[
        list[str] | None, typer.Option(help=say("To this reviewer, as r1; may repeat; else to all"))
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help=say("An agent to review; may repeat; else all"))
    ] = None,
    sample: Annotated[
        list[str] | None, typer.Option(help=say("A sample by its id or hash; may repeat"))
    ] = None,
    most: Annotated[
        int | None, typer.Option(min=1, help=say("At most so many to each reviewer"))
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(metavar="REVIEWER", help=say("First take back what this one hasn't decided")),
    ] = None,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Spread samples; those of `legal_research` go to two people each."""
    with _desk(project) as desk:
        if release:
            desk.release(release)
        given = desk.assign(reviewer or (), agents=agent or (), samples=sample or (), most=most)
    if json_:
        print_json({"given": given})
        return
    for name, hashes in given.items():
        typer.echo(say("{name}: {count} samples", name=name, count=f"{len(hashes):,}"))
    if not given:
        typer.echo(say("nothing is left to give out, or nobody may have it"))


@app.command(
    "next",
    help=say("The reviewer's next sample. Example: yukjo data review next --reviewer TOKEN"),
)
def next_(
    reviewer: Token, files: Files = None, project: Project = Path(), json_: AsJson = False
) -> None:
    """Show a sample whole."""
    from yukjo.cli.data_reviewed import paint, shown

    with _desk(project) as desk:
        name = desk.reviewer(reviewer)
        left = desk.waiting(name)
    sample = _found(_samples(project, files), left[0].hash, left[0].name) if left else None
    if json_:
        print_json({"reviewer": name, "left": len(left),
                    "sample": shown(sample, left[0]) if sample else None})  # fmt: skip
    elif sample:
        paint(sample, left[0], left=len(left))
    else:
        typer.echo(say("nothing is left for this reviewer"))


@app.command(
    help=say("Approve a sample, or decide on all that wait, one after another."
             " Example: yukjo data review approve --reviewer TOKEN")
)  # fmt: skip
def approve(
    reviewer: Token,
    sample: Annotated[
        str | None,
        typer.Argument(
            metavar="[SAMPLE]", help=say("A sample by its id or hash; left out: asks for all")
        ),
    ] = None,
    confirm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ITEM",
            help=say("accuracy, relevance, natural or tools; repeat for each that is right"),
        ),
    ] = None,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Keep an approval, or ask in the terminal until nothing waits or the reviewer leaves."""
    from yukjo.cli.data_reviewed import loop

    if sample is None:
        samples = _samples(project, None)
        with _desk(project) as desk:
            loop(desk, desk.reviewer(reviewer), samples)
        return
    items = _items(confirm, "--confirm")
    with _desk(project) as desk:
        said = desk.approve(desk.reviewer(reviewer), sample, confirmed=items)
        state = desk.book.standing(said.decision.sample).state
    _print(said, state, json_=json_)


@app.command(
    "return",
    help=say("Send a sample back with a reason."
             " Example: yukjo data review return rag-001 --reason REASON --reviewer TOKEN"),
)  # fmt: skip
def return_(
    sample: Named,
    reviewer: Token,
    reason: Annotated[
        str, typer.Option(help=say("What is wrong; it stays in the record for good"))
    ],
    item: Annotated[
        list[str] | None,
        typer.Option(help=say("accuracy, relevance, natural or tools; may repeat")),
    ] = None,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """The sample can't be approved until it is edited, or this reviewer approves it."""
    wrong = _items(item, "--item")
    with _desk(project) as desk:
        said = desk.return_(desk.reviewer(reviewer), sample, reason=reason, wrong=wrong)
        state = desk.book.standing(said.decision.sample).state
    _print(said, state, json_=json_)


@app.command(
    help=say("How far the review is, by agent and reviewer. Example: yukjo data review status")
)
def status(
    returned: Annotated[
        bool, typer.Option("--returned", help=say("List what was returned, with its reasons"))
    ] = False,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Counts of states and of each reviewer's decisions."""
    from yukjo.cli.data_reviewed import counted, paint_returned, paint_status

    with _desk(project) as desk:
        book = desk.book
    found = counted(book)
    back = [s for s in book.standings() if s.state == "returned"] if returned else []
    if json_:
        listed = {"returned": [s.model_dump(mode="json") for s in back]} if returned else {}
        print_json(found | listed)
    else:
        paint_status(found)
        paint_returned(back)


@app.command(
    help=say("All that was said of a sample and its earlier versions."
             " Example: yukjo data review history rag-001")
)  # fmt: skip
def history(sample: Named, project: Project = Path(), json_: AsJson = False) -> None:
    """The newest version first."""
    from yukjo.cli.data_reviewed import paint_history

    with _desk(project) as desk:
        found = desk.history(sample)
    if json_:
        print_json([one.model_dump(mode="json") for one in found])
    else:
        paint_history(found)


@app.command(
    help=say("All decisions as CSV, without texts."
             " Example: yukjo data review export --out review.csv")
)  # fmt: skip
def export(
    out: Annotated[Path | None, typer.Option(help=say("File to write; else stdout"))] = None,
    project: Project = Path(),
) -> None:
    """A row for each sample and each word on it."""
    from yukjo.cli.options import writing_to
    from yukjo.data_review import csv_text
    from yukjo.files import write_whole

    with _desk(project) as desk:
        text = csv_text(desk.book.standings())
    if out is None:
        typer.echo(text, nl=False)
        return
    with writing_to(out):
        write_whole(out, text.encode("utf-8-sig"))  # or spreadsheets take it for CP949


@contextmanager
def _desk(project: Path) -> "Iterator[Desk]":
    from yukjo.config import load
    from yukjo.data_review import Desk
    from yukjo.ledger.opening import open_ledger

    with open_ledger(project, load(project)) as ledger:
        yield Desk(ledger)


def _samples(project: Path, files: list[Path] | None) -> "dict[str, Sample]":
    """The samples of the files, or of the project's, by hash."""
    from yukjo.agents import of_project
    from yukjo.config import load
    from yukjo.data.read import read
    from yukjo.pipeline.prepare import data_files

    config = load(project)
    found = read(files or data_files(project, config), agents=set(of_project(project)),
                 contacts=config.data.allowed_contacts)  # fmt: skip
    return {sample.hash: sample for sample in found.samples}


def _found(samples: "dict[str, Sample]", hash_: str, name: str) -> "Sample":
    """The sample of a hash; ReviewError where the files don't hold it as it was handed in."""
    from yukjo.cli.data_reviewed import gone

    if hash_ not in samples:
        raise gone(name)
    return samples[hash_]


def _items(said: list[str] | None, option: str) -> "tuple[Item, ...]":
    """The items named, also several with commas."""
    from yukjo.data_review import ITEMS
    from yukjo.errors import ReviewError

    named = [part.strip() for text in said or () for part in text.split(",")]
    for one in named:
        if one not in ITEMS:
            raise ReviewError(
                say("there is no item `{item}`", item=one),
                where=option,
                fix=say("one of: {known}", known=", ".join(ITEMS)),
            )
    return tuple(item for item in ITEMS if item in named)


def _print(said: "Said", state: str, *, json_: bool) -> None:
    if json_:
        print_json(said.model_dump(mode="json") | {"state": state})
    else:
        from yukjo.cli.data_reviewed import STATE_WORDS

        typer.echo(say("kept as entry {number}; the sample is now: {state}",
                       number=said.entry, state=STATE_WORDS()[state]))  # fmt: skip
