"""A pair in the terminal, and the questions that make a rating of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.columns import Columns
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from yukjo.agents import roles
from yukjo.dashboard.table import plain
from yukjo.errors import ReviewError
from yukjo.words import say, spoken

if TYPE_CHECKING:
    from yukjo.review import Opinion, Pair, Room

T = TypeVar("T")

_WIDE = 110
"""Columns from which the answers stand side by side."""


def shown(pair: "Pair") -> dict[str, Any]:
    """What a rater may know of a pair."""
    return pair.model_dump(mode="json", exclude={"case", "everyone", "again"}) | {
        "title": title_of(pair.agent)
    }


def paint(pair: "Pair", *, left: int) -> None:
    """A pair on stdout: question, material, both answers; nothing in them drives the terminal."""
    console = Console()
    asked = [_turn(message.role, message.content) for message in pair.earlier]
    asked += [_text(pair.instruction), *([_text(pair.input)] if pair.input else [])]
    head = say(
        "{pair} · {agent} · {left} left", pair=pair.id, agent=title_of(pair.agent), left=left
    )
    answers = [
        Panel(_text(text), title=title, title_align="left")
        for title, text in ((say("left answer"), pair.left), (say("right answer"), pair.right))
    ]
    console.print(Panel(Group(*asked), title=plain(head), title_align="left"))
    if console.width >= _WIDE:
        console.print(Columns(answers, equal=True, expand=True, width=console.width // 2 - 1))
    else:
        console.print(*answers, sep="\n")


def loop(room: "Room", rater: str) -> None:
    """Ask for one rating after another; what was kept stays, however the rater leaves."""
    from yukjo.review import waiting

    kept = 0
    try:
        while pair := room.show(rater):
            paint(pair, left=len(waiting(room.session, rater, room.said())))
            room.rate(rater, pair.id, _asked())
            kept += 1
            typer.echo(say("kept: {pair}", pair=pair.id))
        typer.echo(say("nothing is left for this rater"))
    except (EOFError, KeyboardInterrupt, _Left):
        typer.echo()
    typer.echo(say("{count} ratings kept; go on at any time with the same command", count=kept))


def opinion(**said: Any) -> "Opinion":  # noqa: ANN401 - checked by the record
    """A rating as it was given on the command line; ReviewError says what is missing or wrong."""
    from pydantic import ValidationError

    from yukjo.review import Opinion

    try:
        return Opinion.model_validate(said)
    except ValidationError as fault:
        first = fault.errors()[0]
        raise ReviewError(
            say("this is no rating: {why}", why=first["msg"]),
            where=f"--{first['loc'][0]}",
            fix=say("give --left 1..5, --right 1..5 and --prefer left|right|tie; a comment of"
                    " 2,000 characters at most"),
        ) from None  # fmt: skip


class _Left(Exception):
    """The rater asked to stop."""


def _asked() -> "Opinion":
    """The questions, each until its answer can be used."""
    score = say("1 very poor, 5 very good; q leaves")
    return opinion(
        left=_ask(say("left, score ({hint})", hint=score), _score),
        right=_ask(say("right, score ({hint})", hint=score), _score),
        prefer=_ask(say("better: l left, r right, t tie"), _side),
        errors_left=_ask(say("errors in the left answer ({kinds}; Enter: none)", kinds=_kinds()),
                         _errors),
        errors_right=_ask(say("errors in the right answer ({kinds}; Enter: none)", kinds=_kinds()),
                          _errors),
        comment=_ask(say("comment (Enter: none)"), _comment),
    )  # fmt: skip


def _ask(question: str, parse: Callable[[str], T | None]) -> T:
    """The first answer that `parse` takes; _Left where the rater wants to go."""
    while True:
        try:
            said = input(f"{question}: ").strip()
        except UnicodeDecodeError:  # half a Hangul letter, left by a terminal's backspace
            said = "\0"
        if said.lower() in {"q", "끝"}:
            raise _Left
        found = parse(said)
        if found is not None:
            return found
        typer.echo(say("that can't be used; once more"))


def _score(said: str) -> int | None:
    return int(said) if said in {"1", "2", "3", "4", "5"} else None


def _side(said: str) -> str | None:
    sides = {"l": "left", "r": "right", "t": "tie", "왼": "left", "오": "right", "비": "tie"}
    return sides.get(said[:1].lower())


def _errors(said: str) -> tuple[str, ...] | None:
    """Kinds by their numbers, as `1 3`."""
    from yukjo.review import KINDS

    numbers = said.replace(",", " ").split()
    if not all(n.isascii() and n.isdigit() and 0 < int(n) <= len(KINDS) for n in numbers):
        return None
    return tuple(KINDS[int(n) - 1] for n in numbers)


def _comment(said: str) -> str | None:
    from yukjo.review.rating import LONGEST_COMMENT

    return said if said.isprintable() and len(said) <= LONGEST_COMMENT else None


def _kinds() -> str:
    """The kinds of errors with their numbers."""
    names = (say("fact"), say("law or citation"), say("form"), say("manner"),
             say("personal data"), say("other"))  # fmt: skip
    return ", ".join(f"{number} {name}" for number, name in enumerate(names, 1))


def title_of(agent: str) -> str:
    """An agent by the title of its role, in the language spoken."""
    role = roles().get(agent)
    if role is None:
        return agent
    return role.title if spoken() == "ko" else role.title_en


def _turn(role: str, text: str) -> Text:
    said = {"user": say("earlier question"), "assistant": say("earlier answer")}.get(role, role)
    return Text(f"{said}: ", style="dim").append_text(_text(text))


def _text(text: str) -> Text:
    """Text from outside in lines, without markup or control codes."""
    return Text("\n").join(plain(line) for line in text.split("\n"))
