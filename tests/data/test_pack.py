"""Packs keep order, lose nothing, and hold no more than they may."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from yukjo.data.pack import packs

sizes = st.lists(st.integers(0, 50))


def test_pieces_stand_in_order_until_the_next_does_not_fit() -> None:
    assert packs([4, 3, 5, 20, 1], 10) == [[0, 1], [2], [3], [4]]


def test_a_pack_may_be_exactly_full() -> None:
    assert packs([5, 5, 1], 10) == [[0, 1], [2]]


def test_nothing_makes_no_pack() -> None:
    assert packs([], 10) == []


def test_nothing_joins_a_piece_that_is_larger_than_a_pack() -> None:
    assert packs([1, 11, 0], 10) == [[0], [1], [2]]


@given(sizes, st.integers(1, 60))
def test_every_piece_stands_once_and_in_order(sizes: list[int], limit: int) -> None:
    assert [i for pack in packs(sizes, limit) for i in pack] == list(range(len(sizes)))


@given(sizes, st.integers(1, 60))
def test_a_pack_is_over_its_limit_only_with_one_piece(sizes: list[int], limit: int) -> None:
    for pack in packs(sizes, limit):
        assert sum(sizes[i] for i in pack) <= limit or len(pack) == 1


@given(sizes, st.integers(1, 60))
def test_a_pack_ends_only_where_the_next_piece_would_not_fit(sizes: list[int], limit: int) -> None:
    made = packs(sizes, limit)
    for pack, following in pairwise(made):
        assert sum(sizes[i] for i in pack) + sizes[following[0]] > limit
