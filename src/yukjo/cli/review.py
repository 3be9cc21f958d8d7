"""`yukjo review`: blind sessions from start to record. Results go to stdout."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yukjo.cli.options import AsJson, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.evaluate.raw import Raw
    from yukjo.ledger.store import Ledger
    from yukjo.records import Entry
    from yukjo.review import Contest, Room, Terms

app = typer.Typer(
    no_args_is_help=True, help=say("Blind A/B review by people: sides sealed until it is closed")
)

LATEST = "latest"

Session = Annotated[
    str, typer.Option("--session", help=say("A review: its id, a part of it, or `latest`"))
]
Chosen = Annotated[
    str,
    typer.Argument(metavar="[SESSION]", help=say("A review: its id, a part of it, or `latest`")),
]
Token = Annotated[
    str, typer.Option("--rater", metavar="TOKEN", help=say("The token the rater was given"))
]
Key = Annotated[
    Path | None,
    typer.Option("--key", help=say("File of the seal, where it isn't in the usual place")),
]


@app.command(help=say("Draw pairs and seal their sides. Example: yukjo review start --run latest"))
def start(
    run: Annotated[
        str, typer.Option(help=say("The run on trial: its id, a part of it, or `latest`"))
    ] = LATEST,
    against: Annotated[
        str | None,
        typer.Option(metavar="RUN", help=say("Compare with this run's adapters, not with before")),
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help=say("An agent to review; may repeat; else all"))
    ] = None,
    cases: Annotated[
        int | None, typer.Option(min=1, help=say("At most so many cases an agent"))
    ] = None,
    overlap: Annotated[float, typer.Option(help=say("Share of pairs that every rater sees"))] = 0.3,
    repeat: Annotated[
        float, typer.Option(help=say("Share of pairs that their rater sees a second time"))
    ] = 0.0,
    alpha: Annotated[
        float, typer.Option(help=say("Chance of stopping over a difference that is not there"))
    ] = 0.05,
    raters: Annotated[int, typer.Option(min=1, help=say("How many raters get a token"))] = 2,
    key: Annotated[
        Path | None, typer.Option(help=say("New file for the seal, on a medium of its keeper"))
    ] = None,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Make a session; its tokens are shown now and never again."""
    from yukjo import review

    terms = _terms(overlap, repeat, alpha)
    trial, other, found = _contests(project, run, against, agents=agent or [], most=cases)
    with _ledger(project) as ledger:
        made = review.start(
            _place(project), found, terms,
            run=trial, against=other, raters=raters, key=key, ledger=ledger,
        )  # fmt: skip
    if json_:
        print_json({"session": made.session.id, "pairs": len(made.session.pairs),
                    "commitment": made.session.commitment, "raters": made.tokens,
                    "key": str(made.key)})  # fmt: skip
        return
    typer.echo(say("review {session}: {count} pairs", session=made.session.id,
                   count=len(made.session.pairs)))  # fmt: skip
    typer.echo(say("the seal is in {file}: keep it where no rater can read it", file=made.key))
    typer.echo(say("tokens, shown only now; give each to one rater:"))
    for token in made.tokens:
        typer.echo(f"  {token}")


@app.command(help=say("More raters for a review. Example: yukjo review raters --add 1"))
def raters(
    add: Annotated[int, typer.Option(min=1, help=say("How many raters to add"))],
    session: Session = LATEST,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Print the new tokens."""
    from yukjo import review

    tokens = review.enrol(review.find(_place(project), session), add)
    if json_:
        print_json({"raters": tokens})
    else:
        typer.echo("\n".join(tokens))


@app.command("next", help=say("The rater's next pair. Example: yukjo review next --rater TOKEN"))
def next_(
    rater: Token, session: Session = LATEST, project: Project = Path(), json_: AsJson = False
) -> None:
    """Show a pair, blind."""
    from yukjo import review
    from yukjo.cli.rating import paint, shown

    with _room(project, session) as room:
        name = room.rater(rater)
        pair = room.show(name)
        left = len(review.waiting(room.session, name, room.said()))
    if json_:
        print_json({"session": room.session.id, "rater": name,
                    "pair": shown(pair) if pair else None, "left": left})  # fmt: skip
    elif pair:
        paint(pair, left=left)
    else:
        typer.echo(say("nothing is left for this rater"))


@app.command(
    help=say("Rate one pair, or all that wait, one after another."
             " Example: yukjo review rate --rater TOKEN")
)  # fmt: skip
def rate(
    rater: Token,
    pair: Annotated[
        str | None,
        typer.Argument(metavar="[PAIR]", help=say("A pair that was shown; left out: asks for all")),
    ] = None,
    left: Annotated[
        int | None, typer.Option(min=1, max=5, help=say("Score of the left answer, 1 to 5"))
    ] = None,
    right: Annotated[
        int | None, typer.Option(min=1, max=5, help=say("Score of the right answer, 1 to 5"))
    ] = None,
    prefer: Annotated[
        Literal["left", "right", "tie"] | None, typer.Option(help=say("The better answer"))
    ] = None,
    error_left: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help=say("fact, citation, format, tone, personal-data or other; may repeat"),
        ),
    ] = None,
    error_right: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help=say("The same for the right answer"))
    ] = None,
    comment: Annotated[
        str, typer.Option(help=say("What to add; it never leaves the session's folder"))
    ] = "",
    amend: Annotated[
        bool, typer.Option("--amend", help=say("Rate a pair again; the first rating is kept too"))
    ] = False,
    session: Session = LATEST,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Keep a rating, or ask in the terminal until nothing waits or the rater leaves."""
    from yukjo.cli.rating import loop, opinion

    with _room(project, session) as room:
        name = room.rater(rater)
        if pair is None:
            loop(room, name)
            return
        said = opinion(
            left=left, right=right, prefer=prefer, errors_left=error_left or (),
            errors_right=error_right or (), comment=comment,
        )  # fmt: skip
        rating = room.rate(name, pair, said, amend=amend)
    if json_:
        print_json(rating.model_dump(mode="json"))
    else:
        typer.echo(say("kept: {pair}", pair=pair))


@app.command(help=say("Who rated how much, and whether it is enough. Example: yukjo review status"))
def status(
    session: Session = LATEST, key: Key = None, project: Project = Path(), json_: AsJson = False
) -> None:
    """Counts, habits and agreement; with the seal at hand also whether to go on."""
    from yukjo.cli.reviewed import paint_status
    from yukjo.review import read_seal, standing

    with _room(project, session) as room:
        file = key or _key(project, room)
        seal = read_seal(file, room.session) if key or file.exists() else None
        found = standing(room.session, room.said(), seal)
    if json_:
        print_json(found)
    else:
        paint_status(found)


@app.command(help=say("End a review, open its sides, record it. Example: yukjo review close"))
def close(
    session: Session = LATEST, key: Key = None, project: Project = Path(), json_: AsJson = False
) -> None:
    """Record what was found, and show it."""
    from yukjo.review import read_seal

    with _room(project, session) as room, _ledger(project) as ledger:
        seal = read_seal(key or _key(project, room), room.session)
        entry = room.close(seal, ledger)
    _print(entry, json_=json_)


@app.command(help=say("What a closed review found. Example: yukjo review show latest --json"))
def show(session: Chosen = LATEST, project: Project = Path(), json_: AsJson = False) -> None:
    """Read it from the record."""
    with _room(project, session) as room, _ledger(project) as ledger:
        _print(_recorded(room, ledger), json_=json_)


@app.command(help=say("All ratings as CSV. Example: yukjo review export --out ratings.csv"))
def export(
    session: Chosen = LATEST,
    out: Annotated[Path | None, typer.Option(help=say("File to write; else stdout"))] = None,
    project: Project = Path(),
) -> None:
    """Every rating with its history; the sides by name once the session is closed."""
    from yukjo import review
    from yukjo.files import write_whole

    with _room(project, session) as room, _ledger(project) as ledger:
        entry = review.recorded(room.session, ledger)
        after = entry.body["opened"]["after"] if entry else {}
        text = review.csv_text(room.session, room.said(), after)
    if out:
        write_whole(
            out, text.encode("utf-8-sig")
        )  # spreadsheets take UTF-8 without a mark for CP949
    else:
        typer.echo(text, nl=False)


@app.command(
    help=say("Check a review against the record; exit 1 on any change."
             " Example: yukjo review verify")
)  # fmt: skip
def verify(session: Chosen = LATEST, project: Project = Path(), json_: AsJson = False) -> None:
    """Pairs, seal, ratings and figures; a file that can't be read is a fault."""
    from yukjo import review
    from yukjo.errors import LedgerError, ReviewError

    folder = review.find(_place(project), session)
    try:
        with review.Room(folder) as room, _ledger(project) as ledger:
            found = review.faults(room, ledger)
    except (LedgerError, ReviewError) as fault:
        found = [f"{fault.what} ({fault.where})"]
    if json_:
        print_json({"session": folder.name, "ok": not found, "faults": found})
    else:
        typer.echo("\n".join(found) or say("the review is as it was announced and rated"))
    raise typer.Exit(1 if found else 0)


def _print(entry: "Entry", *, json_: bool) -> None:
    from yukjo.cli.reviewed import paint_results

    if json_:
        print_json({"entry": {"number": entry.number, "hash": entry.hash}, "run": entry.run}
                   | entry.body)  # fmt: skip
    else:
        paint_results(entry)


def _terms(overlap: float, repeat: float, alpha: float) -> "Terms":
    from pydantic import ValidationError

    from yukjo.errors import ConfigError
    from yukjo.review import Terms

    try:
        return Terms(overlap=overlap, repeat=repeat, alpha=alpha)
    except ValidationError as fault:
        first = fault.errors()[0]
        raise ConfigError(
            say("the session can't be held like that: {why}", why=first["msg"]),
            where=f"--{first['loc'][0]}",
            fix=say("give a share between 0 and 1"),
        ) from None


def _contests(
    project: Path, run: str, against: str | None, *, agents: list[str], most: int | None
) -> tuple[str, str, list["Contest"]]:
    """The run on trial, the run it is compared with ("" for its own before side), the pairs."""
    from yukjo.agents import of_project
    from yukjo.config import load
    from yukjo.data.read import read
    from yukjo.pipeline.prepare import data_files
    from yukjo.review import contests

    config, known = load(project), set(of_project(project))
    found = read(data_files(project, config), agents=known,
                 contacts=config.data.allowed_contacts)  # fmt: skip
    samples = {sample.hash: sample for sample in found.samples}
    trial, raw = _answers(project, run)
    other, old = _answers(project, against) if against else ("", raw)
    before = old.after if against else old.before
    return trial, other, contests(samples, before, raw.after, agents=agents, most=most)


def _answers(project: Path, run: str) -> tuple[str, "Raw"]:
    """A run's id and what was answered in it."""
    from yukjo import runs
    from yukjo.evaluate.raw import read

    folder = runs.find(_runs(project), run, having=("answers.jsonl",))
    with folder.answers.open(encoding="utf-8") as rows:
        return folder.id, read(rows, where=str(folder.answers))


def _runs(project: Path) -> Path:
    from yukjo import pipeline
    from yukjo.config import load

    return pipeline.runs_folder(project, load(project))


def _place(project: Path) -> Path:
    """Where a project keeps its reviews."""
    return _runs(project) / "reviews"


def _ledger(project: Path) -> "Ledger":
    from yukjo.config import load
    from yukjo.ledger.opening import open_ledger

    return open_ledger(project, load(project))


def _room(project: Path, session: str) -> "Room":
    from yukjo.review import Room, find

    return Room(find(_place(project), session))


def _key(project: Path, room: "Room") -> Path:
    from yukjo.review import key_file

    return key_file(_place(project), room.session.id)


def _recorded(room: "Room", ledger: "Ledger") -> "Entry":
    from yukjo.errors import ReviewError
    from yukjo.review import recorded

    entry = recorded(room.session, ledger)
    if entry is None:
        raise ReviewError(
            say("the review is not closed: its sides are sealed"),
            where=say("session {session}", session=room.session.id),
            fix=say("close it first: `yukjo review close`; until then `yukjo review status`"),
        )
    return entry
