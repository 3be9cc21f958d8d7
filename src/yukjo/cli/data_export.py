"""`yukjo data export`: samples for other tools, and a set's description for catalogues."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yukjo.cli.data import Agents
from yukjo.cli.options import AsJson, Contacts, contacts_of, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.records import Sample

HELP = say(
    "Write samples as ChatML or Alpaca lines, or a Croissant description of the files."
    " Example: yukjo data export data/train.jsonl --format chatml --out train.chatml.jsonl"
)

Format = Literal["chatml", "alpaca", "croissant"]


def export(
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help=say("JSONL files"))],
    out: Annotated[Path, typer.Option(help=say("File to write"))],
    format_: Annotated[Format, typer.Option("--format", help=say("What to write"))],
    history: Annotated[
        bool, typer.Option("--history", help=say("Alpaca: earlier turns as `history`"))
    ] = False,
    name: Annotated[str | None, typer.Option(help=say("Croissant: name of the set"))] = None,
    description: Annotated[str | None, typer.Option(help=say("Croissant: what it is"))] = None,
    url: Annotated[str | None, typer.Option(help=say("Croissant: its address"))] = None,
    creator: Annotated[str | None, typer.Option(help=say("Croissant: who made it"))] = None,
    published: Annotated[
        str | None,
        typer.Option("--date", help=say("Croissant: day it is published (default: today)")),
    ] = None,
    version: Annotated[str, typer.Option(help=say("Croissant: version of the set"))] = "1.0.0",
    agents: Agents = None,
    project: Contacts = None,
    force: Annotated[bool, typer.Option("--force", help=say("Overwrite other content"))] = False,
    json_: AsJson = False,
) -> None:  # fmt: skip
    """Read the samples, write them anew."""
    from yukjo.data.exports import exported, lines
    from yukjo.data.imports.write import refuse_taken, unwritable
    from yukjo.data.versions import version as version_of
    from yukjo.files import write_whole

    refuse_taken(out, force=force)
    read = _read(files, agents, contacts_of(project))
    samples = list({s.hash: s for held in read.values() for s in held}.values())
    if format_ == "croissant":
        from yukjo.data.exports.croissant import About, croissant, text_of

        about = About(
            name=_said("--name", name),
            description=_said("--description", description),
            url=_said("--url", url),
            creator=_said("--creator", creator),
            published=_day(published),
            version=version,
        )
        content = text_of(croissant(read, about, out=out))
    else:
        content = b"".join(lines(exported(samples, format_, history=history)))
    try:
        write_whole(out, content)
    except OSError as fault:
        raise unwritable(out, fault) from None
    made = {"out": str(out), "format": format_, "samples": len(samples),
            "version": version_of(samples)}  # fmt: skip
    if json_:
        print_json(made)
        return
    typer.echo(say("{count} samples, version {version}", count=f"{len(samples):,}",
                   version=version_of(samples)[:16]))  # fmt: skip
    typer.echo(say("written: {file}", file=out))


def _read(
    files: list[Path], agents: list[str] | None, contacts: tuple[str, ...]
) -> "dict[Path, tuple[Sample, ...]]":
    """The samples of each file; all files must be right together."""
    from yukjo.data.read import read
    from yukjo.records import SIX

    allowed = tuple(agents or SIX)
    everything = read(files, agents=allowed, contacts=contacts)
    if everything.dropped:
        typer.echo(say("repeated samples dropped: {count}", count=everything.dropped), err=True)
    return {
        file: read([file], agents=allowed, contacts=contacts).samples
        for file in dict.fromkeys(files)
    }


def _said(option: str, value: str | None) -> str:
    """What Croissant asks for and only a person knows."""
    from yukjo.errors import ConfigError

    if value and value.strip():
        return value.strip()
    raise ConfigError(
        say("a Croissant description needs {option}", option=option),
        where=option,
        fix=say("give --name, --description, --url and --creator"),
    )


def _day(text: str | None) -> date:
    from yukjo.errors import ConfigError
    from yukjo.korean.text import shown

    try:
        return date.fromisoformat(text) if text else datetime.now(UTC).date()
    except ValueError:
        raise ConfigError(
            say("`{value}` is no day", value=shown(text or "")),
            where="--date",
            fix=say("write it as {example}", example="2026-03-02"),
        ) from None
