"""What a run was held against, for the page: targets in groups, each line with its interval drawn.

1. Lines of one target share one axis, so that equal gains are equal lengths.
2. A gain is above 0 whichever way is good; a level stands for itself.
3. What must only not get worse, and what must only stay within a limit, are guard rails.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from yukjo.dashboard import figures
from yukjo.ledger.verdict import Gate, Line

WIDTH, HEIGHT, _EDGE = 220, 30, 8
_GUARDS = {
    "failure_rate", "baseline_perplexity", "baseline_accuracy", "length_drift", "p95_seconds",
    "memory_gb", "seal", "kept_accuracy",
}  # fmt: skip
GAUGES = ("failure_rate", "length_drift", "baseline_perplexity", "baseline_accuracy",
          "script_drift", "politeness_drift", "consistency", "seconds")  # fmt: skip
"""Metrics of a run that are looked at though no target names them."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Places along one line's axis, in a box of WIDTH by HEIGHT."""

    bar: float
    zero: float | None
    point: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A target for one agent."""

    line: Line
    gain: float | None
    strip: Strip | None


@dataclass(frozen=True, slots=True)
class Group:
    """One target with all whom it is asked of."""

    target: str
    metric: str
    rows: tuple[Row, ...]

    @property
    def absent(self) -> bool:
        """Whether nothing of it was measured, for anybody."""
        return all(row.line.why in {"absent", "unsealed"} for row in self.rows)

    @property
    def passed(self) -> int:
        """How many of its lines pass."""
        return sum(row.line.ruling == "pass" for row in self.rows)


def groups(gate: Gate, *, guards: bool) -> list[Group]:
    """The targets of a gate: those to reach, or the guard rails."""
    found: dict[str, list[Line]] = {}
    for line in gate.lines:
        if is_guard(line) == guards:
            found.setdefault(line.target, []).append(line)
    return [_group(target, lines) for target, lines in found.items()]


def is_guard(line: Line) -> bool:
    """Whether a line asks for nothing better, only for nothing worse."""
    return line.metric in _GUARDS or (line.kind != "level" and (line.bar or 0) < 0)


def gain_of(line: Line) -> float | None:
    """What is held against the bar: a level, or the gain in the target's unit."""
    if line.after is None:
        return None
    if line.kind == "level":
        return line.after
    if line.before is None:
        return None
    sign = -1 if figures.lower_is_better(line.metric) else 1
    change = sign * (line.after - line.before) + 0.0
    if line.kind != "improvement":
        return change
    return 100 * change / line.before if line.before else None


def _group(target: str, lines: list[Line]) -> Group:
    gains = [gain_of(line) for line in lines]
    level = lines[0].kind == "level"
    low, high = _axis(lines, gains, level=level)

    def at(value: float | None) -> float | None:
        if value is None:
            return None
        share = (min(max(value, low), high) - low) / (high - low)
        return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)

    rows = []
    for line, gain in zip(lines, gains, strict=True):
        bar = at(line.bar or 0.0)
        assert bar is not None, "the bar always has a place"
        drawn = Strip(bar=bar, zero=None if level else at(0.0), point=at(gain),
                      low=at(line.low), high=at(line.high))  # fmt: skip
        rows.append(Row(line, gain, None if drawn.point is None else drawn))
    return Group(target, lines[0].metric, tuple(rows))


def _axis(
    lines: Iterable[Line], gains: Iterable[float | None], *, level: bool
) -> tuple[float, float]:
    """The ends of the axis that holds all of a target, with a little air."""
    ends = [end for line in lines for end in (line.low, line.high, line.bar) if end is not None]
    ends += [gain for gain in gains if gain is not None] + ([] if level else [0.0])
    least, most = min(ends, default=0.0), max(ends, default=1.0)
    air = max((most - least) * 0.06, abs(most) * 1e-6, 1e-9)
    return least - air, most + air
