"""All measured runs, the newest first, each with its verdict."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from yukjo.dashboard.web.pages.paging import paged
from yukjo.dashboard.web.site import Missing, Site, Visit
from yukjo.dashboard.web.sources import Sources
from yukjo.errors import LedgerError
from yukjo.ledger.body import run_body
from yukjo.ledger.verdict import Gate, gate_of
from yukjo.records import Entry
from yukjo.words import say

MEASURED = ("run", "evaluate")
"""Kinds of entries with figures to judge."""
_SIZE = 15


@dataclass(frozen=True, slots=True)
class _Row:
    run: str
    created: str
    gate: Gate | None
    titles: Mapping[str, str]

    @property
    def passed(self) -> int:
        return sum(line.ruling == "pass" for line in self.gate.lines) if self.gate else 0


def add(site: Site) -> None:
    """Register the list."""
    site.entries.append(("/", lambda: say("Runs")))

    @site.get("/")
    def page(visit: Visit) -> Response:
        if not visit.sources.recorded:
            return visit.render("web/runs.html", rows=(), page=1, last=1)
        ledger = visit.sources.ledger
        number, last = paged(visit.asked("page"), ledger.count(*MEASURED), _SIZE)
        rows = [_row(visit.sources, ledger.entry(one.number))
                for one in ledger.page(*MEASURED, page=number, size=_SIZE)]  # fmt: skip
        return visit.render("web/runs.html", rows=rows, page=number, last=last)


def measured(visit: Visit) -> Entry:
    """The newest measurement of the run in the address; Missing where there is none."""
    name = visit.path("run")
    if not visit.sources.recorded:
        raise _missing(name)
    ledger = visit.sources.ledger
    found = ledger.newest(*MEASURED, run=None if name == "latest" else name)
    if found is None:
        raise _missing(name)
    return found


def ruling(sources: Sources, entry: Entry) -> tuple[Gate | None, int]:
    """The newest verdict over a run, and the entry it stands in."""
    ruled = sources.ledger.newest("verdict", run=entry.run)
    chosen = ruled if ruled and ruled.number > entry.number else entry
    return gate_of(chosen), chosen.number


def _row(sources: Sources, entry: Entry) -> _Row:
    try:
        gate, _ = ruling(sources, entry)
        titles: Mapping[str, str] = run_body(entry).titles
    except LedgerError:  # an entry that makes no sense doesn't hide the others
        gate, titles = None, {}
    return _Row(entry.run, entry.created, gate, titles)


def _missing(name: str) -> Missing:
    return Missing(
        say("no measured run is called `{name}`", name=name),
        where=say("the ledger"),
        fix=say("choose one from the list of runs"),
    )
