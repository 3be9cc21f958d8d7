"""A file is whole or not there; one value has one text."""

import hashlib
import json
import math
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.files import (
    canonical_json,
    copy_folder,
    hash_json,
    move_whole,
    read_canonical,
    remove_whole,
    sha256_bytes,
    sha256_file,
    sorted_json,
    write_jsonl,
    write_whole,
    writing_whole,
)

# Whole or not at all


def test_a_file_appears_with_its_content_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    write_whole(path, "육조\n")
    assert path.read_bytes() == "육조\n".encode()
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_until_it_is_whole_the_old_file_stands(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with writing_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("old", [None, b"old"])
def test_after_an_error_the_old_file_stands_and_nothing_else(
    tmp_path: Path, old: bytes | None
) -> None:
    path = tmp_path / "file"
    if old is not None:
        write_whole(path, old)

    def fail() -> None:
        with writing_whole(path) as file:
            file.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if old is None else [old])


def test_rows_that_cannot_be_written_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, [{"b": 1, "a": "육"}, [2]])
    assert path.read_text(encoding="utf-8") == '{"a":"육","b":1}\n[2]\n'
    with pytest.raises(ValueError, match="JSON"):
        write_jsonl(path, [{"a": 1}, math.nan])
    assert path.read_text(encoding="utf-8") == '{"a":"육","b":1}\n[2]\n'


def test_a_reader_that_opened_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old content")
    with path.open("rb") as reader:
        assert reader.read(3) == b"old"
        write_whole(path, b"new")
        assert reader.read() == b" content"


def test_what_is_linked_elsewhere_keeps_its_content(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"old")
    (tmp_path / "link").hardlink_to(tmp_path / "file")
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "link").read_bytes() == b"old"


KILLED = """
import sys, time
from pathlib import Path
from yukjo.files import writing_whole
with writing_whole(Path(sys.argv[1])) as file:
    for _ in range(100):
        file.write(b"new " * 10_000)
    file.flush()
    print("half", flush=True)
    time.sleep(60)
"""


def test_killed_in_the_middle_the_old_content_stands_and_the_next_writer_wins(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "half\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert all(p.name.startswith(".file.") for p in tmp_path.iterdir() if p != path)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_content_is_on_disk_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "content")
        sync(handle)

    def replaced(self: Path, target: Path) -> Path:
        order.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write_whole(tmp_path / "file", b"x")
    assert order[:2] == ["content", "name"]


# Hashes


@given(st.binary())
def test_a_file_and_its_bytes_have_one_hash(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("hash") / "file"
    path.write_bytes(content)
    assert sha256_file(path) == sha256_bytes(content) == hashlib.sha256(content).hexdigest()


def test_a_file_larger_than_a_piece_is_hashed_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(content)
    assert sha256_file(tmp_path / "file") == sha256_bytes(content)


# One value, one text

texts = st.text(st.characters(codec="utf-8"), max_size=6)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_the_text_holds_the_value_on_one_line_and_is_its_own_canon(value: Any) -> None:
    for write, load in ((canonical_json, read_canonical), (sorted_json, json.loads)):
        text = write(value)
        assert load(text) == value
        assert write(load(text)) == text
        assert "\n" not in text


@given(st.dictionaries(texts, json_values, max_size=5), st.randoms())
def test_the_order_of_keys_changes_nothing(value: dict[str, Any], chance: Any) -> None:
    keys = list(value)
    chance.shuffle(keys)
    shuffled = {key: value[key] for key in keys}
    assert canonical_json(shuffled) == canonical_json(value)
    assert hash_json(shuffled) == hash_json(value)


@given(json_values, json_values)
def test_two_values_have_two_texts(a: Any, b: Any) -> None:
    assert a == b or (canonical_json(a) != canonical_json(b) and hash_json(a) != hash_json(b))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [{"a": math.nan}]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    for write in (canonical_json, sorted_json):
        with pytest.raises(ValueError, match="J"):
            write(value)


def test_the_hashes_that_name_adapters_bases_and_metrics_never_change() -> None:
    value = {"b": [1.0, 1e-07, 2**64], "\uffff": 1, "\U0001f600": 2}
    assert sorted_json(value) == '{"b":[1.0,1e-07,18446744073709551616],"\uffff":1,"\U0001f600":2}'
    assert hash_json(value) == hashlib.sha256(sorted_json(value).encode()).hexdigest()


# Folders


def folder(place: Path, text: str) -> Path:
    place.mkdir()
    (place / "file").write_text(text)
    return place


def test_a_folder_moves_to_its_place_whatever_stood_there(tmp_path: Path) -> None:
    folder(tmp_path / "place", "old")
    move_whole(folder(tmp_path / "scratch", "new"), tmp_path / "place")
    assert (tmp_path / "place" / "file").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["place"]


def test_a_folder_half_removed_is_hidden_and_the_next_removal_clears_it(tmp_path: Path) -> None:
    place = folder(tmp_path / "place", "old")
    left = folder(tmp_path / ".place.gone", "of a killed process")
    remove_whole(place)
    assert not place.exists()
    assert not left.exists()
    remove_whole(place)  # may be missing


def test_a_copied_folder_shares_its_files_until_one_side_writes_its_own(tmp_path: Path) -> None:
    source = folder(tmp_path / "source", "one")
    copy_folder(source, tmp_path / "copy")
    assert (tmp_path / "copy" / "file").samefile(source / "file")
    write_whole(source / "file", "two")
    assert (tmp_path / "copy" / "file").read_text() == "one"
