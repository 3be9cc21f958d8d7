"""Where the tokens of a sample stand when some of them are images (M-RoPE, arXiv:2409.12191).

Text counts on in all three of time, height and width; an image stands still in time, its tokens at
their row and column; what follows begins after its longer side.
"""

from collections.abc import Sequence
from typing import NamedTuple

Place = tuple[int, int, int]
"""Time, height, width."""


class Spot(NamedTuple):
    """An image among a sample's tokens: where it begins, and its rows and columns of tokens."""

    start: int
    rows: int
    columns: int

    @property
    def stop(self) -> int:
        """One past its last token."""
        return self.start + self.rows * self.columns


def places(length: int, spots: Sequence[Spot]) -> list[Place]:
    """The place of each of `length` tokens; the spots stand in order.

    >>> places(7, [Spot(1, 2, 2)])
    [(0, 0, 0), (1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 2, 2), (3, 3, 3), (4, 4, 4)]
    """
    made: list[Place] = []
    ahead = 0
    for spot in spots:
        made += _text(len(made) + ahead, spot.start - len(made))
        first = spot.start + ahead
        made += [
            (first, first + row, first + column)
            for row in range(spot.rows)
            for column in range(spot.columns)
        ]
        ahead += max(spot.rows, spot.columns) - spot.rows * spot.columns
    return made + _text(len(made) + ahead, length - len(made))


def _text(first: int, count: int) -> list[Place]:
    return [(place, place, place) for place in range(first, first + count)]
