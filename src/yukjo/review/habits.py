"""How each rater rates: what can be seen without knowing the sides.

A rating made in under two seconds was not read for. Scores that are all the same tell nothing
apart. A share of left far from a half, or scores that rise or fall from the first half to the
second, are habits: the order of pairs and the sides are random for each rater.
"""

from statistics import fmean, median
from typing import Any

from yukjo.review.rating import Rating, Sheet

TOO_FAST_SECONDS = 2.0
_FEWEST = 5


def habits(said: Sheet) -> dict[str, dict[str, Any]]:
    """Rater (a pseudonym) -> figures over their ratings as they stand.

    `seconds` is the median; `fast` counts ratings in under `TOO_FAST_SECONDS`; `same` says that
    five or more ratings have one score throughout; `left` is the share of preferences for the
    left side, ties half; `drift` is the mean score of the second half minus that of the first;
    `torn` counts preferences for the side scored lower.
    """
    raters = sorted({rater for rater, _ in said.last})
    return {rater: _habits(said, rater) for rater in raters}


def _habits(said: Sheet, rater: str) -> dict[str, Any]:
    own = [one for one in said.last.values() if one.rater == rater]
    seconds = [one.seconds for one in said.first.values() if one.rater == rater]
    means = [(one.opinion.left + one.opinion.right) / 2 for one in own]
    scores = {score for one in own for score in one.opinion.scores.values()}
    liked = {"left": 1.0, "tie": 0.5, "right": 0.0}
    half = len(own) // 2
    return {
        "ratings": len(own),
        "mean": round(fmean(means), 6),
        "seconds": round(median(seconds), 1),
        "fast": sum(each < TOO_FAST_SECONDS for each in seconds),
        "same": len(own) >= _FEWEST and len(scores) == 1,
        "left": round(fmean(liked[one.opinion.prefer] for one in own), 6),
        "drift": round(fmean(means[half:]) - fmean(means[:half]), 6) if half else None,
        "torn": sum(map(_torn, own)),
    }


def _torn(rating: Rating) -> bool:
    """Whether the side preferred is the one scored lower."""
    said = rating.opinion
    return (said.right - said.left) * {"left": 1, "tie": 0, "right": -1}[said.prefer] > 0
