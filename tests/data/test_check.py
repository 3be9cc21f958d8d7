"""The check as a whole: its report, its bounds, and that no bytes can break it."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.data import check as module
from yukjo.data import compare
from yukjo.data.check import check
from yukjo.data.findings import Finding
from yukjo.errors import DataError
from yukjo.records import SIX

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]


def test_a_seed_line_is_valid_as_it_stands(tmp_path: Path, record: Record, write: Write) -> None:
    report = check([write(tmp_path / "a", record())])
    assert (report.lines, report.errors, report.warnings) == (1, 0, 0)


def test_the_json_of_a_report_has_the_promised_shape(tmp_path: Path, write: Write) -> None:
    made = json.loads(check([write(tmp_path / "a.jsonl", [])]).model_dump_json())
    (found,) = made.pop("findings")
    assert made == {"lines": 1, "errors": 1, "warnings": 0}
    assert list(found) == ["file", "line", "code", "level", "field", "message", "fix"]
    assert found["file"].endswith("a.jsonl")
    assert (found["line"], found["code"], found["level"]) == (1, "not-object", "error")


def test_findings_stand_in_the_order_of_lines(tmp_path: Path, record: Record, write: Write) -> None:
    file = write(tmp_path / "a", record(), record(), record(difficulty="easy"))
    assert [f.code for f in check([file]).findings] == ["duplicate-line", "wrong-value"]


def test_duplicates_are_found_across_files(tmp_path: Path, record: Record, write: Write) -> None:
    one, other = write(tmp_path / "a", b"", record()), write(tmp_path / "b", b"", b"", record())
    *_, found = check([one, other]).findings
    assert (found.file, found.line, found.code) == (str(other), 3, "duplicate-line")
    assert f"{one}:2" in found.message


def test_an_empty_file_between_others_is_named(
    tmp_path: Path, record: Record, write: Write
) -> None:
    files = [write(tmp_path / "a", record()), write(tmp_path / "b"), write(tmp_path / "c", [])]
    found = {(f.code, f.file, f.line) for f in check(files).findings}
    assert found == {("empty-file", str(files[1]), 0), ("not-object", str(files[2]), 1)}


def test_a_near_duplicate_under_another_agent_is_fine(
    tmp_path: Path, record: Record, write: Write
) -> None:
    file = write(
        tmp_path / "a", record(), record(agent_type="review", instruction="처리 기간은요?")
    )
    assert check([file]).findings == ()


def test_the_agents_of_a_project_are_known(tmp_path: Path, record: Record, write: Write) -> None:
    file = write(tmp_path / "a", record(agent_type="요약"))
    assert check([file]).errors == 1
    assert check([file], agents=("요약",)).errors == 0


def test_all_is_counted_and_a_bounded_number_listed(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LISTED", 10)
    seen: list[Finding] = []
    report = check([write(tmp_path / "a", *[b"{"] * 50, *[b""] * 3)], each=seen.append)
    assert (report.lines, report.errors, report.warnings) == (53, 50, 3)
    assert (len(report.findings), report.omitted, len(seen)) == (13, 40, 53)
    assert "omitted" in report.model_dump()


def test_a_line_of_50_mb_is_passed_over_without_being_held(tmp_path: Path, record: Record) -> None:
    file = tmp_path / "long"
    line = json.dumps(record()).encode()
    with file.open("wb") as out:
        for _ in range(50):
            out.write(b"x" * 1_000_000)
        out.write(b"\n" + line)
    check([file])  # tables are made once
    tracemalloc.start()
    report = check([file])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(f.line, f.code) for f in report.findings] == [(1, "line-too-long")]
    assert report.lines == 2
    assert peak < 8_000_000


@pytest.mark.parametrize("short", [-1, 0, 1, 2])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_may_have_a_mebibyte_and_no_byte_more(
    tmp_path: Path, record: Record, short: int, end: bytes
) -> None:
    line = json.dumps(record()).encode()
    file = tmp_path / "a"
    file.write_bytes(line + b" " * ((1 << 20) - short - len(line)) + end + b"[]\n" * bool(end))
    codes = [f.code for f in check([file]).findings if f.code != "crlf"]
    assert codes == ["line-too-long"] * (short < 0) + ["not-object"] * bool(end)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"messages":[{"role":['])
def test_nesting_of_100_000_is_a_finding(tmp_path: Path, opening: bytes, write: Write) -> None:
    (found,) = check([write(tmp_path / "deep", opening * (300_000 // len(opening)))]).findings
    assert found.code == "too-deep"


def test_a_hostile_line_has_a_bounded_number_of_findings(
    tmp_path: Path, record: Record, write: Write
) -> None:
    many = {f"field{n}": n for n in range(5000)}
    assert len(check([write(tmp_path / "a", record() | many)]).findings) == 50


def test_near_duplicates_beyond_the_limit_are_not_sought_and_that_is_said(
    tmp_path: Path, record: Record, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "SOUGHT", 2)
    monkeypatch.setattr(module, "SOUGHT", 2)
    rows = [record(instruction=f"처리 기간은 {n}?") for n in range(4)]
    found = [(f.line, f.code) for f in check([write(tmp_path / "a", *rows)]).findings]
    assert found == [(2, "near-duplicate"), (3, "near-duplicates-unsought")]


@pytest.mark.parametrize("name", ["absent.jsonl", ".", "nul\x00"])
def test_a_file_that_cannot_be_read_is_a_fault_of_the_user(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError) as fault:
        check([tmp_path / name])
    assert fault.value.fix


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(
    [
        "instruction",
        "input",
        "output",
        "agent_type",
        "id",
        "difficulty",
        "messages",
        "images",
        "other",
    ]
)
values = (
    json_values
    | st.sampled_from([*SIX, "쉬움", ["a.png"]])
    | st.just([{"role": "user", "content": "가"}])
)


def _survives(folder: Path, data: bytes) -> None:
    file = folder / "fuzz"
    file.write_bytes(data)
    report = check([file])
    assert report.errors + report.warnings == len(report.findings) + report.omitted
    json.dumps(report.model_dump(), ensure_ascii=False).encode()


@given(data=st.binary(max_size=400))
@settings(deadline=None)
def test_no_bytes_can_break_it(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    _survives(tmp_path_factory.getbasetemp(), data)


@given(rows=st.lists(st.dictionaries(fields, values), max_size=4))
@settings(deadline=None)
def test_no_json_can_break_it(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    _survives(tmp_path_factory.getbasetemp(), "\n".join(map(json.dumps, rows)).encode())


@given(place=st.integers(0, 400), piece=st.binary(max_size=4), cut=st.integers(0, 4))
@settings(deadline=None)
def test_no_damage_to_a_valid_line_can_break_it(
    place: int, piece: bytes, cut: int, record: Record, tmp_path_factory: pytest.TempPathFactory
) -> None:
    line = json.dumps(record(), ensure_ascii=False).encode()
    damaged = line[:place] + piece + line[place + cut :]
    _survives(tmp_path_factory.getbasetemp(), damaged + b"\n" + line)


def test_findings_hold_no_large_part_of_their_line(
    tmp_path: Path, record: Record, write: Write
) -> None:
    big = "가" * 300_000
    rows = [record(output=[[]] * 200_000), record(agent_type=big), record(difficulty=big),
            record() | {big: 1}, [big], b'{"a": 1' + b"0" * 900_000 + b".5e999}",
            record(messages=[{"role": big, "content": "가"}])] * 8  # fmt: skip
    file = write(tmp_path / "big", *rows)
    check([file])
    tracemalloc.start()
    report = check([file])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.lines == 56
    assert len(report.model_dump_json()) < 56 * 1000
    assert peak < 32_000_000
