"""`yukjo data import` from outside: what it shows, writes, masks, and how it exits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sample import EXAMPLE
from toys import Yukjo
from yukjo.data.check import check

Make = Callable[..., Path]

A = "한빛시청 1층 민원실에서 평일 9시부터 18시까지 신청하실 수 있습니다."
SECRET = "900101-1234567"
"""In the form of a resident's number; 1900s' first of January, and no one's."""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "상담.csv"
    path.write_text(
        f"질문,답변\n제 번호는 {SECRET}인데 여권은?,{A}\n사진은?,{A}\n빈 답?,\n", "utf-8"
    )
    return path


def test_a_preview_shows_and_writes_nothing(table: Path, tmp_path: Path, yukjo: Yukjo) -> None:
    before = sorted(tmp_path.iterdir())
    said = yukjo("data", "import", table, "--license", "MIT", "--agent", "rag", "--preview", 1)
    assert said.code == 1  # a row is refused
    assert "instruction ← 질문, output ← 답변" in said.out
    assert "여권은?" in said.out
    assert "사진은?" not in said.out
    assert "3행 읽음: 2행 들여옴, 1행 받지 않음" in said.out
    assert sorted(tmp_path.iterdir()) == before


def test_a_preview_as_json_has_the_rows(table: Path, yukjo: Yukjo) -> None:
    said = yukjo("data", "import", table, "--license", "MIT", "--agent", "rag", "--preview", 9,
                 "--json")  # fmt: skip
    found = json.loads(said.out)
    assert [row["source"] for row in found["preview"]] == ["상담.csv#row=2", "상담.csv#row=3"]
    assert (found["out"], found["read"], found["refused"]) == (None, 3, 1)


def test_personal_data_is_masked_and_counted_and_never_shown(
    table: Path, tmp_path: Path, yukjo: Yukjo
) -> None:
    out = tmp_path / "새.jsonl"
    said = yukjo("data", "import", table, "--license", "MIT", "--agent", "rag", "--out", out)
    assert SECRET not in said.out + said.err + out.read_text("utf-8")
    assert "[주민등록번호]" in out.read_text("utf-8")
    assert "가린 개인정보: 주민등록번호 1" in said.out
    report = check([out])
    assert (report.lines, report.errors) == (2, 0)


def test_personal_data_is_kept_only_with_a_warning(
    table: Path, tmp_path: Path, yukjo: Yukjo
) -> None:
    out = tmp_path / "새.jsonl"
    said = yukjo("data", "import", table, "--license", "MIT", "--agent", "rag", "--out", out,
                 "--keep-personal-data")  # fmt: skip
    assert "가리지 않습니다" in said.err
    assert SECRET in out.read_text("utf-8")


def test_an_offices_own_number_may_stay(jsonl: Make, tmp_path: Path, yukjo: Yukjo) -> None:
    row = {"instruction": "전화번호?", "output": "당직실: 010-0123-4567, 연락처: 010-0123-9999"}
    config = EXAMPLE.joinpath("yukjo.toml").read_text("utf-8")
    (tmp_path / "yukjo.toml").write_text(
        config.replace("[data]\n", '[data]\nallowed_contacts = ["010-0123-4567"]\n'), "utf-8"
    )
    words = ("data", "import", jsonl(row), "--license", "MIT", "--agent", "rag", "--preview", 1)
    masked = json.loads(yukjo(*words, "--json", "--project", tmp_path).out)
    assert "010-0123-4567" in masked["preview"][0]["output"]
    assert "010-0123-9999" not in masked["preview"][0]["output"]
    assert masked["personal_data"] == {"휴대전화번호": 1}


def test_a_refusal_that_quotes_a_cell_masks_it(jsonl: Make, yukjo: Yukjo) -> None:
    row = {"instruction": "질문?", "output": A, "difficulty": SECRET}
    said = yukjo("data", "import", jsonl(row), "--license", "MIT", "--preview", 1, "--json")
    assert json.loads(said.out)["refusals"][0]["code"] == "missing-field"
    assert SECRET not in said.out


def test_what_stands_there_is_overwritten_only_when_forced(
    table: Path, tmp_path: Path, yukjo: Yukjo
) -> None:
    out = tmp_path / "새.jsonl"
    out.write_text("내 것", "utf-8")
    words = ("data", "import", table, "--license", "MIT", "--agent", "rag", "--out", out)
    said = yukjo(*words)
    assert (said.code, out.read_text("utf-8")) == (2, "내 것")
    assert "--force" in said.err
    assert yukjo(*words, "--force").code == 1
    assert len(out.read_text("utf-8").splitlines()) == 2


def test_where_no_row_is_taken_nothing_is_written(
    jsonl: Make, tmp_path: Path, yukjo: Yukjo
) -> None:
    out = tmp_path / "새.jsonl"
    said = yukjo("data", "import", jsonl({"text": "글"}), "--license", "MIT", "--out", out)
    assert (said.code, out.exists()) == (1, False)
    assert "아무것도 쓰지 않았습니다" in said.out
    assert [path.name for path in tmp_path.iterdir()] == ["대화.jsonl"]


def test_documents_are_written_as_drafts_alone(tmp_path: Path, yukjo: Yukjo) -> None:
    hwpx = EXAMPLE / "documents" / "마을버스 노선 개편 계획.hwpx"
    words = ("data", "import", hwpx, "--license", "MIT", "--out")
    said = yukjo(*words, tmp_path / "버스.jsonl")
    assert (said.code, "버스.drafts.jsonl" in said.err) == (2, True)
    out = tmp_path / "버스.drafts.jsonl"
    assert yukjo(*words, out).code == 0
    assert yukjo("data", "check", out).code == 2
    assert yukjo("data", "stats", out).code == 2
    assert yukjo("data", "finish", out, "--out", tmp_path / "a.jsonl").code == 1  # none is finished


def test_samples_do_not_go_into_a_file_of_drafts(table: Path, tmp_path: Path, yukjo: Yukjo) -> None:
    said = yukjo("data", "import", table, "--license", "MIT", "--out", tmp_path / "a.drafts.jsonl")
    assert said.code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--license", "MIT"), "--preview 5"),
        (("--license", " ", "--out", "a"), "공공누리"),
        (("--license", "MIT", "--agent", "legal_reserch", "--out", "a"), "`legal_research`"),
        (("--license", "MIT", "--map", "답변", "--out", "a"), "--map instruction=질문"),
        (("--license", "MIT", "--agent", "rag", "--out", "/proc/a"), "--out"),
    ],
)
def test_wrong_use_exits_2_and_says_how_to_mend_it(
    words: tuple[str, ...], said: str, table: Path, yukjo: Yukjo
) -> None:
    result = yukjo("data", "import", table, *words)
    assert (result.code, said in result.err) == (2, True)


def test_the_licence_is_asked_for(table: Path, yukjo: Yukjo) -> None:
    assert yukjo("data", "import", table, "--out", "a").code == 2


def test_an_agent_beside_the_six_may_be_named(table: Path, tmp_path: Path, yukjo: Yukjo) -> None:
    out = tmp_path / "a.jsonl"
    yukjo("data", "import", table, "--license", "MIT", "--agent", "summariser", "--out", out)
    assert json.loads(out.read_text("utf-8").splitlines()[0])["agent_type"] == "summariser"


def test_control_codes_of_a_file_do_not_reach_the_terminal(jsonl: Make, yukjo: Yukjo) -> None:
    rows: list[Any] = [{"instruction": "질문?", "output": A, "\x1b[31m색": 1},
                       {"messages": [{"role": "\x1b[2J", "content": "말"}]}]  # fmt: skip
    said = yukjo("data", "import", jsonl(*rows), "--license", "MIT", "--agent", "rag",
                 "--preview", 1)  # fmt: skip
    assert "\x1b[31m" not in said.out
    assert "\x1b[2J" not in said.out
