"""Whatever is changed in a session or its record is found."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from review.rooms import ledger_of, opinion, rate_all, started
from yukjo.errors import LedgerError
from yukjo.ledger.chain import link, stored
from yukjo.records import Entry
from yukjo.review import Room, Seal, Terms, faults, find, read_seal
from yukjo.review.keys import key_file

TRIGGERS = ("entries_no_update", "entries_no_delete", "entries_no_replace")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rated session, `open` and `closed`; to be copied, not changed."""
    place = tmp_path_factory.mktemp("held")
    session = started(place / "open", Terms(overlap=0.5), rag=6)
    with Room(session.folder) as room:
        for rater in ("r1", "r2"):
            rate_all(room, rater, lambda pair: opinion(4, int(pair[-1]) % 3 + 1))
    shutil.copytree(place / "open", place / "closed")
    with Room(folder(place / "closed")) as room, ledger_of(place / "closed") as ledger:
        room.close(read_seal(session.key, session.session), ledger)
    return place


Held = Callable[[str], object]


@pytest.fixture
def held(made: Path, tmp_path: Path) -> Held:
    """Puts a session, `open` or `closed`, under the test's own folder."""
    return lambda state: shutil.copytree(made / state, tmp_path, dirs_exist_ok=True)


def found(tmp_path: Path) -> list[str]:
    with Room(folder(tmp_path)) as room, ledger_of(tmp_path) as ledger:
        return faults(room, ledger)


def folder(tmp_path: Path) -> Path:
    return find(tmp_path / "runs" / "reviews", "latest")


def seal_of(room: Room) -> Seal:
    return read_seal(key_file(room.folder.parent, room.session.id), room.session)


def rewrite(file: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change entries and chain them anew, as somebody who knows the format would."""
    with closing(sqlite3.connect(file, isolation_level=None)) as raw:
        for trigger in TRIGGERS:
            raw.execute(f"DROP TRIGGER {trigger}")
        rows = raw.execute("SELECT kind, run, created, body FROM entries ORDER BY number")
        entries = [dict(zip(("kind", "run", "created", "body"), row, strict=True)) for row in rows]
        for entry in entries:
            entry["body"] = json.loads(entry["body"])
        change(entries)
        raw.execute("DELETE FROM entries")
        last: Entry | None = None
        for entry in entries:
            last = link(last, entry["kind"], entry["run"], created=entry["created"],
                        body=entry["body"])  # fmt: skip
            raw.execute(
                "INSERT INTO entries VALUES (:number, :kind, :run, :created, :body, :previous,"
                " :hash)", stored(last),
            )  # fmt: skip


@pytest.mark.parametrize("state", ["open", "closed"])
def test_a_session_that_nobody_touched_is_whole(tmp_path: Path, held: Held, state: str) -> None:
    held(state)
    assert found(tmp_path) == []


def swap_sides(tmp_path: Path) -> None:
    file = folder(tmp_path) / "session.json"
    session = json.loads(file.read_text(encoding="utf-8"))
    pair = session["pairs"][0]
    pair["left"], pair["right"] = pair["right"], pair["left"]
    file.write_text(json.dumps(session), encoding="utf-8")


def other_commitment(tmp_path: Path) -> None:
    file = folder(tmp_path) / "session.json"
    session = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(session | {"commitment": "0" * 64}), encoding="utf-8")


def edit_score(tmp_path: Path) -> None:
    with closing(sqlite3.connect(folder(tmp_path) / "ratings.sqlite", isolation_level=None)) as raw:
        for trigger in TRIGGERS:
            raw.execute(f"DROP TRIGGER {trigger}")
        changed = """UPDATE entries SET body = replace(body, '"left":4', '"left":5')"""
        raw.execute(f"{changed} WHERE kind = 'rating'")


def drop_rating(tmp_path: Path) -> None:
    with closing(sqlite3.connect(folder(tmp_path) / "ratings.sqlite", isolation_level=None)) as raw:
        for trigger in TRIGGERS:
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.execute("DELETE FROM entries WHERE number = 3")


@pytest.mark.parametrize("state", ["open", "closed"])
@pytest.mark.parametrize(
    ("change", "says"),
    [(swap_sides, "시작할 때 기록한 평가와 다릅니다"),
     (other_commitment, "시작할 때 기록한 평가와 다릅니다"),
     (edit_score, "기록한 뒤에 내용이 바뀌었습니다"), (drop_rating, "3번 기록이 없습니다")],
)  # fmt: skip
def test_an_edit_is_found_before_the_close_and_after_it(
    tmp_path: Path, change: Callable[[Path], None], says: str, held: Held, state: str
) -> None:
    held(state)
    change(tmp_path)
    assert any(says in fault for fault in found(tmp_path)), found(tmp_path)


@pytest.mark.parametrize("change", [edit_score, drop_rating])
def test_a_session_whose_ratings_were_edited_is_not_closed(
    tmp_path: Path, change: Callable[[Path], None], held: Held
) -> None:
    held("open")
    change(tmp_path)
    with (
        Room(folder(tmp_path)) as room,
        ledger_of(tmp_path) as ledger,
        pytest.raises(LedgerError, match="번 기록"),
    ):
        room.close(seal_of(room), ledger)


def better(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        if entry["kind"] == "rating":
            entry["body"]["opinion"]["left"] = 5


def shorter(entries: list[dict[str, Any]]) -> None:
    del entries[-2:]


@pytest.mark.parametrize("change", [better, shorter])
def test_ratings_chained_anew_after_the_close_are_not_those_recorded(
    tmp_path: Path, held: Held, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    held("closed")
    rewrite(folder(tmp_path) / "ratings.sqlite", change)
    assert found(tmp_path) == ["평가 기록이 마감할 때의 것과 다릅니다"]


def other_sides(body: dict[str, Any]) -> None:
    turned = {"left": "right", "right": "left"}
    opened = body["opened"]
    opened["after"] = {pair: turned[side] for pair, side in opened["after"].items()}


def other_figure(body: dict[str, Any]) -> None:
    body["agents"]["rag"]["quality"]["after"] = 5.0


def no_opening(body: dict[str, Any]) -> None:
    del body["opened"]["nonce"]


@pytest.mark.parametrize(
    ("change", "says"),
    [(other_sides, "봉인한 것과 다릅니다"), (other_figure, "평가에서 나오지 않습니다"),
     (no_opening, "봉인을 연 값이 없습니다")],
)  # fmt: skip
def test_a_record_chained_anew_does_not_fit_the_session(
    tmp_path: Path, held: Held, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    held("closed")
    rewrite(tmp_path / "runs" / "ledger.sqlite", lambda entries: change(entries[-1]["body"]))
    [fault] = found(tmp_path)
    assert says in fault


def test_a_record_without_the_announcement_is_found(tmp_path: Path, held: Held) -> None:
    held("closed")
    rewrite(tmp_path / "runs" / "ledger.sqlite", lambda entries: entries.pop(0))  # type: ignore[arg-type,return-value]
    assert found(tmp_path) == ["원장에 시작이 기록되지 않은 평가입니다"]


def test_a_session_closed_but_not_recorded_is_told_apart(tmp_path: Path, held: Held) -> None:
    held("open")
    with Room(folder(tmp_path)) as room:
        room.book.append("close", room.session.id, {})
    [fault] = found(tmp_path)
    assert "원장에 적지 못했습니다" in fault
