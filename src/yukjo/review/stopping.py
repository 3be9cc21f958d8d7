"""When a review may stop: a test that may be looked at after every rating.

1. Under "no difference" a gambler who bets on the differences of scores expects to win nothing
   however they stop, so that their capital ever reaches 1 / alpha with a chance of at most alpha
   (Ville, 1939). The capital is the evidence; bets on both directions and of several sizes are
   averaged (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting",
   Journal of the Royal Statistical Society B 86(1), 2024).
2. What is bet on must be a draw of its own: each pair counts once, by its first rating as it was
   first said. More raters of one pair tell of agreement, not of more pairs.
3. Agents share alpha evenly (Bonferroni): it bounds the chance that any one is called wrongly.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

WIDEST = 4
"""The largest difference of two scores from 1 to 5."""
FEWEST = 5
"""Pairs before anything is forecast."""

_FARTHEST = 10_000
_LARGEST_EXPONENT = 700.0
_BETS = np.linspace(0.05, 0.95, 19)
_STAKES = np.concatenate([-_BETS, _BETS])[:, None]


class Outlook(NamedTuple):
    """What the test says now."""

    pairs: int
    evidence: float
    """The largest capital so far, from a stake of 1."""
    needed: float
    more: int | None
    """Pairs still expected if they go on as they did: 0 is enough, None can't be foreseen."""


def evidence(differences: Sequence[float]) -> npt.NDArray[np.float64]:
    """The capital after each of `differences` (score after - before, in -4..4), from 1.

    >>> evidence([4, 4, 4, 4]).round(1).tolist()
    [1.0, 1.3, 2.0, 3.1]
    """
    won = np.log1p(_STAKES * np.asarray(differences, dtype=float) / WIDEST)
    return np.asarray(np.exp(np.minimum(won.cumsum(axis=1), _LARGEST_EXPONENT)).mean(axis=0))


def outlook(differences: Sequence[float], alpha: float) -> Outlook:
    """What `differences`, in the order they came, say at the level `alpha`."""
    needed = 1 / alpha
    best = float(evidence(differences).max(initial=1.0))
    more = 0 if best >= needed else _forecast(differences, needed)
    return Outlook(len(differences), best, needed, more)


def _forecast(differences: Sequence[float], needed: float) -> int | None:
    """The least number of further pairs like those seen that would reach `needed`."""
    n = len(differences)
    if n < FEWEST:
        return None
    growth = np.log1p(_STAKES * np.asarray(differences, dtype=float) / WIDEST).mean(axis=1)
    # At the latest when the best bet alone lifts the average.
    latest = math.log(needed * len(growth)) / max(growth.max(), 1e-12)
    if latest > _FARTHEST:
        return None
    total = np.arange(n + 1, max(math.ceil(latest), n + 1) + 1)
    capital = np.exp(np.outer(total, growth)).mean(axis=1)
    return 1 + int(np.argmax(capital >= needed))
