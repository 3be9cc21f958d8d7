"""`yukjo data diff`: what was added, removed and changed from one set of samples to another."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.data import Agents
from yukjo.cli.options import AsJson, Contacts, contacts_of, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from yukjo.data.versions import Change, Diff
    from yukjo.data.word_diff import Piece
    from yukjo.records import Sample

HELP = say(
    "What changed from one set to another: samples added, removed, changed word by word."
    " Example: yukjo data diff data/v1.jsonl data/v2.jsonl"
)

_AROUND = 20
"""Characters of what stayed that are shown beside a change."""

Set = Annotated[Path, typer.Argument(help=say("A JSONL file, or a folder of them"))]


def diff(
    *,
    before: Set,
    after: Set,
    limit: Annotated[
        int, typer.Option(min=0, help=say("Samples shown of each kind; --json has all"))
    ] = 20,
    agents: Agents = None,
    project: Contacts = None,
    json_: AsJson = False,
) -> None:  # fmt: skip
    """Read both, pair their samples, show what differs."""
    from yukjo.data.versions import diff as compared

    contacts = contacts_of(project)
    found = compared(_read(before, agents, contacts), _read(after, agents, contacts))
    if json_:
        print_json(_document(found))
        return
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    for part in _parts(found, limit):
        console.print(part)


def _read(place: Path, agents: list[str] | None, contacts: tuple[str, ...]) -> "tuple[Sample, ...]":
    from yukjo.data.lines import DRAFTS
    from yukjo.data.read import read
    from yukjo.records import SIX

    files = [place]
    if place.is_dir():
        files = sorted(f for f in place.glob("*.jsonl") if not f.name.lower().endswith(DRAFTS))
    return read(files, agents=tuple(agents or SIX), contacts=contacts).samples


def _document(found: "Diff") -> dict[str, object]:
    """The whole diff as plain JSON, with the name and the hash of each sample."""

    def shown(sample: "Sample") -> dict[str, object]:
        row = sample.model_dump(mode="json", exclude_defaults=True)
        return {"hash": sample.hash} | row | {"input": sample.input}

    return {
        "version_before": found.version_before,
        "version_after": found.version_after,
        "agents": {agent: counts.model_dump() for agent, counts in found.agents.items()},
        "added": [shown(sample) for sample in found.added],
        "removed": [shown(sample) for sample in found.removed],
        "changed": [
            {"by": c.by, "fields": c.fields, "before": shown(c.before), "after": shown(c.after),
             "answer": [[piece.fate, piece.text] for piece in c.answer]}
            for c in found.changed
        ],
        "relabelled": [
            {"fields": r.fields, "before": shown(r.before), "after": shown(r.after)}
            for r in found.relabelled
        ],
    }  # fmt: skip


def _parts(found: "Diff", limit: int) -> "Iterator[Table | Text | str]":
    yield say("version {before} → {after}", before=found.version_before[:16],
              after=found.version_after[:16])  # fmt: skip
    if found.agents:
        yield _counts(found)
    yield from _changes(found.changed, limit)
    yield from _samples("+", say("added"), found.added, limit)
    yield from _samples("-", say("removed"), found.removed, limit)
    if found.relabelled:
        yield say("relabelled: {count}", count=f"{len(found.relabelled):,}")
        for one in found.relabelled[:limit]:
            yield _plain(f"  {one.after.name}: {', '.join(one.fields)}")
        yield from _rest(len(found.relabelled), limit)
    if not (found.changed or found.added or found.removed or found.relabelled):
        yield say("the two sets hold the same samples")


def _counts(found: "Diff") -> "Table":
    from rich.table import Table

    heads = (say("earlier set"), say("later set"), say("unchanged"), say("added"), say("removed"),
             say("changed"))  # fmt: skip
    table = Table(say("agent"), *heads)
    for agent, counts in found.agents.items():
        table.add_row(_plain(agent), *(f"{count:,}" for count in counts.model_dump().values()))
    return table


def _changes(changed: "Sequence[Change]", limit: int) -> "Iterator[Text | str]":
    """Each change with its fields and its answer word by word."""
    if not changed:
        return
    yield say("changed: {count}", count=f"{len(changed):,}")
    ways = {"id": say("same id"), "question": say("same question"), "nearness": say("nearest text")}
    for change in changed[:limit]:
        before, after = change.before.name, change.after.name
        name = before if before == after else f"{before} → {after}"
        yield _plain(f"~ {name} ({ways[change.by]}): {', '.join(change.fields)}")
        if "instruction" in change.fields:
            yield _plain(f"    {change.before.instruction} → {change.after.instruction}")
        if change.answer:
            yield _coloured(change.answer)
    yield from _rest(len(changed), limit)


def _coloured(pieces: "Sequence[Piece]") -> "Text":
    """An answer word by word: `[-gone-]` and `{+new+}`, in colour where there is colour."""
    from rich.text import Text

    from yukjo.data.word_diff import shortened

    text = Text("    ")
    for fate, said in shortened(pieces, _AROUND):
        line = said.replace("\n", "⏎")
        safe = "".join(letter if letter.isprintable() else "�" for letter in line)
        if fate == "same":
            text.append(safe)
        else:
            opened, closed, style = ("[-", "-]", "red") if fate == "gone" else ("{+", "+}", "green")
            text.append(f"{opened}{safe}{closed}", style=style)
    return text


def _samples(sign: str, head: str, samples: "Sequence[Sample]", limit: int) -> Iterator[str]:
    if samples:
        yield f"{head}: {len(samples):,}"
        for sample in samples[:limit]:
            yield _plain(f"{sign} {sample.name} ({sample.agent_type}) {sample.instruction}")
        yield from _rest(len(samples), limit)


def _rest(count: int, limit: int) -> Iterator[str]:
    if count > limit:
        yield say("  and {count} more; --json has all", count=f"{count - limit:,}")


def _plain(text: str) -> str:
    from yukjo.korean.text import shown

    return shown(text, limit=200)
