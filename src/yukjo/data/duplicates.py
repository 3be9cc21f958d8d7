"""Texts that say the same: 4-grams of folded characters, sketches of them, pairs that are near.

Two texts are near when at least 80 % of the 4-grams found in either are found in both (Jaccard),
over letters and digits only, so that spacing, punctuation and case don't tell copies apart.

1. `near_groups` is exact: it joins every near pair and no other.
2. `sketches` estimate: 128 bytes a text, agreement within about 0.035 of the true share, for data
   of which only the sketches fit in memory.
3. A text of fewer than four letters and digits is near nothing.

One-permutation hashing with rotation: Li, Owen, Zhang 2012; Shrivastava, Li 2014. Prefix filter:
Bayardo, Ma, Srikant, "Scaling up all pairs similarity search", 2007.
"""

import sys
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yukjo.korean.text import fold

NEAR = 0.8
"""Least share of common 4-grams that makes two texts near duplicates."""

GRAM = 4
PLACES = 128
"""Bytes of a sketch."""

_ROWS = 6
_BANDS = PLACES // _ROWS
"""Two texts are compared if they agree in 6 neighbouring places; at 80 % alike 99.8 % are."""
_CHANCE = 1 / 256
"""Share of places in which two sketches of different texts agree by chance."""
_BLOCK = 1 << 16

_SLOW = 1
"""In the fold table: a character whose folding depends on its neighbours."""
_BEYOND = chr(1 << 16)
"""First character beyond the first plane."""

Codes = NDArray[np.uint16]
Grams = NDArray[np.uint64]
Sketches = NDArray[np.uint8]


def grams(text: str) -> Grams:
    """The different 4-grams of a text after folding, sorted; four 16-bit codes in each.

    >>> len(grams("도로 보수, 도로보수")), len(grams("도로"))
    (4, 0)
    """
    every, _ = _all_grams([text])
    return np.unique(every)


def alike(one: str, other: str) -> float:
    """Share of the 4-grams of either text that both have, 0..1.

    >>> alike("도로 보수 공사", "도로보수공사!"), alike("도로 보수 공사", "예산 편성 지침")
    (1.0, 0.0)
    """
    a, b = grams(one), grams(other)
    common = len(np.intersect1d(a, b, assume_unique=True))
    either = len(a) + len(b) - common
    return common / either if either else 0.0


def near_groups(texts: Sequence[str], marks: Sequence[Collection[str]] = ()) -> list[int]:
    """For each text the number of the first text of its group.

    A group holds what is near, directly or through others; texts that fold to the same are near
    however short, and so are two with a mark in common, where `marks` gives each text some.

    >>> near_groups(["한빛시 도로 보수 계획", "예산 편성 지침", "한빛시 도로보수 계획."])
    [0, 1, 0]
    """
    folded = [fold(text) for text in texts]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(folded))}
    groups = _Groups(len(numbers))
    _join_near(list(numbers), groups)
    owners: dict[str, int] = {}
    for text, own in zip(folded, marks, strict=False):
        for mark in own:
            groups.join(numbers[text], owners.setdefault(mark, numbers[text]))
    first: dict[int, int] = {}
    return [first.setdefault(groups.head(numbers[text]), i) for i, text in enumerate(folded)]


class _Groups:
    """Numbers that are joined into groups (union-find)."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def head(self, i: int) -> int:
        """The number that stands for the group of `i`."""
        above = self._above
        while above[i] != i:
            above[i] = above[above[i]]
            i = above[i]
        return i

    def join(self, i: int, j: int) -> None:
        """Make one group of two."""
        self._above[self.head(j)] = self.head(i)


def _join_near(texts: Sequence[str], groups: _Groups) -> None:
    """Join every near pair; a pair that is joined through others already is not compared."""
    ranked, counts = _ranked(texts)
    index: defaultdict[int, list[int]] = defaultdict(list)
    for i in sorted(range(len(ranked)), key=lambda i: len(ranked[i])):
        mine = ranked[i]
        # Rarest first: two near texts share a gram among these.
        prefix = mine[: len(mine) - _least_common(len(mine)) + 1]
        shared = [int(gram) for gram in prefix[counts[prefix] > 1]]
        for j in {j for gram in shared for j in index[gram]}:
            if groups.head(i) != groups.head(j) and _near(mine, ranked[j]):
                groups.join(i, j)
        for gram in shared:
            index[gram].append(i)


def sketches(texts: Sequence[str]) -> Sketches:
    """One row of `PLACES` bytes a text; rows of like texts agree in like many places.

    All zero for a text without a 4-gram.
    """
    every, rows = _all_grams(texts)
    mixed = (every * np.uint64(0x9E3779B97F4A7C15)) ^ (every >> np.uint64(29))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    place = (mixed & np.uint64(PLACES - 1)).astype(np.int32)
    value = ((mixed >> np.uint64(7)) & np.uint64(0x00FFFFFF)).astype(np.uint32)
    least = np.full(len(texts) * PLACES, np.iinfo(np.uint32).max, dtype=np.uint32)
    np.minimum.at(least, rows * PLACES + place, value)
    return _filled(least.reshape(len(texts), PLACES))


def near_rows(chunks: Sequence[Sketches], groups: NDArray[np.uint8]) -> dict[int, tuple[int, int]]:
    """Later row -> (earlier row, percent alike), for rows of one group whose sketches are near.

    `chunks` are the sketches in order, `groups` a number a row. In each band a row is compared
    with the row before it and with the first row of its kind: work grows with the rows only.
    """
    found: dict[int, tuple[int, int]] = {}
    for band in range(_BANDS):
        later, earlier = _candidates(chunks, groups, band)
        fresh = np.array([row not in found for row in later.tolist()], dtype=bool)
        later, earlier = later[fresh], earlier[fresh]
        for start in range(0, len(later), _BLOCK):
            block = slice(start, start + _BLOCK)
            _compare(chunks, later[block], earlier[block], found)
    return found


def _candidates(
    chunks: Sequence[Sketches], groups: NDArray[np.uint8], band: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (later, earlier) of rows that agree in a whole band and in their group."""
    keys = np.concatenate([_band(chunk, band) for chunk in chunks]) if chunks else _NO_KEYS
    filled = keys != 0
    keys |= groups.astype(np.uint64) << np.uint64(8 * _ROWS)
    order = np.argsort(keys, kind="stable")
    order = order[filled[order]]
    keys = keys[order]
    same = keys[1:] == keys[:-1]
    starts = np.flatnonzero(np.concatenate([[True], ~same])) if len(keys) else order
    first = order[np.repeat(starts, np.diff(np.append(starts, len(keys))))]
    later, before, head = order[1:][same], order[:-1][same], first[1:][same]
    other = before != head
    return np.concatenate([later, later[other]]), np.concatenate([before, head[other]])


def near_across(
    chunks: Sequence[Sketches], others: Sequence[Sketches], *, share: float = NEAR
) -> dict[int, tuple[int, float]]:
    """Row of `others` -> (row of `chunks`, share alike), where the sketches are as near as `share`.

    In each band a row is compared with three of those that agree in it: work grows with the rows
    only. Of several near ones it is the nearest that was seen, the first of equals.
    """
    found: dict[int, tuple[int, float]] = {}
    if not chunks or not others:
        return found
    for band in range(_BANDS):
        keys = np.concatenate([_band(chunk, band) for chunk in chunks])
        asked = np.concatenate([_band(chunk, band) for chunk in others])
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        first = np.searchsorted(ranked, asked, side="left")
        end = np.searchsorted(ranked, asked, side="right")
        rows = np.flatnonzero((end > first) & (asked != 0))
        for place in (first, (first + end) // 2, end - 1):
            for start in range(0, len(rows), _BLOCK):
                block = rows[start : start + _BLOCK]
                pairs = order[place[block]], block
                _nearest((chunks, others), pairs, found, least=share)
    return found


def _nearest(
    sides: tuple[Sequence[Sketches], Sequence[Sketches]],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    found: dict[int, tuple[int, float]],
    *,
    least: float,
) -> None:
    """Put into `found` the pairs that are near, and nearer than what stands there."""
    (chunks, others), (mine, theirs) = sides, pairs
    agree = (_rows(chunks, mine) == _rows(others, theirs)).mean(axis=1)
    shares = (agree - _CHANCE) / (1 - _CHANCE)
    for k in np.flatnonzero(shares >= least).tolist():
        row, other, share = int(theirs[k]), int(mine[k]), float(shares[k])
        best = found.get(row)
        if best is None or (share, -other) > (best[1], -best[0]):
            found[row] = other, share


_NO_KEYS = np.empty(0, dtype=np.uint64)


def _band(chunk: Sketches, band: int) -> NDArray[np.uint64]:
    """The bytes of one band of each row as a number."""
    key = np.zeros(len(chunk), dtype=np.uint64)
    for place in range(band * _ROWS, (band + 1) * _ROWS):
        key = (key << np.uint64(8)) | chunk[:, place]
    return key


def _compare(
    chunks: Sequence[Sketches],
    later: NDArray[np.int64],
    earlier: NDArray[np.int64],
    found: dict[int, tuple[int, int]],
) -> None:
    """Add to `found` the pairs whose sketches agree in enough places."""
    agree = (_rows(chunks, later) == _rows(chunks, earlier)).mean(axis=1)
    share = (agree - _CHANCE) / (1 - _CHANCE)
    for k in np.flatnonzero(share >= NEAR).tolist():
        found.setdefault(int(later[k]), (int(earlier[k]), round(100 * share[k])))


def _rows(chunks: Sequence[Sketches], rows: NDArray[np.int64]) -> Sketches:
    """The sketches of some rows."""
    ends = np.cumsum([len(chunk) for chunk in chunks])
    which = np.searchsorted(ends, rows, side="right")
    picked = np.empty((len(rows), PLACES), dtype=np.uint8)
    for chunk in np.unique(which).tolist():
        here = which == chunk
        start = ends[chunk] - len(chunks[chunk])
        picked[here] = chunks[chunk][rows[here] - start]
    return picked


def _filled(least: NDArray[np.uint32]) -> Sketches:
    """Sketch bytes; an empty place takes the value of the nearest filled one to its left.

    Around the corner if need be, and changed by the distance, so that two empty places agree by
    what they stand for and not by being empty.
    """
    twice = np.concatenate([least, least], axis=1)
    held = np.where(twice != np.iinfo(np.uint32).max, np.arange(2 * PLACES, dtype=np.int16), -1)
    source = np.maximum.accumulate(held, axis=1)[:, PLACES:]
    distance = np.arange(PLACES, 2 * PLACES, dtype=np.int16) - source
    taken = np.take_along_axis(twice, np.maximum(source, 0).astype(np.int64), axis=1)
    mixed = (taken + distance.astype(np.uint32) * np.uint32(0x9E3779B1)) * np.uint32(0x85EBCA6B)
    # 0 is kept for "no gram at all".
    made: Sketches = np.maximum(mixed >> np.uint32(24), 1).astype(np.uint8)
    made[source[:, -1] < 0] = 0
    return made


def _all_grams(texts: Sequence[str]) -> tuple[Grams, NDArray[np.int32]]:
    """The 4-grams of all texts, repeats included, and the number of the text of each."""
    codes, rows = _folded(texts)
    if len(codes) < GRAM:
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int32)
    count = len(codes) - GRAM + 1
    # Four neighbouring 16-bit codes, read as one 64-bit number.
    windows = np.ndarray((count,), dtype="<u8", buffer=codes.astype("<u2"), strides=(2,))
    inside = np.flatnonzero(rows[:count] == rows[GRAM - 1 :])
    return windows.take(inside).astype(np.uint64, copy=False), rows.take(inside)


def _folded(texts: Sequence[str]) -> tuple[Codes, NDArray[np.int32]]:
    """`fold` of all texts one after another as 16-bit codes, and the text's number for each.

    A character beyond the first plane is kept by its lower 16 bits.
    """
    codes, rows = _codes(texts)
    folded = _table().take(codes)
    slow = np.unique(rows[folded == _SLOW]).tolist()
    if slow:
        ready = list(texts)
        for row in slow:
            ready[row] = fold(texts[row])
        codes, rows = _codes(ready)
        # What is folded stays as it is; the others go through the table again.
        folded = np.where(np.isin(rows, slow), codes & 0xFFFF, _table()[codes])
    kept = np.flatnonzero(folded)
    return folded.take(kept).astype(np.uint16, copy=False), rows.take(kept)


def _codes(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Code points of all texts one after another, and the text's number for each."""
    data = "".join(texts).encode("utf-32-le", "surrogatepass")
    lengths = [len(text) for text in texts]
    rows = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    return np.frombuffer(data, dtype="<u4").astype(np.uint32, copy=False), rows


@cache
def _table() -> Codes:
    """For each character: its folded code, 0 if dropped, or `_SLOW`."""
    first = [_entry(chr(code)) for code in range(ord(_BEYOND))]
    table = np.full(sys.maxunicode + 1, _SLOW, dtype=np.uint16)
    table[: len(first)] = first
    return table


def _entry(character: str) -> int:
    """What the table holds for a character."""
    made = unicodedata.normalize("NFKC", character)
    if any(_joins(c) for c in (character, *made)):
        return _SLOW
    folded = fold(character)
    if not folded:
        return 0
    return ord(folded) if len(folded) == 1 and folded < _BEYOND else _SLOW


def _joins(character: str) -> bool:
    """Whether a character may become one with its neighbours: marks and jamo."""
    jamo = "\u1100" <= character <= "\u11ff" or "\ua960" <= character <= "\ua97f" or (
        "\ud7b0" <= character <= "\ud7ff"
    )  # fmt: skip
    return jamo or unicodedata.category(character).startswith("M")


def _ranked(texts: Sequence[str]) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Each text's grams as ranks, rarest first, and how many texts hold the gram of a rank."""
    mine = [grams(text) for text in texts]
    lengths = [len(own) for own in mine]
    every = np.concatenate([*mine, np.empty(0, dtype=np.uint64)])
    _, where, counts = np.unique(every, return_inverse=True, return_counts=True)
    order = np.argsort(counts, kind="stable")
    rank = np.empty(len(counts), dtype=np.int64)
    rank[order] = np.arange(len(counts))
    pieces = np.split(rank[where], np.cumsum(lengths)[:-1]) if texts else []
    return [np.sort(piece) for piece in pieces], counts[order]


def _near(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two sorted arrays of different grams are alike to `NEAR`."""
    small, large = sorted((len(one), len(other)))
    if small < _least_common(large):
        return False
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common >= _least_common(small + large - common)


def _least_common(union: int) -> int:
    """How many grams a near pair has in common when it has `union` in all; in whole numbers."""
    return -(-round(100 * NEAR) * union // 100)
