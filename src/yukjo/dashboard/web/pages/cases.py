"""Which cases and why: broken ones first, both answers beside the reference, and their lineage."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from yukjo.dashboard import casefile, figures
from yukjo.dashboard.casefile import Asked, Case, CaseFile
from yukjo.dashboard.differ import marked
from yukjo.dashboard.web.pages.paging import paged
from yukjo.dashboard.web.pages.runs import measured
from yukjo.dashboard.web.site import Missing, Site, Visit
from yukjo.ledger.body import run_body
from yukjo.records import Entry
from yukjo.words import say

_SIZE = 20
_KEYS = ("agent", "difficulty", "topic", "change")


def add(site: Site) -> None:
    """Register the list and the page of a case."""
    site.tabs.append(("/cases", lambda: say("Cases")))

    @site.get("/runs/{run}/cases")
    def page(visit: Visit) -> Response:
        entry = measured(visit)
        found = casefile.read(visit.sources.folder(entry.run))
        return visit.render("web/cases.html", tab_title=say("Cases"), entry=entry,
                            **listed(visit, entry, found))  # fmt: skip

    @site.get("/runs/{run}/cases/{case}")
    def one(visit: Visit) -> Response:
        entry = measured(visit)
        found = casefile.read(visit.sources.folder(entry.run))
        cases = found.cases if found else ()
        places = [at for at, case in enumerate(cases) if case.case == visit.path("case")]
        if not places:
            raise Missing(
                say("no case of this run is called `{name}`", name=visit.path("case")[:12]),
                where=say("run {run}", run=entry.run),
                fix=say("choose one from the list of cases"),
            )
        at, case = places[0], cases[places[0]]
        return visit.render(
            "web/case.html", tab_title=case.name, entry=entry, body=run_body(entry), case=case,
            files=casefile, at=at, count=len(cases),
            former=cases[at - 1] if at else None,
            later=cases[at + 1] if at + 1 < len(cases) else None,
            **compared(case),
        )  # fmt: skip


def listed(visit: Visit, entry: Entry, found: CaseFile | None) -> dict[str, Any]:
    """What the list shows: the cases asked for, a page of them, and what can be asked for."""
    body = run_body(entry)
    asked = Asked(**{key: visit.asked(key) for key in _KEYS})
    every = found.cases if found else ()
    chosen = [case for case in every if asked.fits(case)]
    number, last = paged(visit.asked("page"), len(chosen), _SIZE)
    recorded = body.cases.sha256
    return {
        "body": body,
        "found": found is not None,
        "changed": bool(found and recorded and found.sha256 and found.sha256 != recorded),
        "asked": asked,
        "files": casefile,
        "cases": chosen[(number - 1) * _SIZE : number * _SIZE],
        "count": len(chosen),
        "every": len(every),
        "page": number,
        "last": last,
        "query": urlencode({key: value for key in _KEYS if (value := getattr(asked, key))}),
        "agents": [
            (name, figures.title(body, name))
            for name in figures.in_order({case.agent: 0 for case in every})
        ],
        "difficulties": pairs(casefile.values(every, lambda case: case.difficulty or "-")),
        "topics": pairs(casefile.values(every, lambda case: case.topic or "-")),
    }


def pairs(values: list[str]) -> list[tuple[str, str]]:
    """What is chosen, and how it is shown; `-` stands for what isn't known."""
    return [(value, say("not given") if value == "-" else value) for value in values]


def compared(case: Case) -> dict[str, Any]:
    """The answers with what the reference lacks marked, and the reference with what they lack."""
    return {
        "before": marked(case.before, case.reference),
        "after": marked(case.after, case.reference),
        "reference": marked(case.reference, case.after),
    }
