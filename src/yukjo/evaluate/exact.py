"""Exact tests and bounds over counts and ranks.

scipy has them too and checks them in the tests; it is no dependency, because a closed network
would carry some 100 MB for what stands on this page.

1. A test never claims more than its level: ties and few cases make it cautious, not wrong.
2. Bounds are one-sided: "at least 85 %, with 95 % confidence".
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import TypeVar

import numpy as np
import numpy.typing as npt

EXACT_RANKS = 200
"""Most differences whose signs are counted out; the normal distribution serves for more."""

_Key = TypeVar("_Key", bound=Hashable)


def at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) of a binomial X: n tries that succeed with probability p.

    >>> at_least(2, 2, 0.5), at_least(0, 9, 0.1), round(at_least(59, 59, 0.95), 4)
    (0.25, 1.0, 0.0485)
    """
    if k <= 0 or p >= 1:
        return float(k <= n)
    if k > n or p <= 0:
        return 0.0
    counts = np.arange(k, n + 1)
    logs = _log_choose(n)[k:] + counts * math.log(p) + (n - counts) * math.log1p(-p)
    return float(min(1.0, np.exp(logs).sum()))


def share_bounds(right: int, n: int, *, confidence: float) -> tuple[float, float]:
    """One-sided lower and upper bound of a share of which `right` of `n` were seen.

    Clopper and Pearson, Biometrika 26, 1934.

    >>> [round(bound, 2) for bound in share_bounds(18, 20, confidence=0.95)]
    [0.72, 0.98]
    """
    upper = 1 - _least_share(n - right, n, 1 - confidence)
    return _least_share(right, n, 1 - confidence), upper


def quantile_bounds(
    values: Sequence[float], *, share: float, confidence: float
) -> tuple[float | None, float | None]:
    """One-sided bounds of the value below which `share` of all values lie, by order alone.

    None where so few values bound nothing: a 95 % quantile has no upper bound below 59 of them.

    >>> quantile_bounds(range(59), share=0.95, confidence=0.95)[1]
    58
    """
    ordered, n = sorted(values), len(values)
    above = next((k for k in range(1, n + 1) if at_least(k, n, share) <= 1 - confidence), None)
    below = next((k for k in range(n, 0, -1) if 1 - at_least(k, n, share) <= 1 - confidence), None)
    return (ordered[below - 1] if below else None, ordered[above - 1] if above else None)


def mcnemar(better: int, worse: int) -> float:
    """Two-sided exact p that as many cases turned right as turned wrong.

    McNemar, Psychometrika 12, 1947, by the binomial distribution; unchanged cases don't count.

    >>> mcnemar(6, 0), mcnemar(3, 3), mcnemar(0, 0)
    (0.03125, 1.0, 1.0)
    """
    n = better + worse
    tail = sum(math.comb(n, k) for k in range(max(better, worse), n + 1))
    return float(min(1.0, 2 * tail / 2**n))


def wilcoxon(differences: Sequence[float]) -> float:
    """Two-sided p of Wilcoxon's signed ranks that differences fall to both sides alike.

    Zeros are left out and ties share their mean rank. Exact given the ranks (each sign is as
    likely as the other) up to `EXACT_RANKS` differences, normal above.
    Wilcoxon, Biometrics Bulletin 1(6), 1945.

    >>> wilcoxon([1, 2, 3, 4, 5, 6]), wilcoxon([2, -2]), wilcoxon([0, 0])
    (0.03125, 1.0, 1.0)
    """
    moved = np.array([d for d in differences if d != 0], dtype=float)
    ranks = _doubled_ranks(np.abs(moved))
    total, up = int(ranks.sum()), int(ranks[moved > 0].sum())
    least = min(up, total - up)
    if len(ranks) > EXACT_RANKS:
        spread = math.sqrt(float(np.square(ranks.astype(float)).sum())) / 2
        return min(1.0, 2 * NormalDist().cdf((least - total / 2) / spread))
    return min(1.0, 2 * float(_sum_chances(ranks)[: least + 1].sum()))


def holm(found: Mapping[_Key, float]) -> dict[_Key, float]:
    """P corrected for all comparisons made together (Holm, Scand. J. Statistics 6, 1979).

    Calling true what is at most 5 % here is wrong anywhere in the family at most once in twenty.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    corrected: dict[_Key, float] = {}
    highest = 0.0
    for place, (key, p) in enumerate(sorted(found.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, (len(found) - place) * p))
        corrected[key] = highest
    return corrected


def _least_share(right: int, n: int, alpha: float) -> float:
    """The share under which `right` or more of `n` come with probability `alpha`, by halving."""
    if right == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if at_least(right, n, middle) < alpha else (low, middle)
    return low


@lru_cache(maxsize=16)  # a test asks about one n many times
def _log_choose(n: int) -> npt.NDArray[np.float64]:
    """Log of "n over k" for k = 0..n."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.asarray(logs[n] - logs - logs[::-1], dtype=np.float64)


def _doubled_ranks(sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Twice the rank of each size, so that a mean rank is a whole number."""
    _, place, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    return np.asarray((2 * counts.cumsum() - counts + 1)[place], dtype=np.int64)


def _sum_chances(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """P(the ranks with a plus sum to s), s = 0.., where every sign is tossed."""
    chances = np.zeros(int(ranks.sum()) + 1)
    chances[0] = 1.0
    for rank in ranks:
        chances /= 2
        chances[rank:] += chances[:-rank].copy()
    return chances
