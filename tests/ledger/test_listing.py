"""Pages of a ledger by kind and run, and which checkpoint covers an entry."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from yukjo.config.load import parse
from yukjo.errors import LedgerError
from yukjo.ledger import checkpoints, keys
from yukjo.ledger.opening import continued, covering, newest_signed, open_ledger
from yukjo.ledger.store import Ledger


def filled(place: Path | str, count: int = 25) -> Ledger:
    """Kinds a, b, a, ...; runs r0, r1, r2, r0, ..."""
    ledger = Ledger(place)
    for n in range(count):
        ledger.append("ab"[n % 2], f"r{n % 3}", {"n": n})
    return ledger


def test_pages_go_from_the_newest_back_and_leave_nothing_out(place: Path | str) -> None:
    with filled(place) as ledger:
        every = [one.number for page in (1, 2, 3) for one in ledger.page(page=page, size=10)]
        assert every == list(range(25, 0, -1))
        assert ledger.page(page=4, size=10) == []
        assert [one.number for one in ledger.page("b", run="r1", size=99)] == [20, 14, 8, 2]
        assert [one.number for one in ledger.page("a", "b", size=2)] == [25, 24]
        assert ledger.page("c") == []


def test_counts_and_the_newest_are_those_of_all_entries(place: Path | str) -> None:
    with filled(place) as ledger:
        assert ledger.kinds() == {"a": 13, "b": 12}
        assert (ledger.count(), ledger.count("b"), ledger.count("b", run="r1")) == (25, 12, 4)
        newest = ledger.newest("b", "c")
        assert newest
        assert (newest.number, ledger.newest("c")) == (24, None)
        assert ledger.entry(7) == ledger.entries()[6]
        with pytest.raises(LedgerError):
            ledger.entry(26)


def test_an_index_that_leaves_an_entry_out_is_found(tmp_path: Path) -> None:
    """Whoever owns the file could hide an entry from the listings, and leave the table whole."""
    path = tmp_path / "ledger.sqlite"
    filled(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute("""UPDATE sqlite_master SET sql = sql || ' WHERE number <> 5'
                       WHERE name = 'entries_by_kind'""")
        raw.execute("PRAGMA writable_schema = RESET")
        raw.execute("REINDEX entries_by_kind")
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute("""UPDATE sqlite_master SET sql = replace(sql, ' WHERE number <> 5', '')
                       WHERE name = 'entries_by_kind'""")
    with Ledger(path) as ledger:
        assert 5 not in {one.number for one in ledger.page("a", size=99)}
        [fault] = ledger.verify()
        assert "entries_by_kind" in fault.what


def test_the_first_checkpoint_that_covers_an_entry_is_found_by_its_name(tmp_path: Path) -> None:
    keys.make(tmp_path / "key")
    config = parse('[ledger]\nkey = "key"\n')
    with open_ledger(tmp_path, config) as ledger:
        for n in range(3):
            ledger.append("a", "r", {"n": n})
        found = covering(tmp_path, config, ledger, 2)
        assert found
        assert found.point.count == 2
        newest = newest_signed(tmp_path, config, ledger)
        assert newest
        assert newest.point.count == 3
        assert covering(tmp_path, config, ledger, 4) is None


def test_a_checkpoint_that_the_ledger_does_not_fit_covers_nothing(tmp_path: Path) -> None:
    keys.make(tmp_path / "key")
    config = parse('[ledger]\nkey = "key"\n')
    with open_ledger(tmp_path, config) as ledger:
        ledger.append("a", "r", {})
        point = checkpoints.sign(ledger.head(), keys.read_private(tmp_path / "key"))
    folder = tmp_path / config.ledger.checkpoints
    other = point.model_copy(update={"head": "0" * 64})
    for file in folder.glob("*.json"):
        file.unlink()
    checkpoints.write(other, folder / checkpoints.name_of(other))
    with continued(tmp_path, config) as ledger:
        assert covering(tmp_path, config, ledger, 1) is None
        assert newest_signed(tmp_path, config, ledger) is None
