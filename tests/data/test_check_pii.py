"""The check names personal data by line, field and kind, and never repeats it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from yukjo.cli.data import app
from yukjo.config.load import parse
from yukjo.data import personal
from yukjo.data.check import check
from yukjo.data.findings import RULES
from yukjo.data.read import read
from yukjo.errors import ConfigError, DataError
from yukjo.korean.pii import KINDS

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]

GOV = Path(__file__).parents[2] / "examples" / "gov"
MOBILE = "010-0123-4567"


@pytest.fixture
def file(tmp_path: Path, record: Record, write: Write) -> Path:
    turn = {"role": "user", "content": f"제 번호는 {MOBILE}입니다."}
    return write(
        tmp_path / "samples.jsonl",
        record(input="신청인: 곽도윤"),
        record(instruction="주민번호 880315-9711069 조회", messages=[turn]),
        record(instruction="처리 기한은?"),
    )


def test_findings_have_their_line_field_and_kind(file: Path) -> None:
    report = check([file])
    found = [(f.line, f.field, f.code, f.level) for f in report.findings if f.code[:3] == "pii"]
    assert found == [
        (1, "input", "pii-name", "warning"),
        (2, "instruction", "pii-rrn", "error"),
        (2, "messages[0].content", "pii-mobile", "error"),
    ]


def test_no_finding_repeats_the_data(file: Path) -> None:
    said = CliRunner().invoke(app, ["check", str(file), "--json"]).stdout
    assert "pii-mobile" in said
    assert "***-****-****" in said
    assert not any(value in said for value in (MOBILE, "880315", "9711069", "곽도윤"))


def test_every_kind_has_a_code_with_words() -> None:
    assert set(personal.CODES) <= set(RULES)
    for kind in KINDS:
        assert RULES[f"pii-{kind}"].level == KINDS[kind].level
        assert KINDS[kind].placeholder in personal.fix(kind, {})
        words = personal.message(kind, {"shape": "***", "position": 7})
        assert "***" in words
        assert "7" in words


def test_identity_numbers_keep_a_line_from_training_and_names_do_not(
    tmp_path: Path, record: Record, write: Write
) -> None:
    named = write(tmp_path / "named", record(input="신청인: 곽도윤"))
    assert len(read([named], agents={"rag"}).samples) == 1
    numbered = write(tmp_path / "numbered", record(input=f"연락처 {MOBILE}"))
    with pytest.raises(DataError) as refused:
        read([numbered], agents={"rag"})
    assert MOBILE not in str(refused.value)


def test_a_project_lets_its_own_contacts_stand(
    tmp_path: Path, record: Record, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "a.jsonl", record(input=f"상황실 {MOBILE}, desk@hanbit.kr"))
    assert check([file]).errors == 2
    contacts = [MOBILE, "@hanbit.kr"]
    assert check([file], contacts=contacts).errors == 0
    assert len(read([file], agents={"rag"}, contacts=contacts).samples) == 1
    (tmp_path / "yukjo.toml").write_text(f"[data]\nallowed_contacts = {contacts}\n")
    asked = ["check", str(file)]
    assert CliRunner().invoke(app, asked).exit_code == 1
    assert CliRunner().invoke(app, [*asked, "--project", str(tmp_path)]).exit_code == 0
    assert CliRunner().invoke(app, ["stats", str(file), "-p", str(tmp_path)]).exit_code == 0
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, asked).exit_code == 0


@pytest.mark.parametrize("contact", ["한빛시청", "@", "desk@", "12ab", "", "desk @hanbit.kr"])
def test_what_is_no_contact_is_refused(contact: str) -> None:
    with pytest.raises(ConfigError):
        parse(f'[data]\nallowed_contacts = ["{contact}"]')


def test_fields_do_not_lend_each_other_their_words(
    tmp_path: Path, record: Record, write: Write
) -> None:
    file = write(tmp_path / "a", record(instruction="계좌번호", input="110-123-456789"))
    assert not [f for f in check([file]).findings if f.code == "pii-account"]


@pytest.mark.parametrize(
    "file",
    [*(GOV / "data").glob("*.jsonl"), *(GOV / "data" / "stage1").glob("*.jsonl")],
    ids=lambda file: file.stem,
)
def test_the_projects_own_data_raises_no_alarm(file: Path) -> None:
    found = check([file]).findings
    assert [f for f in found if f.code.startswith("pii")] == []
