"""A chart as SVG: bars for groups, a line for time. Drawn here, without script, style or link.

1. Every text is escaped, and no attribute holds text from a file.
2. The axis of bars begins at 0, for the length of a bar is what is read; that of a line may not.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import Literal

from yukjo.serve.tools.quoting import inline

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 76, 16, 40, 56
INK, LINE, FILL = "#1e2124", "#cdd1d5", "#256ef4"
_LABEL = 12
_MOST_LABELS = 12


def chart(
    title: str, labels: Sequence[str], values: Sequence[float], *, form: Literal["bars", "line"]
) -> str:
    """The chart as one SVG element, readable to a screen reader by its title."""
    ticks = _ticks(min(values), max(values), zero=form == "bars")
    y = [_y(value, ticks) for value in values]
    step = (WIDTH - LEFT - RIGHT) / len(values)
    x = [LEFT + step * (place + 0.5) for place in range(len(values))]
    axis = [
        _text(LEFT - 8, _y(t, ticks) + 4, f"{t:,.10g}", "end") + _rule(_y(t, ticks)) for t in ticks
    ]
    shape = _bars(x, y, step * 0.6, _y(max(0, ticks[0]), ticks)) if form == "bars" else _line(x, y)
    every = -(-len(labels) // _MOST_LABELS)
    named = [
        _text(x[place], HEIGHT - BOTTOM + 20, inline(label, limit=_LABEL), "middle")
        for place, label in enumerate(labels)
        if place % every == 0
    ]
    name, drawn = escape(inline(title)), "".join([*axis, shape, *named])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="sans-serif" font-size="12" fill="{INK}"><title>{name}</title>'
        f'<text x="{LEFT}" y="22" font-size="15">{name}</text>{drawn}</svg>'
    )


def _ticks(low: float, high: float, *, zero: bool) -> list[float]:
    """Round places that hold all values, the first and the last the ends of the axis.

    >>> _ticks(3, 97, zero=True), _ticks(0.2, 0.2, zero=False)
    ([0.0, 25.0, 50.0, 75.0, 100.0], [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5])
    """
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = low - 1, high + 1
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = power * next(m for m in (1, 2, 2.5, 5, 10) if m * power >= (high - low) / 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * place for place in range(first, last + 1)]


def _y(value: float, ticks: list[float]) -> float:
    share = (value - ticks[0]) / (ticks[-1] - ticks[0])
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _rule(y: float) -> str:
    return f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="{LINE}"/>'


def _bars(x: list[float], y: list[float], width: float, base: float) -> str:
    return "".join(
        f'<rect x="{middle - width / 2:.1f}" y="{min(top, base):.1f}" width="{width:.1f}"'
        f' height="{abs(top - base):.1f}" fill="{FILL}"/>'
        for middle, top in zip(x, y, strict=True)
    )


def _line(x: list[float], y: list[float]) -> str:
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    dots = (f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{FILL}"/>'
            for a, b in zip(x, y, strict=True))  # fmt: skip
    line = f'<polyline points="{points}" fill="none" stroke="{FILL}" stroke-width="2"/>'
    return line + "".join(dots)


def _text(x: float, y: float, said: str, anchor: Literal["middle", "end"]) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'
