"""One run as one HTML page that needs nothing else: no script, no address, no other file.

1. Every text of the run is escaped; the page's policy forbids whatever would slip through:
   nothing loads, and only the one style block with the page's own hash applies.
2. A missing part of a run leaves a gap in the page, never an error.
3. Nothing is said by colour alone: verdicts carry a mark and a word.
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from yukjo.dashboard import chain, chart, figures, summary, verdict
from yukjo.ledger.body import ALL, run_body
from yukjo.ledger.verdict import gate_of
from yukjo.records import Entry
from yukjo.words import Language, say, speak, spoken


def report(entry: Entry, *, language: Language) -> str:
    """The page of a run's entry."""
    body = run_body(entry)
    with _speaking(language):
        page = _template().get_template("report.html").render(
            entry=entry,
            body=body,
            gate=gate_of(entry),
            language=language,
            style=Markup(_style()),  # noqa: S704 - our own file
            policy=policy(_style()),
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


@cache
def _style() -> str:
    """The style block, as it stands between its tags."""
    return (resources.files(__package__) / "templates" / "report.css").read_text(encoding="utf-8")


@cache
def _template() -> Environment:
    """Escapes by default and refuses a name it doesn't know."""
    environment = Environment(
        loader=PackageLoader("yukjo.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"say": say, "figures": figures, "summary": summary, "shape": chart,
                            "verdicts": verdict, "links": chain}  # fmt: skip
    environment.filters |= {"number": figures.number, "size": size, "duration": duration}
    return environment


def size(count: int | None) -> str:
    """Bytes for people.

    >>> size(3_145_728), size(512), size(None)
    ('3.0 MiB', '0.5 KiB', '–')
    """
    if count is None:
        return figures.UNKNOWN
    return f"{count / 1024**2:,.1f} MiB" if count >= 1024**2 else f"{count / 1024:,.1f} KiB"


def duration(seconds: float | None) -> str:
    """A length of time for people.

    >>> duration(4.26), duration(3723), duration(None)
    ('4.3초', '1시간 2분 3초', '–')
    """
    if seconds is None or not 0 <= seconds < 1e9:  # noqa: PLR2004
        return figures.UNKNOWN
    if seconds < 60:  # noqa: PLR2004
        return say("{seconds} s", seconds=f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return say("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return say("{hours} h {minutes} min {seconds} s", hours=hours, minutes=minutes, seconds=rest)


@contextmanager
def _speaking(language: Language) -> Iterator[None]:
    """Speak `language` for a while."""
    before = spoken()
    speak(language)
    try:
        yield
    finally:
        speak(before)
