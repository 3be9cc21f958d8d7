"""What is loaded is what was used last, and nothing in use is ever unloaded."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.errors import AdapterError
from yukjo.serve.cache import AdapterCache

NOWHERE = Path()


class Shelf:
    """Loads adapters that are as many bytes as the digit in their name says."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def load(self, adapter: str, folder: Path) -> int:
        assert adapter not in self.loaded
        if folder.name == "broken":
            raise AdapterError("broken", where="", fix="")
        self.loaded.append(adapter)
        return int(adapter[-1])

    def unload(self, adapter: str) -> None:
        self.loaded.remove(adapter)


def use(cache: AdapterCache, *adapters: str) -> None:
    for adapter in adapters:
        cache.take(adapter, NOWHERE)
        cache.give(adapter)


def test_the_adapter_unused_for_longest_makes_room() -> None:
    shelf = Shelf()
    cache = AdapterCache(shelf, count=2, limit_bytes=99)
    use(cache, "a1", "b1", "a1", "c1")
    assert cache.held == ["a1", "c1"]
    assert sorted(shelf.loaded) == ["a1", "c1"]
    assert cache.loads == 3


def test_a_use_ends_when_it_is_given_back_not_when_it_was_taken() -> None:
    cache = AdapterCache(Shelf(), count=2, limit_bytes=99)
    cache.take("a1", NOWHERE)
    use(cache, "b1")
    cache.give("a1")
    use(cache, "c1")
    assert cache.held == ["a1", "c1"]


def test_bytes_make_room_as_count_does() -> None:
    cache = AdapterCache(Shelf(), count=9, limit_bytes=8)
    use(cache, "a3", "b3", "c4")
    assert cache.held == ["b3", "c4"]


def test_an_adapter_too_large_to_keep_serves_and_goes() -> None:
    shelf = Shelf()
    cache = AdapterCache(shelf, count=9, limit_bytes=8)
    cache.take("a9", NOWHERE)
    assert shelf.loaded == ["a9"]
    cache.give("a9")
    assert shelf.loaded == []


def test_the_bare_base_takes_no_room() -> None:
    cache = AdapterCache(Shelf(), count=1, limit_bytes=0)
    use(cache, "")
    assert len(cache) == 0


def test_an_adapter_that_fails_to_load_is_not_held() -> None:
    cache = AdapterCache(Shelf(), count=1, limit_bytes=9)
    with pytest.raises(AdapterError):
        cache.take("a1", Path("broken"))
    assert len(cache) == 0
    use(cache, "a1")
    assert cache.held == ["a1"]


@given(
    count=st.integers(1, 4),
    limit=st.integers(1, 20),
    moves=st.lists(st.tuples(st.sampled_from(["a1", "b2", "c3", "d5", "e9"]), st.booleans())),
)
def test_laws(count: int, limit: int, moves: list[tuple[str, bool]]) -> None:
    """Against a model of the shelf: most recently used last, one list of ends and beginnings."""
    shelf = Shelf()
    cache = AdapterCache(shelf, count=count, limit_bytes=limit)
    users: Counter[str] = Counter()
    order: list[str] = []
    for adapter, take in moves:
        before = list(shelf.loaded)
        if take and not cache.can_take(adapter):
            assert len(before) == count
            assert all(users[one] for one in before)
            continue
        if not take and not users[adapter]:
            continue
        (cache.take(adapter, NOWHERE) if take else cache.give(adapter))
        users[adapter] += 1 if take else -1
        order = [*(one for one in order if one != adapter), adapter]
        assert sorted(cache.held) == sorted(shelf.loaded)
        assert cache.held == [one for one in order if one in shelf.loaded]
        assert all(one in shelf.loaded for one, n in users.items() if n)
        assert len(shelf.loaded) <= count
        assert cache.bytes <= limit or all(users[one] for one in shelf.loaded)
        gone = [one for one in before if one not in shelf.loaded]
        kept = [one for one in before if one in shelf.loaded and not users[one] and one != adapter]
        assert all(order.index(x) < order.index(y) for x in gone for y in kept)
