"""Geometry of the perplexity chart: pure numbers in a box of `WIDTH`, drawn by the template.

1. The axis is logarithmic and the same for all agents, so that equal ratios are equal lengths.
2. The whisker is the 95 % interval of the difference, laid from `before`: where it would end if
   `before` is taken as given.
3. A row whose figures are missing or not positive is not drawn; the table beside shows it.
"""

import math
from dataclasses import dataclass

from yukjo.dashboard.figures import number, single_agents, title
from yukjo.ledger.body import Metric, RunBody
from yukjo.records import Verdict

WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 640, 170, 22, 14, 46, 34
_LABEL = 12
"""Longest label in letters: the widest that fits left of the axis in Korean."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One agent's row; all but `y` along the axis."""

    label: str
    full: str
    verdict: Verdict
    y: float
    before: float
    after: float
    low: float | None
    high: float | None
    before_text: str
    after_text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the rows."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws."""

    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def perplexity(result_metrics: tuple[Metric, ...]) -> Metric | None:
    """The perplexity among an agent's metrics."""
    return next((metric for metric in result_metrics if metric.name == "perplexity"), None)


def chart(body: RunBody) -> Chart | None:
    """Before and after of every agent; None where there is nothing to draw."""
    rows = [
        (title(body, agent), metric)
        for agent, result in single_agents(body).items()
        if (metric := perplexity(result.metrics)) and _drawable(metric.before, metric.after)
    ]
    if not rows:
        return None
    low, high = axis([end for _, metric in rows for end in _ends(metric)])
    bars = tuple(
        _bar(name, metric, TOP + ROW * (place + 0.5), low, high)
        for place, (name, metric) in enumerate(rows)
    )
    marks = tuple(Tick(_x(value, low, high), number_short(value)) for value in ticks(low, high))
    return Chart(TOP + ROW * len(rows) + BOTTOM, bars, marks)


def axis(values: list[float]) -> tuple[float, float]:
    """The ends of a logarithmic axis that holds `values`, with a little air.

    >>> [round(end, 2) for end in axis([2.0, 200.0])]
    [1.52, 263.65]
    """
    low, high = math.log10(min(values)), math.log10(max(values))
    air = max(0.04, (high - low) * 0.06)
    return 10 ** max(-300, low - air), 10 ** min(300, high + air)


def ticks(low: float, high: float) -> list[float]:
    """At most eight round values between the ends: 1, 2, 5 steps, else powers of ten.

    >>> ticks(1.5, 260)
    [2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0]
    >>> ticks(0.9, 1e12)[:3]
    [1.0, 100.0, 10000.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    inside = [value for value in fine if low <= value <= high]
    if len(inside) <= 8:  # noqa: PLR2004
        return inside
    tens = [10.0**power for power in powers if low <= 10.0**power <= high]
    return tens[:: max(1, math.ceil(len(tens) / 8))]


def number_short(value: float) -> str:
    """A tick's label.

    >>> [number_short(x) for x in (0.5, 20.0, 1e9)]
    ['0.5', '20', '1e+09']
    """
    return f"{value:,.4g}"


def _drawable(*values: float | None) -> bool:
    """Whether all values have a place on a logarithmic axis."""
    return all(value is not None and 1e-300 < value < 1e300 for value in values)  # noqa: PLR2004


def _whisker(metric: Metric) -> tuple[float, float] | None:
    """Where the interval of the difference would put `after`; None where that is no place."""
    if metric.before is None or metric.low is None or metric.high is None:
        return None
    low, high = metric.before + metric.low, metric.before + metric.high
    return (low, high) if _drawable(low, high) else None


def _ends(metric: Metric) -> list[float]:
    """All places a row needs on the axis."""
    return [end for end in (metric.before, metric.after, *(_whisker(metric) or ()))
            if end is not None]  # fmt: skip


def _bar(name: str, metric: Metric, y: float, low: float, high: float) -> Bar:
    """One row."""
    assert metric.before is not None, "only drawable rows come here"
    assert metric.after is not None, "only drawable rows come here"
    whisker = _whisker(metric)
    return Bar(
        label=name if len(name) <= _LABEL else name[: _LABEL - 1] + "…",
        full=name,
        verdict=metric.verdict,
        y=y,
        before=_x(metric.before, low, high),
        after=_x(metric.after, low, high),
        low=_x(whisker[0], low, high) if whisker else None,
        high=_x(whisker[1], low, high) if whisker else None,
        before_text=number(metric.before),
        after_text=number(metric.after),
    )


def _x(value: float, low: float, high: float) -> float:
    """The place of a value along the axis, in the box's units."""
    share = (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)
