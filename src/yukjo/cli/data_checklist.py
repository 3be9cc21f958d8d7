"""`yukjo data checklist`: the eight questions of data quality, answered or open."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.data_review import Book
    from yukjo.data_review.checklist import Answer, Checklist

HELP = say("The eight questions of data quality: what the program says, what people confirmed. "
           "Example: yukjo data checklist data/*.jsonl")  # fmt: skip

_SHOWN = 6
"""Checks that found something, in a cell."""


def checklist(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help=say("JSONL files"))],
    record: Annotated[
        bool, typer.Option("--record", help=say("Put the answers into the ledger"))
    ] = False,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Answers by agent; approvals are read from the project's ledger, where there is one."""
    from yukjo.agents import of_project
    from yukjo.data_review.checklist import RECORDED
    from yukjo.data_review.checklist import checklist as answered

    found = answered(files, known=of_project(project), book=_book(project),
                     contacts=_contacts(project))  # fmt: skip
    document = found.model_dump(mode="json")
    if record:
        from yukjo.config import load
        from yukjo.ledger.opening import open_ledger

        with open_ledger(project, load(project)) as ledger:
            entry = ledger.append(RECORDED, "", document)
        document |= {"entry": entry.number}
    if json_:
        print_json(document)
        return
    _paint(found)
    if record:
        typer.echo(say("recorded as entry {number}", number=document["entry"]))


def _book(project: Path) -> "Book":
    """What reviewers said; nothing where the folder is no project or has no ledger."""
    from yukjo.config import load
    from yukjo.config.load import FILE
    from yukjo.data_review import Book, Desk
    from yukjo.ledger.opening import if_any

    if not (project / FILE).exists():
        return Book()
    with if_any(project, load(project)) as ledger:
        return Desk(ledger).book if ledger else Book()


def _contacts(project: Path) -> tuple[str, ...]:
    """The contacts that the project lets stand; none where the folder is no project."""
    from yukjo.config import load
    from yukjo.config.load import FILE

    return load(project).data.allowed_contacts if (project / FILE).exists() else ()


def _paint(found: "Checklist") -> None:
    """A table for each agent: question, the program's answer, people's."""
    from yukjo.cli.data_shown import show, table

    for agent, each in found.agents.items():
        grid = table(f"{agent} ({each.samples:,})", say("program"), say("people"), say("result"))
        for question, answer in each.answers.items():
            grid.add_row(_words()[question], _program(answer), _people(answer),
                         "✓" if answer.ok else say("open") if _quiet(answer) else "✗")  # fmt: skip
        show(grid)
    show(say("all eight are answered") if found.done else
         say("people answer with `yukjo data review`; all checks: --json"))  # fmt: skip


def _quiet(answer: "Answer") -> bool:
    """Whether nothing is wrong, as far as was said."""
    return not answer.returned and not any(answer.checks.values())


def _program(answer: "Answer") -> str:
    """How many checks ran, and what they found."""
    if not answer.checks:
        return "-"
    wrong = sorted(((n, c) for c, n in answer.checks.items() if n), reverse=True)
    if not wrong:
        return say("{count} checks, nothing found", count=len(answer.checks))
    listed = ", ".join(f"{code} {count:,}" for count, code in wrong[:_SHOWN])
    return f"{listed}, …" if len(wrong) > _SHOWN else listed


def _people(answer: "Answer") -> str:
    """How many samples were confirmed, by whom, and what is left."""
    if not answer.asked:
        return "-"
    said = say("{confirmed}/{asked} confirmed", confirmed=f"{answer.confirmed:,}",
               asked=f"{answer.asked:,}")  # fmt: skip
    if answer.confirmed_by:
        said += " (" + ", ".join(f"{name} {n:,}" for name, n in answer.confirmed_by.items()) + ")"
    if answer.returned:
        said += ", " + say("{count} returned", count=f"{answer.returned:,}")
    return said


def _words() -> dict[str, str]:
    """What the questions are called."""
    return {
        "accuracy": say("accuracy"),
        "relevance": say("relevance"),
        "diversity": say("diversity"),
        "difficulty": say("difficulty balance"),
        "format": say("format"),
        "natural": say("natural Korean"),
        "length": say("length 100-1,000"),
        "tools": say("use of tools"),
    }
