"""No bytes do more than be refused by name: every importer, any content."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwp5 import hwp5
from sample import EXAMPLE
from yukjo.data.imports import Asked, Import, drafts
from yukjo.data.imports.report import Report
from yukjo.data.imports.rows import Head, Row, table_rows
from yukjo.errors import YukjoError
from yukjo.reading.sandbox import Sandbox, opened
from yukjo.records import SIX, Sample

FUZZ = settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip

DOCUMENTS = EXAMPLE / "documents"
HWPX = (DOCUMENTS / "마을버스 노선 개편 계획.hwpx").read_bytes()
HWP = hwp5(["누리구 주차 안내", "첫 30분은 무료입니다."])
PDF = (DOCUMENTS / "청년 월세 지원 지침.pdf").read_bytes()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with opened() as made:
        yield made


def imported(path: Path) -> Report:
    """Import one file; what comes out is a sample, and the sums are right."""
    work = Import([path], Asked(license="MIT", agents=SIX, agent="rag"))
    rows = list(work.rows())
    for row in rows:
        Sample.model_validate(row)
    report = work.report(None)
    assert report.imported == len(rows)
    assert report.imported + report.refused == report.read
    return report


texts = st.text(max_size=12)
roles = st.sampled_from(["user", "assistant", "system", "tool", "human", "gpt", "function_call"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
turns = st.lists(
    st.fixed_dictionaries(
        {}, optional={"role": roles | values, "content": texts | values, "from": roles | values,
                      "value": texts | values, "tool_calls": values},
    ) | values,
    max_size=5,
)  # fmt: skip
objects = st.fixed_dictionaries(
    {},
    optional={
        "messages": turns | values, "conversations": turns | values, "instruction": texts | values,
        "input": values, "output": texts | values, "history": values, "system": values,
        "agent_type": values, "difficulty": values, "id": values, "images": values,
        "input_from": values, "license": values, "source": values,
    },
)  # fmt: skip


@FUZZ
@given(row=objects)
def test_any_object_is_a_sample_or_refused(row: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps(row).encode() + b"\n")
    assert imported(path).read == 1


@FUZZ
@given(data=st.binary(max_size=400), suffix=st.sampled_from([".jsonl", ".json"]))
def test_any_bytes_called_json_are_refused(data: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    imported(path)


def test_brackets_without_end_are_refused(tmp_path: Path) -> None:
    for name in ("a.json", "a.jsonl"):
        (tmp_path / name).write_bytes(b"[" * 200_000 + b"\n")
        assert imported(tmp_path / name).refused == 1


def rows_of(path: Path, sandbox: Sandbox) -> list[Head | Row]:
    with suppress(YukjoError):
        return list(table_rows(path, sandbox, named={}))
    return []


@FUZZ
@given(
    data=st.binary(max_size=300) | st.text(max_size=200).map(str.encode),
    suffix=st.sampled_from(["csv", "tsv", "xlsx"]),
)
def test_any_bytes_called_a_table_are_rows_or_refused(
    data: bytes, suffix: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data)
    rows_of(path, sandbox)


@FUZZ
@given(
    cells=st.lists(st.lists(texts, min_size=2, max_size=4), max_size=6),
    delimiter=st.sampled_from(",;\t|"),
)
def test_any_table_below_a_header_is_counted_row_by_row(
    cells: list[list[str]], delimiter: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    import csv

    held = io.StringIO(newline="")
    clean = [
        [c.replace("\x00", "").encode("utf-8", "ignore").decode() for c in row] for row in cells
    ]
    csv.writer(held, delimiter=delimiter).writerows([["질문", "답변"]] * 3 + clean)
    path = tmp_path / "a.csv"
    path.write_bytes(held.getvalue().encode())
    found = [row for row in rows_of(path, sandbox) if isinstance(row, Row)]
    assert all(row.number > 1 for row in found)
    assert len(found) <= len(cells) + 2


@pytest.fixture(scope="module")
def xlsx() -> bytes:
    book = openpyxl.Workbook()
    for row in (["질문", "답변"], ["하나?", "둘입니다."], ["셋?", 4.5]):
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


edits = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=12)


def edited(data: bytes, changes: list[tuple[int, int]], cut: int | None) -> bytes:
    made = bytearray(data)
    for place, byte in changes:
        made[place % len(made)] = byte
    return bytes(made if cut is None else made[: cut % len(made)])


@FUZZ
@given(changes=edits, cut=st.none() | st.integers(0, 10**6))
def test_a_damaged_workbook_is_rows_or_refused(
    changes: list[tuple[int, int]], cut: int | None, xlsx: bytes, tmp_path: Path, sandbox: Sandbox
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(edited(xlsx, changes, cut))
    rows_of(path, sandbox)


@FUZZ
@given(suffix=st.sampled_from(["hwpx", "hwp", "pdf", "txt", "md"]), data=st.data())
def test_a_damaged_document_is_drafts_or_refused(
    suffix: str, data: st.DataObject, tmp_path: Path, sandbox: Sandbox
) -> None:
    whole = {"hwpx": HWPX, "hwp": HWP, "pdf": PDF}.get(suffix)
    if whole is not None and data.draw(st.booleans()):
        made = edited(whole, data.draw(edits), data.draw(st.none() | st.integers(0, 10**6)))
    else:
        made = data.draw(st.binary(max_size=200))
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(made)
    with suppress(YukjoError):
        found = list(drafts.of_file(path, sandbox))
        assert all(draft["material"].strip() for draft in found)


def sheet(data: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with something else in its first sheet's XML."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(held, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            if name.endswith("sheet1.xml"):
                assert old in part
                part = part.replace(old, new, 1)
            after.writestr(name, part)
    return held.getvalue()


DTD = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><worksheet '


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<worksheet ", DTD),
        (b'ref="A1:B3"', b'ref="A1:XFD1048576"'),
        (b'<row r="2"', b'<row r="999999999"'),
        (b'r="A2"', b'r="ZZZZ2"'),
        (b"<sheetData>", b"<sheetData>" + b"<row/>" * 300_000),
    ],
    ids=["dtd", "dimensions", "far-row", "far-column", "many-rows"],
)  # fmt: skip
def test_a_hostile_sheet_is_rows_or_refused_in_time(
    old: bytes, new: bytes, xlsx: bytes, tmp_path: Path, sandbox: Sandbox
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(sheet(xlsx, old, new))
    found = rows_of(path, sandbox)
    assert "/etc/hostname" not in str(found)
