"""Lay samples into micro-batches, and micro-batches into packs: in order, without padding."""

from collections.abc import Hashable, Sequence


def packs(
    sizes: Sequence[int],
    limit: int,
    *,
    most: int | None = None,
    owners: Sequence[Hashable] | None = None,
) -> list[list[int]]:
    """Indices of `sizes` in runs whose sum is at most `limit`; a larger one stands alone.

    A run holds at most `most` of them, and none of `owners` twice, where these are given.

    >>> packs([400, 300, 500, 2000, 100], 1000)
    [[0, 1], [2], [3], [4]]
    >>> packs([1, 1, 1, 1, 1], 1000, most=2)
    [[0, 1], [2, 3], [4]]
    >>> packs([1, 1, 1, 1], 1000, owners="abab")
    [[0, 1], [2, 3]]
    """
    made: list[list[int]] = []
    room = 0
    for index, size in enumerate(sizes):
        full = not made or size > room or len(made[-1]) == most
        if full or (owners and owners[index] in {owners[other] for other in made[-1]}):
            made.append([])
            room = limit
        made[-1].append(index)
        room -= size
    return made
