"""Tables become samples row by row, whatever stands above them and however they were saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from yukjo.data.imports.columns import asked, mapping
from yukjo.data.imports.report import Report
from yukjo.errors import ConfigError, DataError

Taken = Callable[..., tuple[list[Any], Report]]

A = "한빛시청 1층 민원실에서 신청하실 수 있습니다."


def book(path: Path, **sheets: list[list[object]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(
    encoding: str, delimiter: str, tmp_path: Path, taken: Taken
) -> None:
    path = tmp_path / "상담.csv"
    rows = [
        ["질문", "답변"],
        ["여권은 어디서 만드나요?", f'"{A}\n둘째 줄"'],
        ["몇 시까지, 하나요?", A],
    ]
    if delimiter == ",":
        rows[2][0] = f'"{rows[2][0]}"'
    path.write_bytes("\r\n".join(delimiter.join(row) for row in rows).encode(encoding))
    (first, second), _ = taken(path)
    assert (first.output, second.instruction) == (f"{A}\n둘째 줄", "몇 시까지, 하나요?")
    assert (first.source, second.source) == ("상담.csv#row=2", "상담.csv#row=3")


def test_a_workbook_gives_all_its_sheets_below_their_titles(tmp_path: Path, taken: Taken) -> None:
    path = book(
        tmp_path / "민원.xlsx",
        행정=[["민원 상담 기록"], [], ["연번", "문의 내용", "회신", "분야"],
              [1, "여권은?", A, "행정"], [], [2, "사진은?", A, None]],
        메모=[["그냥", "메모"], ["가", "나"]],
        복지=[["질문", "답변", "난이도"], ["기초연금은?", A, "하"]],
    )  # fmt: skip
    samples, report = taken(path)
    assert [s.source for s in samples] == [
        "민원.xlsx#sheet=행정;row=4", "민원.xlsx#sheet=행정;row=6", "민원.xlsx#sheet=복지;row=2",
    ]  # fmt: skip
    assert [s.topic for s in samples] == ["행정", None, None]
    assert samples[2].difficulty == "쉬움"
    first = report.files[0].sheets[0]
    assert (first.sheet, first.header, first.above) == ("행정", 3, 1)
    assert first.columns == {"instruction": "문의 내용", "output": "회신", "topic": "분야"}
    assert report.files[0].unused == ("연번",)
    (refusal,) = report.refusals
    assert (refusal.sheet, refusal.row, refusal.code) == ("메모", 0, "no-column")


def test_one_sheet_can_be_chosen(tmp_path: Path, taken: Taken) -> None:
    path = book(
        tmp_path / "a.xlsx", 가=[["질문", "답변"], ["하나?", A]], 나=[["질문", "답변"], ["둘?", A]]
    )
    (sample,), _ = taken(path, sheet="나")
    assert sample.instruction == "둘?"
    _, report = taken(path, sheet="다")
    assert "`다`" in report.refusals[0].message


def test_a_named_column_goes_before_a_guess(tmp_path: Path, taken: Taken) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"질문,민원 요지,답변,담당\n긴 질문,짧은 질문,{A},review\n", encoding="utf-8")
    named = asked(["instruction=민원 요지", "agent_type=담당"])
    (sample,), report = taken(path, columns=named)
    assert (sample.instruction, sample.agent_type) == ("짧은 질문", "review")
    assert report.files[0].unused == ("질문",)


def test_a_row_that_lacks_something_is_refused_by_number(tmp_path: Path, taken: Taken) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"질문,답변\n하나?,{A}\n,{A}\n둘?,\n,\n셋?\n", encoding="utf-8")
    samples, report = taken(path)
    assert len(samples) == 1
    assert [(r.row, r.code) for r in report.refusals] == [(n, "empty-text") for n in (3, 4, 6)]


def test_what_can_not_be_seen_is_taken_out_and_counted(tmp_path: Path, taken: Taken) -> None:
    path = book(tmp_path / "a.xlsx", 가=[["질문", "답변"], ["하\u200b나?", f"{A}_x000D_\n끝"],
                                        ["둘?", A], ["세\u1100\u1161?", A]])  # fmt: skip
    samples, report = taken(path)
    assert [s.instruction for s in samples] == ["하나?", "둘?", "세가?"]
    assert samples[0].output == f"{A}\n끝"
    assert report.mended == 2


def test_formulas_count_by_their_saved_value_alone(tmp_path: Path, taken: Taken) -> None:
    path = book(tmp_path / "a.xlsx", 가=[["질문", "답변"], ["하나?", "=1+1"], ["둘?", A]])
    samples, report = taken(path)
    assert ([s.instruction for s in samples], report.refusals[0].row) == (["둘?"], 2)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b""), ("a.csv", b"\xff\xfe\x00"), ("a.csv", '질문,답변\n"끝이 없다\n'.encode()),
        ("a.xlsx", b"PK\x03\x04"), ("a.xlsx", b""), ("a.jsonl.json", b"{}}"), ("a.json", b"\xff"),
    ],
)  # fmt: skip
def test_a_file_that_can_not_be_read_is_refused_and_the_next_one_goes_on(
    name: str, data: bytes, tmp_path: Path, taken: Taken
) -> None:
    (tmp_path / name).write_bytes(data)
    good = tmp_path / "좋음.csv"
    good.write_text(f"질문,답변\n하나?,{A}\n", encoding="utf-8")
    samples, report = taken(tmp_path / name, good)
    assert len(samples) == 1
    assert (report.refusals[0].row, report.refusals[0].code) == (0, "not-readable")


def test_a_missing_file_is_named(tmp_path: Path, taken: Taken) -> None:
    _, report = taken(tmp_path / "없음.csv")
    assert report.refusals[0].file.endswith("없음.csv")


def test_a_kind_of_file_that_is_not_known_is_refused_with_those_that_are(
    tmp_path: Path, taken: Taken
) -> None:
    with pytest.raises(DataError, match="들여올 수 없습니다") as refused:
        taken(tmp_path / "a.xls")
    assert ".xlsx" in refused.value.fix


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["질문"], "--map instruction=질문"),
        (["output="], "--map instruction=질문"),
        (["outptu=답변"], "`output`"),
        (["본문=답변"], "instruction, output"),
        (["input=가", "input=나"], "둘 중 하나"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(pairs: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        asked(pairs)
    assert said in refused.value.fix


def test_guesses_take_whole_headers_and_each_column_once() -> None:
    assert mapping(["질문자", "답변일", "비고"], {}) == {}
    assert mapping(["질문", "QUESTION", "Answer"], {}) == {"instruction": 0, "output": 2}
    assert mapping(["질문", "답변", "출처"], {"input": "출처"}) == {
        "input": 2, "instruction": 0, "output": 1,
    }  # fmt: skip
