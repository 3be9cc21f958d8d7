"""A review as people hold it, by the commands."""

import csv
import json
import shutil
from collections.abc import Callable
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from pipeline.conftest import SETTINGS, project_in
from review.rooms import TUNED, answer, drawn, sample
from toys import Said, Yukjo
from yukjo.cli.rating import paint
from yukjo.cli.reviewed import _odd, _reached
from yukjo.files import write_jsonl
from yukjo.ledger.store import Ledger
from yukjo.records import Message

__all__ = ["project_in"]

COMMANDS = ("start", "raters", "next", "rate", "status", "close", "show", "export", "verify")
HOSTILE = '=HYPERLINK("x")\x1b[2J[red]\'; DROP TABLE entries;--\u202e'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one run of two agents, six cases each; nothing has to be trained."""
    folder = tmp_path / "project"
    run = folder / "runs" / "20260101-090000-000000"
    run.mkdir(parents=True)
    cases = [sample(agent, n) for agent in ("rag", "review") for n in range(6)]
    write_jsonl(folder / "data.jsonl", [
        case.model_dump(exclude_defaults=True) | {"id": f"{case.agent_type}-{n}"}
        for n, case in enumerate(cases)
    ])  # fmt: skip
    (folder / "yukjo.toml").write_text(SETTINGS.format(base="none"), encoding="utf-8")
    rows: list[dict[str, Any]] = []
    for case in cases:
        old = answer(case, f"모름 {case.name}", "")
        new = answer(case, f"[bold]고침[/bold]\x1b[2J {case.name}", TUNED)
        rows += [{"kind": "before"} | old.model_dump(), {"kind": "after"} | new.model_dump()]
    write_jsonl(run / "answers.jsonl", rows)
    return folder


def start(yukjo: Yukjo, project: Path, *more: object) -> list[str]:
    made: Any = yukjo("review", "start", "-p", project, "--json", *more).json()
    tokens: list[str] = made["raters"]
    return tokens


def rate_all(yukjo: Yukjo, project: Path, token: str) -> list[str]:
    """What a rater does who likes the answers that were mended; the pairs they saw."""
    seen: list[str] = []
    while True:
        shown: Any = yukjo("review", "next", "-p", project, "--rater", token, "--json").json()
        if (pair := shown["pair"]) is None:
            return seen
        left = "고침" in pair["left"]
        scores = (5, 2) if left else (2, 5)
        wrong = ("--error-right", "fact") if left else ("--error-left", "citation")
        done = yukjo("review", "rate", pair["id"], "-p", project, "--rater", token, "--left",
                     scores[0], "--right", scores[1], "--prefer", "left" if left else "right",
                     *wrong, "--comment", HOSTILE)  # fmt: skip
        assert done.code == 0, done.err
        seen.append(pair["id"])


def test_the_whole_way_of_a_review(project: Path, yukjo: Yukjo) -> None:
    first, second = start(yukjo, project, "--overlap", 0.5)
    seen = rate_all(yukjo, project, first)
    assert len(seen) == 12
    open_: Any = yukjo("review", "status", "-p", project, "--json").json()
    assert (open_["closed"], open_["ratings"]) == (False, 12)
    assert open_["agents"]["rag"] == {"pairs": 6, "rated": 6, "enough": False,
                                      "more": open_["agents"]["rag"]["more"]}  # fmt: skip
    assert 1 <= open_["agents"]["rag"]["more"] <= 30
    assert len(rate_all(yukjo, project, second)) == 6
    assert yukjo("review", "show", "-p", project).code == 2
    assert yukjo("review", "verify", "-p", project).code == 0
    closed: Any = yukjo("review", "close", "-p", project, "--json").json()
    quality = closed["agents"]["rag"]["quality"]
    assert (quality["before"], quality["after"], quality["n"]) == (2.0, 5.0, 6)
    assert closed["agents"]["all"]["preference"]["win_rate"] == 1.0
    assert closed["agents"]["all"]["error_rate"]["before"] == 1.0
    assert closed["alpha"] == 1.0
    shown: Any = yukjo("review", "show", "latest", "-p", project, "--json").json()
    assert shown == closed
    verified: Any = yukjo("review", "verify", "-p", project, "--json").json()
    assert verified["ok"] is True
    assert yukjo("ledger", "verify", "-p", project).code == 0
    assert HOSTILE not in (project / "runs" / "ledger.sqlite").read_bytes().decode(errors="replace")
    after: Any = yukjo("review", "status", "-p", project).out
    assert "마감" in after
    assert yukjo("review", "next", "-p", project, "--rater", first).code == 2


def test_two_raters_review_a_real_run(project_in: Any, tmp_path: Path, yukjo: Yukjo) -> None:
    place = project_in(tmp_path)
    assert yukjo("run", "-p", place, "--set", "train.max_steps=1").code == 0
    tokens = start(yukjo, place, "--run", "latest", "--overlap", 1)
    for token in tokens:
        shown: Any = yukjo("review", "next", "-p", place, "--rater", token, "--json").json()
        while shown["pair"]:
            done = yukjo("review", "rate", shown["pair"]["id"], "-p", place, "--rater", token,
                         "--left", 3, "--right", 4, "--prefer", "right")  # fmt: skip
            assert done.code == 0, done.err
            shown = yukjo("review", "next", "-p", place, "--rater", token, "--json").json()
    closed: Any = yukjo("review", "close", "-p", place, "--json").json()
    adapters: Any = yukjo("adapter", "list", "-p", place, "--json").json()["adapters"]
    assert closed["adapters"] == {one["agent"]: one["id"] for one in adapters}
    assert closed["agents"]["all"]["ratings"] == 8  # two agents, two answered cases, two raters
    assert yukjo("review", "verify", "-p", place).code == 0
    with Ledger(place / "runs" / "ledger.sqlite") as ledger:
        kinds = [entry.kind for entry in ledger.entries()]
    assert [kind for kind in kinds if "review" in kind] == ["review-start", "review"]


def test_status_without_the_seal_counts_and_says_what_is_missing(
    project: Path, yukjo: Yukjo, tmp_path: Path
) -> None:
    key = tmp_path / "usb" / "seal.json"
    token, _ = start(yukjo, project, "--key", key, "--agent", "rag")
    rate_all(yukjo, project, token)
    blind: Any = yukjo("review", "status", "-p", project, "--json").json()
    assert (blind["enough"], blind["agents"]["rag"]["more"]) == (None, None)
    assert "봉인 파일이 필요합니다" in yukjo("review", "status", "-p", project).out
    known: Any = yukjo("review", "status", "-p", project, "--key", key, "--json").json()
    assert known["enough"] is False
    assert "더 필요할" in yukjo("review", "status", "-p", project, "--key", key).out
    missing = yukjo("review", "close", "-p", project)
    assert missing.code == 2
    assert "봉인 파일" in missing.err
    assert yukjo("review", "close", "-p", project, "--key", key).code == 0


def test_raters_need_nothing_but_the_reviews_and_the_settings(
    project: Path, yukjo: Yukjo, tmp_path: Path
) -> None:
    token, _ = start(yukjo, project, "--agent", "rag", "--cases", 1)
    shutil.copytree(project / "runs" / "reviews", tmp_path / "theirs" / "runs" / "reviews")
    shutil.copy(project / "yukjo.toml", tmp_path / "theirs")
    assert len(rate_all(yukjo, tmp_path / "theirs", token)) == 1


def test_two_runs_are_compared_on_the_cases_they_share(project: Path, yukjo: Yukjo) -> None:
    case = sample("rag", 0)
    newer = project / "runs" / "20260102-090000-000000"
    newer.mkdir()
    write_jsonl(
        newer / "answers.jsonl", [{"kind": "after"} | answer(case, "더 고침", "cd").model_dump()]
    )
    start(yukjo, project, "--against", "20260101", "--cases", 1)
    [folder] = (project / "runs" / "reviews").iterdir()
    session = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    assert (session["run"], session["against"]) == (newer.name, "20260101-090000-000000")
    assert (session["adapters"], session["opponents"]) == ({"rag": "cd"}, {"rag": TUNED})


def test_wrong_use_says_what_to_do(project: Path, yukjo: Yukjo) -> None:
    assert yukjo("review", "status", "-p", project).code == 2
    for wrong in (["--overlap", 2], ["--alpha", "nan"], ["--repeat", -1], ["--agent", "rg"],
                  ["--run", "x"], ["--cases", 0], ["--raters", 0]):  # fmt: skip
        said = yukjo("review", "start", "-p", project, *wrong)
        assert said.code == 2, wrong
        assert "Traceback" not in said.err
    token, _ = start(yukjo, project)
    pair: Any = yukjo("review", "next", "-p", project, "--rater", token, "--json").json()["pair"]
    rate = ["review", "rate", pair["id"], "-p", project, "--rater", token]
    for wrong in (
        [],
        ["--left", 3, "--right", 3],
        ["--left", 6, "--right", 3, "--prefer", "tie"],
        ["--left", 3, "--right", 3, "--prefer", "tie", "--comment", "가" * 2001],
    ):
        assert yukjo(*rate, *wrong).code == 2, wrong
    assert yukjo(*rate[:-1], "r1-0", "--left", 3, "--right", 3, "--prefer", "tie").code == 2
    again = [*rate, "--left", 3, "--right", 3, "--prefer", "tie"]
    assert [yukjo(*again).code, yukjo(*again).code, yukjo(*again, "--amend").code] == [0, 2, 0]
    more: Any = yukjo("review", "raters", "--add", 1, "-p", project, "--json").json()
    assert yukjo("review", "next", "-p", project, "--rater", more["raters"][0]).code == 0


def test_the_ratings_are_exported_for_spreadsheets(
    project: Path, yukjo: Yukjo, tmp_path: Path
) -> None:
    token, _ = start(yukjo, project, "--agent", "rag", "--cases", 2)
    rate_all(yukjo, project, token)
    text = yukjo("review", "export", "-p", project).out
    rows = list(csv.DictReader(StringIO(text)))
    assert [(row["rater"], row["stands"], row["before"]) for row in rows] == [("r1", "1", "")] * 2
    assert rows[0]["comment"].startswith('\'=HYPERLINK("x")�[2J[red]')
    yukjo("review", "close", "-p", project)
    out = tmp_path / "ratings.csv"
    assert yukjo("review", "export", "-p", project, "--out", out).code == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(StringIO(out.read_text(encoding="utf-8-sig"))))
    assert {(row["before"], row["after"], row["preferred"]) for row in rows} == {
        ("2", "5", "after")
    }


def test_a_tampered_session_fails_the_check(project: Path, yukjo: Yukjo) -> None:
    token, _ = start(yukjo, project)
    rate_all(yukjo, project, token)
    [folder] = (project / "runs" / "reviews").iterdir()
    file = folder / "session.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace('"left"', '"x"').replace('"right"', '"left"').replace('"x"', '"right"')
    )
    said = yukjo("review", "verify", "-p", project)
    assert said.code == 1
    assert "다릅니다" in said.out
    assert yukjo("review", "close", "-p", project).code == 2
    session = json.loads(text)
    file.write_text(json.dumps(session | {"pairs": session["pairs"][:1]}))
    assert yukjo("review", "export", "-p", project).code == 2
    file.write_text("{")
    assert yukjo("review", "verify", "-p", project).code == 1


# In the terminal


@pytest.fixture
def at_terminal(
    yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch, project: Path
) -> Callable[..., Said]:
    """Rate in the terminal by what is typed, in bytes."""

    def typed(token: str, keys: str | bytes, errors: str = "strict") -> Said:
        raw = keys.encode() if isinstance(keys, str) else keys
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(raw), "utf-8", errors))
        return yukjo("review", "rate", "-p", project, "--rater", token)

    monkeypatch.setenv("COLUMNS", "140")
    return typed


def test_a_rater_answers_in_the_terminal_and_leaves_when_they_like(
    project: Path, yukjo: Yukjo, at_terminal: Callable[..., Said]
) -> None:
    token, _ = start(yukjo, project, "--agent", "rag")
    one = "4\n2\nl\n\n1 3\n잘 썼음\n"
    mistyped = "9\n5\n1\nx\nr\n7\n\n\n\n"
    said = at_terminal(token, one + mistyped + "3\nq\n")
    assert said.code == 0, said.err
    assert "2건을 저장했습니다" in said.out
    assert said.out.count("다시 입력하세요") == 3
    assert "\x1b[2J" not in said.out
    assert "[bold]고침[/bold]" in said.out
    found: Any = yukjo("review", "status", "-p", project, "--json").json()
    assert found["ratings"] == 2
    rows = list(csv.DictReader(StringIO(yukjo("review", "export", "-p", project).out)))
    assert (rows[0]["left"], rows[0]["errors_right"], rows[0]["comment"]) == (
        "4", "fact format", "잘 썼음",
    )  # fmt: skip


def test_the_end_of_the_input_is_a_way_to_leave(
    project: Path, yukjo: Yukjo, at_terminal: Callable[..., Said]
) -> None:
    token, _ = start(yukjo, project, "--agent", "rag", "--cases", 1)
    said = at_terminal(token, "4\n")
    assert said.code == 0
    assert "0건을 저장했습니다" in said.out
    assert "남아 있지 않습니다" in at_terminal(token, "4\n4\nt\n\n\n\n").out


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_bytes_that_are_no_text_are_asked_again(
    project: Path, yukjo: Yukjo, at_terminal: Callable[..., Said], errors: str
) -> None:
    token, _ = start(yukjo, project, "--agent", "rag")
    said = at_terminal(token, b"4\n4\nt\n\n\n\xea\xb0\n", errors)
    assert said.code == 0, said.err
    assert "다시 입력하세요" in said.out


def test_the_target_is_reached_only_where_the_interval_says_so() -> None:
    assert [_reached({"low": low, "high": high}) for low, high in
            ((4.0, 4.8), (3.9, 4.8), (3.0, 3.9), (None, None))] == [
        "예", "불분명", "아니요", "불분명",
    ]  # fmt: skip


def test_earlier_turns_of_the_conversation_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    turns = (Message(role="user", content="앞 물음"), Message(role="assistant", content="앞 대답"))
    paint(drawn(rag=1)[0].pairs[0].model_copy(update={"earlier": turns}), left=1)
    shown = capfd.readouterr().out
    assert shown.index("앞선 질문: 앞 물음") < shown.index("앞선 답변: 앞 대답")


def test_what_is_odd_about_a_rater_is_said() -> None:
    each: dict[str, Any] = {"ratings": 20, "fast": 3, "same": True, "left": 0.9, "drift": -1.2,
                            "torn": 1}  # fmt: skip
    assert list(_odd(each)) == [
        "2초 미만 3건", "모든 점수가 같음", "왼쪽을 90% 선호", "점수가 -1.2 움직임",
        "점수가 낮은 쪽을 선호 1건",
    ]  # fmt: skip
    fine = {"ratings": 20, "fast": 2, "same": False, "left": 0.6, "drift": 0.2, "torn": 0}
    assert list(_odd(fine)) == []
    few = {"ratings": 9, "fast": 0, "same": False, "left": 1.0, "drift": 2.0, "torn": 0}
    assert list(_odd(few)) == []


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_help_of_every_command_has_an_example(
    command: str, language: str, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = yukjo("--lang", language, "review", command, "--help")
    assert said.code == 0
    assert f"yukjo review {command}" in said.out
