"""The record itself: entries, one entry's body, whether the chain is whole, lineage, exports."""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from yukjo.dashboard import family
from yukjo.dashboard.web.conduct import BASE
from yukjo.dashboard.web.pages.paging import paged
from yukjo.dashboard.web.pages.runs import MEASURED, measured
from yukjo.dashboard.web.site import Missing, Site, Visit
from yukjo.ledger import chain, export
from yukjo.ledger.body import run_body
from yukjo.ledger.faults import Fault
from yukjo.words import say

_SIZE = 50
_LIST, _LETTERS = 12, 60_000
"""Items of a list and letters of a body that a page shows; the download has all."""


@dataclass(slots=True)
class Checked:
    """The last time somebody had the chain checked."""

    at: str = ""
    count: int = 0
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def add(site: Site) -> None:
    """Register the list, the entries, the check, the lineage and the exports."""
    site.entries.append(("/records", lambda: say("Records")))
    last = Checked()

    @site.get("/records")
    def page(visit: Visit) -> Response:
        return visit.render("web/records.html", checked=last, kind_name=kind_name, **listed(visit))

    @site.post("/records/check", role="viewer")
    def check(visit: Visit) -> Response:
        with last.lock:  # one after another: each reads the whole ledger
            last.count = visit.sources.ledger.count()
            last.faults = visit.sources.checked()
            last.at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return RedirectResponse(f"{BASE}/records#state", 303)

    @site.get("/records/lineage")
    def lineage(visit: Visit) -> Response:
        thing = visit.asked("thing")
        columns = family.columns(visit.sources.trace(thing), titles(visit)) if thing else []
        return visit.render("web/lineage.html", thing=thing, columns=columns, family=family,
                            graph=family.graph(columns) if columns else None)  # fmt: skip

    @site.get("/records/ssot/{run}")
    def ssot(visit: Visit) -> Response:
        entry = measured(visit)
        return _file(export.ssot(entry), f"ssot-{entry.run}.json")

    @site.get("/records/{number}")
    def one(visit: Visit) -> Response:
        entry = visit.sources.ledger.entry(_number(visit))
        shown = json.dumps(shortened(entry.body), ensure_ascii=False, indent=2)
        return visit.render("web/record.html", entry=entry, shown=shown[:_LETTERS],
                            cut=len(shown) > _LETTERS, kind_name=kind_name,
                            last=visit.sources.ledger.count(),
                            signed=visit.sources.signed(entry.number))  # fmt: skip

    @site.get("/records/{number}/raw")
    def raw(visit: Visit) -> Response:
        entry = visit.sources.ledger.entry(_number(visit))
        name = f"entry-{entry.number}.jsonl"
        return _attached(chain.line(entry) + "\n", "application/jsonl", name)


def listed(visit: Visit) -> dict[str, Any]:
    """A page of entries, of one kind or one run where asked for."""
    sources = visit.sources
    if not sources.recorded:
        return {"rows": (), "kinds": (), "kind": "", "run": "", "page": 1, "last": 1, "count": 0,
                "query": "", "total": 0, "signed": None}  # fmt: skip
    ledger, kinds = sources.ledger, sources.ledger.kinds()
    kind = visit.asked("kind") if visit.asked("kind") in kinds else ""
    run = visit.asked("run")
    chosen = [kind] if kind else []
    count = ledger.count(*chosen, run=run or None)
    number, last = paged(visit.asked("page"), count, _SIZE)
    return {
        "rows": ledger.page(*chosen, run=run or None, page=number, size=_SIZE),
        "kinds": [(name, f"{kind_name(name)} ({number})") for name, number in kinds.items()],
        "kind": kind,
        "run": run,
        "page": number,
        "last": last,
        "count": count,
        "total": ledger.count(),
        "query": urlencode({k: v for k, v in (("kind", kind), ("run", run)) if v}),
        "signed": sources.newest_signed(),
    }


def titles(visit: Visit) -> dict[str, str]:
    """What people call the agents, as the newest measurement has it."""
    newest = visit.sources.ledger.newest(*MEASURED)
    return run_body(newest).titles if newest else {}


def kind_name(kind: str) -> str:
    """What people call a kind of entry; its code where it is not known here."""
    return {
        "run": say("run"),
        "train": say("training alone"),
        "evaluate": say("measurement"),
        "seal": say("seal of the targets"),
        "verdict": say("verdict"),
        "decision": say("decision"),
        "promote": say("into production"),
        "rollback": say("back out of production"),
        "review-start": say("blind review begun"),
        "review": say("blind review closed"),
        "latency": say("times of answers"),
        "cross": say("every adapter on every case"),
        "reproduce": say("trained again"),
        "import": say("figures from elsewhere"),
        "migrate": say("ledger brought up to date"),
    }.get(kind, kind)


def shortened(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON value whose long lists are cut, with how many items are left out.

    >>> shortened({"lines": list(range(14))})["lines"][-1]
    '… 그 밖에 2건'
    """
    if isinstance(value, dict):
        return {name: shortened(part) for name, part in value.items()}
    if isinstance(value, list):
        kept = [shortened(part) for part in value[:_LIST]]
        left = len(value) - len(kept)
        return [*kept, f"… {say('and {count} more', count=left)}"] if left else kept
    return value


def _number(visit: Visit) -> int:
    text = visit.path("number")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):  # noqa: PLR2004
        raise Missing(
            say("there is no such page"),
            where=say("the ledger"),
            fix=say("see the list of entries"),
        )
    number = int(text)
    if not 0 < number <= visit.sources.ledger.count():
        raise Missing(
            say("the ledger has no entry {number}", number=number),
            where=say("the ledger"),
            fix=say("see the list of entries"),
        )
    return number


def _file(document: object, name: str) -> Response:
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return _attached(text, "application/json", name)


def _attached(text: str, kind: str, name: str) -> Response:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "_" for c in name)
    return Response(text.encode("utf-8", "replace"), media_type=f"{kind}; charset=utf-8",
                    headers={"content-disposition": f'attachment; filename="{safe}"'})  # fmt: skip
