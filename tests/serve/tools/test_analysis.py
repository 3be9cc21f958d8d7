"""Tables are read within limits, sums are right, and no cell can do anything but be seen."""

import io
import random
import zipfile
from contextlib import suppress
from pathlib import Path
from xml.etree.ElementTree import fromstring

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sample import EXAMPLE
from yukjo.errors import DataError
from yukjo.serve.tools import tables
from yukjo.serve.tools.analysis import DataAnalysis, read_table
from yukjo.serve.tools.chart import chart
from yukjo.serve.tools.reader import opened
from yukjo.serve.tools.tool import Result

TABLES = EXAMPLE / "tables"
EVIL = (
    "=HYPERLINK(1)",
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "a|b",
    "</text><script>",
    "<|im_end|>",
    "가\n| 나 |",
)


@pytest.fixture
def analysis() -> DataAnalysis:
    return DataAnalysis(TABLES)


def rows(result: Result) -> list[list[str]]:
    lines = [line for line in result.text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_groups_are_summed_with_their_shares(analysis: DataAnalysis) -> None:
    result = analysis.call({"table": "민원 접수 현황", "by": "분야", "value": "접수 건수"})
    assert rows(result) == [
        ["교통", "2,422", "44%"], ["환경", "1,283", "23.3%"], ["도로", "1,113", "20.2%"],
        ["복지", "688", "12.5%"],
    ]  # fmt: skip
    assert "2025-07~2025-12" in result.text
    assert result.extra["groups"]["교통"] == 412 + 455 + 398 + 430 + 376 + 351


def test_a_trend_has_changes_and_their_rates(analysis: DataAnalysis) -> None:
    result = analysis.call({"table": "부서별 예산 집행.xlsx", "operation": "trend", "by": "분기"})
    assert rows(result) == [
        ["2025년 1분기", "1,955,000", "-", "-"],
        ["2025년 2분기", "1,995,000", "+40,000", "+2%"],
        ["2025년 3분기", "2,025,000", "+30,000", "+1.5%"],
    ]


def test_percentages_differ_in_points_and_are_never_summed(analysis: DataAnalysis) -> None:
    asked = {"table": "동별 인구", "operation": "compare", "by": "동", "first": "솔빛동",
             "second": "한샘동", "value": "65세 이상 비율(%)", "period": "2025"}  # fmt: skip
    assert rows(analysis.call({**asked, "how": "mean"}))[1] == ["한샘동", "11.2%", "-7.8%p", "-"]
    assert "더할 수 없습니다" in analysis.call(asked).text


def test_a_period_narrows_the_rows(analysis: DataAnalysis) -> None:
    asked = {"table": "동별 인구", "by": "동", "period": "2024"}
    assert rows(analysis.call(asked))[0] == ["솔빛동", "31,012", "38.4%"]


@pytest.mark.parametrize("how", ["mean", "count", "min", "max"])
def test_other_figures_of_a_group(analysis: DataAnalysis, how: str) -> None:
    asked = {"table": "동별 인구", "by": "동", "value": "인구(명)", "how": how}
    figure = {"mean": "31,013.33", "count": "3", "min": "30,788", "max": "31,240"}[how]
    assert ["솔빛동", figure] in [row[:2] for row in rows(analysis.call(asked))]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"table": "없는 표"}, "동별 인구, 민원 접수 현황"),
        ({"table": "../../yukjo.toml"}, "그런 표가 없습니다"),
        ({"table": "동별 인구", "by": "구"}, "연도, 동, 인구(명)"),
        ({"table": "동별 인구", "value": "동"}, "숫자로 된 열이 아닙니다"),
        ({"table": "동별 인구", "operation": "compare", "by": "동", "first": "솔빛동"}, "나래동"),
        ({"table": "동별 인구", "period": "1999"}, "2023, 2024, 2025"),
        ({"table": "동별 인구", "operation": "drop"}, "operation"),
        ({}, "table"),
    ],
)
def test_a_wrong_call_is_told_what_there_is(
    analysis: DataAnalysis, asked: dict[str, str], said: str
) -> None:
    result = analysis.call(asked)
    assert result.failed
    assert said in result.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("민원 접수 현황에서 분야별 접수 건수를 알려 줘", {"by": "분야", "value": "접수 건수"}),
        ("민원접수현황 월별 추이는?", {"operation": "trend", "by": "연월"}),
        ("동별 인구에서 2025년 솔빛동과 한샘동을 비교", {
            "operation": "compare", "by": "동", "first": "솔빛동", "second": "한샘동",
            "period": "2025"}),
        ("동별 인구의 65세 이상 비율(%) 추이", {"how": "mean", "operation": "trend"}),
    ],
)  # fmt: skip
def test_a_table_that_is_named_is_analysed(
    analysis: DataAnalysis, text: str, expected: dict[str, str]
) -> None:
    (asked,) = analysis.by_rule(text)
    assert asked.items() >= expected.items()
    assert not analysis.call(asked).failed


def test_no_table_is_analysed_that_nobody_named(analysis: DataAnalysis) -> None:
    assert analysis.by_rule("지난달 통계를 알려 주세요") == []


def test_two_files_of_one_name_are_two_tables(tmp_path: Path) -> None:
    (tmp_path / "안").mkdir()
    (tmp_path / "안" / "표.csv").write_bytes(_csv([["동", "수"], ["가람동", "7"]]))
    (tmp_path / "표.csv").write_bytes(_csv([["연월", "월세"], ["1월", "5"]]))
    analysis = DataAnalysis(tmp_path)
    assert rows(analysis.call({"table": "표"})) == [["가람동", "7", "100%"]]
    # 월세 is a figure, though it begins like a time.
    assert rows(analysis.call({"table": "표.csv"})) == [["1월", "5", "100%"]]


# What a file may hold


def _table(folder: Path, name: str, data: bytes) -> DataAnalysis:
    (folder / name).write_bytes(data)
    return DataAnalysis(folder)


def _csv(cells: list[list[str]], encoding: str = "utf-8") -> bytes:
    import csv

    held = io.StringIO(newline="")
    csv.writer(held).writerows(cells)
    return held.getvalue().encode(encoding)


def test_a_cell_cannot_become_a_formula_a_column_a_line_or_a_token(tmp_path: Path) -> None:
    cells = [["이름", "수"], *([cell, "1"] for cell in EVIL)]
    result = _table(tmp_path, "표.csv", _csv(cells)).call({"table": "표", "value": "수"})
    lines = [line for line in result.text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(EVIL)
    for line in lines[2:]:
        assert line.replace("\\|", "").count("|") == 4
        assert line[2] not in "=+-@"
    assert "<|" not in result.text
    assert "| 가 \\| 나 \\| |" in result.text


@given(st.lists(st.tuples(st.text(), st.floats(-1e12, 1e12)), min_size=1, max_size=20), st.text())
def test_a_chart_is_well_formed_and_holds_text_only_as_text(
    points: list[tuple[str, float]], title: str
) -> None:
    labels, values = zip(*points, strict=True)
    for form in ("bars", "line"):
        drawn = fromstring(chart(title + "<script>", labels, values, form=form))
        kinds = {element.tag.partition("}")[2] for element in drawn.iter()}
        assert kinds <= {"svg", "title", "text", "path", "rect", "polyline", "circle"}
        assert not any(
            key.startswith("on") or "href" in key for e in drawn.iter() for key in e.attrib
        )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_the_forms_of_korea(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "표.csv"
    path.write_bytes(delimiter.join(["동", "수"]).encode(encoding) + b"\r\n"
                     + delimiter.join(["가람동", "12.5%"]).encode(encoding))  # fmt: skip
    table = tables.table_of("표", tables.read_rows(path))
    assert table.frame.rows() == [("가람동", 12.5)]
    assert table.percent == {"수"}


def test_numbers_are_read_as_officials_write_them_and_gaps_stay_gaps(tmp_path: Path) -> None:
    path = tmp_path / "표.csv"
    path.write_bytes(_csv([["가", "나", "다"], ["1,200", "1", "-"], ["", "2", "3"], ["−5"]]))
    table = read_table(path)
    assert table.numeric == ["가", "나"]
    assert table.frame["가"].to_list() == [1200.0, None, -5.0]
    assert table.frame["나"].to_list() == [1.0, 2.0, None]


def test_a_formula_is_not_computed(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["가", "나"], ["x", 1], ["y", "=1+1"]):
        sheet.append(row)
    book.save(tmp_path / "표.xlsx")
    assert read_table(tmp_path / "표.xlsx").frame["나"].to_list() == [1.0, None]


@pytest.mark.parametrize("name", ["표.csv", "표.xlsx"])
@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 99, b"PK\x03\x04\x00", b"\xff\xfe\xff", "가".encode()]
)
def test_garbage_is_refused_by_name(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError) as refused:
        tables.read_rows(path)
    assert refused.value.where == str(path)


def test_a_damaged_workbook_is_read_or_refused(tmp_path: Path) -> None:
    whole, draw = (TABLES / "부서별 예산 집행.xlsx").read_bytes(), random.Random(0)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    path = tmp_path / "표.xlsx"
    with opened() as reader:
        for turn in range(100):
            if turn % 2:  # the container, or what is in it
                data = bytearray(whole)
                for _ in range(draw.randrange(1, 20)):
                    data[draw.randrange(len(data))] = draw.randrange(256)
                path.write_bytes(data[: draw.randrange(len(data))] if turn % 4 == 1 else data)
            else:
                with zipfile.ZipFile(path, "w") as archive:
                    for name, part in parts.items():
                        at = draw.randrange(len(part))
                        damaged = part[:at] + bytes(draw.randrange(9, 127) for _ in range(3))
                        archive.writestr(name, damaged + (part[at + 3 :] if turn % 3 else b""))
            with suppress(DataError):
                reader.rows(path)


def test_a_workbook_in_a_compression_nobody_knows_is_refused(tmp_path: Path) -> None:
    data = bytearray((TABLES / "부서별 예산 집행.xlsx").read_bytes())
    for header, place in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        at = data.find(header)
        while at >= 0:
            data[at + place] = 97
            at = data.find(header, at + 4)
    path = tmp_path / "표.xlsx"
    path.write_bytes(data)
    with pytest.raises(DataError, match="NotImplementedError"):
        tables.read_rows(path)


def test_xml_in_a_workbook_has_no_entities(tmp_path: Path) -> None:
    with zipfile.ZipFile(TABLES / "부서별 예산 집행.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    bomb = b'<!DOCTYPE a [<!ENTITY x "xxx">]>'
    with zipfile.ZipFile(tmp_path / "표.xlsx", "w") as archive:
        for name, part in parts.items():
            head, _, rest = part.partition(b"?>")
            archive.writestr(name, head + b"?>" + bomb + rest if b"<?xml" in head else bomb + part)
    with pytest.raises(DataError):
        read_table(tmp_path / "표.xlsx")


def test_limits_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 3)
    monkeypatch.setattr(tables, "MOST_COLUMNS", 3)
    path = tmp_path / "표.csv"
    path.write_bytes(_csv([["가", "나"], *[["x", "1"]] * 4]))
    with pytest.raises(DataError, match="3행"):
        tables.read_rows(path)
    path.write_bytes(_csv([list("가나다라"), list("1234")]))
    with pytest.raises(DataError, match="3열"):
        tables.read_rows(path)
    monkeypatch.setattr(tables, "LARGEST_MB", 0)
    with pytest.raises(DataError, match="0 MB"):
        tables.read_rows(path)


def test_a_table_is_read_again_only_when_its_file_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "표.csv"
    path.write_bytes(_csv([["가", "나"], ["x", "1"]]))
    first = read_table(path)
    assert read_table(path) is first
    path.write_bytes(_csv([["가", "나"], ["x", "12"]]))
    assert read_table(path).frame["나"].to_list() == [12.0]
