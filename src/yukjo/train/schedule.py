"""The learning rate as a pure function of the step."""

import math

from yukjo.config.models import PaceConfig


def warmup_cosine(step: int, *, peak: float, warmup: int, total: int) -> float:
    """Learning rate at `step` (0-based): a linear climb, then half a cosine down to 0.

    The climb's first step is not 0, so that no step is wasted
    (cosine: Loshchilov & Hutter 2017, arXiv:1608.03983).

    >>> [round(warmup_cosine(s, peak=1.0, warmup=2, total=6), 2) for s in range(6)]
    [0.5, 1.0, 1.0, 0.85, 0.5, 0.15]
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))


def learning_rate(pace: PaceConfig, step: int, *, warmup: int, total: int) -> float:
    """Learning rate at `step` (0-based) of `total`, of which `warmup` climb."""
    if pace.schedule == "constant":
        return pace.learning_rate * min(1.0, (step + 1) / max(1, warmup))
    return warmup_cosine(step, peak=pace.learning_rate, warmup=warmup, total=total)
