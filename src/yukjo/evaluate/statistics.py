"""Is after better than before? Paired by case, with a 95 % interval, never two bare numbers.

1. Cases are resampled, not values: both sides of a case always go together.
2. The result depends on the set of pairs alone: the order of the cases changes no bit, and
   swapping before and after mirrors difference and interval exactly.
3. The interval is the expanded percentile bootstrap (Hesterberg, "What Teachers Should Know About
   the Bootstrap", The American Statistician 69(4), 2015): the plain one is too narrow for few
   cases.
4. A verdict needs six pairs that differ: even if all five of five agree, chance alone does that
   once in sixteen.
5. Values are finite, and so is every result.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from yukjo.records import Comparison, Verdict

CONFIDENCE = 0.95
PAIRS_FOR_A_VERDICT = 6

Weighted = tuple[float, float]
"""A case's share of a ratio: numerator and weight (> 0), as (summed nll, tokens)."""

_Row = tuple[float, float, float, float]  # numerator and weight before, then after
_Floats = npt.NDArray[np.float64]
_Link = Callable[[_Floats], _Floats]

_CHUNK = 1 << 20
_NOISE = 1e-12
_LARGEST_EXPONENT = 700.0


def compare(
    name: str,
    metric_id: str,
    before: Sequence[float],
    after: Sequence[float],
    *,
    higher_is_better: bool | None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """The mean over cases, before and after; the same place in both lists is the same case."""
    return _comparison(
        name, metric_id, [(value, 1.0) for value in before], [(value, 1.0) for value in after],
        link=_same, higher_is_better=higher_is_better, resamples=resamples, seed=seed,
    )  # fmt: skip


def compare_pooled(
    name: str,
    metric_id: str,
    before: Sequence[Weighted],
    after: Sequence[Weighted],
    *,
    higher_is_better: bool | None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """`exp(sum of numerators / sum of weights)`, before and after: perplexity over all tokens."""
    return _comparison(
        name, metric_id, before, after,
        link=_exp, higher_is_better=higher_is_better, resamples=resamples, seed=seed,
    )  # fmt: skip


def _comparison(
    name: str,
    metric_id: str,
    before: Sequence[Weighted],
    after: Sequence[Weighted],
    *,
    link: _Link,
    higher_is_better: bool | None,
    resamples: int,
    seed: int,
) -> Comparison:
    rows = [(*b, *a) for b, a in zip(before, after, strict=True)]
    assert rows, "nothing to compare"
    assert all(math.isfinite(value) for row in rows for value in row), "values must be finite"
    old, new = _pooled(before, link), _pooled(after, link)
    interval = _interval(rows, link, resamples=resamples, seed=seed)
    low, high = interval or (None, None)
    return Comparison(
        name=name,
        metric_id=metric_id,
        before=old,
        after=new,
        difference=new - old + 0.0,
        low=low,
        high=high,
        n=len(rows),
        verdict=_verdict(rows, interval, max(abs(old), abs(new)), higher_is_better),
        improvement_percentage=_improvement(old, new),
    )


def _pooled(cases: Sequence[Weighted], link: _Link) -> float:
    """The statistic over all cases; `fsum` is exact, so their order doesn't matter."""
    top, weight = (math.fsum(column) for column in zip(*cases, strict=True))
    return float(link(np.array([top / weight]))[0]) + 0.0


def _same(values: _Floats) -> _Floats:
    return values


def _exp(values: _Floats) -> _Floats:
    """exp, held below what a float can be: a diverged model is bad enough at 1e304."""
    return np.exp(np.minimum(values, _LARGEST_EXPONENT))


def _interval(
    rows: Sequence[_Row], link: _Link, *, resamples: int, seed: int
) -> tuple[float, float] | None:
    """Interval of the difference; None for one case.

    The pairs are put in one order, and in one direction: whichever of (before, after) and
    (after, before) sorts first. So both directions draw the same resamples.
    """
    if len(rows) < 2:  # noqa: PLR2004 - one case has no spread
        return None
    forth = sorted(rows)
    back = sorted((*row[2:], *row[:2]) for row in rows)
    low, high = _bootstrap(min(forth, back), link, resamples=resamples, seed=seed)
    if forth == back:
        low, high = (low - high) / 2, (high - low) / 2
    elif back < forth:
        low, high = -high, -low
    return low + 0.0, high + 0.0


def _bootstrap(
    rows: Sequence[_Row], link: _Link, *, resamples: int, seed: int
) -> tuple[float, float]:
    """The two quantiles of the difference over resampled cases."""
    columns = np.array(rows).T + 0.0  # + 0.0 makes -0.0 a plain zero
    n = len(rows)
    draw = np.random.default_rng(seed)
    differences = np.empty(resamples)
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        picked = draw.integers(0, n, size=(stop - start, n))
        top_old, weight_old, top_new, weight_new = (c[picked].sum(axis=1) for c in columns)
        differences[start:stop] = link(top_new / weight_new) - link(top_old / weight_old)
    tail = tail_share(n)
    low, high = np.quantile(differences, [tail, 1 - tail])
    return float(low), float(high)


@cache
def tail_share(n: int) -> float:
    """Share of resamples cut off at each end so that `n` cases cover 95 %: below 2.5 %.

    >>> round(tail_share(10), 4), round(tail_share(10_000), 3)
    (0.0086, 0.025)
    """
    wide = math.sqrt(n / (n - 1)) * _t_quantile(n - 1)
    return math.erfc(wide / math.sqrt(2)) / 2


def _t_quantile(freedom: int) -> float:
    """The 97.5 % point of Student's t, by halving."""
    low, high = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), 13.0
    if freedom > 1000:  # noqa: PLR2004 - from here on it is the normal's to three digits
        return low
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _t_inside(middle, freedom) > CONFIDENCE else (middle, high)
    return high


def _t_inside(t: float, freedom: int) -> float:
    """P(|T| < t) for whole degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= k / (k + 1) * math.cos(angle) ** 2
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if odd else total


def _verdict(
    rows: Sequence[_Row],
    interval: tuple[float, float] | None,
    size: float,
    higher_is_better: bool | None,  # noqa: FBT001 - the metric's own three-way mark
) -> Verdict:
    """Better or worse where the interval leaves 0 out by more than rounding, else unclear."""
    differing = sum(row[:2] != row[2:] for row in rows)
    if higher_is_better is None or interval is None or differing < PAIRS_FOR_A_VERDICT:
        return "unclear"
    low, high = interval
    if low > _NOISE * size:
        return "better" if higher_is_better else "worse"
    if high < -_NOISE * size:
        return "worse" if higher_is_better else "better"
    return "unclear"


def _improvement(before: float, after: float) -> float | None:
    """100 * (after - before) / before; None where that is no number."""
    if before == 0:
        return None
    percentage = 100 * ((after - before) / before)
    return percentage + 0.0 if math.isfinite(percentage) else None
