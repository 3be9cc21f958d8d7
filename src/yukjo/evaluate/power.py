"""How many cases show how much: planned before a run, and said after one that was too small.

All figures are for two-sided tests at `alpha` that find a true difference with 80 % power.
"""

import math
from statistics import NormalDist

from yukjo.evaluate.exact import at_least

POWER = 0.8
FLIPS = 0.2
"""Share of cases assumed to turn out otherwise on the two sides, where it isn't known yet."""

_EXACT = 2000
"""Cases up to which a share's power is counted out."""


def fewest_pairs(alpha: float) -> int:
    """Pairs that differ below which no test of signs or ranks can reach `alpha`.

    >>> fewest_pairs(0.05), fewest_pairs(0.05 / 18)
    (6, 10)
    """
    return math.ceil(math.log2(2 / alpha))


def rate_gap(n: int, *, alpha: float, flips: float = FLIPS) -> float | None:
    """The least difference of two paired rates that `n` cases show; None where none is.

    `flips` is the share of cases that differ. Connor, Biometrics 43(1), 1987.

    >>> round(rate_gap(200, alpha=0.05) or 0, 2), rate_gap(5, alpha=0.05)
    (0.09, None)
    """
    if n < fewest_pairs(alpha):
        return None
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if _rate_cases(middle, alpha, flips) <= n else (middle, high)
    return high if high < 1 else None


def mean_gap(n: int, *, alpha: float) -> float | None:
    """The least mean difference that `n` cases show, in standard deviations of the differences.

    >>> round(mean_gap(32, alpha=0.05) or 0, 2), mean_gap(5, alpha=0.05)
    (0.5, None)
    """
    return None if n < fewest_pairs(alpha) else _reach(alpha) / math.sqrt(n)


def cases_for_gap(gap: float, half_width: float, n: int, *, alpha: float) -> int | None:
    """Cases that show a `gap` where `n` of them gave a 95 % interval of `half_width` to each side.

    None where the gap isn't above 0: more cases of the same kind would not show it.

    >>> cases_for_gap(1.0, 1.0, 20, alpha=0.05), cases_for_gap(0.0, 1.0, 20, alpha=0.05)
    (41, None)
    """
    if gap <= 0:
        return None
    ratio = _reach(alpha) / _reach_of(0.05) * half_width / gap
    return max(fewest_pairs(alpha), math.ceil(n * ratio**2))


def cases_for_margin(margin: float, spread: float, *, alpha: float) -> int:
    """Cases that show a loss to be within `margin` where there is none.

    `spread` is the standard deviation of the differences, in the same unit.

    >>> cases_for_margin(0.05, math.sqrt(FLIPS), alpha=0.05)
    628
    """
    return max(fewest_pairs(alpha), math.ceil((_reach(alpha) * spread / margin) ** 2))


def cases_for_share(bar: float, truth: float, *, confidence: float) -> int | None:
    """Cases that show a share of at least `bar` if it is `truth`; from there on any number does.

    None where the truth isn't above the bar.

    >>> cases_for_share(0.85, 0.9, confidence=0.95), cases_for_share(0.95, 1.0, confidence=0.95)
    (304, 59)
    """
    if truth <= bar:
        return None
    if truth >= 1:
        return without_a_miss(bar, confidence)
    about = _share_cases(bar, truth, confidence)
    if about > _EXACT:
        return math.ceil(about)
    # Power climbs in saw teeth: the last number that fails is sought from well above.
    failing = (n for n in range(math.ceil(1.5 * about) + 50, 0, -1)
               if _shown_with(n, bar, truth, confidence) < POWER)  # fmt: skip
    return next(failing, 0) + 1


def without_a_miss(share: float, confidence: float) -> int:
    """Cases that show a share of at least `share` if none of them misses.

    >>> without_a_miss(0.95, 0.95)
    59
    """
    return math.ceil(math.log(1 - confidence) / math.log(share))


def _shown_with(n: int, bar: float, truth: float, confidence: float) -> float:
    """Probability that `n` cases show the share to be above `bar`."""
    low, high = 0, n + 1  # the least number right that shows it lies in (low, high]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at_least(middle, n, bar) <= 1 - confidence else (middle, high)
    return at_least(high, n, truth)


def _share_cases(bar: float, truth: float, confidence: float) -> float:
    """Cases for a share, by the normal distribution."""
    normal = NormalDist()
    at_bar = normal.inv_cdf(confidence) * math.sqrt(bar * (1 - bar))
    at_truth = normal.inv_cdf(POWER) * math.sqrt(truth * (1 - truth))
    return ((at_bar + at_truth) / (truth - bar)) ** 2


def _rate_cases(gap: float, alpha: float, flips: float) -> float:
    """Cases for a difference of rates; as many must flip as the rates differ."""
    flips = max(flips, gap)
    normal = NormalDist()
    alone = normal.inv_cdf(1 - alpha / 2) * math.sqrt(flips)
    both = normal.inv_cdf(POWER) * math.sqrt(flips - gap**2)
    return math.inf if gap == 0 else ((alone + both) / gap) ** 2


def _reach(alpha: float) -> float:
    """How many standard errors a true difference must have."""
    return _reach_of(alpha) + NormalDist().inv_cdf(POWER)


def _reach_of(alpha: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2)
