"""The ledger keeps what it acknowledged, and shows every change."""

import itertools
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from tampering import execute, filled, tampered
from yukjo.errors import LedgerError
from yukjo.files import canonical_json, sha256_bytes
from yukjo.ledger import schema
from yukjo.ledger.chain import Stored, faults, link, stored
from yukjo.ledger.store import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "ledger.sqlite"


def test_an_entry_comes_back_as_it_was_added(place: Path | str) -> None:
    with Ledger(place) as ledger:
        added = ledger.append("run", "r1", {"text": "육조", "figure": 0.1, "none": None})
    with Ledger(place) as ledger:
        assert ledger.entries() == [added]
        assert ledger.verify() == []


def test_numbers_count_from_one_and_each_entry_names_the_hash_before(place: Path | str) -> None:
    filled(place, 3)
    with Ledger(place) as ledger:
        entries = ledger.entries()
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert entries[0].previous == ""
    assert [later.previous for later in entries[1:]] == [entry.hash for entry in entries[:-1]]


def test_a_hash_covers_all_the_rest(place: Path | str) -> None:
    with Ledger(place) as ledger:
        entry = ledger.append("run", "r1", {"a": 1})
    assert entry.hash == sha256_bytes(canonical_json(entry.model_dump(exclude={"hash"})).encode())
    assert entry.created.endswith("Z")


def test_entries_are_chosen_by_kind_and_run(place: Path | str) -> None:
    with Ledger(place) as ledger:
        for kind, run in (("run", "a"), ("note", "a"), ("run", "b")):
            ledger.append(kind, run, {})
        assert [e.number for e in ledger.entries(kind="run")] == [1, 3]
        assert [e.number for e in ledger.entries(run="a")] == [1, 2]
        assert [e.number for e in ledger.entries(kind="note", run="b")] == []


def test_keys_that_are_no_text_are_recorded_as_they_will_be_read(place: Path | str) -> None:
    body: Any = {"sizes": {10: "ten", 9: "nine"}}
    with Ledger(place) as ledger:
        entry = ledger.append("run", "r1", body)
        assert ledger.entries() == [entry]
        assert ledger.verify() == []


def test_a_run_is_named_by_its_id_a_prefix_or_latest(place: Path | str) -> None:
    with Ledger(place) as ledger:
        for run in ("2026-a1", "2026-b2", "2026-a1x"):
            ledger.append("run", run, {})
        ledger.append("note", "2026-zz", {})
        assert ledger.run_entry("2026-b").number == 2
        assert ledger.run_entry("2026-a1").number == 1, "a whole id beats a prefix"
        assert ledger.run_entry("latest").number == 3
        ledger.append("run", "2026-a1", {"again": True})
        assert ledger.run_entry("2026-a1").number == 5, "the newest entry of a run counts"
        assert ledger.run_entry("latest").number == 5


@pytest.mark.parametrize("asked", ["2026-", "2026-b9", "2027", ""])
def test_a_run_that_is_not_clear_is_refused_with_names_near_it(
    place: Path | str, asked: str
) -> None:
    with Ledger(place) as ledger:
        for run in ("2026-a1", "2026-b2"):
            ledger.append("run", run, {})
        with pytest.raises(LedgerError) as caught:
            ledger.run_entry(asked)
    assert "2026-b2" in caught.value.fix


def test_a_ledger_without_runs_says_so(place: Path | str) -> None:
    with Ledger(place) as ledger, pytest.raises(LedgerError, match="아직"):
        ledger.run_entry("latest")


@pytest.mark.parametrize("body", [
    {"x": float("nan")}, {"x": "\ud800"}, {"x": 2**53}, {"x": -(2**64)},
])  # fmt: skip
def test_a_body_that_has_no_canonical_form_is_refused(
    place: Path | str, body: dict[str, Any]
) -> None:
    with Ledger(place) as ledger:
        with pytest.raises(LedgerError):
            ledger.append("run", "r1", body)
        assert ledger.append("run", "r1", {}).number == 1, "and the ledger goes on"


@pytest.mark.parametrize("statement", [
    "UPDATE entries SET run = 'other' WHERE number = 2",
    "DELETE FROM entries WHERE number = 4",
    "DELETE FROM entries",
])  # fmt: skip
def test_the_database_itself_refuses_to_change_or_remove(place: Path | str, statement: str) -> None:
    filled(place)
    with pytest.raises(DBAPIError, match="append-only"):
        execute(place, statement)


def test_the_file_refuses_to_replace(path: Path) -> None:
    filled(path)
    with pytest.raises(DBAPIError, match="append-only"):
        execute(path, "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE number = 2")


@pytest.mark.services
def test_postgresql_refuses_to_truncate(postgres: str) -> None:
    filled(postgres)
    with pytest.raises(DBAPIError, match="append-only"):
        execute(postgres, "TRUNCATE entries")


@pytest.mark.parametrize(("statement", "at"), [
    ("UPDATE entries SET body = '{\"number\":2,\"text\":\"칠조\"}' WHERE number = 2",
     ["2 changed"]),
    ("UPDATE entries SET created = '1999' WHERE number = 4", ["4 changed"]),
    ("UPDATE entries SET kind = 'note' WHERE number = 1", ["1 changed"]),
    ("UPDATE entries SET run = 'other' WHERE number = 3", ["3 changed"]),
    ("UPDATE entries SET previous = 'x' WHERE number = 3", ["3 unlinked", "3 changed"]),
    ("UPDATE entries SET hash = 'x' WHERE number = 2", ["2 changed", "3 unlinked"]),
    ("UPDATE entries SET hash = 'x' WHERE number = 4", ["4 changed"]),
    ("UPDATE entries SET body = body || ' ' WHERE number = 2", ["2 changed"]),
    ("UPDATE entries SET body = 'no JSON' WHERE number = 2", ["2 changed"]),
    ("DELETE FROM entries WHERE number = 1", ["2 missing", "2 unlinked"]),
    ("DELETE FROM entries WHERE number = 2", ["3 missing", "3 unlinked"]),
    ("UPDATE entries SET number = 9 WHERE number = 2",
     ["3 missing", "3 unlinked", "9 missing", "9 unlinked", "9 changed"]),
    ("INSERT INTO entries SELECT 9, '', run, '', body, '', hash FROM entries WHERE number = 1",
     ["9 missing", "9 unlinked", "9 changed"]),
])  # fmt: skip
def test_every_change_is_found_where_it_is(
    place: Path | str, statement: str, at: list[str]
) -> None:
    filled(place)
    assert [f"{fault.number} {fault.code}" for fault in tampered(place, statement)] == at


@pytest.mark.parametrize("body", ["CAST(X'7B22FF227D' AS TEXT)", "X'00FF'"])
def test_bytes_that_are_no_text_are_a_change(path: Path, body: str) -> None:
    filled(path)
    found = tampered(path, f"UPDATE entries SET body = {body} WHERE number = 2")
    assert [(fault.number, fault.code) for fault in found] == [(2, "changed")]


def test_two_entries_that_changed_places_are_found(place: Path | str) -> None:
    filled(place)
    swap = [f"UPDATE entries SET number = {to} WHERE number = {of}" for of, to in
            ((2, 90), (3, 2), (90, 3))]  # fmt: skip
    assert {fault.number for fault in tampered(place, *swap)} == {2, 3, 4}


def test_a_removed_table_is_found(place: Path | str) -> None:
    filled(place)
    execute(place, "DROP TABLE entries")
    with Ledger(place) as ledger:
        assert [fault.code for fault in ledger.verify()] == ["unreadable"]
        with pytest.raises(LedgerError):
            ledger.entries()


def test_a_changed_entry_that_can_not_be_read_is_refused_by_name(path: Path) -> None:
    filled(path)
    tampered(path, "UPDATE entries SET body = '[]' WHERE number = 2")
    with Ledger(path) as ledger, pytest.raises(LedgerError, match="2번"):
        ledger.entries()


def test_the_settings_that_the_promises_rest_on(path: Path) -> None:
    with Ledger(path) as ledger, ledger._engine.connect() as connection:
        ask = connection.exec_driver_sql
        assert ask("PRAGMA journal_mode").scalar() == "wal"
        assert ask("PRAGMA synchronous").scalar() == 2
        assert ask("PRAGMA busy_timeout").scalar() == 30_000


def test_no_flipped_bit_goes_unseen_or_unexplained(path: Path, tmp_path: Path) -> None:
    filled(path, 40)
    with Ledger(path) as ledger:
        written = ledger.entries()
    whole, chance, seen = path.read_bytes(), random.Random(1), 0
    for turn in range(60):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        copy = tmp_path / f"{turn}.sqlite"
        copy.write_bytes(flipped)
        try:
            with Ledger(copy) as ledger:
                found = ledger.verify()
                assert found or ledger.entries() == written
                seen += bool(found)
        except LedgerError:
            seen += 1
    assert seen > 5


def test_the_newest_revision_is_the_one_the_code_writes() -> None:
    folder = Path(schema.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == schema.HEAD


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_text("dear diary, " * 100)
    with pytest.raises(LedgerError) as caught:
        Ledger(file)
    assert str(file) in caught.value.where
    assert file.read_text().startswith("dear diary")


def test_the_database_of_something_else_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(LedgerError, match="다른 표"):
        Ledger(file)
    with closing(sqlite3.connect(file)) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]


def test_a_ledger_of_a_newer_version_is_refused(place: Path | str) -> None:
    filled(place)
    execute(place, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="9999"):
        Ledger(place)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError):
        Ledger(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(LedgerError):
        Ledger(tmp_path / "runs" / "ledger.sqlite")


@contextmanager
def as_nobody() -> Iterator[None]:
    """A user without rights, also where the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="rights of a folder are POSIX's")
@pytest.mark.parametrize("name", ["ledger.sqlite", "new.sqlite", "runs/new.sqlite"])
def test_a_folder_that_can_not_be_written_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "shut"
    filled(folder / "ledger.sqlite")
    for place in (folder, *folder.parents[:3]):
        place.chmod(0o555)
    try:
        with as_nobody(), pytest.raises(LedgerError) as caught:
            Ledger(folder / name)
    finally:
        for place in (folder, *folder.parents[:3]):
            place.chmod(0o755)
    assert "쓰기 권한" in caught.value.fix


@pytest.mark.parametrize("address", [
    "postgresql+nodriver://me:secret@host/db", "://", "postgresql://h:port/db",
])  # fmt: skip
def test_an_address_that_can_not_be_used_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger(address)
    assert "secret" not in str(caught.value)


def test_an_sqlalchemy_address_is_the_same_ledger(path: Path) -> None:
    filled(path)
    with Ledger(f"sqlite:///{path}") as ledger:
        assert ledger.append("run", "r5", {}).number == 5
        assert ledger.verify() == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
BODIES = st.lists(st.dictionaries(st.text(), JSON, max_size=3), min_size=2, max_size=4)


def chain(bodies: list[dict[str, Any]]) -> list[Stored]:
    entries = [link(None, "run", "r", created="2026", body=bodies[0])]
    for body in bodies[1:]:
        entries.append(link(entries[-1], "run", "r", created="2026", body=body))
    return [Stored(**stored(entry)) for entry in entries]  # type: ignore[arg-type]


@settings(max_examples=40)
@given(BODIES)
def test_a_chain_of_any_bodies_is_whole(bodies: list[dict[str, Any]]) -> None:
    assert list(faults(chain(bodies))) == []


@settings(max_examples=60)
@given(BODIES, st.data())
def test_any_other_order_of_a_chain_is_a_fault(
    bodies: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows = chain(bodies)
    order = data.draw(st.permutations(rows).filter(lambda shuffled: shuffled != rows))
    assert list(faults(order))


@settings(max_examples=60)
@given(BODIES, st.data())
def test_any_other_value_in_any_field_is_a_fault(
    bodies: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows = chain(bodies)
    place = data.draw(st.integers(0, len(rows) - 1))
    field = data.draw(st.sampled_from(Stored.__slots__))
    old = getattr(rows[place], field)
    new = data.draw((st.integers() if field == "number" else st.text()).filter(lambda v: v != old))
    changed = {name: getattr(rows[place], name) for name in Stored.__slots__} | {field: new}
    rows[place] = Stored(**changed)
    assert list(faults(rows))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.text(), JSON, max_size=3), kind=st.text(), run=st.text())
def test_what_is_read_is_what_was_written(
    tmp_path: Path, body: dict[str, Any], kind: str, run: str
) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        entry = ledger.append(kind, run, body)
        assert ledger.entries()[-1].body == body
        assert ledger.entries(kind=kind, run=run)[-1] == entry


def test_counting_never_skips(place: Path | str) -> None:
    filled(place, 6)
    with Ledger(place) as ledger:
        numbers = [entry.number for entry in ledger.entries()]
    assert all(later == number + 1 for number, later in itertools.pairwise(numbers))
