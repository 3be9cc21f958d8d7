"""Documents become drafts; drafts pass for samples nowhere until people finished them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwp5 import hwp5
from sample import EXAMPLE
from toys import Yukjo
from yukjo.data.check import check
from yukjo.data.imports.finish import Finish
from yukjo.data.imports.report import Report
from yukjo.data.read import read
from yukjo.errors import DataError
from yukjo.records import SIX

Taken = Callable[..., tuple[list[Any], Report]]

HWPX = EXAMPLE / "documents" / "마을버스 노선 개편 계획.hwpx"
PDF = EXAMPLE / "documents" / "청년 월세 지원 지침.pdf"
A = "마을01번은 시청에서 솔빛마을을 거쳐 한빛역까지 다닙니다."


def drafts(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def made(taken: Taken) -> list[dict[str, Any]]:
    return taken(HWPX, PDF, agent="rag")[0]


def test_a_draft_has_its_passage_its_place_and_room_for_a_person(made: list[Any]) -> None:
    first, last = made[0], made[-1]
    assert list(first)[:4] == ["draft", "question", "answer", "material"]
    assert (first["question"], first["answer"], first["agent_type"]) == ("", "", "rag")
    assert first["source"] == "마을버스 노선 개편 계획.hwpx#paragraph=1"
    assert last["source"] == "청년 월세 지원 지침.pdf#page=2"
    assert last["material"].startswith("『청년 월세 지원사업 시행 지침』 2쪽: 4. 신청 방법")
    assert last["license"] == "CC-BY-4.0"


def test_an_hwp_of_version_5_becomes_drafts(taken: Taken, tmp_path: Path) -> None:
    path = tmp_path / "주차.hwp"
    path.write_bytes(hwp5(["누리구 주차 안내", "주차장은 9시에 엽니다.", "첫 30분은 무료입니다."]))
    (draft,), report = taken(path)
    assert draft["material"] == (
        "『누리구 주차 안내』: 누리구 주차 안내\n주차장은 9시에 엽니다.\n첫 30분은 무료입니다."
    )
    assert (draft["source"], report.files[0].formats) == ("주차.hwp#paragraph=1", {"hwp": 1})


def test_passages_lose_nothing_of_a_document(made: list[Any]) -> None:
    said = " ".join(draft["material"] for draft in made)
    assert "| 어른 | 1,250원 | 1,350원 |" in said
    assert "그날부터 3년 동안 다시 신청할 수 없다." in said


@pytest.mark.parametrize("name", ["a.drafts.jsonl", "다른 이름.jsonl"])
def test_a_draft_file_is_refused_where_samples_are_read(
    name: str, made: list[Any], tmp_path: Path
) -> None:
    path = drafts(tmp_path / name, *made)
    for reader in (lambda: check([path]), lambda: read([path], agents=SIX)):
        with pytest.raises(DataError, match="초안 파일") as refused:
            reader()
        assert f"yukjo data finish {path}" in refused.value.fix


def test_no_line_of_a_draft_file_passes_for_a_sample(made: list[Any], tmp_path: Path) -> None:
    finished = made[0] | {"question": "노선은?", "answer": A}
    sample = {"instruction": "질문?", "input": "", "output": A, "agent_type": "rag"}
    report = check([drafts(tmp_path / "섞임.jsonl", sample, finished)])
    wrong = {found.field for found in report.findings if found.level == "error"}
    assert {"instruction", "output"} <= wrong


def test_finished_drafts_become_samples_and_the_others_wait(
    made: list[Any], tmp_path: Path, yukjo: Yukjo
) -> None:
    finished = made[0] | {"question": "마을01번은 어디로 다니나요?", "answer": A, "topic": "교통"}
    path = drafts(tmp_path / "a.drafts.jsonl", finished, *made[1:])
    out = tmp_path / "a.jsonl"
    said = yukjo("data", "finish", path, "--out", out, "--json")
    found = json.loads(said.out)
    assert (said.code, found["imported"], found["unfinished"]) == (0, 1, len(made) - 1)
    (sample,) = read([out], agents=SIX).samples
    assert (sample.instruction, sample.output, sample.topic) == (finished["question"], A, "교통")
    assert sample.input == finished["material"]
    assert (sample.source, sample.license) == (finished["source"], "CC-BY-4.0")


def test_a_finished_draft_with_an_error_is_refused_by_line(made: list[Any], tmp_path: Path) -> None:
    whole = made[0] | {"question": "노선은?", "answer": A}
    rows = (whole | {"agent_type": ""}, whole | {"license": ""}, whole | {"difficulty": "몰라"},
            whole | {"material": 3}, whole)  # fmt: skip
    work = Finish([drafts(tmp_path / "a.drafts.jsonl", *rows)], agents=SIX, mask=True)
    assert len(list(work.rows())) == 1
    assert [(r.row, r.code) for r in work.report(None).refusals] == [
        (1, "missing-field"), (2, "no-license"), (3, "wrong-value"), (4, "wrong-type"),
    ]  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"{}", b'{"instruction": "a"}\n', b"\xff", b'{"draft": 1'])
def test_a_file_of_no_drafts_is_no_draft_file(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.drafts.jsonl"
    path.write_bytes(data)
    work = Finish([path], agents=SIX, mask=True)
    assert list(work.rows()) == []
    assert work.report(None).refusals[0].code == "not-readable"


def test_documents_and_tables_do_not_go_into_one_file(tmp_path: Path, taken: Taken) -> None:
    with pytest.raises(DataError, match="한 번에 한 가지"):
        taken(HWPX, tmp_path / "a.csv")


def test_a_document_that_can_not_be_read_is_refused_by_name(tmp_path: Path, taken: Taken) -> None:
    (tmp_path / "스캔.pdf").write_bytes(b"%PDF-1.7")
    rows, report = taken(tmp_path / "스캔.pdf", HWPX)
    assert rows
    assert report.refusals[0].file.endswith("스캔.pdf")
