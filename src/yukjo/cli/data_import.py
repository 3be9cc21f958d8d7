"""`yukjo data import` and `yukjo data finish`: files of others become samples, or drafts of them.

Exit 1 where a row was refused or none was taken; the rows that could be taken are written.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yukjo.cli.data import Agents
from yukjo.cli.options import AsJson, Contacts, contacts_of, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from rich.table import Table

    from yukjo.data.imports.report import FileRead, Report

IMPORT = say(
    "Bring in chats (JSONL), tables (CSV, XLSX) as samples, documents (HWPX, HWP, PDF, TXT, MD) as"
    " drafts; exit 1 where a row is refused."
    " Example: yukjo data import 민원.xlsx --agent citizen_support --license CC-BY-4.0"
    " --out data/new.jsonl"
)
FINISH = say(
    "Make samples of the drafts that have a question and an answer; exit 1 where one is refused."
    " Example: yukjo data finish 지침.drafts.jsonl --out data/new.jsonl"
)

SHOWN = 50
"""Refused rows in a table; `--json` has more."""

_CELL = 120
"""Characters of a text in the preview."""

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help=say("Files to import"))]
Out = Annotated[Path | None, typer.Option(help=say("File to write; *.drafts.jsonl for documents"))]
Force = Annotated[bool, typer.Option("--force", help=say("Overwrite other content"))]
Keep = Annotated[
    bool,
    typer.Option("--keep-personal-data", help=say("Don't mask personal data (it is by default)")),
]
Preview = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help=say("Only show the first N rows that would be written")),
]


def import_(
    *,
    files: Files,
    license_: Annotated[
        str, typer.Option("--license", help=say("Licence of the rows that name none"))
    ],
    out: Out = None,
    agent: Annotated[
        str | None, typer.Option(help=say("Agent of the rows that name none"))
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN",
            help=say("Column of a field that was guessed wrong; may repeat: --map output=Answer"),
        ),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help=say("The one sheet to read (default: all)"))
    ] = None,
    preview: Preview = None,
    force: Force = False,
    keep: Keep = False,
    project: Contacts = None,
    json_: AsJson = False,
) -> None:  # fmt: skip
    """Read, mask, check, write."""
    from yukjo.data.imports import Asked, Import
    from yukjo.data.imports.columns import asked

    told = Asked(
        license=_licence(license_),
        agents=_agents(agent),
        agent=agent,
        columns=asked(map_ or ()),
        sheet=sheet,
        mask=not keep,
        contacts=contacts_of(project),
    )
    _warn(keep=keep)
    _run(Import(files, told), out, preview, force=force, json_=json_)


def finish(
    *,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help=say("Files of drafts (*.drafts.jsonl)"))
    ],
    out: Out = None,
    preview: Preview = None,
    force: Force = False,
    keep: Keep = False,
    project: Contacts = None,
    agents: Agents = None,
    json_: AsJson = False,
) -> None:  # fmt: skip
    """Read, mask, check, write."""
    from yukjo.data.imports.finish import Finish
    from yukjo.records import SIX

    _warn(keep=keep)
    work = Finish(files, agents=tuple(agents or SIX), mask=not keep, contacts=contacts_of(project))
    _run(work, out, preview, force=force, json_=json_)


def _run(work: Any, out: Path | None, count: int | None, *, force: bool, json_: bool) -> None:  # noqa: ANN401
    """Preview or write, show the report, leave."""
    from yukjo.data.imports.write import preview, write
    from yukjo.errors import ConfigError

    rows: list[dict[str, Any]] = []
    if count is not None:
        rows, report = preview(work, count)
    elif out is None:
        raise ConfigError(
            say("no file to write is named"),
            where="--out",
            fix=say("name one with --out, or look first with --preview 5"),
        )
    else:
        report = write(work, out, force=force)
    unfinished = getattr(work, "unfinished", None)
    if json_:
        document = report.model_dump(mode="json")
        document |= {"unfinished": unfinished} if unfinished is not None else {}
        print_json(document | ({"preview": rows} if count is not None else {}))
    else:
        _show(report, rows, unfinished)
    raise typer.Exit(0 if report.imported and not report.refused else 1)


def _licence(name: str) -> str:
    """The licence asked for; it must say something."""
    from yukjo.errors import ConfigError

    if name.strip():
        return name.strip()
    raise ConfigError(
        say("the licence is blank"),
        where="--license",
        fix=say("name one, as CC-BY-4.0 or 공공누리 제1유형"),
    )


def _agents(agent: str | None) -> tuple[str, ...]:
    """The agents that may occur: the six, and one that is named and no slip of the pen."""
    from difflib import get_close_matches

    from yukjo.errors import ConfigError
    from yukjo.korean.text import shown
    from yukjo.records import SIX

    if agent is None or agent in SIX:
        return SIX
    near = get_close_matches(agent[:60], SIX, n=1, cutoff=0.75)
    if near or not agent.strip():
        raise ConfigError(
            say("unknown agent `{agent}`", agent=shown(agent)),
            where="--agent",
            fix=say("did you mean `{near}`?", near=near[0]) if near
            else say("known are: {known}", known=", ".join(SIX)),
        )  # fmt: skip
    return (*SIX, agent)


def _warn(*, keep: bool) -> None:
    if keep:
        typer.echo(
            say("warning: personal data is not masked; what is written may not leave this machine"),
            err=True,
        )


# For people


def _show(report: "Report", rows: list[dict[str, Any]], unfinished: int | None) -> None:
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    for part in _parts(report, rows):
        console.print(part)
    if unfinished:
        console.print(say("{count} drafts still wait for a question or an answer",
                          count=f"{unfinished:,}"))  # fmt: skip
    last = say("{read} rows read: {imported} imported, {refused} refused",
               read=f"{report.read:,}", imported=f"{report.imported:,}",
               refused=f"{report.refused:,}")  # fmt: skip
    console.print(last)
    if report.out is not None:
        console.print(say("written: {file}", file=report.out))
    elif not rows:
        console.print(say("nothing was written"))


def _parts(report: "Report", rows: list[dict[str, Any]]) -> "Iterator[Table | str]":
    if rows:
        yield _rows(report, rows)
    yield _files(report)
    for file in report.files:
        yield from _columns(file)
    if report.refusals:
        yield _refusals(report)
        counts = Counter(refusal.code for refusal in report.refusals).most_common()
        if len(report.refusals) > SHOWN:
            yield say("the first {count} are shown; --json has more", count=SHOWN)
        yield ", ".join(f"{code} {count:,}" for code, count in counts)
    yield from _notes(report)


def _rows(report: "Report", rows: list[dict[str, Any]]) -> "Table":
    """The rows that would be written."""
    from yukjo.korean.text import shown

    columns = {"agent_type": say("agent"), "instruction": say("question"), "input": say("material"),
               "output": say("answer"), "source": say("source")}  # fmt: skip
    if report.kind == "drafts":
        columns = {"material": say("material"), "source": say("source")}
    table = _table(*columns.values())
    for row in rows:
        cells = {name: shown(str(row.get(name, "")), limit=_CELL) for name in columns}
        if earlier := len(row.get("messages", ())):
            cells["instruction"] += say(" (after {count} turns)", count=earlier)
        table.add_row(*cells.values())
    return table


def _files(report: "Report") -> "Table":
    table = _table(say("file"), say("format"), say("read"), say("imported"), say("not taken"))
    for file in report.files:
        formats = ", ".join(f"{name} {count:,}" for name, count in file.formats.items())
        table.add_row(_plain(file.file), formats or "-", f"{file.read:,}", f"{file.imported:,}",
                      f"{file.refused:,}")  # fmt: skip
    return table


def _columns(file: "FileRead") -> Iterator[str]:
    """Where a file's fields came from, and what of it is not used."""
    for sheet in file.sheets:
        pairs = ", ".join(f"{name} ← {_plain(column)}" for name, column in sheet.columns.items())
        name = _named(file.file, sheet.sheet)
        yield say("{file}, header in row {row}: {pairs}", file=name, row=sheet.header, pairs=pairs)
        if sheet.above:
            yield say("  {count} rows above the header are no samples", count=sheet.above)
    if file.unused:
        yield say("{file}, not used: {names}", file=_plain(file.file),
                  names=", ".join(_plain(name) for name in file.unused))  # fmt: skip


def _refusals(report: "Report") -> "Table":
    table = _table(say("file"), say("row"), say("code"), say("why it is refused"))
    for found in report.refusals[:SHOWN]:
        row = f"{found.row:,}" if found.row else say("all of it")
        table.add_row(_named(found.file, found.sheet), row, found.code, found.message)
    return table


def _notes(report: "Report") -> Iterator[str]:
    """What was dropped, mended and masked."""
    if report.system_messages:
        yield say("system messages dropped, roles have their own: {count}",
                  count=f"{report.system_messages:,}")  # fmt: skip
    if report.tool_calls:
        yield say("calls of tools dropped, their results are the input: {count}",
                  count=f"{report.tool_calls:,}")  # fmt: skip
    if report.mended:
        yield say("rows with invisible characters or Korean in pieces, mended: {count}",
                  count=f"{report.mended:,}")  # fmt: skip
    if report.own_licences:
        own = (f"{_plain(name)} {count:,}" for name, count in report.own_licences.items())
        yield say("licences that rows name themselves: {licences}", licences=", ".join(own))
    if report.masking:
        found = ", ".join(f"{kind} {count:,}" for kind, count in report.personal_data.items())
        yield say("personal data masked: {found}", found=found or say("none found"))
    else:
        yield say("personal data was not looked for")


def _table(*columns: str) -> "Table":
    """An empty table; cells are plain text, whatever brackets they hold."""
    from rich.table import Table

    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _named(file: str, sheet: str) -> str:
    """A file and its sheet, where it has several."""
    return _plain(f"{file} [{sheet}]" if sheet else file)


def _plain(text: str) -> str:
    from yukjo.korean.text import shown

    return shown(text, limit=200)
