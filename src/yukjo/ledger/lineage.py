"""From a score back to what it came from, and from a data line on to what it shaped.

Every answer comes from the entries alone; the project's files are only asked whether they still
hold what the entries name. What is named is found again by hash, so a line that moved in its
file is still that line.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yukjo.data import personal
from yukjo.data.check import examine
from yukjo.data.judge import fields
from yukjo.data.lines import read_lines
from yukjo.errors import LedgerError
from yukjo.files import sha256_file
from yukjo.ledger.body import ALL, Adapter, RunBody, run_body
from yukjo.ledger.export import improvement
from yukjo.records import Entry, Sample
from yukjo.runs import RunFolder
from yukjo.words import say

_MADE = ("run", "train", "evaluate")
"""Kinds of entries whose body is a `RunBody`."""
_PLACE = re.compile(r"(.+):(\d+)")
_HEX = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class Made:
    """An entry that made or measured adapters."""

    entry: Entry
    body: RunBody


@dataclass(frozen=True, slots=True)
class Files:
    """What the project holds today."""

    project: Path
    runs: Path
    data: Sequence[Path] = ()
    """Data files, relative to the project."""
    lines: dict[str, list[str]] = field(default_factory=dict)
    """Hash of a sample -> `file:line` of each line that holds it."""
    agents: dict[str, str] = field(default_factory=dict)
    """Hash of a sample -> its agent."""


def files_of(
    project: Path,
    runs: Path,
    data: Sequence[Path],
    agents: Collection[str],
    *,
    contacts: Collection[str] = (),
) -> Files:
    """Read the data files that are still there; lines with errors are no samples."""
    known, allowed = Files(project, runs, data), personal.allowed(contacts)
    for file in data:
        for line in read_lines(project / file) if (project / file).is_file() else ():
            folder = (project / file).parent
            record, _ = examine(line, agents=agents, folder=folder, allowed=allowed)
            if record is not None:
                sample = Sample.model_validate(fields(record))
                known.lines.setdefault(sample.hash, []).append(f"{file}:{line.number}")
                known.agents[sample.hash] = sample.agent_type
    return known


def trace(thing: str, entries: Sequence[Entry], files: Files) -> dict[str, Any]:
    """What `thing` came from or led to, as plain JSON.

    `thing` is RUN, RUN/AGENT or RUN/AGENT/METRIC; the start of an adapter's id; the start of a
    data line's hash; or FILE:LINE. LedgerError where nothing, or more than one thing, is meant.
    """
    made = [Made(entry, run_body(entry)) for entry in entries if entry.kind in _MADE]
    meanings = [*_adapters(thing, made), *_lines(thing, made, files), *_runs(thing, made)]
    if len(meanings) != 1:
        raise _unclear(thing, meanings, made)
    [(kind, name)] = meanings
    if kind == "adapter":
        return _of_adapter(name, made, entries, files)
    return _of_line(name, made, files) if kind == "line" else _of_score(name, made, files)


def _adapters(thing: str, made: Iterable[Made]) -> set[tuple[str, str]]:
    if not _HEX.fullmatch(thing):
        return set()
    known = {adapter.id for one in made for adapter in one.body.adapters.values()}
    return {("adapter", name) for name in known if name.startswith(thing)}


def _lines(thing: str, made: Iterable[Made], files: Files) -> set[tuple[str, str]]:
    if place := _PLACE.fullmatch(thing):
        file, number = Path(place[1]), int(place[2])
        names = {f"{name}:{number}" for name in {file, *_below(file, files.project)}}
        return {("line", hash_) for hash_, at in files.lines.items() if names & {*at}}
    if not _HEX.fullmatch(thing):
        return set()
    known = {hash_ for one in made for side in one.body.data.lines.values() for hash_ in side}
    return {("line", hash_) for hash_ in {*known, *files.lines} if hash_.startswith(thing)}


def _below(file: Path, project: Path) -> list[Path]:
    """`file` as the project names it, where it is given from elsewhere."""
    whole, folder = file.resolve(), project.resolve()
    return [whole.relative_to(folder)] if whole.is_relative_to(folder) else []


def _runs(thing: str, made: Iterable[Made]) -> set[tuple[str, str]]:
    run, _, rest = thing.partition("/")
    known = [one.entry.run for one in made if one.body.agents]
    if run == "latest" and known:
        return {("score", f"{known[-1]}/{rest}")}
    meant = {name for name in known if name == run} or {
        n for n in known if run and n.startswith(run)
    }
    return {("score", f"{name}/{rest}") for name in meant}


# A score, back


def _of_score(name: str, made: Sequence[Made], files: Files) -> dict[str, Any]:
    run, agent, metric = [*name.split("/", 2), ""][:3]
    one = [one for one in made if one.entry.run == run and one.body.agents][-1]
    body = one.body
    scores = [score for score in _scores(one)
              if agent in {"", score["agent"]} and metric in {"", score["metric"]}]  # fmt: skip
    if not scores:
        raise LedgerError(
            say("run {run} has no figure `{name}`", run=run, name=f"{agent}/{metric}".strip("/")),
            where=say("entry {number}", number=one.entry.number),
            fix=say("known here: {known}",
                    known=", ".join(f"{s['agent']}/{s['metric']}" for s in _scores(one))),
        )  # fmt: skip
    chosen = {a: m for a, m in body.adapters.items() if agent in {"", ALL, a}}
    answers = RunFolder(files.runs / run).answers
    return {
        "kind": "score",
        "scores": scores,
        "adapters": [_adapter(a, m) for a, m in chosen.items()],
        "data": {
            "files": [{"name": f.name, "sha256": f.sha256,
                       "now": _now(files.project / f.name, f.sha256)} for f in body.data.files],
            "train": _placed({h for m in chosen.values() for h in m.data}, files),
            "valid": _placed(_of_agents(body.data.lines.get("valid", ()), chosen, files), files),
            "test": _placed(_of_agents(body.data.lines.get("test", ()), chosen, files), files),
        },
        "answers": {"file": str(answers), "sha256": body.answers.sha256,
                    "now": _now(answers, body.answers.sha256)},
    }  # fmt: skip


def _scores(one: Made) -> Iterator[dict[str, Any]]:
    for agent, result in one.body.agents.items():
        for metric in result.metrics:
            yield {
                **_entry(one.entry),
                "agent": agent,
                "metric": metric.name,
                **metric.model_dump(exclude={"name"}),
                "improvement_percentage": improvement(metric.before, metric.after),
            }


def _of_agents(hashes: Iterable[str], chosen: Collection[str], files: Files) -> set[str]:
    """Those of the chosen agents, and those whose agent isn't known any more."""
    return {h for h in hashes if files.agents.get(h) in {None, *chosen}}


def _adapter(agent: str, adapter: Adapter) -> dict[str, Any]:
    """An adapter with all that made it."""
    names = ("id", "base", "base_hash", "template_hash", "prompt_hash", "seed", "steps",
             "best_step", "recipe")  # fmt: skip
    return {"agent": agent, "trained_in": adapter.run} | {n: getattr(adapter, n) for n in names}


def _placed(hashes: Iterable[str], files: Files) -> list[dict[str, Any]]:
    """Lines by hash, with where they stand today."""
    return [{"hash": h, "at": files.lines.get(h, [])} for h in sorted(hashes)]


def _now(file: Path, sha256: str) -> str:
    """Whether a file still is what was recorded."""
    if not file.is_file():
        return "missing"
    return "same" if sha256_file(file) == sha256 else "changed"


# An adapter, both ways


def _of_adapter(
    name: str, made: Sequence[Made], entries: Sequence[Entry], files: Files
) -> dict[str, Any]:
    known = [(one, agent, adapter) for one in made for agent, adapter in one.body.adapters.items()
             if adapter.id == name]  # fmt: skip
    _, agent, adapter = known[0]
    holders = {agent for _, agent, _ in known}
    return {
        "kind": "adapter",
        "adapter": _adapter(agent, adapter),
        "runs": [_entry(one.entry) for one, _, _ in known],
        "train": _placed(adapter.data, files),
        "scores": [s for one, _, _ in known for s in _scores(one) if s["agent"] in holders],
        "named_in": [_entry(e) for e in entries if e.kind not in _MADE and _holds(e.body, name)],
    }


def _holds(body: object, text: str) -> bool:
    """Whether a text stands anywhere in a body."""
    if isinstance(body, dict):
        return text in body or any(_holds(part, text) for part in body.values())
    return any(_holds(part, text) for part in body) if isinstance(body, list) else body == text


# A line, on


def _of_line(name: str, made: Sequence[Made], files: Files) -> dict[str, Any]:
    shaped = {adapter.id: {"agent": agent, "id": adapter.id, **_entry(one.entry)}
              for one in reversed(made) for agent, adapter in one.body.adapters.items()
              if name in adapter.data}  # fmt: skip
    return {
        "kind": "line",
        **_placed([name], files)[0],
        "shaped": list(reversed(shaped.values())),
        "held_out_in": [_entry(o.entry) for o in made
                        if name in o.body.data.lines.get("valid", ())],
        "measured_in": [_entry(o.entry) for o in made
                        if o.body.agents and name in o.body.data.lines.get("test", ())],
    }  # fmt: skip


def _entry(entry: Entry) -> dict[str, Any]:
    return {"run": entry.run, "entry": entry.number, "of": entry.kind, "created": entry.created,
            "entry_hash": entry.hash}  # fmt: skip


def _unclear(
    thing: str, meanings: Collection[tuple[str, str]], made: Sequence[Made]
) -> LedgerError:
    """Nothing, or several things, are called so."""
    fix = (
        say(
            "name one of these: {near}",
            near=", ".join(sorted(n.strip("/") for _, n in meanings)[:5]),
        )
        if meanings
        else say("give RUN/AGENT/METRIC, an adapter's id, a data line's hash, or FILE:LINE")
    )
    return LedgerError(
        say("`{thing}` may mean {count} things", thing=thing, count=len(meanings)) if meanings
        else say("the ledger knows nothing called `{thing}`", thing=thing),
        where=say("{count} entries of runs", count=len(made)),
        fix=fix,
    )  # fmt: skip
