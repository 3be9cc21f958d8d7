"""The gate: from sealed targets and evidence to pass, hold or regression, by a rule with a name.

Pure: the same targets and evidence give the same answer, and nothing is read or written.

1. A line passes only on evidence: where there is none, too little, or no seal, the answer is hold.
2. A gain must clear its bar with the cautious end of its 95 % interval. One that claims to be
   better (a bar of 0 or more) must also hold after correction for every comparison of the run
   (Holm), so that six agents and all metrics together raise a false claim once in twenty runs.
3. A loss that holds after the same correction, and whose whole interval lies beyond the target's
   margin, is a regression; where the interval crosses the margin the answer is hold. A loss as
   large as the margin passes at most one time in twenty: that needs no correction, because a
   pass needs all lines.
4. Regression goes before hold, hold before pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yukjo.config.gate import TargetConfig
from yukjo.evaluate.exact import holm, quantile_bounds, share_bounds
from yukjo.evaluate.power import cases_for_gap, cases_for_share, without_a_miss
from yukjo.evaluate.tasks import ALL
from yukjo.records import Comparison, Decision, Frozen, Ruled, Ruling

TAIL = 0.95
"""The share of answers that `p95_seconds` speaks of."""

Comparisons = Mapping[str, Sequence[Comparison]]
"""By agent, and over "all"."""


class Level(Frozen):
    """A figure of the tuned side alone, with bounds at the gate's confidence."""

    metric: str
    agent: str = ALL
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 1
    higher_is_better: bool = True


def share_level(metric: str, right: int, n: int, *, confidence: float) -> Level:
    """A share of cases that were right, as `agent_selection`."""
    low, high = share_bounds(right, n, confidence=confidence)
    return Level(metric=metric, value=right / n, low=low, high=high, n=n)


def tail_level(metric: str, seconds: Sequence[float], *, confidence: float) -> Level:
    """What 95 % of the times stay under, as `p95_seconds`; bounded by order, whatever their law."""
    low, high = quantile_bounds(seconds, share=TAIL, confidence=confidence)
    place = min(len(seconds) - 1, int(TAIL * len(seconds)))
    return Level(metric=metric, value=sorted(seconds)[place], low=low, high=high,
                 n=len(seconds), higher_is_better=False)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Claim:
    """How sure a comparison is, in its family."""

    corrected: float
    """p after Holm."""
    alpha: float
    family: int

    @property
    def shown(self) -> bool:
        return self.corrected <= self.alpha


def decide(
    targets: Mapping[str, TargetConfig],
    comparisons: Comparisons,
    levels: Sequence[Level],
    *,
    agents: Sequence[str],
    confidence: float,
    sealed: bool,
) -> Decision:
    """The gate's answer to a run of `agents`; `sealed` says whether a valid seal stands."""
    rows = {(row.name, agent): row for agent, each in comparisons.items() for row in each}
    found = {(level.metric, level.agent): level for level in levels}
    asked = [(name, target, agent) for name, target in targets.items()
             for agent in _agents(target, agents)]  # fmt: skip
    claims = _claims(asked, rows, alpha=1 - confidence)
    lines = [] if sealed else [_unsealed()]
    for name, target, agent in asked:
        at = (target.metric, agent)
        if target.kind == "level":
            lines.append(_level_line(name, target, agent, found.get(at), confidence=confidence))
        elif row := rows.get(at):
            lines.append(_gain_line(name, target, agent, row, claims[at]))
        else:
            lines.append(_line(name, target, agent, ruling="hold", why="absent"))
    return _decision(lines)


def decision_for(agent: str, decision: Decision) -> Decision:
    """The part of a decision that an agent's adapter answers for: its own lines and the run's."""
    return _decision([line for line in decision.lines if line.agent in {agent, ALL}])


def _decision(lines: Sequence[Ruled]) -> Decision:
    order: tuple[Ruling, ...] = ("regression", "hold")
    for ruling in order:
        for line in lines:
            if line.ruling == ruling:
                return Decision(
                    verdict=ruling, rule=f"{line.target}/{line.agent}", lines=tuple(lines)
                )
    # A gate that asks nothing has shown nothing.
    return Decision(verdict="pass" if lines else "hold", rule="", lines=tuple(lines))


def _agents(target: TargetConfig, agents: Sequence[str]) -> Sequence[str]:
    return agents if target.agent == "each" else [target.agent]


def _claims(
    asked: Sequence[tuple[str, TargetConfig, str]],
    rows: Mapping[tuple[str, str], Comparison],
    *,
    alpha: float,
) -> dict[tuple[str, str], _Claim]:
    """Every comparison that a target looks at, once, corrected for all of them."""
    family = {
        (target.metric, agent): 1.0 if (p := rows[target.metric, agent].p) is None else p
        for _, target, agent in asked
        if target.kind != "level" and (target.metric, agent) in rows
    }
    return {at: _Claim(p, alpha, len(family)) for at, p in holm(family).items()}


def _gain_line(
    name: str, target: TargetConfig, agent: str, row: Comparison, claim: _Claim
) -> Ruled:
    """A line on what was gained from before to after."""
    point, low, high = _gain(target, row)
    said = {"before": row.before, "after": row.after, "low": low, "high": high, "n": row.n}
    if point is None or low is None or high is None:
        return _line(name, target, agent, ruling="hold", why="few", **said,
                     needed=max(target.least - row.n, 1))  # fmt: skip
    if row.verdict == "worse" and claim.shown and high < min(target.bar, 0.0):
        return _line(name, target, agent, ruling="regression", why="worse", **said)
    reached = low if target.by == "bound" else point
    better = target.bar < 0 or (row.verdict == "better" and claim.shown)
    if row.n >= target.least and reached >= target.bar and better:
        return _line(name, target, agent, ruling="pass", why="met", **said)
    if high < target.bar:
        return _line(name, target, agent, ruling="hold", why="missed", **said)
    # What claims to be better is corrected for its family; to lie within a margin needs no such.
    alpha = claim.alpha / claim.family if target.bar >= 0 else claim.alpha
    wanted = cases_for_gap(point - target.bar, (high - low) / 2, row.n, alpha=alpha)
    return _line(name, target, agent, ruling="hold", why="few", **said,
                 needed=_more(wanted, target.least, row.n))  # fmt: skip


def _gain(target: TargetConfig, row: Comparison) -> tuple[float | None, float | None, float | None]:
    """Gain and its interval, in per cent or in the metric's units; above 0 is good."""
    if target.kind == "improvement":
        point, low, high = row.improvement_percentage, row.improvement_low, row.improvement_high
    else:
        point, low, high = row.difference, row.low, row.high
    if row.higher_is_better is None or point is None or low is None or high is None:
        return None, None, None
    return (point, low, high) if row.higher_is_better else (-point + 0.0, -high + 0.0, -low + 0.0)


def _level_line(
    name: str, target: TargetConfig, agent: str, level: Level | None, *, confidence: float
) -> Ruled:
    """A line on the figure after, whatever it was before."""
    if level is None:
        return _line(name, target, agent, ruling="hold", why="absent")
    said = {"after": level.value, "low": level.low, "high": level.high, "n": level.n}
    sign = 1 if level.higher_is_better else -1
    cautious, hopeful = (level.low, level.high)[::sign]
    reached = cautious if target.by == "bound" else level.value
    enough = level.n >= target.least
    if enough and reached is not None and sign * reached >= sign * target.bar:
        return _line(name, target, agent, ruling="pass", why="met", **said)
    if enough and hopeful is not None and sign * hopeful < sign * target.bar:
        return _line(name, target, agent, ruling="hold", why="missed", **said)
    wanted = _level_cases(target, level, confidence=confidence)
    return _line(name, target, agent, ruling="hold", why="few", **said,
                 needed=_more(wanted, target.least, level.n))  # fmt: skip


def _level_cases(target: TargetConfig, level: Level, *, confidence: float) -> int | None:
    """Cases that would show the level, if the figure stays as it is."""
    if target.metric == "agent_selection":
        return cases_for_share(target.bar, level.value, confidence=confidence)
    gap = level.value - target.bar if level.higher_is_better else target.bar - level.value
    if target.metric == "p95_seconds":
        return max(without_a_miss(TAIL, confidence), level.n + 1) if gap > 0 else None
    if level.low is None or level.high is None:
        return None
    return cases_for_gap(gap, (level.high - level.low) / 2, level.n, alpha=1 - confidence)


def _more(wanted: int | None, least: int, n: int) -> int | None:
    """Cases still missing; at least one where the line does not pass yet."""
    return None if wanted is None else max(wanted - n, least - n, 1)


def _line(name: str, target: TargetConfig, agent: str, **said: object) -> Ruled:
    fields = {"target": name, "metric": target.metric, "agent": agent, "kind": target.kind,
              "bar": target.bar}  # fmt: skip
    return Ruled.model_validate(fields | said)


def _unsealed() -> Ruled:
    return Ruled(target="seal", metric="seal", agent=ALL, kind="level", bar=0.0,
                 ruling="hold", why="unsealed")  # fmt: skip
