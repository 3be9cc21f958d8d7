"""Measure a router on questions whose agent is known (requirement G12).

1. What counts is where a text goes in the end: an abstention counts as the fallback.
2. A route is right if it is the question's agent or one of those that are acceptable too.
3. Shares come with their 95 % interval (Wilson 1927); scores with their calibration.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from yukjo.agents.router import Route, Router
from yukjo.agents.router_files import Asked
from yukjo.records import Frozen

_BINS = 10


class Share(Frozen):
    """`right` of `n`, and the interval that the true share lies in."""

    right: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """`right` of `n`, 0..1."""
        return self.right / self.n


class Report(Frozen):
    """How a router did."""

    accuracy: Share
    strict: Share
    """Where only a question's first agent counts as right."""
    agents: dict[str, Share]
    manners: dict[str, Share]
    confusion: dict[str, dict[str, int]]
    """Agent that should answer -> agent chosen -> questions."""
    abstained: int
    sure: Share | None
    """Of those where it did not abstain; None where it always did."""
    brier: float
    """Mean squared distance of the scores from the truth, 0..2."""
    calibration_error: float
    """Mean distance of the best score from the share it is right, over ten bins (ECE)."""


def evaluate(router: Router, asked: Sequence[Asked]) -> Report:
    """Route every question, and count."""
    routes = router.choose_all([one.text for one in asked])
    fit = [route.agent in one.right for one, route in zip(asked, routes, strict=True)]
    strict = [route.agent == one.agent for one, route in zip(asked, routes, strict=True)]
    sure = [hit for hit, route in zip(fit, routes, strict=True) if not route.abstained]
    confusion = {agent: dict.fromkeys(router.agents, 0) for agent in router.agents}
    for one, route in zip(asked, routes, strict=True):
        confusion[one.agent][route.agent] += 1
    return Report(
        accuracy=share(sum(fit), len(fit)),
        strict=share(sum(strict), len(strict)),
        agents=_by([one.agent for one in asked], fit),
        manners=_by([one.manner for one in asked if one.manner],
                    [hit for one, hit in zip(asked, fit, strict=True) if one.manner]),
        confusion=confusion,
        abstained=len(routes) - len(sure),
        sure=share(sum(sure), len(sure)) if sure else None,
        brier=_brier(asked, routes),
        calibration_error=_calibration_error(asked, routes),
    )  # fmt: skip


def share(right: int, n: int) -> Share:
    """A share with its interval.

    >>> found = share(18, 20)
    >>> round(found.low, 2), round(found.high, 2)
    (0.7, 0.97)
    """
    z = NormalDist().inv_cdf(0.975)
    middle = (right + z * z / 2) / (n + z * z)
    half = z * math.sqrt(right * (n - right) / n + z * z / 4) / (n + z * z)
    return Share(right=right, n=n, low=max(0.0, middle - half), high=min(1.0, middle + half))


def expected_cost(
    confusion: Mapping[str, Mapping[str, int]], cost: Mapping[str, Mapping[str, float]]
) -> float:
    """Mean of `cost[wanted][chosen]` over the questions counted, of agents whose cost is known."""
    cells = [(n, cost[a][b]) for a in cost for b, n in confusion[a].items()]
    return math.fsum(n * each for n, each in cells) / max(1, sum(n for n, _ in cells))


def blind_cost(cost: Mapping[str, Mapping[str, float]]) -> float:
    """Mean of `cost` where every agent is as likely to be chosen, whatever is wanted."""
    cells = [each for row in cost.values() for each in row.values()]
    return math.fsum(cells) / max(1, len(cells))


def _by(labels: Sequence[str], hits: Sequence[bool]) -> dict[str, Share]:
    every = Counter(labels)
    right = Counter(label for label, hit in zip(labels, hits, strict=True) if hit)
    return {label: share(right[label], n) for label, n in every.items()}


def _brier(asked: Sequence[Asked], routes: Sequence[Route]) -> float:
    return math.fsum(
        (score - (agent == one.agent)) ** 2
        for one, route in zip(asked, routes, strict=True)
        for agent, score in route.scores.items()
    ) / len(asked)


def _calibration_error(asked: Sequence[Asked], routes: Sequence[Route]) -> float:
    """Guo et al., 2017; the best-scored agent counts, also where the router abstained."""
    bins: dict[int, list[float]] = {}
    for one, route in zip(asked, routes, strict=True):
        best = max(route.scores, key=route.scores.__getitem__)
        score = route.scores[best]
        place = min(int(score * _BINS), _BINS - 1)
        bins.setdefault(place, []).append((best == one.agent) - score)
    return sum(abs(math.fsum(gaps)) for gaps in bins.values()) / len(asked)
