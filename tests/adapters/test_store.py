"""What is kept is found again, unchanged, and by its name alone."""

import json
import os
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.adapters.store import (
    MANIFEST,
    WEIGHTS,
    Store,
    content_id,
    read_manifest,
    refuse_other_base,
)
from yukjo.errors import AdapterError
from yukjo.records import AdapterManifest, Effect


def manifest(identity: str, **changes: Any) -> AdapterManifest:
    fields: dict[str, Any] = {
        "id": identity, "size_bytes": 1, "agent": "rag", "run": "20260101", "base": "toy",
        "base_hash": "b" * 64, "template_hash": "t", "prompt_hash": "p", "recipe": {"rank": 16},
        "seed": 1, "data": ("d1", "d2"), "learned_tokens": 9, "steps": 4, "best_step": 2,
        "valid_loss": 0.5, "effect": Effect(prompts=1, change=0.5, fingerprint="f"),
        "versions": {"yukjo": "0"}, "licences": {"base": "x"},
    }  # fmt: skip
    return AdapterManifest(**(fields | changes))


def trained(folder: Path, weights: bytes) -> str:
    """A folder as training leaves it; the id of its adapter."""
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(weights)
    (folder / "adapter_config.json").write_text("{}")
    return sha256(weights).hexdigest()


Keep = Callable[..., AdapterManifest]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def keep(tmp_path: Path, store: Store) -> Keep:
    """Keep an adapter with these weights."""

    def make(weights: bytes, **changes: Any) -> AdapterManifest:
        source = tmp_path / "runs" / sha256(weights).hexdigest()
        made = manifest(trained(source, weights), **changes)
        store.add(source, made)
        return made

    return make


def test_an_adapter_is_kept_under_the_hash_of_its_weights(keep: Keep, store: Store) -> None:
    made = keep(b"weights")
    place, found = store.find(made.id)
    assert place == store.folder / sha256(b"weights").hexdigest()
    assert found == made
    assert sorted(p.name for p in place.iterdir()) == [
        "adapter_config.json", WEIGHTS, MANIFEST,
    ]  # fmt: skip


def test_the_source_gets_its_manifest_too(tmp_path: Path, store: Store) -> None:
    made = manifest(trained(tmp_path / "run", b"weights"))
    store.add(tmp_path / "run", made)
    assert read_manifest(tmp_path / "run") == made


def test_the_same_weights_are_kept_once(keep: Keep, store: Store, tmp_path: Path) -> None:
    first = keep(b"weights")
    again = manifest(trained(tmp_path / "again", b"weights"), run="20260202-000000-bbbb")
    store.add(tmp_path / "again", again)
    assert store.all() == [first]


def test_where_files_cannot_be_linked_they_are_copied(
    keep: Keep, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    assert store.find(keep(b"weights").id)


def test_what_a_killed_process_left_is_not_there(keep: Keep, store: Store) -> None:
    made = keep(b"weights")
    scratch = store.folder / f".{'c' * 64}.123"
    (store.folder / made.id).rename(scratch)
    assert store.all() == []
    for name in (made.id, ".", ".c"):
        with pytest.raises(AdapterError):
            store.find(name)


def test_all_are_listed_by_agent_and_newest_first(keep: Keep, store: Store) -> None:
    rows = [("review", "2"), ("rag", "1"), ("rag", "3"), ("review", "1"), ("rag", "2")]
    for agent, run in rows:
        keep(f"{agent}{run}".encode(), agent=agent, run=run)
    found = [(m.agent, m.run) for m in store.all()]
    assert found == [("rag", "3"), ("rag", "2"), ("rag", "1"), ("review", "2"), ("review", "1")]


def test_an_empty_store_has_none(store: Store) -> None:
    assert store.all() == []
    assert store.chosen([], agents=()) == {}


# By name


def test_the_start_of_an_id_is_enough_and_an_ambiguous_one_is_refused(
    keep: Keep, store: Store
) -> None:
    made = [keep(bytes([i])) for i in range(20)]  # sixteen first digits: two share one
    ids = sorted(m.id for m in made)
    twins = next(a for a, b in pairwise(ids) if a[0] == b[0])[0]
    with pytest.raises(AdapterError, match=f"`{twins}`"):
        store.find(twins)
    for one in ids:
        assert store.find(one[:12])[1].id == one


@pytest.mark.parametrize("name", ["", "zz", "*", "?", "[a-f0-9]", "**", "../", "/", "/etc", "\0"])
def test_a_name_that_starts_no_id_is_refused(keep: Keep, store: Store, name: str) -> None:
    keep(b"weights")
    with pytest.raises(AdapterError) as said:
        store.find(name)
    assert said.value.where == str(store.folder)


def test_nothing_outside_the_store_can_be_named(keep: Keep, store: Store, tmp_path: Path) -> None:
    made = keep(b"weights")
    with pytest.raises(AdapterError):
        store.find(f"../runs/{made.id}")
    assert (tmp_path / "runs" / made.id / MANIFEST).exists()


def test_by_default_the_newest_of_each_agent_is_chosen(keep: Keep, store: Store) -> None:
    keep(b"old", agent="rag", run="1")
    new = keep(b"new", agent="rag", run="2")
    other = keep(b"other", agent="review", run="1")
    keep(b"unasked", agent="data_analysis", run="9")
    found = store.chosen([], agents=("rag", "review"))
    assert found == {
        "rag": (store.folder / new.id, new),
        "review": (store.folder / other.id, other),
    }


def test_a_named_adapter_is_chosen_though_it_is_older(keep: Keep, store: Store) -> None:
    old = keep(b"old", agent="rag", run="1")
    keep(b"new", agent="rag", run="2")
    assert store.chosen([old.id[:9]], agents=("rag", "review")) == {
        "rag": (store.folder / old.id, old)
    }


def test_an_agent_without_an_adapter_is_named(keep: Keep, store: Store) -> None:
    keep(b"weights", agent="rag")
    with pytest.raises(AdapterError, match="data_analysis, review"):
        store.chosen([], agents=("review", "rag", "data_analysis"))


# Damage


@given(place=st.integers(0, 63), mask=st.integers(1, 255))
def test_any_byte_that_changes_in_the_weights_is_found(
    tmp_path_factory: pytest.TempPathFactory, place: int, mask: int
) -> None:
    root = tmp_path_factory.mktemp("flip")
    store = Store(root / "store")
    weights = bytes(range(64))
    kept = store.add(root / "run", manifest(trained(root / "run", weights)))
    changed = bytearray(weights)
    changed[place] ^= mask
    (kept / WEIGHTS).write_bytes(changed)
    for asked in (store.all, lambda: store.find(kept.name), lambda: read_manifest(kept)):
        with pytest.raises(AdapterError):
            asked()


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"{}", b"[]", b"null", b"\xff\xfe", "민원".encode("cp949"), b'{"id": 1}'],
)
def test_a_manifest_that_cannot_be_read_is_an_adapter_error(
    keep: Keep, store: Store, text: bytes
) -> None:
    place, _ = store.find(keep(b"weights").id)
    (place / MANIFEST).write_bytes(text)
    with pytest.raises(AdapterError) as said:
        read_manifest(place)
    assert said.value.where == str(place / MANIFEST)


def test_a_manifest_with_a_field_too_many_is_refused(keep: Keep, store: Store) -> None:
    place, made = store.find(keep(b"weights").id)
    more = made.model_dump(mode="json") | {"scale": 2}
    (place / MANIFEST).write_text(json.dumps(more))
    with pytest.raises(AdapterError, match="scale"):
        read_manifest(place)


def test_a_folder_without_weights_or_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=WEIGHTS):
        content_id(tmp_path)
    with pytest.raises(AdapterError):
        read_manifest(tmp_path)


def test_a_manifest_of_other_weights_is_not_kept(tmp_path: Path, store: Store) -> None:
    trained(tmp_path / "run", b"weights")
    with pytest.raises(AdapterError):
        store.add(tmp_path / "run", manifest("a" * 64))
    assert store.all() == []


# The base


def test_an_adapter_of_another_base_is_refused_and_both_are_named() -> None:
    made = manifest("a" * 64, base="gemma", base_hash="1" * 64)
    refuse_other_base(made, "1" * 64)
    with pytest.raises(AdapterError, match="gemma") as said:
        refuse_other_base(made, "2" * 64)
    assert "1" * 12 in said.value.where
    assert "2" * 12 in said.value.where


def test_everything_serves_until_something_is_promoted_and_then_only_that(
    store: Store, keep: Keep
) -> None:
    old, new = keep(b"old", run="1"), keep(b"new", run="2")
    other = keep(b"other", agent="review")
    assert store.production() is None
    assert store.serving() == store.all() == [new, old, other]
    store.set_production({"rag": old.id})
    assert store.serving() == [old]
    store.set_production({})
    assert store.serving() == []


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"rag": '])
def test_a_pointer_that_can_not_be_read_is_refused(text: str, store: Store, keep: Keep) -> None:
    keep(b"one")
    (store.folder / "production.json").write_text(text)
    with pytest.raises(AdapterError) as said:
        store.serving()
    assert "production.json" in said.value.where
