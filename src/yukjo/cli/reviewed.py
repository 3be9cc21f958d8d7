"""Tables of a review for the terminal: how it stands, and what it found."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from yukjo.cli.rating import title_of
from yukjo.dashboard.table import plain
from yukjo.ledger.body import ALL
from yukjo.records import Entry
from yukjo.words import say

TARGET = 4.0
"""Mean score of five that is asked for (FR-071A)."""
_RELIABLE, _TENTATIVE = 0.8, 0.667
"""Krippendorff's own lines for alpha."""
_MANY = 0.1
"""Share of ratings made too fast from which a rater is marked."""
_SEVERAL = 10
"""Ratings from which the two habits below are looked at."""
_LEANING = 0.2
"""Distance of the share of left preferences from a half."""
_DRIFTING = 0.75
"""Distance of the mean scores of the two halves."""


def paint_status(found: Mapping[str, Any]) -> None:
    """Who rated how much, and whether to go on."""
    state = say("closed") if found["closed"] else say("open, sides sealed")
    lines = [
        say("review {session} of run {run}: {state}", session=found["session"], run=found["run"],
            state=state),
        say("{count} ratings", count=found["ratings"]),
    ]  # fmt: skip
    grid = _table(say("agent"), say("rated pairs"), say("whether to go on"))
    for agent, each in found["agents"].items():
        grid.add_row(_title(agent), f"{each['rated']}/{each['pairs']}", _more(each))
    console = Console(highlight=False)
    console.print("\n".join(lines), grid, _raters(found["raters"]), sep="\n")
    console.print(_agreement(found["alpha"]))
    if found["enough"] is None:
        console.print(say("whether it is enough needs the seal: --key FILE"))
    elif found["enough"]:
        console.print(say("enough: close it with `yukjo review close`"))


def paint_results(entry: Entry) -> None:
    """What a closed session found."""
    body = entry.body
    grid = _table(
        say("agent"), say("compared with"), say("on trial (95 %)"), f"≥ {TARGET}",
        say("difference (95 %)"), say("preferred"), "p", say("answers with errors"), "n",
    )  # fmt: skip
    for agent, part in body["agents"].items():
        grid.add_row(_title(agent), *_figures(part))
    console = Console(highlight=False)
    console.print(
        say("review {session} of run {run}: {state}", session=body["session"], run=entry.run,
            state=say("closed, entry {number}", number=entry.number)),
        grid, _raters(body["raters"]), _agreement(body["alpha"]), sep="\n",
    )  # fmt: skip


def _figures(part: Mapping[str, Any]) -> Iterable[str]:
    """An agent's cells."""
    quality, wrong, liked = part["quality"], part["error_rate"], part["preference"]
    return (
        f"{quality['before']:.2f}",
        f"{quality['after']:.2f} " + _interval(quality["low"], quality["high"]),
        _reached(quality),
        f"{quality['difference']:+.2f} "
        + _interval(quality["difference_low"], quality["difference_high"]),
        f"{liked['win_rate']:.0%}",
        f"{liked['p_value']:.3f}",
        f"{wrong['before']:.0%} → {wrong['after']:.0%}",
        str(quality["n"]),
    )


def _reached(quality: Mapping[str, Any]) -> str:
    """Whether the mean score of the side on trial is shown to be the target's."""
    low, high = quality["low"], quality["high"]
    if low is not None and low >= TARGET:
        return say("yes")
    return say("no") if high is not None and high < TARGET else say("unclear")


def _interval(low: float | None, high: float | None) -> str:
    return "(-)" if low is None or high is None else f"({low:.2f}~{high:.2f})"


def _more(each: Mapping[str, Any]) -> str:
    """What the test says of an agent."""
    left = each["pairs"] - each["rated"]
    if each["enough"] is None:
        return "-"
    if each["enough"]:
        return say("enough")
    if each["more"] is None:
        return say("can't be foreseen yet; {left} left", left=left)
    return say("{more} more expected; {left} left", more=each["more"], left=left)


def _raters(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Every rater's habits, what is odd about them last."""
    grid = _table(say("rater"), say("ratings"), say("mean score"), say("median seconds"),
                  say("to look at"))  # fmt: skip
    for name, each in found.items():
        grid.add_row(name, str(each["ratings"]), f"{each['mean']:.2f}", f"{each['seconds']:.1f}",
                     ", ".join(_odd(each)))  # fmt: skip
    return grid


def _odd(each: Mapping[str, Any]) -> Iterable[str]:
    if each["fast"] > _MANY * each["ratings"]:
        yield say("{count} in under 2 s", count=each["fast"])
    if each["same"]:
        yield say("all scores the same")
    if each["ratings"] >= _SEVERAL and abs(each["left"] - 0.5) > _LEANING:
        yield say("prefers the left side {share:.0%} of the time", share=each["left"])
    if each["ratings"] >= _SEVERAL and abs(each["drift"]) > _DRIFTING:
        yield say("scores moved by {drift:+.1f}", drift=each["drift"])
    if each["torn"]:
        yield say("{count} prefer the lower score", count=each["torn"])


def _agreement(alpha: float | None) -> str:
    if alpha is None:
        return say("agreement (Krippendorff's alpha): not known, no answer has two raters that"
                   " could differ")  # fmt: skip
    if alpha >= _RELIABLE:
        return say("agreement (Krippendorff's alpha): {alpha:.2f}, reliable", alpha=alpha)
    if alpha >= _TENTATIVE:
        return say("agreement (Krippendorff's alpha): {alpha:.2f}, for tentative conclusions",
                   alpha=alpha)  # fmt: skip
    return say("agreement (Krippendorff's alpha): {alpha:.2f}, too low to rely on", alpha=alpha)


def _table(*headings: str) -> Table:
    return Table(*headings, box=SIMPLE, padding=0, collapse_padding=True)


def _title(agent: str) -> Text:
    return plain(say("all agents together") if agent == ALL else title_of(agent))
