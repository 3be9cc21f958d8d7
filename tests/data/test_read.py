"""Reading for training: what the check calls an error is refused, repeats are counted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.data.check import check
from yukjo.data.read import read
from yukjo.errors import DataError
from yukjo.records import SIX, Message

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]
FOLDER = Path(__file__).parent / "bad"


def test_samples_keep_the_order_of_files_and_lines(
    tmp_path: Path, record: Record, write: Write
) -> None:
    files = [write(tmp_path / name, record(id=name + "1"), record(id=name + "2", input=name))
             for name in "ba"]  # fmt: skip
    data = read(files, agents=SIX)
    assert [sample.id for sample in data.samples] == ["b1", "b2", "a2"]
    assert data.dropped == 1


def test_earlier_turns_and_labels_are_read_and_unknown_fields_left_out(
    tmp_path: Path, record: Record, write: Write
) -> None:
    turns = [{"role": "user", "content": "안녕하세요", "name": "김○○"}]
    row = record(messages=turns, difficulty="쉬움", colour="red", input=None)
    (sample,) = read([write(tmp_path / "a", row)], agents=SIX).samples
    assert sample.messages == (Message(role="user", content="안녕하세요"),)
    assert (sample.difficulty, sample.input) == ("쉬움", "")


def test_bom_crlf_and_blank_lines_are_no_obstacle(tmp_path: Path, record: Record) -> None:
    line = json.dumps(record()).encode()
    file = tmp_path / "a"
    file.write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\r\n")
    assert len(read([file], agents=SIX).samples) == 1


def test_the_first_errors_are_named_with_their_lines(
    tmp_path: Path, record: Record, write: Write
) -> None:
    file = write(tmp_path / "a", record(), record(agent_type="raq"), [], b"{", b"{")
    with pytest.raises(DataError) as fault:
        read([file], agents=SIX)
    assert fault.value.where == f"{file}:2, {file}:3, {file}:4"
    assert "raq" in fault.value.what
    assert f"yukjo data check {file}" in fault.value.fix


def test_an_id_of_two_samples_is_refused(tmp_path: Path, record: Record, write: Write) -> None:
    file = write(tmp_path / "a", record(id="a"), record(id="a"), record(id="a", input="다른 것"))
    with pytest.raises(DataError) as fault:
        read([file], agents=SIX)
    assert fault.value.where == f"{file}:3"


@pytest.mark.parametrize("files", [[], ["empty"]])
def test_no_sample_at_all_is_refused(tmp_path: Path, write: Write, files: list[str]) -> None:
    with pytest.raises(DataError):
        read([write(tmp_path / name) for name in files], agents=SIX)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.jsonl")), ids=lambda file: file.stem)
def test_reads_exactly_what_the_check_passes(file: Path) -> None:
    report = check([file])
    if report.errors or not report.lines:
        with pytest.raises(DataError):
            read([file], agents=SIX)
    else:
        blank = sum(found.code == "blank-line" for found in report.findings)
        data = read([file], agents=SIX)
        assert len(data.samples) + data.dropped + blank == report.lines


@given(place=st.integers(0, 700), piece=st.binary(max_size=4), cut=st.integers(0, 4))
@settings(deadline=None)
def test_a_damaged_line_is_read_or_refused(
    place: int, piece: bytes, cut: int, record: Record, tmp_path_factory: pytest.TempPathFactory
) -> None:
    line = json.dumps(record(id="a", difficulty="쉬움"), ensure_ascii=False).encode()
    file = tmp_path_factory.getbasetemp() / "damaged"
    file.write_bytes(line[:place] + piece + line[place + cut :])
    if check([file]).errors:
        with pytest.raises(DataError):
            read([file], agents=SIX)
    else:
        assert len(read([file], agents=SIX).samples) == 1
