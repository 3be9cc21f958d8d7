"""How often two raters agree, and how much of that is more than chance.

Cohen's kappa (1960): (observed - by chance) / (1 - by chance), where chance is what two raters
with these shares of verdicts would reach by throwing dice. 0 is chance, 1 is always.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from yukjo.records import Frozen


class Agreement(Frozen):
    """Agreement of two raters on the cases that both judged."""

    n: int
    agreed: float | None
    """Share of the cases on which they agree; None without a case."""
    kappa: float | None
    """None where chance alone would agree always, as where both say one thing only."""
    low: float | None
    high: float | None
    """95 % bootstrap interval of kappa, over cases; None where kappa is."""


def agreement(
    one: Mapping[str, str], other: Mapping[str, str], *, resamples: int = 2000, seed: int = 0
) -> Agreement:
    """Of the verdicts of two raters, by case; cases that only one judged are left out.

    >>> found = agreement({"a": "after", "b": "tie"}, {"a": "after", "b": "before", "c": "tie"})
    >>> found.n, found.agreed, found.kappa
    (2, 0.5, 0.333)
    """
    shared = sorted(one.keys() & other.keys())
    if not shared:
        return Agreement(n=0, agreed=None, kappa=None, low=None, high=None)
    labels = sorted({rater[case] for rater in (one, other) for case in shared})
    rows = np.array([[labels.index(rater[case]) for case in shared] for rater in (one, other)])
    kappa = _kappas(rows[:, None, :], len(labels))[0]
    low, high = _interval(rows, len(labels), resamples=resamples, seed=seed)
    known = not np.isnan(kappa)
    return Agreement(
        n=len(shared),
        agreed=float(np.mean(rows[0] == rows[1])),
        kappa=round(float(kappa), 3) if known else None,
        low=low if known else None,
        high=high if known else None,
    )


def _interval(
    rows: npt.NDArray[np.int64], labels: int, *, resamples: int, seed: int
) -> tuple[float | None, float | None]:
    """The middle 95 % of kappa over resampled cases; those without a kappa don't count."""
    n = rows.shape[1]
    picked = np.random.default_rng(seed).integers(0, n, size=(resamples, n))
    found = _kappas(rows[:, picked], labels)
    found = found[~np.isnan(found)]
    if n < 2 or not found.size:  # noqa: PLR2004 - one case has no spread
        return None, None
    low, high = np.quantile(found, [0.025, 0.975])
    return round(float(low), 3), round(float(high), 3)


def _kappas(rows: npt.NDArray[np.int64], labels: int) -> npt.NDArray[np.float64]:
    """Kappa of each sample of `rows_RSN` (rater, sample, case); NaN where chance is sure."""
    one, other = rows
    observed = np.mean(one == other, axis=-1)
    chance = sum(np.mean(one == k, axis=-1) * np.mean(other == k, axis=-1) for k in range(labels))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((observed - chance) / (1 - chance))
