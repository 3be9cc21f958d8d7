"""What may be done in a session's folder, and what is kept of it."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from review.rooms import ledger_of, opinion, rate_all, started
from yukjo.errors import ReviewError
from yukjo.review import Room, Terms, enrol, find, key_file, read_seal
from yukjo.review.room import REVIEWED, STARTED


def test_a_session_is_announced_before_it_can_be_rated(tmp_path: Path) -> None:
    made = started(tmp_path, rag=3)
    with ledger_of(tmp_path) as ledger:
        [entry] = ledger.entries(STARTED)
    assert entry.run == "r1"
    assert entry.body["commitment"] == made.session.commitment
    assert entry.body["session_sha256"] == made.session.hash


def test_the_seal_is_its_owners_alone_and_outside_the_session(tmp_path: Path) -> None:
    made = started(tmp_path, rag=3)
    seal = read_seal(made.key, made.session)
    assert not made.key.is_relative_to(made.folder)
    if os.name == "posix":
        assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
        assert stat.S_IMODE(made.key.parent.stat().st_mode) == 0o700
    inside = b"".join(file.read_bytes() for file in made.folder.iterdir())
    assert seal.nonce.encode() not in inside
    assert b'"after":' not in inside


def test_a_seal_is_never_written_over_another(tmp_path: Path) -> None:
    from yukjo.review.keys import write_seal

    made = started(tmp_path, rag=1)
    with pytest.raises(ReviewError, match="봉인 파일을 쓸 수 없습니다"):
        write_seal(made.key, read_seal(made.key, made.session))


def test_another_sessions_seal_is_refused(tmp_path: Path) -> None:
    made, other = started(tmp_path, rag=1), started(tmp_path, rag=1)
    with pytest.raises(ReviewError, match="이 평가의 것이 아닙니다"):
        read_seal(other.key, made.session)
    with pytest.raises(ReviewError, match="읽을 수 없습니다"):
        read_seal(tmp_path / "none.json", made.session)
    (tmp_path / "odd.json").write_text('{"session": 1}')
    with pytest.raises(ReviewError, match="읽을 수 없습니다"):
        read_seal(tmp_path / "odd.json", made.session)


def test_sessions_are_found_by_a_part_of_their_name(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "reviews"
    with pytest.raises(ReviewError, match="아직 없습니다"):
        find(place, "latest")
    first, second = started(tmp_path, rag=1).folder, started(tmp_path, rag=1).folder
    assert (find(place, "latest"), find(place, first.name)) == (second, first)
    assert find(place, first.name[-6:]) == first
    for name in ("", first.name[:4], "../x"):
        with pytest.raises(ReviewError, match="없거나 여럿"):
            find(place, name)


# Raters


def test_a_rater_is_known_by_their_token_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    made = started(tmp_path, raters=2, rag=1)
    with Room(made.folder) as room:
        assert [room.rater(token) for token in made.tokens] == ["r1", "r2"]
        for wrong in ("r1", "r1-", "r9-" + made.tokens[0][3:], "", "r2" + made.tokens[0][2:],
                      "r1-\udcff"):  # fmt: skip
            with pytest.raises(ReviewError, match="등록되지 않은"):
                room.rater(wrong)
    kept = (made.folder / "raters.json").read_text()
    assert not any(token in kept for token in made.tokens)


def test_raters_can_be_added(tmp_path: Path) -> None:
    made = started(tmp_path, raters=1, rag=1)
    [token] = enrol(made.folder, 1)
    with Room(made.folder) as room:
        assert [room.rater(made.tokens[0]), room.rater(token)] == ["r1", "r2"]


# Ratings


def test_only_what_was_shown_is_rated_once_or_amended(tmp_path: Path) -> None:
    made = started(tmp_path, Terms(overlap=1.0), rag=2)
    with Room(made.folder) as room:
        pair = room.show("r1")
        assert pair
        assert room.show("r1") == pair
        with pytest.raises(ReviewError, match="보인 적이 없는"):
            room.rate("r2", pair.id, opinion())
        with pytest.raises(ReviewError, match="p999"):
            room.rate("r1", "p999", opinion())
        with pytest.raises(ReviewError, match="아직 평가하지 않은"):
            room.rate("r1", pair.id, opinion(), amend=True)
        room.rate("r1", pair.id, opinion(2, 3))
        with pytest.raises(ReviewError, match="이미 평가한"):
            room.rate("r1", pair.id, opinion(4, 3))
        room.rate("r1", pair.id, opinion(4, 3), amend=True)
    with Room(made.folder) as room:
        said = room.said()
        assert said.last["r1", pair.id].opinion.left == 4
        assert said.first["r1", pair.id].opinion.left == 2


def test_the_time_between_seeing_and_rating_is_kept(tmp_path: Path) -> None:
    made = started(tmp_path, rag=1)
    with Room(made.folder) as room:
        pair = room.show("r1")
        assert pair
        time.sleep(0.25)
        assert 0.2 <= room.rate("r1", pair.id, opinion()).seconds < 5


def test_nothing_is_shown_or_rated_after_the_close(tmp_path: Path) -> None:
    made = started(tmp_path, Terms(overlap=1.0), rag=3)
    seal = read_seal(made.key, made.session)
    with Room(made.folder) as room, ledger_of(tmp_path) as ledger:
        with pytest.raises(ReviewError, match="아직 평가한 것이 없습니다"):
            room.close(seal, ledger)
        rate_all(room, "r1", lambda _: opinion(4, 2))
        seen = room.show("r2")
        assert seen
        room.close(seal, ledger)
        with pytest.raises(ReviewError, match="마감된"):
            room.rate("r2", seen.id, opinion())
        with pytest.raises(ReviewError, match="마감된"):
            room.show("r2")


def test_a_rating_that_loses_the_race_with_the_close_is_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = started(tmp_path, rag=2)
    with Room(made.folder) as room:
        pair = room.show("r1")
        assert pair
        append = room.book.append

        def late(kind: str, run: str, body: dict[str, object]) -> object:
            append("close", run, {})  # as another process would
            return append(kind, run, body)

        monkeypatch.setattr(room.book, "append", late)
        with pytest.raises(ReviewError, match="마감된"):
            room.rate("r1", pair.id, opinion())
        assert room.said().last == {}


def test_closing_again_gives_the_same_entry(tmp_path: Path) -> None:
    made = started(tmp_path, rag=3)
    seal = read_seal(made.key, made.session)
    with Room(made.folder) as room, ledger_of(tmp_path) as ledger:
        rate_all(room, "r1", lambda _: opinion(4, 2))
        assert room.close(seal, ledger) == room.close(seal, ledger)
        assert len(ledger.entries(REVIEWED)) == 1


def test_a_close_killed_before_the_record_is_done_again_with_the_same_figures(
    tmp_path: Path,
) -> None:
    made = started(tmp_path, rag=3)
    seal = read_seal(made.key, made.session)
    with Room(made.folder) as room, ledger_of(tmp_path) as ledger:
        rate_all(room, "r1", lambda _: opinion(4, 2))
        room.book.append("close", made.session.id, {})  # and then the kill
        entry = room.close(seal, ledger)
    assert entry.body["ratings"] == 3
    assert entry.body["opened"]["commitment"] == made.session.commitment


def test_the_record_has_the_shape_that_the_gate_reads_and_nobodys_words(tmp_path: Path) -> None:
    made = started(tmp_path, Terms(overlap=1.0), rag=8)
    seal = read_seal(made.key, made.session)
    with Room(made.folder) as room, ledger_of(tmp_path) as ledger:
        for rater in ("r1", "r2"):
            rate_all(room, rater, lambda _: opinion(4, 2, comment="김하나가 적음"))
        entry = room.close(seal, ledger)
    assert (entry.kind, entry.run) == ("review", "r1")
    assert entry.body["agents"].keys() == {"rag", "all"}
    part = entry.body["agents"]["rag"]
    assert {"before", "after", "low", "high", "n"} <= part["quality"].keys()
    assert part["quality"]["low"] <= part["quality"]["after"] <= part["quality"]["high"]
    assert part["quality"]["n"] == 8
    assert {"quality", "error_rate", "preference"} <= part.keys()
    assert entry.body["adapters"] == made.session.adapters
    assert entry.body["raters"].keys() == {"r1", "r2"}
    text = json.dumps(entry.body, ensure_ascii=False)
    assert "김하나" not in text
    assert not any(token in text for token in made.tokens)


def test_a_folder_that_lost_its_ratings_is_not_taken_for_an_unrated_one(tmp_path: Path) -> None:
    made = started(tmp_path, rag=1)
    (made.folder / "ratings.sqlite").unlink()
    with pytest.raises(ReviewError, match="없어졌습니다"):
        Room(made.folder)


def test_a_session_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    made = started(tmp_path, rag=1)
    for text in ("{", "[]", '{"id": "x"}', ""):
        (made.folder / "session.json").write_text(text)
        with pytest.raises(ReviewError) as fault:
            Room(made.folder)
        assert fault.value.where.endswith("session.json")
    (made.folder / "raters.json").write_text("[1]")
    with pytest.raises(ReviewError, match="평가자 목록"):
        enrol(made.folder, 1)


def test_the_usual_place_of_a_seal_is_beside_the_reviews(tmp_path: Path) -> None:
    assert started(tmp_path, rag=1).key.parent == key_file(tmp_path / "runs/reviews", "x").parent


# Killed


LAUNCHER = """
import os, sys
from pathlib import Path
from review.rooms import opinion
from yukjo.review import Room

def rate(folder, rater, file):
    with Room(Path(folder)) as room, open(file, "ab", buffering=0) as acknowledged:
        while pair := room.show(rater):
            rating = room.rate(rater, pair.id, opinion(4, 2, comment="육조" * 200))
            acknowledged.write(f"{rating.pair}\\n".encode())

for line in sys.stdin:
    folder, *files = line.split()
    for file in files:
        if (child := os.fork()) == 0:
            rate(folder, Path(file).name, file)
            os._exit(0)
        print(child, flush=True)
    for _ in files:
        os.wait()
    print("gone", flush=True)
"""
"""Imports once, then forks a rater for each file of a line; "gone" when all are dead."""


def acknowledged(file: Path) -> list[str]:
    whole, _, _ = file.read_text().rpartition("\n") if file.exists() else ("", "", "")
    return whole.split()


def killed_round(launcher: "subprocess.Popen[str]", folder: Path, files: list[Path]) -> None:
    assert launcher.stdin
    assert launcher.stdout
    enough = [len(acknowledged(file)) + 4 for file in files]
    launcher.stdin.write(" ".join(map(str, (folder, *files))) + "\n")
    launcher.stdin.flush()
    running = [int(launcher.stdout.readline()) for _ in files]
    deadline = time.monotonic() + 60
    for process, file, wanted in zip(running, files, enough, strict=True):
        while len(acknowledged(file)) < wanted and time.monotonic() < deadline:
            time.sleep(0.002)
        os.kill(process, signal.SIGKILL)
    assert launcher.stdout.readline() == "gone\n"


@pytest.mark.skipif(os.name != "posix", reason="forks and SIGKILL are POSIX's")
def test_kills_while_two_raters_rate_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    made = started(tmp_path, Terms(overlap=1.0), rag=60)
    files = [tmp_path / "r1", tmp_path / "r2"]
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as launcher:  # fmt: skip
        for _ in range(3):
            killed_round(launcher, made.folder, files)
    with Room(made.folder) as room:
        assert room.book.verify() == []
        kept = room.said().last
        for file in files:
            promised = acknowledged(file)
            assert len(promised) >= 12
            assert {(file.name, pair) for pair in promised} <= kept.keys()
            assert len(promised) == len(set(promised)), "no pair was asked twice"
        assert rate_all(room, "r1", lambda _: opinion()) > 0
