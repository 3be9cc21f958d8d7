"""A file read in parts, by one process or several: every line once, and the same report."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.data import check as module
from yukjo.data import lines
from yukjo.data.check import check
from yukjo.data.findings import Finding, Report
from yukjo.data.lines import Line, Part, parts_of, read_lines, read_part
from yukjo.errors import DataError

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]

FOLDER = Path(__file__).parent / "bad"
PIECES = [b"a", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xea\xb0\x80", b"bcd", b"x" * 9, b"x" * 40]


def _renumbered(path: Path, size: int) -> list[Line]:
    found: list[Line] = []
    for part in parts_of(path, size):
        found += [line._replace(number=line.number + len(found)) for line in read_part(part)]
    return found


@settings(deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30), size=st.integers(1, 60))
def test_parts_hold_every_line_once_and_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(b"".join(pieces))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LIMIT", 16)
        assert _renumbered(path, size) == list(read_lines(path))


def test_a_part_within_a_line_reads_no_more_than_itself(tmp_path: Path) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a sparse file of NULs: reading it all would take minutes
    assert list(read_part(Part(path, 1 << 20, 2 << 20))) == []


def _mixed(tmp_path: Path, record: Record, write: Write) -> list[Path]:
    """Two files with findings of every sort, duplicates across them too."""
    rows = [
        record(instruction=f"{n}번 처리 기간은?", id=f"s{n % 37}", topic=None) for n in range(80)
    ]
    odd = [b"", b"{", b"\xff", record(difficulty="easy"), record(output="짧다"), {"a": 1}]
    one = write(tmp_path / "one.jsonl", *rows[:40], *odd, *rows[10:20])
    other = write(tmp_path / "other.jsonl", *odd, *rows)
    other.write_bytes(b"\xef\xbb\xbf" + other.read_bytes().replace(b"\n", b"\r\n"))
    return [one, write(tmp_path / "empty"), other, *sorted(FOLDER.glob("*.jsonl"))]


def _in_parts(size: int, *words: Any, **more: Any) -> Report:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PART", size)
        return check(*words, **more)


def test_the_report_is_the_same_however_files_are_cut(
    tmp_path: Path, record: Record, write: Write
) -> None:
    files = _mixed(tmp_path, record, write)
    whole = check(files)
    assert {f.code for f in whole.findings} >= {
        "near-duplicate", "duplicate-line", "bom", "crlf", "duplicate-id", "empty-file", "not-json",
    }  # fmt: skip
    for size in (50, 1_000, 7_777):
        assert _in_parts(size, files) == whole


def test_two_processes_find_the_same_in_the_same_order(
    tmp_path: Path, record: Record, write: Write
) -> None:
    files = _mixed(tmp_path, record, write)
    whole = check(files)
    for size in (2_000, 1 << 20):
        assert _in_parts(size, files, workers=2).model_dump_json() == whole.model_dump_json()


def test_what_is_told_one_by_one_is_the_same_in_parts(
    tmp_path: Path, record: Record, write: Write
) -> None:
    files = _mixed(tmp_path, record, write)
    told: list[Finding] = []
    again: list[Finding] = []
    check(files, each=told.append)
    _in_parts(500, files, each=again.append)
    assert told == again


def test_bounds_hold_over_parts(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LISTED", 10)
    file = write(tmp_path / "a", *[b"{"] * 50)
    assert _in_parts(16, [file]) == check([file])
    assert (check([file]).errors, check([file]).omitted) == (50, 40)


def test_progress_goes_up_to_the_size_of_all_files(
    tmp_path: Path, record: Record, write: Write
) -> None:
    files = _mixed(tmp_path, record, write)
    told: list[tuple[int, int]] = []
    for workers in (1, 2):
        _in_parts(5_000, files, workers=workers, progress=lambda a, b: told.append((a, b)))
    whole = sum(file.stat().st_size for file in files)
    first, second = told[: len(told) // 2], told[len(told) // 2 :]
    assert first == second == sorted(first)
    assert first[-1] == (whole, whole)


@pytest.mark.skipif(os.name != "posix", reason="named pipes are POSIX's")
def test_a_pipe_is_read_once_by_one_process() -> None:
    read, write = os.pipe()
    os.write(write, b"{\n[]\n")
    os.close(write)
    report = check([Path(f"/dev/fd/{read}")], workers=2)
    os.close(read)
    assert [f.code for f in report.findings] == ["not-json", "not-object"]


def test_a_file_that_can_not_be_read_is_said_with_workers_too(tmp_path: Path) -> None:
    with pytest.raises(DataError) as fault:
        check([tmp_path / "absent"], workers=2)
    assert fault.value.fix
