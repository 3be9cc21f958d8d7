"""Softmax regression on texts that are given by how alike they are, and its temperature.

With n texts and rows X the weights are `X.T @ A`: everything is computed on the n x n matrix of
likeness `K = X @ X.T`, so that several views are one sum and a held-out fold is a slice.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 300
_GOLDEN = (5**0.5 - 1) / 2


def fit(likeness: Floats, classes: NDArray[np.int64], *, count: int, decay: float) -> Floats:
    """`A` [n, count] with the least mean cross entropy + decay / 2 * |weights|^2.

    Nesterov's accelerated descent for a strongly convex function, down the gradient with respect
    to the scores, whose steepness the largest eigenvalue of the likeness bounds.
    """
    n = len(classes)
    wanted = np.eye(count)[classes]
    steep = float(np.linalg.eigvalsh(likeness)[-1]) / (2 * n) + decay
    ratio = (decay / steep) ** 0.5
    here = ahead = np.zeros((n, count))
    for _ in range(STEPS):
        slope = (softmax(likeness @ ahead) - wanted) / n + decay * ahead
        there = ahead - slope / steep
        ahead = there + (1 - ratio) / (1 + ratio) * (there - here)
        here = there
    return here


def held_out(
    likeness: Floats,
    classes: NDArray[np.int64],
    folds: NDArray[np.int64],
    *,
    count: int,
    decay: float,
) -> Floats:
    """Scores [n, count] of each text by a fit that has not seen its fold; 0 of a lone fold."""
    scores = np.zeros((len(classes), count))
    for fold in np.unique(folds) if len(np.unique(folds)) > 1 else ():
        out, kept = folds == fold, folds != fold
        made = fit(likeness[np.ix_(kept, kept)], classes[kept], count=count, decay=decay)
        scores[out] = likeness[np.ix_(out, kept)] @ made
    return scores


def temperature(scores: Floats, classes: NDArray[np.int64]) -> float:
    """What scores are divided by so that the probability of what was right is largest.

    Guo et al., "On Calibration of Modern Neural Networks", 2017; golden section on the logarithm.
    """
    low, high = np.log(0.02), np.log(5.0)
    for _ in range(40):
        width = _GOLDEN * (high - low)
        if surprise(scores / np.exp(high - width), classes) < surprise(
            scores / np.exp(low + width), classes
        ):
            high = low + width
        else:
            low = high - width
    return float(np.exp((low + high) / 2))


def surprise(scores: Floats, classes: NDArray[np.int64]) -> float:
    """Mean negative log probability of the right class, in nats."""
    top = scores.max(axis=1, keepdims=True)
    spread = np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0]
    return float((spread - scores[np.arange(len(classes)), classes]).mean())


def softmax(scores: Floats) -> Floats:
    """Probabilities of each row."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares
