"""What a rule found in a text: which rule, where, and what should stand there."""

from collections.abc import Iterable
from typing import NamedTuple


class Found(NamedTuple):
    """One place that breaks a rule.

    `start` and `end` are 0-based indices into the text as given, `start < end`.
    """

    code: str
    """The rule's name, a word that never changes its meaning."""
    start: int
    end: int
    mend: str = ""
    """What should stand there instead; "" where a person has to decide."""


def moved(found: Iterable[Found], by: int) -> list[Found]:
    """What was found in a piece of a text, by its places in the whole.

    >>> moved([Found("a", 1, 2)], 10)
    [Found(code='a', start=11, end=12, mend='')]
    """
    return [one._replace(start=one.start + by, end=one.end + by) for one in found]


def in_order(found: Iterable[Found]) -> list[Found]:
    """Without repeats, the first place first.

    >>> in_order([Found("b", 3, 4), Found("a", 1, 2), Found("b", 3, 4)])
    [Found(code='a', start=1, end=2, mend=''), Found(code='b', start=3, end=4, mend='')]
    """
    return sorted(set(found), key=lambda one: (one.start, one.end, one.code, one.mend))
