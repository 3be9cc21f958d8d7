"""Is after better than before? Paired by case, with a 95 % interval, never two bare numbers.

1. Cases are resampled, not values: both sides of a case always go together, and so do all cases of
   one cluster (a document, an image, a rater): ten questions on one document are not ten cases.
2. The result depends on the set of pairs alone: the order of the cases changes no bit, and
   swapping before and after mirrors difference and interval exactly.
3. The interval is the expanded percentile bootstrap (Hesterberg, "What Teachers Should Know About
   the Bootstrap", The American Statistician 69(4), 2015): the plain one is too narrow for few
   cases.
4. A verdict needs six pairs that differ: even if all five of five agree, chance alone does that
   once in sixteen.
5. Values are finite, and so is every result.
6. Beside the interval stands a test: McNemar for yes or no, Wilcoxon else. It is for corrections
   over many comparisons, which an interval of 2,000 resamples is too coarse for.
7. What was never seen may still come: where fewer than six rows of yes or no differ, the intervals
   reach further by the share of changes that so many rows may miss.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from yukjo.evaluate.exact import mcnemar, wilcoxon
from yukjo.records import Comparison, Verdict

CONFIDENCE = 0.95
PAIRS_FOR_A_VERDICT = 6

Weighted = tuple[float, float]
"""A case's share of a ratio: numerator and weight (> 0), as (summed nll, tokens)."""

_Row = tuple[float, float, float, float]  # numerator and weight before, then after
_Ends = tuple[float, float]
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
    clusters: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """The mean over cases, before and after; the same place in all lists is the same case.

    `clusters` names the cluster of each case; None where every case stands alone.
    """
    return _comparison(
        name, metric_id, [(value, 1.0) for value in before], [(value, 1.0) for value in after],
        link=_same, clusters=clusters, higher_is_better=higher_is_better, resamples=resamples,
        seed=seed,
    )  # fmt: skip


def compare_pooled(
    name: str,
    metric_id: str,
    before: Sequence[Weighted],
    after: Sequence[Weighted],
    *,
    higher_is_better: bool | None,
    clusters: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """`exp(sum of numerators / sum of weights)`, before and after: perplexity over all tokens."""
    return _comparison(
        name, metric_id, before, after,
        link=_exp, clusters=clusters, higher_is_better=higher_is_better, resamples=resamples,
        seed=seed,
    )  # fmt: skip


def compare_losses(
    name: str,
    metric_id: str,
    before: Sequence[Weighted],
    after: Sequence[Weighted],
    *,
    clusters: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """`sum of numerators / sum of weights`: the mean loss over all tokens; lower is better."""
    return _comparison(
        name, metric_id, before, after,
        link=_same, clusters=clusters, higher_is_better=False, resamples=resamples, seed=seed,
    )  # fmt: skip


def _comparison(
    name: str,
    metric_id: str,
    before: Sequence[Weighted],
    after: Sequence[Weighted],
    *,
    link: _Link,
    clusters: Sequence[str] | None,
    higher_is_better: bool | None,
    resamples: int,
    seed: int,
) -> Comparison:
    cases = [(*b, *a) for b, a in zip(before, after, strict=True)]
    rows = _drawn_together(cases, clusters)
    assert rows, "nothing to compare"
    assert all(math.isfinite(value) for row in rows for value in row), "values must be finite"
    old, new = _pooled(before, link), _pooled(after, link)
    interval, percent = _intervals(rows, link, resamples=resamples, seed=seed)
    if interval and link is _same and _yes_or_no(cases) and (unseen := _unseen(rows)):
        interval = max(-1.0, interval[0] - unseen), min(1.0, interval[1] + unseen)
        percent = percent and _wider(percent, 100 * unseen / old)
    test, p = _tested(cases, rows)
    low, high = interval or (None, None)
    least, most = percent or (None, None)
    return Comparison(
        name=name,
        metric_id=metric_id,
        before=old,
        after=new,
        difference=new - old + 0.0,
        low=low,
        high=high,
        n=len(cases),
        verdict=_verdict(rows, interval, max(abs(old), abs(new)), higher_is_better),
        improvement_percentage=_improvement(old, new),
        improvement_low=least,
        improvement_high=most,
        clusters=len(rows),
        test=test,
        p=p,
        higher_is_better=higher_is_better,
    )


def _unseen(rows: Sequence[_Row]) -> float:
    """The share that may change without one of these having done so; 0 where six or more have.

    The 97.5 % bound of a share of which none of n was seen; 3.7 / n for larger n.
    """
    if _differing(rows) >= PAIRS_FOR_A_VERDICT:
        return 0.0
    return 1 - math.pow((1 - CONFIDENCE) / 2, 1 / len(rows))


def _yes_or_no(cases: Sequence[_Row]) -> bool:
    return all(row[1] == row[3] == 1 and {row[0], row[2]} <= {0.0, 1.0} for row in cases)


def _wider(ends: _Ends, by: float) -> _Ends:
    return ends[0] - by, ends[1] + by


def _differing(rows: Sequence[_Row]) -> int:
    return sum(row[:2] != row[2:] for row in rows)


def _drawn_together(cases: list[_Row], clusters: Sequence[str] | None) -> list[_Row]:
    """A row a cluster, of sums: so a resample of rows is one of clusters."""
    if clusters is None:
        return cases
    groups: dict[str, list[_Row]] = {}
    for cluster, case in zip(clusters, cases, strict=True):
        groups.setdefault(cluster, []).append(case)
    return [_sum(group) for group in groups.values()]


def _sum(group: Sequence[_Row]) -> _Row:
    a, b, c, d = (math.fsum(column) for column in zip(*group, strict=True))
    return a, b, c, d


def _tested(cases: Sequence[_Row], rows: Sequence[_Row]) -> tuple[str, float]:
    """Name and p of the test: McNemar where all is yes or no and no cluster holds two cases."""
    if len(rows) == len(cases) and _yes_or_no(cases):
        return "mcnemar", mcnemar(sum(r[2] > r[0] for r in rows), sum(r[2] < r[0] for r in rows))
    means = [(row[0] / row[1], row[2] / row[3]) for row in rows]
    noise = _NOISE * max(abs(value) for pair in means for value in pair)
    return "wilcoxon", wilcoxon([new - old if abs(new - old) > noise else 0 for old, new in means])


def _pooled(cases: Sequence[Weighted], link: _Link) -> float:
    """The statistic over all cases; `fsum` is exact, so their order doesn't matter."""
    top, weight = (math.fsum(column) for column in zip(*cases, strict=True))
    return float(link(np.array([top / weight]))[0]) + 0.0


def _same(values: _Floats) -> _Floats:
    return values


def _exp(values: _Floats) -> _Floats:
    """exp, held below what a float can be: a diverged model is bad enough at 1e304."""
    return np.exp(np.minimum(values, _LARGEST_EXPONENT))


def _intervals(
    rows: Sequence[_Row], link: _Link, *, resamples: int, seed: int
) -> tuple[_Ends | None, _Ends | None]:
    """Intervals of the difference and of its percentage; None for one row, or a before of 0.

    The pairs are put in one order, and in one direction: whichever of (before, after) and
    (after, before) sorts first. So both directions draw the same resamples.
    """
    if len(rows) < 2:  # noqa: PLR2004 - one row has no spread
        return None, None
    forth = sorted(rows)
    back = sorted((*row[2:], *row[:2]) for row in rows)
    old, new = _bootstrap(min(forth, back), link, resamples=resamples, seed=seed)
    tail = tail_share(len(rows))
    low, high = _ends(new - old, tail)
    if forth == back:
        low, high = (low - high) / 2, (high - low) / 2
    elif back < forth:
        low, high, old, new = -high, -low, new, old
    return (low + 0.0, high + 0.0), _percentages(old, new, tail)


def _percentages(old: _Floats, new: _Floats, tail: float) -> _Ends | None:
    with np.errstate(all="ignore"):
        percent = 100 * ((new - old) / old)
    return _ends(percent, tail) if np.isfinite(percent).all() else None


def _ends(values: _Floats, tail: float) -> _Ends:
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def _bootstrap(
    rows: Sequence[_Row], link: _Link, *, resamples: int, seed: int
) -> tuple[_Floats, _Floats]:
    """The statistic of each side over resampled rows."""
    columns = np.array(rows).T + 0.0  # + 0.0 makes -0.0 a plain zero
    n = len(rows)
    draw = np.random.default_rng(seed)
    old, new = np.empty(resamples), np.empty(resamples)
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        picked = draw.integers(0, n, size=(stop - start, n))
        top_old, weight_old, top_new, weight_new = (c[picked].sum(axis=1) for c in columns)
        old[start:stop], new[start:stop] = link(top_old / weight_old), link(top_new / weight_new)
    return old, new


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
    if higher_is_better is None or interval is None or _differing(rows) < PAIRS_FOR_A_VERDICT:
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
