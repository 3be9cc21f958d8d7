"""Which page of a long list was asked for."""

import math


def paged(asked: str, count: int, size: int) -> tuple[int, int]:
    """The page to show and the last one; nonsense is the first page, too much the last.

    >>> paged("2", 101, 50), paged("9", 101, 50), paged("-1", 101, 50), paged("x", 0, 50)
    ((2, 3), (3, 3), (1, 3), (1, 1))
    """
    last = max(1, math.ceil(count / size))
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else 1  # noqa: PLR2004
    return min(max(number, 1), last), last
