"""Means, shares and preferences over rated pairs, with 95 % intervals.

1. A pair counts once, however many raters saw it: where they disagree, their mean counts.
2. Fewer than six pairs get no interval.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from yukjo.evaluate.statistics import CONFIDENCE, PAIRS_FOR_A_VERDICT, tail_share

_RESAMPLES = 2000
_TAIL = (1 - CONFIDENCE) / 2

_Floats = npt.NDArray[np.float64]


class Cell(NamedTuple):
    """What one rater gave one pair."""

    pair: str
    rater: str
    value: float


class Estimate(NamedTuple):
    """A figure and what it is known to."""

    value: float
    low: float | None
    high: float | None
    n: int
    """Pairs."""


def mean(cells: Sequence[Cell], *, least: float, most: float) -> Estimate:
    """The mean over pairs of values that lie in `least`..`most`.

    Both pairs and raters are resampled (the pigeonhole bootstrap: Owen, Annals of Applied
    Statistics 1(2), 2007), so that neither a lucky choice of cases nor a mild rater passes for
    quality; the tails are widened for few pairs as those of `evaluate.statistics`. Values that
    are all the same have no spread to resample: the share of pairs that may yet differ is
    bounded exactly instead, and put at the far end.
    """
    given, marks = _grid(cells)
    n = len(given)
    value = float((given.sum(axis=1) / marks.sum(axis=1)).mean())
    if n < PAIRS_FOR_A_VERDICT:
        return Estimate(value, None, None, n)
    if len({cell.value for cell in cells}) == 1:
        unseen = 1 - _TAIL ** (1 / n)
        return Estimate(value, value - unseen * (value - least), value + unseen * (most - value), n)
    tail = tail_share(n)
    low, high = np.quantile(_resampled(given, marks), [tail, 1 - tail])
    return Estimate(value, float(low), float(high), n)


def share(cells: Sequence[Cell]) -> Estimate:
    """The share of pairs marked (cells of 0 or 1), with Wilson's interval (JASA 22, 1927).

    >>> found = share([Cell(str(k), "r1", k < 18) for k in range(20)])
    >>> round(found.low, 2), round(found.high, 2)
    (0.7, 0.97)
    """
    given, marks = _grid(cells)
    rate, n = float((given.sum(axis=1) / marks.sum(axis=1)).mean()), len(given)
    z = NormalDist().inv_cdf(1 - _TAIL)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Estimate(rate, max(0.0, middle - half), min(1.0, middle + half), n)


class Preference(NamedTuple):
    """Which side raters liked better; a pair goes to the side that more of them chose."""

    wins: int
    losses: int
    ties: int
    p_value: float
    """Of the exact two-sided sign test over pairs that are no tie."""

    @property
    def win_rate(self) -> float:
        """Share of pairs won, a tie being half a win."""
        return (self.wins + self.ties / 2) / (self.wins + self.losses + self.ties)


def preference(cells: Sequence[Cell]) -> Preference:
    """Count pairs by the sum of their raters' choices: 1 won, -1 lost, 0 neither.

    >>> preference([Cell("a", "r1", 1), Cell("a", "r2", -1), Cell("b", "r1", 1)])
    Preference(wins=1, losses=0, ties=1, p_value=1.0)
    """
    sums = _grid(cells)[0].sum(axis=1)
    wins, losses = int((sums > 0).sum()), int((sums < 0).sum())
    n = wins + losses
    tail = sum(math.comb(n, k) for k in range(min(wins, losses) + 1)) / 2**n
    return Preference(wins, losses, len(sums) - n, min(1.0, 2 * tail))


def _grid(cells: Sequence[Cell]) -> tuple[_Floats, _Floats]:
    """Values and marks (1 where there is a value), a row a pair and a column a rater."""
    pairs = {name: k for k, name in enumerate(sorted({c.pair for c in cells}))}
    raters = {name: k for k, name in enumerate(sorted({c.rater for c in cells}))}
    given, marks = np.zeros((2, len(pairs), len(raters)))
    for cell in cells:
        place = pairs[cell.pair], raters[cell.rater]
        given[place], marks[place] = cell.value, 1
    return given, marks


def _resampled(given: _Floats, marks: _Floats) -> _Floats:
    """The mean over resampled pairs and raters; a pair without a drawn rater is left out."""
    draw = np.random.default_rng(0)
    pairs, raters = (
        draw.multinomial(size, np.full(size, 1 / size), size=_RESAMPLES).T for size in given.shape
    )
    weights = marks @ raters
    means = np.divide(given @ raters, weights, out=np.zeros_like(weights), where=weights > 0)
    counted = pairs * (weights > 0)
    total = counted.sum(axis=0)
    drawn = total > 0
    return np.asarray((counted * means).sum(axis=0)[drawn] / total[drawn])
