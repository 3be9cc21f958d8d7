"""The one environment of all templates: what they may call, and what becomes of texts from outside.

1. Everything is escaped; a name that isn't known is an error.
2. Letters that can't be seen or that turn the writing direction are shown by their number: a text
   of a model can't hide a part of itself or swap what stands beside it.
"""

import re
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from yukjo.dashboard import chain, chart, figures, goals, summary, verdict
from yukjo.words import say

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Controls but tab and new line, directions, zero widths, tags; not the joiners' own letters."""
_KST = timezone(timedelta(hours=9))


@cache
def environment() -> Environment:
    """Shared by pages and report."""
    made = Environment(
        loader=PackageLoader("yukjo.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=visible,
    )
    made.globals |= {"say": say, "figures": figures, "summary": summary, "shape": chart,
                     "verdicts": verdict, "links": chain, "goals": goals}  # fmt: skip
    made.filters |= {"number": figures.number, "size": size, "duration": duration, "clock": clock}
    return made


@cache
def style(*names: str) -> str:
    """Style sheets of ours, one after another."""
    folder = resources.files(__package__) / "templates"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def visible(shown: object) -> object:
    """A text with its hidden letters shown; markup of ours and all else as it is.

    >>> visible("금액\u202e000\u200b원")
    '금액⟨U+202E⟩000⟨U+200B⟩원'
    """
    if isinstance(shown, Markup) or not isinstance(shown, str):
        return shown
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", shown)


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


def clock(created: str) -> str:
    """A recorded time, which is UTC, on a Korean clock; what is no time, as it is.

    >>> clock("2026-01-02T23:04:05Z"), clock("?")
    ('2026. 1. 3. 08:04 KST', '?')
    """
    try:
        there = datetime.fromisoformat(created).astimezone(_KST)
    except (ValueError, OverflowError):
        return created
    return f"{there.year}. {there.month}. {there.day}. {there:%H:%M} KST"
