"""One run as one HTML page that needs nothing else: no script, no address, no other file.

1. Every text of the run is escaped; the page's policy forbids whatever would slip through:
   nothing loads, and only the one style block with the page's own hash applies.
2. A missing part of a run leaves a gap in the page, never an error.
3. Nothing is said by colour alone: verdicts carry a mark and a word.
"""

import base64
import hashlib

from markupsafe import Markup

from yukjo.dashboard import chart
from yukjo.dashboard.templating import environment, style
from yukjo.ledger.body import ALL, run_body
from yukjo.ledger.verdict import gate_of
from yukjo.records import Entry
from yukjo.words import Language, speaking


def report(entry: Entry, *, language: Language) -> str:
    """The page of a run's entry."""
    body, styles = run_body(entry), style("parts.css", "report.css")
    with speaking(language):
        page = environment().get_template("report.html").render(
            entry=entry,
            body=body,
            gate=gate_of(entry),
            language=language,
            style=Markup(styles),  # noqa: S704 - our own files
            policy=policy(styles),
            chart=chart.chart(body),
            all_agents=ALL,
        )  # fmt: skip
    return page.encode("utf-8", "replace").decode()


def policy(style: str) -> str:
    """The content security policy that lets in one style block and nothing else.

    >>> policy("")[:43]
    "default-src 'none'; style-src 'sha256-47DEQ"
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
