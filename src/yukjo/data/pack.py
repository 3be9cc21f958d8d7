"""Lay micro-batches of several adapters into packs, in order, without padding."""

from collections.abc import Sequence


def packs(sizes: Sequence[int], limit: int) -> list[list[int]]:
    """Indices of `sizes` in runs whose sum is at most `limit`; a larger one stands alone.

    >>> packs([400, 300, 500, 2000, 100], 1000)
    [[0, 1], [2], [3], [4]]
    """
    made: list[list[int]] = []
    room = 0
    for index, size in enumerate(sizes):
        if not made or size > room:
            made.append([])
            room = limit
        made[-1].append(index)
        room -= size
    return made
