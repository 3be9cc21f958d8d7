"""The verifier of one file comes to the same verdicts as Yukjo, whatever was done to a ledger."""

import ast
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tampering import TRIGGERS, filled
from toys import Yukjo
from yukjo.files import sorted_json
from yukjo.ledger import checkpoints, keys, verifier
from yukjo.ledger.chain import Stored, faults, link, stored
from yukjo.ledger.checkpoints import Found
from yukjo.ledger.export import jsonl
from yukjo.ledger.faults import Code
from yukjo.ledger.store import Ledger

Change = Callable[[list[Stored], random.Random], list[Stored]]
FIELDS = ("kind", "run", "created", "body", "previous", "hash")


def old_row(row: Stored) -> Stored:
    """The row as the form before revision 0002 would have had it."""
    fields = asdict(row) | {"body": {"rate": 1.0, "small": 1e-07}}
    del fields["hash"]
    return replace(
        row,
        body=sorted_json(fields["body"]),
        hash=verifier.sha256(sorted_json(fields).encode()).hexdigest(),
    )


def chain_of(count: int, *, older: int = 0) -> list[Stored]:
    rows: list[Stored] = []
    for number in range(count):
        body = {"text": "육조", "rate": number / 4, "big": 1e20, "nested": [{"a": [None, True]}]}
        entry = link(rows[-1] if rows else None, "run", f"r{number}", created="2026", body=body)
        row = Stored(**stored(entry))  # type: ignore[arg-type]
        rows.append(old_row(row) if number < older else row)
    return rows


def anew(rows: list[Stored], start: int) -> list[Stored]:
    """Everything from `start` on written again, with another body and fresh hashes."""
    made = rows[:start]
    for row in rows[start:]:
        entry = link(made[-1] if made else None, row.kind, row.run, created="2027", body={"x": 1})
        made.append(Stored(**stored(entry)))  # type: ignore[arg-type]
    return made


def edit(rows: list[Stored], chance: random.Random) -> list[Stored]:
    at, field = chance.randrange(len(rows)), chance.choice(FIELDS)
    old = getattr(rows[at], field)
    new = chance.choice(
        [old + " ", old[:-1], "", "{}", "\udcff", '{"a":1.0}', "9" * 400, "[" * 5000]
    )
    return [*rows[:at], replace(rows[at], **{field: new}), *rows[at + 1 :]]


def respell(rows: list[Stored], chance: random.Random) -> list[Stored]:
    at = chance.randrange(len(rows))
    spelt = rows[at].body.replace(":", ": ")
    return [*rows[:at], replace(rows[at], body=spelt), *rows[at + 1 :]]


def renumber(rows: list[Stored], chance: random.Random) -> list[Stored]:
    at = chance.randrange(len(rows))
    number = chance.choice([-1, 0, 1, 99, 2**53, 2**62])
    return [*rows[:at], replace(rows[at], number=number), *rows[at + 1 :]]


def swap(rows: list[Stored], chance: random.Random) -> list[Stored]:
    a, b = chance.randrange(len(rows)), chance.randrange(len(rows))
    made = list(rows)
    made[a], made[b] = (
        replace(rows[b], number=rows[a].number),
        replace(rows[a], number=rows[b].number),
    )
    return made


def foreign(rows: list[Stored], chance: random.Random) -> list[Stored]:
    at = chance.randrange(len(rows) + 1)
    return [*rows[:at], replace(chain_of(7)[-1], number=at + 1), *rows[at:]]


CHANGES: dict[str, Change] = {
    "nothing": lambda rows, _: rows,
    "edit": edit,
    "respell": respell,
    "renumber": renumber,
    "swap": swap,
    "foreign": foreign,
    "remove": lambda rows, chance: [r for r in rows if r.number != chance.randrange(1, 7)],
    "cut": lambda rows, chance: rows[: chance.randrange(len(rows) + 1)],
    "anew": lambda rows, chance: anew(rows, chance.randrange(len(rows) + 1)),
    "older": lambda rows, _: [*map(old_row, rows[:1]), *rows[1:]],
    "again": lambda rows, chance: [*rows, rows[chance.randrange(len(rows))]],
}


def changed(seed: int, names: list[str]) -> list[Stored]:
    chance = random.Random(seed)
    rows = chain_of(6, older=chance.randrange(4))
    for name in names:
        rows = CHANGES[name](rows, chance) if rows else rows
    return rows


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(sorted(CHANGES)), max_size=3))
def test_both_find_the_same_faults_in_any_rows(seed: int, names: list[str]) -> None:
    rows = changed(seed, names)
    ours = [(fault.number, fault.code) for fault in faults(rows)]
    theirs = verifier.chain([tuple(asdict(row).values()) for row in rows], {})
    assert [(fault.number, fault.code) for fault in theirs] == ours
    if rows == chain_of(6):
        assert ours == []


def written(path: Path, rows: list[Stored]) -> None:
    """A ledger's file that holds these rows, as far as a table can."""
    with Ledger(path):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for trigger in TRIGGERS:
            raw.execute(f"DROP TRIGGER {trigger}")
        for row in rows:
            values = [v.encode("utf-8", "surrogateescape") if isinstance(v, str) else v
                      for v in asdict(row).values()]  # fmt: skip
            raw.execute("INSERT INTO entries VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT),"
                        " CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT))",
                        values)  # fmt: skip


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = tmp_path_factory.mktemp("keys") / "key"
    keys.make(key)
    return key


def signatures(folder: Path, rows: list[Stored], signer: Path, counts: list[int]) -> list[Found]:
    found = []
    for count in counts:
        head = checkpoints.Head(rows[0].hash, count, rows[count - 1].hash)
        point = checkpoints.sign(head, keys.read_private(signer))
        checkpoints.write(point, folder / checkpoints.name_of(point))
        found.append(Found(str(folder / checkpoints.name_of(point)), point))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_both_find_the_same_faults_in_any_file_with_any_checkpoints(
    tmp_path: Path, signer: Path, seed: int
) -> None:
    chance = random.Random(seed)
    names = chance.sample(sorted(CHANGES), chance.randrange(3))
    rows = changed(seed, names)
    unique = list({row.number: row for row in rows}.values())
    original = changed(seed, [])
    written(tmp_path / "ledger.sqlite", unique)
    counts = sorted(chance.sample(range(1, 7), chance.randrange(4)))
    found = signatures(tmp_path / "c", original, signer, counts)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ours = [(f.number, f.code, f.where) for f in ledger.verify(found)]
    theirs, read, points = verifier.verify(
        tmp_path / "ledger.sqlite", [tmp_path / "c"] if counts else [], [keys.public_file(signer)]
    )
    assert [(f.number, f.code, f.where) for f in theirs] == ours
    assert (read, points) == (len(unique), len(counts))
    if unique != original and counts and counts[-1] == len(original):
        assert ours, names


def test_an_export_is_judged_as_the_file_it_came_from(tmp_path: Path, signer: Path) -> None:
    rows = chain_of(6, older=3)
    written(tmp_path / "ledger.sqlite", rows)
    signatures(tmp_path / "c", rows, signer, [2, 6])
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        lines = jsonl(ledger.entries()).splitlines(keepends=True)
    export = tmp_path / "ledger.jsonl"

    def judged(*kept: str) -> list[str]:
        export.write_text("".join(kept), encoding="utf-8")
        found, _, _ = verifier.verify(export, [tmp_path / "c"])
        return [f"{fault.number} {fault.code}" for fault in found]

    assert judged(*lines) == []
    assert judged(*lines[:5]) == ["6 cut"]
    assert judged(*lines[1:]) == ["2 missing", "2 unlinked"]
    assert judged(lines[0], lines[2], lines[1], *lines[3:]) == [
        "2 missing", "2 unlinked", "3 missing", "3 unlinked", "4 missing", "4 unlinked",
    ]  # fmt: skip
    assert judged(*lines[:3], lines[3].replace("육조", "칠조"), *lines[4:]) == ["4 changed"]
    assert judged(*lines[:3], "nonsense\n", *lines[4:]) == [
        "4 unreadable",
        "5 missing",
        "5 unlinked",
    ]
    assert judged(lines[0].replace('"number":1', '"number":true'), *lines[1:])[0] == "1 unreadable"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_line_of_an_export_stops_it(line: bytes) -> None:
    row = verifier.exported(line)
    assert row is None or len(row) == len(verifier.COLUMNS)


def test_it_knows_the_same_codes_and_imports_the_standard_library_and_cryptography_only() -> None:
    assert {*Code.__args__} <= {*verifier.WORDS}  # type: ignore[attr-defined]
    tree = ast.parse(Path(verifier.__file__).read_text(encoding="utf-8"))
    named = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    named += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    roots = {(name or "").partition(".")[0] for name in named}
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}


def test_it_runs_alone_from_a_read_only_folder(tmp_path: Path, signer: Path, yukjo: Yukjo) -> None:
    folder = tmp_path / "evidence"
    filled(folder / "ledger.sqlite")
    with Ledger(folder / "ledger.sqlite") as ledger:
        head = ledger.head()
    point = checkpoints.sign(head, keys.read_private(signer))
    checkpoints.write(point, folder / "c.json")
    assert yukjo("ledger", "verifier", "--out", tmp_path / "verifier.py").code == 0

    def run(*more: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", tmp_path / "verifier.py", folder / "ledger.sqlite",
                   "--checkpoint", folder / "c.json", *more]  # fmt: skip
        return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)

    folder.chmod(0o555)
    before = sorted(folder.iterdir())
    whole = run("--public-key", keys.public_file(signer), "--lang", "en")
    folder.chmod(0o755)
    assert (whole.returncode, whole.stdout) == (0, "whole: 4 entries, 1 checkpoints\n")
    assert sorted(folder.iterdir()) == before, "evidence is not written to"
    written(tmp_path / "cut.sqlite", chain_of(2))
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as raw:
        for trigger in TRIGGERS:
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.execute("DELETE FROM entries WHERE number = 4")
    told = run("--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["faults"] == [
        {"number": 4, "code": "cut", "where": str(folder / "c.json")}
    ]
    assert run("--public-key", tmp_path / "none").returncode == 2
