"""How far raters agree beyond chance: Krippendorff's alpha for ordered scores."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import permutations


def alpha(units: Iterable[Sequence[int]]) -> float | None:
    """Krippendorff's alpha (ordinal) over the scores that each unit got from its raters.

    1 is full agreement, 0 what chance gives; units with one score say nothing and are left out.
    None where no unit has two, or all scores are the same: nothing could have been told apart.
    Krippendorff, "Content Analysis", 4th ed. 2018, ch. 12; he asks for .8, and .667 at least.

    >>> alpha([(1, 1), (2, 2), (5, 5)]), alpha([(3, 3), (3, 3)])
    (1.0, None)
    """
    compared = [unit for unit in units if len(unit) > 1]
    counts = Counter(score for unit in compared for score in unit)
    if len(counts) <= 1:
        return None
    n = counts.total()
    observed = math.fsum(
        _distance(counts, a, b) / (len(unit) - 1)
        for unit in compared
        for a, b in permutations(unit, 2)
    )
    expected = math.fsum(
        counts[a] * counts[b] * _distance(counts, a, b) for a, b in permutations(counts, 2)
    )
    return 1 - (n - 1) * observed / expected


def _distance(counts: Counter[int], a: int, b: int) -> float:
    """The squared number of scores that lie from one to the other, half of each end's left out."""
    low, high = sorted((a, b))
    between = sum(count for score, count in counts.items() if low <= score <= high)
    return float((between - (counts[a] + counts[b]) / 2) ** 2)
