"""An older ledger is migrated after a copy of it was made; a kill at any moment loses nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tampering import execute
from yukjo.ledger import schema, verifier
from yukjo.ledger.export import jsonl
from yukjo.ledger.store import Ledger

OLD = Path(__file__).with_name("revision_0001.sql")
"""A dump of what version 0.1.0 wrote: numbers and keys on which the two forms differ among it."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(OLD.read_text(encoding="utf-8"))
    return path


def copies(path: Path) -> list[Path]:
    return list(path.parent.glob("ledger-0001-*.sqlite"))


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("SELECT * FROM entries ORDER BY number").fetchall()


def test_older_entries_stay_as_they_are_and_the_chain_goes_on_over_them(old: Path) -> None:
    before = rows(old)
    with Ledger(old) as ledger:
        assert ledger.verify() == []
        ledger.append("run", "new", {"rate": 1.0})
        assert ledger.verify() == []
        entries = ledger.entries()
        [kept] = copies(old)
        assert entries[len(before)].kind == "migrate"
        assert entries[len(before)].body == {"from": "0001", "to": schema.HEAD, "copy": kept.name}
        (old.parent / "export.jsonl").write_text(jsonl(entries), encoding="utf-8")
    assert rows(old)[: len(before)] == before
    for file in (old, old.parent / "export.jsonl"):
        assert verifier.verify(file) == ([], len(before) + 2, 0)


def test_the_copy_is_the_old_ledger_and_opening_again_makes_no_other(old: Path) -> None:
    before = rows(old)
    for _ in range(2):
        Ledger(old).close()
    [kept] = copies(old)
    assert rows(kept) == before
    with closing(sqlite3.connect(kept)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_a_copy_that_can_not_be_written_stops_the_migration(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = rows(old)
    monkeypatch.setattr(schema, "write_whole", full)
    with pytest.raises(schema.LedgerError):
        Ledger(old)
    monkeypatch.undo()
    assert (rows(old), copies(old)) == (before, [])


@pytest.mark.services
def test_a_database_is_copied_into_a_table_beside(postgres: str) -> None:
    from sqlalchemy import create_engine, inspect

    dump = OLD.read_text(encoding="utf-8")
    kept = [line for line in dump.splitlines() if not line.startswith(("BEGIN", "COMMIT"))]
    statements = "\n".join(kept).partition("CREATE TRIGGER")[0].split(";\n")
    execute(postgres, *(s for s in statements if s.strip()))
    with Ledger(postgres) as ledger:
        assert ledger.verify() == []
        count = len(ledger.entries())
    engine = create_engine(postgres)
    [table] = [n for n in inspect(engine).get_table_names() if n.startswith("entries_0001_")]
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
    engine.dispose()
    assert found == count - 1


LAUNCHER = """
import os, signal, sys
from pathlib import Path
import yukjo.ledger.schema, alembic.migration, alembic.operations, alembic.script
from sqlalchemy import event
from sqlalchemy.engine import Engine
from yukjo.ledger.store import Ledger

def migrate(path, last):
    count = 0
    def step(*_):
        nonlocal count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, step)
    synced = os.fsync
    os.fsync = lambda handle: step() or synced(handle)  # while the copy is written
    Ledger(Path(path)).close()
    os._exit(0)

for line in sys.stdin:
    path, last = line.rstrip("\\n").split("\\t")
    if (child := os.fork()) == 0:
        migrate(path, int(last))
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""
"""For each line a process that migrates a ledger and is killed at its n-th step."""


@pytest.mark.skipif(os.name != "posix", reason="forks and SIGKILL are POSIX's")
def test_a_kill_at_every_step_of_a_migration_loses_nothing(old: Path, tmp_path: Path) -> None:
    before, ends = rows(old), []
    with subprocess.Popen([sys.executable, "-c", LAUNCHER], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as launcher:  # fmt: skip
        assert launcher.stdin
        assert launcher.stdout
        while not ends or ends[-1] == -signal.SIGKILL:
            folder = tmp_path / str(len(ends))
            folder.mkdir()
            path = folder / "ledger.sqlite"
            path.write_bytes(old.read_bytes())
            launcher.stdin.write(f"{path}\t{len(ends) + 1}\n")
            launcher.stdin.flush()
            ends.append(int(launcher.stdout.readline()))
            for copy in copies(path):
                assert rows(copy) == before, "whole or not at all"
            with Ledger(path) as ledger:
                assert ledger.verify() == []
                assert [e.kind for e in ledger.entries()].count("migrate") == 1
            assert rows(path)[: len(before)] == before
            assert copies(path)
    assert ends[-1] == 0
    assert len(ends) > 10, "every statement, the copy's file, its folder, and the commit"
