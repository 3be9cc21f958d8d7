"""Did it get better, and may it ship: one verdict with its rule, a line a target, and why to trust.

A reviewer's decision goes into the ledger as an entry `decision`: what was decided over which
verdict, by the token's number and role. No name and no free text goes there, since the ledger
can't forget.
"""

from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from yukjo.dashboard import chart, trust
from yukjo.dashboard.goals import GAUGES
from yukjo.dashboard.web.conduct import BASE
from yukjo.dashboard.web.pages.runs import measured, ruling
from yukjo.dashboard.web.site import Site, Visit
from yukjo.errors import LedgerError
from yukjo.ledger.body import ALL, RunBody, run_body
from yukjo.ledger.verdict import Gate
from yukjo.records import Entry, Ruling
from yukjo.words import say

DECISION = "decision"
DECISIONS: dict[str, tuple[Ruling, ...]] = {
    "approve": ("pass",),
    "more-cases": ("hold", "regression"),
    "train-again": ("pass", "hold", "regression"),
    "reject": ("pass", "hold", "regression"),
}
"""What can be decided, and over which verdicts: nobody approves what the gate does not let pass."""


def add(site: Site) -> None:
    """Register the page and the decision."""
    site.tabs.append(("", lambda: say("Verdict")))

    @site.get("/runs/{run}")
    def page(visit: Visit) -> Response:
        entry = measured(visit)
        if visit.path("run") != entry.run:
            return RedirectResponse(_address(entry.run), 303)
        return visit.render("web/verdict.html", **shown(visit, entry))

    @site.post("/runs/{run}/decision", role="reviewer")
    def decide(visit: Visit) -> Response:
        entry = measured(visit)
        gate, number = ruling(visit.sources, entry)
        what, over = visit.form.get("decision", ""), visit.form.get("verdict", "")
        if gate is None or gate.verdict not in DECISIONS.get(what, ()) or over != str(number):
            raise LedgerError(
                say("this can't be decided over the verdict that stands now"),
                where=say("run {run}", run=entry.run),
                fix=say("look at the verdict again; it may have changed since the page was shown"),
            )
        assert visit.token, "only a token has the role"
        visit.sources.record(DECISION, entry.run, {
            "decision": what, "verdict": number, "ruling": gate.verdict,
            "token": visit.token.id, "role": visit.token.role,
        })  # fmt: skip
        return RedirectResponse(f"{_address(entry.run)}#decision", 303)


def _address(run: str) -> str:
    return f"{BASE}/runs/{quote(run, safe='')}"


def shown(visit: Visit, entry: Entry) -> dict[str, Any]:
    """What the template shows of a run."""
    body, sources = run_body(entry), visit.sources
    gate, number = ruling(sources, entry)
    review = sources.ledger.newest("review", run=entry.run)
    return {
        "tab_title": say("Verdict"),
        "entry": entry,
        "body": body,
        "gate": gate,
        "number": number,
        "tiles": tiles(body, gate),
        "trust": trust.strip(body, gate, sources.signed(entry.number), review),
        "chart": chart.chart(body),
        "gauges": gauges(body, gate),
        "decisions": decisions(gate),
        "decided": decided(visit, entry.run),
    }


def tiles(body: RunBody, gate: Gate | None) -> list[dict[str, str]]:
    """The five figures an official looks for first."""
    lines = gate.lines if gate else ()
    counts = body.cases.counts.get(ALL, {})
    passed, worse = (sum(line.ruling == ruling for line in lines)
                     for ruling in ("pass", "regression"))  # fmt: skip
    unchanged = counts.get("sound", 0) + counts.get("unsound", 0)

    def cases(count: int) -> str:
        return str(count) if counts else "–"

    return [
        {"name": say("targets reached"), "value": f"{passed} / {len(lines)}", "kind": "plain"},
        {"name": say("regressions shown"), "value": str(worse), "kind": "bad" if worse else "good"},
        {"name": say("cases fixed"), "value": cases(counts.get("fixed", 0)), "kind": "plain",
         "to": "fixed"},
        {"name": say("cases broken"), "value": cases(counts.get("broken", 0)),
         "kind": "bad" if counts.get("broken") else "plain", "to": "broken"},
        {"name": say("cases unchanged"), "value": cases(unchanged), "kind": "plain", "to": "same"},
    ]  # fmt: skip


def gauges(body: RunBody, gate: Gate | None) -> list[Any]:
    """Metrics over all agents that no target names, but that tell of harm."""
    asked = {line.metric for line in gate.lines} if gate else set()
    every = body.agents.get(ALL)
    return [m for name in GAUGES if name not in asked for m in (every.metrics if every else ())
            if m.name == name]  # fmt: skip


def decisions(gate: Gate | None) -> list[tuple[str, str]]:
    """What can be decided over this verdict, with its words."""
    ruling = gate.verdict if gate else None
    return [(key, decision_name(key)) for key, over in DECISIONS.items() if ruling in over]


def decision_name(key: str) -> str:
    """A decision in words."""
    return {
        "approve": say("approve: may be put into production"),
        "more-cases": say("collect more test cases first"),
        "train-again": say("train again"),
        "reject": say("do not use"),
    }.get(key, key)


def decided(visit: Visit, run: str) -> list[dict[str, Any]]:
    """The decisions over a run, the newest first."""
    ledger = visit.sources.ledger
    entries = [ledger.entry(one.number) for one in ledger.page(DECISION, run=run, size=20)]
    return [
        {"number": e.number, "created": e.created, "verdict": e.body.get("verdict", 0),
         "what": decision_name(str(e.body.get("decision", ""))), "token": e.body.get("token", "?")}
        for e in entries
    ]  # fmt: skip
