"""How a review's stopping rule behaves: false stops without a difference, pairs needed with one.

    python bench/review.py

Simulated sessions of one agent at alpha 0.05, looked at after every pair; half a minute.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from yukjo.review.estimate import Cell, mean
from yukjo.review.stopping import evidence

ALPHA, SESSIONS, PAIRS = 0.05, 2000, 400
SHARES = (0.05, 0.15, 0.3, 0.3, 0.2)
"""Of the scores 1 to 5 that answers get on either side where nothing differs."""

Draw = Callable[[np.random.Generator], npt.NDArray[np.float64]]


def alike(draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """Both sides from one spread of scores."""
    before, after = draw.choice(5, size=(2, PAIRS), p=SHARES)
    return np.asarray(after - before, dtype=float)


def skewed(draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """Seldom much better, often a little worse."""
    return draw.choice([3.0, -1.0], size=PAIRS, p=[0.25, 0.75])


def extreme(draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """All or nothing."""
    return draw.choice([4.0, -4.0], size=PAIRS)


def better(gap: float) -> Draw:
    """Differences around `gap` with a spread of 1.2, in whole points."""
    return lambda draw: np.clip(np.rint(draw.normal(gap, 1.2, PAIRS)), -4, 4)


def stops(kind: Draw) -> npt.NDArray[np.float64]:
    """Pairs at which each simulated session stopped; infinity where it never did."""
    draw = np.random.default_rng(0)
    found = []
    for _ in range(SESSIONS):
        over = np.flatnonzero(evidence(kind(draw)) >= 1 / ALPHA)
        found.append(float(over[0]) + 1 if len(over) else np.inf)
    return np.array(found)


def coverage(raters: int, pairs: int) -> float:
    """How often the 95 % interval of a mean score held the truth, in 400 sessions."""
    draw = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        mild, hard = draw.normal(0, 0.2, raters), draw.normal(0, 0.5, pairs)
        cells = [
            Cell(f"{p}", f"{r}", float(np.clip(3 + mild[r] + hard[p] + draw.normal(0, 0.6), 1, 5)))
            for p in range(pairs)
            for r in range(raters)
            if p < 0.3 * pairs or p % raters == r
        ]
        found = mean(cells, least=1, most=5)
        inside += found.low is not None and found.low <= 3 <= (found.high or 0)  # noqa: PLR2004
    return inside / 400


def main() -> None:
    """Print both tables."""
    for kind in (alike, skewed, extreme):
        share = np.isfinite(stops(kind)).mean()
        print(f"no difference, {kind.__name__}: {share:.1%} of {SESSIONS} sessions stopped")
    for gap in (0.3, 0.5, 0.8, 1.2):
        found = stops(better(gap))
        reached = {n: f"{(found <= n).mean():.0%}" for n in (50, 100, 200, PAIRS)}
        print(f"difference {gap}: median {np.median(found):.0f} pairs; stopped by {reached}")
    for raters, pairs in ((1, 40), (2, 40), (3, 40), (5, 40), (5, 100)):
        print(f"{raters} raters, {pairs} pairs: interval held {coverage(raters, pairs):.1%}")


if __name__ == "__main__":
    main()
