"""A sample in the terminal, the questions that make a decision, and how a review stands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.box import SIMPLE
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from yukjo.cli.rating import title_of
from yukjo.dashboard.table import plain
from yukjo.data_review import Book, Desk, Item, Said, Standing, Subject
from yukjo.data_review.records import LONGEST_REASON, STATES
from yukjo.errors import ReviewError
from yukjo.records import Sample
from yukjo.words import say


def shown(sample: Sample, subject: Subject) -> dict[str, Any]:
    """What a program needs to show a sample."""
    return subject.model_dump(mode="json") | {
        "title": title_of(subject.agent),
        "asked": list(subject.asked),
        "record": sample.model_dump(mode="json", exclude_defaults=True),
    }


def paint(sample: Sample, subject: Subject, *, left: int) -> None:
    """A sample on stdout, whole; nothing in it drives the terminal."""
    parts = [_turn(turn.role, turn.content) for turn in sample.messages]
    parts += [_turn(say("question"), sample.instruction)]
    parts += [_turn(say("material"), sample.input)] if sample.input else []
    if sample.images:
        parts.append(_turn(say("images"), ", ".join(image.path.name for image in sample.images)))
    parts += [_turn(say("answer"), sample.output)]
    labels = (sample.difficulty, sample.topic, sample.exception, sample.source, sample.license)
    parts.append(Text(" · ".join(plain(label).plain for label in labels if label), style="dim"))
    head = say("{name} · {agent} · {left} left", name=subject.name, agent=title_of(subject.agent),
               left=left)  # fmt: skip
    Console().print(Panel(Group(*parts), title=plain(head), title_align="left"))


def loop(desk: Desk, reviewer: str, samples: Mapping[str, Sample]) -> None:
    """Ask for one decision after another; what was kept stays, however the reviewer leaves."""
    kept = 0
    try:
        while left := desk.waiting(reviewer):
            subject = left[0]
            if subject.hash not in samples:
                raise gone(subject.name)
            paint(samples[subject.hash], subject, left=len(left))
            said = _decided(desk, reviewer, subject)
            kept += 1
            state = desk.book.standing(subject.hash).state
            typer.echo(say("kept as entry {number}; the sample is now: {state}",
                           number=said.entry, state=STATE_WORDS()[state]))  # fmt: skip
        typer.echo(say("nothing is left for this reviewer"))
    except (EOFError, KeyboardInterrupt, _Left):
        typer.echo()
    typer.echo(say("{count} decisions kept; go on at any time with the same command", count=kept))


def gone(name: str) -> ReviewError:
    """The error for a sample that the files no longer hold."""
    return ReviewError(
        say("the files hold no such sample any more: `{name}`", name=name),
        where=say("sample {name}", name=name),
        fix=say("hand in what was edited: `yukjo data review start`; or name its file"),
    )


class _Left(Exception):
    """The reviewer asked to stop."""


def _decided(desk: Desk, reviewer: str, subject: Subject) -> Said:
    """The questions, each until its answer can be used, and what is kept of them."""
    asked = ITEM_WORDS()
    wrong = [item for item in subject.asked if not _yes(asked[item])]
    if not wrong:
        return desk.approve(reviewer, subject.hash, confirmed=subject.asked)
    return desk.return_(reviewer, subject.hash, reason=_reason(), wrong=wrong)


def _yes(question: str) -> bool:
    """Yes or no."""
    while True:
        said = _said(f"{question} ({say('y yes, n no, q leaves')})").lower()
        if said in {"y", "n", "예", "네", "아니오", "아니요"}:
            return said in {"y", "예", "네"}
        typer.echo(say("that can't be used; once more"))


def _reason() -> str:
    """Why a sample goes back."""
    while True:
        said = _said(say("what is wrong (it stays in the record for good)"))
        if said and said.isprintable() and len(said) <= LONGEST_REASON:
            return said
        typer.echo(say("that can't be used; once more"))


def _said(question: str) -> str:
    try:
        said = input(f"{question}: ").strip()
    except UnicodeDecodeError:  # half a Hangul letter, left by a terminal's backspace
        said = "\0"
    if said.lower() in {"q", "끝"}:
        raise _Left
    return said


def ITEM_WORDS() -> dict[Item, str]:  # noqa: N802 - a table in the language spoken
    """What a person is asked of each item."""
    return {
        "accuracy": say("accuracy: every fact, number and citation is right"),
        "relevance": say("relevance: the answer says what was asked, and no more than that"),
        "natural": say("natural Korean: an official would write it so"),
        "tools": say("tools: used where they should be, and the answer follows their result"),
    }


def STATE_WORDS() -> dict[str, str]:  # noqa: N802
    """What the states are called."""
    return {
        "waiting": say("waiting"),
        "approved": say("approved"),
        "returned": say("returned"),
        "replaced": say("replaced by a newer version"),
    }


def counted(book: Book) -> dict[str, Any]:
    """How far a review is: `{"agents": {agent: {state: n}}, "reviewers": {r1: {...}}, "done"}`."""
    standings = book.standings()
    agents: dict[str, Counter[str]] = {}
    for one in standings:
        agents.setdefault(one.subject.agent, Counter())[one.state] += 1
    live = [one for one in standings if one.state != "replaced"]
    return {
        "agents": {agent: {s: counts[s] for s in STATES} for agent, counts in agents.items()},
        "reviewers": {name: _work(name, standings, book) for name in book.reviewers},
        "unassigned": sum(one.state == "waiting" and len(one.assigned) < one.subject.needed
                          for one in live),
        "done": bool(live) and all(one.state == "approved" for one in live),
    }  # fmt: skip


def _work(name: str, standings: Sequence[Standing], book: Book) -> dict[str, int]:
    """One reviewer's figures."""
    return {
        "approved": sum(name in one.approved_by for one in standings),
        "returned": sum(name in one.returned_by for one in standings),
        "left": len(book.undecided(name)),
    }


def paint_status(found: Mapping[str, Any]) -> None:
    """How far a review is."""
    words = STATE_WORDS()
    grid = Table(say("agent"), *(words[s] for s in STATES), box=SIMPLE)
    for agent, counts in found["agents"].items():
        grid.add_row(plain(agent), *(f"{counts[s]:,}" for s in STATES))
    people = Table(say("reviewer"), say("approved"), say("returned"), say("left to decide"),
                   box=SIMPLE)  # fmt: skip
    for name, each in found["reviewers"].items():
        people.add_row(name, *(f"{each[k]:,}" for k in ("approved", "returned", "left")))
    console = Console(highlight=False)
    console.print(grid, people)
    if found["unassigned"]:
        console.print(say("{count} samples wait for somebody: `yukjo data review assign`",
                          count=f"{found['unassigned']:,}"), soft_wrap=True)  # fmt: skip
    if found["done"]:
        console.print(say("every sample is approved"))


def paint_returned(found: Sequence[Standing]) -> None:
    """What was sent back, and why."""
    console = Console(highlight=False)
    for one in found:
        for said in one.history:
            if said.decision.verdict == "return":
                console.print(_word(one.subject, said), soft_wrap=True)


def paint_history(found: Sequence[Standing]) -> None:
    """Versions, the newest first, and what was said of each."""
    console = Console(highlight=False)
    for one in found:
        subject = one.subject
        state = STATE_WORDS()[one.state]
        head = f"{subject.name} {subject.hash[:12]} · {title_of(subject.agent)} · {state}"
        console.print(plain(head), soft_wrap=True)
        for said in one.history:
            console.print(Text("  ").append_text(_word(subject, said)), soft_wrap=True)


def _word(subject: Subject, said: Said) -> Text:
    """A decision on one line."""
    own = said.decision
    words = say("approved") if own.verdict == "approve" else say("returned")
    items = f" ({', '.join(own.items)})" if own.items else ""
    reason = f": {own.reason}" if own.reason else ""
    return plain(f"{said.created} {subject.name} {own.reviewer} {words}{items}{reason}")


def _turn(role: str, text: str) -> Text:
    """A labelled text in lines, without markup or control codes."""
    said = {"user": say("earlier question"), "assistant": say("earlier answer"),
            "tool": say("tool result")}.get(role, role)  # fmt: skip
    lines = Text("\n").join(plain(line) for line in text.split("\n"))
    return Text(f"{said}: ", style="bold").append_text(lines)
