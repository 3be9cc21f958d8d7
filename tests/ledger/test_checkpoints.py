"""Signed checkpoints show a cut or rewritten end; an edited or foreign one shows itself."""

import dataclasses
import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tampering import execute, filled, tampered, unguarded
from toys import Yukjo
from yukjo.errors import ConfigError, LedgerError
from yukjo.ledger import checkpoints, keys, verifier
from yukjo.ledger.checkpoints import Checkpoint, Found
from yukjo.ledger.store import Ledger, add


@pytest.fixture
def key(tmp_path: Path) -> Path:
    keys.make(tmp_path / "key")
    return tmp_path / "key"


def signed(ledger: Path | str, key: Path) -> Found:
    with Ledger(ledger) as opened:
        return Found("c", checkpoints.sign(opened.head(), keys.read_private(key)))


def seen(ledger: Path | str, *found: Found) -> list[str]:
    with Ledger(ledger) as opened:
        return [f"{fault.number} {fault.code}" for fault in opened.verify(found)]


def test_a_ledger_is_what_was_signed_and_may_grow(place: Path | str, key: Path) -> None:
    filled(place)
    point = signed(place, key)
    assert (point.point.count, seen(place, point)) == (4, [])
    filled(place)
    assert seen(place, point) == []


def test_a_cut_end_is_named_by_its_first_entry(place: Path | str, key: Path) -> None:
    filled(place)
    point = signed(place, key)
    assert tampered(place, "DELETE FROM entries WHERE number > 2") == [], "the chain can't tell"
    assert seen(place, point) == ["3 cut"]


def test_a_ledger_emptied_is_cut_at_its_start(place: Path | str, key: Path) -> None:
    filled(place)
    point = signed(place, key)
    tampered(place, "DELETE FROM entries")
    assert seen(place, point) == ["1 cut"]


def rewritten(place: Path | str, start: int) -> None:
    """Write everything from entry `start` on anew, with fresh hashes."""
    unguarded(place)
    execute(place, f"DELETE FROM entries WHERE number >= {start}")
    with Ledger(place) as ledger, ledger._engine.begin() as connection:
        for number in range(start, 5):
            add(connection, "run", f"forged-{number}", {"text": "칠조"})
        assert connection.execute(text("SELECT count(*) FROM entries")).scalar() == 4
    with Ledger(place) as ledger:
        assert ledger.verify() == [], "the chain can't tell"


@pytest.mark.parametrize("start", [2, 3, 4])
def test_a_rewritten_tail_is_named_by_its_first_entry_where_each_was_signed(
    place: Path | str, key: Path, start: int
) -> None:
    points = []
    for _ in range(4):
        filled(place, 1)
        points.append(signed(place, key))
    rewritten(place, start)
    assert seen(place, *points) == [f"{start} rewritten"]
    assert seen(place, points[0], points[3]) == ["2 rewritten"], "as near as what was signed"
    assert seen(place, points[0]) == []


def test_a_ledger_written_anew_from_the_start_is_another(place: Path | str, key: Path) -> None:
    filled(place)
    point = signed(place, key)
    rewritten(place, 1)
    assert seen(place, point) == ["1 other-ledger"]


def test_a_checkpoint_of_another_ledger_is_no_proof(tmp_path: Path, key: Path) -> None:
    for name in ("a", "b"):
        with Ledger(tmp_path / name) as ledger:
            ledger.append("run", name, {})
    assert seen(tmp_path / "b", signed(tmp_path / "a", key)) == ["1 other-ledger"]


@pytest.mark.parametrize("field", Checkpoint.model_fields)
def test_any_field_of_a_checkpoint_that_was_edited_shows(
    tmp_path: Path, key: Path, field: str
) -> None:
    filled(tmp_path / "l")
    whole = signed(tmp_path / "l", key).point.model_dump()
    value = whole[field]
    whole[field] = (
        value + 1 if field == "count" else value[:-1] + ("0" if value[-1] != "0" else "1")
    )
    (tmp_path / "c.json").write_text(json.dumps(whole))
    found, wrong = checkpoints.gather([tmp_path / "c.json"])
    good, untrue = checkpoints.trusted(found, [])
    assert good == []
    assert [fault.code for fault in wrong + untrue] == (
        ["no-checkpoint"] if field == "format" else ["bad-signature"]
    )


def test_a_signer_that_is_not_expected_is_named(tmp_path: Path, key: Path) -> None:
    filled(tmp_path / "l")
    keys.make(tmp_path / "other")
    mine, theirs = signed(tmp_path / "l", key), signed(tmp_path / "l", tmp_path / "other")
    public = keys.read_public(keys.public_file(key))
    for allowed in ([], [public]):
        good, wrong = checkpoints.trusted([mine, theirs], allowed)
        assert (good, [fault.code for fault in wrong]) == ([mine], ["other-key"])
    both = [public, keys.read_public(tmp_path / "other.pub")]
    assert checkpoints.trusted([mine, theirs], both) == ([mine, theirs], []), "a change of keys"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_stands_in_a_checkpoint_file_both_verifiers_take_it_alike(
    data: st.DataObject,
) -> None:
    whole = {"format": verifier.FORMAT, "ledger": "a" * 64,
             "count": 3, "head": "b" * 64, "created": "2026", "key": "c" * 64,
             "signature": "d" * 128}  # fmt: skip
    odd: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70)
    changed = whole | data.draw(st.dictionaries(st.sampled_from([*whole, "more"]), odd, max_size=2))
    left = data.draw(st.sets(st.sampled_from([*changed]), max_size=1))
    text_ = json.dumps({name: part for name, part in changed.items() if name not in left})
    raw = data.draw(st.sampled_from([text_.encode(), text_[:-1].encode(), b"\xff" + text_.encode()])
                    | st.binary(max_size=40))  # fmt: skip
    try:
        ours = checkpoints.parse(raw).model_dump()
    except ValueError:
        ours = None
    assert verifier.point_of(raw) == ours


@pytest.mark.parametrize("content", [b"[" * 60_000, b"{}", b"null", b"3", b"", b" " * 70_000])
def test_a_hostile_checkpoint_file_is_a_fault_and_no_more(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.json").write_bytes(content)
    found, wrong = checkpoints.gather([tmp_path])
    assert (found, [fault.code for fault in wrong]) == ([], ["no-checkpoint"])
    assert list(verifier.gathered([tmp_path])) == [(str(tmp_path / "c.json"), None)]


# Keys


def test_a_key_is_its_owners_alone_and_other_tools_read_it(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert keys.public_hex(keys.read_private(key)) == keys.read_public(keys.public_file(key))


def test_no_key_is_ever_overwritten(key: Path) -> None:
    before = key.read_bytes()
    with pytest.raises(LedgerError):
        keys.make(key)
    keys.public_file(key).unlink()
    with pytest.raises(LedgerError):
        keys.make(key)
    assert key.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")  # nothing to refuse elsewhere
def test_a_key_that_others_may_read_is_refused(key: Path) -> None:
    key.chmod(0o640)
    with pytest.raises(LedgerError) as caught:
        keys.read_private(key)
    assert caught.value.fix == f"chmod 600 {key}"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "key"
    place.write_bytes(content)
    place.chmod(0o600)
    for read in (keys.read_private, keys.read_public):
        with pytest.raises(LedgerError):
            read(place)
        with pytest.raises(LedgerError):
            read(tmp_path / "none")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    made = generate_private_key(SECP256R1())
    private = made.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = made.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    for name, content in (("key", private), ("key.pub", public)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    with pytest.raises(LedgerError, match="Ed25519"):
        keys.read_private(tmp_path / "key")
    with pytest.raises(LedgerError, match="Ed25519"):
        keys.read_public(tmp_path / "key.pub")


# A project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "yukjo.toml").write_text('[ledger]\nkey = "../key"\n')
    keys.make(tmp_path / "key")
    return folder


def grown(project: Path, count: int = 3) -> Path:
    from yukjo.config import load
    from yukjo.ledger.opening import open_ledger

    with open_ledger(project, load(project)) as ledger:
        for number in range(count):
            ledger.append("run", f"r{number}", {"n": number})
    return project / "runs" / "ledger.sqlite"


def test_a_verdict_is_signed_as_every_entry_is(project: Path, yukjo: Yukjo) -> None:
    from yukjo.config import load
    from yukjo.ledger.opening import open_ledger

    with open_ledger(project, load(project)) as ledger:
        ledger.append("run", "r1", {"adapters": {}, "agents": {}})
    assert yukjo("gate", "latest", "--project", project).code == 1
    assert len(list((project / "runs/checkpoints").iterdir())) == 2


def test_with_a_key_in_the_settings_every_entry_is_signed(project: Path, yukjo: Yukjo) -> None:
    file = grown(project)
    made = sorted(path.name[:17] for path in (project / "runs/checkpoints").iterdir())
    assert made == [f"checkpoint-00000{n}" for n in (1, 2, 3)]
    assert yukjo("ledger", "verify", "--project", project, "--json").json() == {
        "ok": True, "checkpoints": 3, "first": None, "faults": [],
    }  # fmt: skip
    assert tampered(file, "DELETE FROM entries WHERE number = 3") == []
    said = yukjo("ledger", "verify", "--project", project)
    assert said.code == 1
    assert "3번 기록" in said.out
    assert "checkpoint-000003-" in said.out


def test_an_entry_put_in_the_place_of_a_signed_one_is_found_and_not_signed_away(
    project: Path, yukjo: Yukjo
) -> None:
    tampered(grown(project, 5), "DELETE FROM entries WHERE number >= 3")
    grown(project, 2)
    said = yukjo("ledger", "verify", "--project", project, "--json").json()
    assert [(one["number"], one["code"]) for one in said["faults"]] == [
        (3, "rewritten"),
        (5, "cut"),
    ]
    assert (
        yukjo("ledger", "checkpoint", "--key", project.parent / "key", "--project", project).code
        == 2
    )


def test_a_key_that_is_missing_stops_before_anything_is_written(project: Path) -> None:
    (project.parent / "key").unlink()
    with pytest.raises(LedgerError):
        grown(project)
    assert not (project / "runs").exists()


def test_a_checkpoint_that_can_not_be_written_is_an_error_and_the_entry_stands(
    project: Path,
) -> None:
    (project / "runs").mkdir()
    (project / "runs" / "checkpoints").write_text("in the way")
    with pytest.raises(LedgerError):
        grown(project)
    with Ledger(project / "runs" / "ledger.sqlite") as ledger:
        assert [entry.number for entry in ledger.entries()] == [1]


def test_keygen_checkpoint_and_verify_as_a_user_would(
    tmp_path: Path, project: Path, yukjo: Yukjo
) -> None:
    (project / "yukjo.toml").write_text("")
    file, away, mine = grown(project), tmp_path / "usb" / "c.json", tmp_path / "mine"
    made = yukjo("ledger", "keygen", "--out", mine, "--json")
    assert made.json()["key"] == keys.read_public(tmp_path / "mine.pub")
    assert yukjo("ledger", "keygen", "--out", mine).code == 2, "never overwritten"
    asked = ("--project", project)
    made = yukjo("ledger", "checkpoint", "--key", mine, "--out", away, *asked, "--json")
    assert made.json() == json.loads(away.read_text()) | {"file": str(away)}
    check = ("ledger", "verify", "--checkpoint", away, *asked)
    assert yukjo(*check, "--public-key", f"{mine}.pub").code == 0
    other = yukjo(*check, "--public-key", project.parent / "key.pub")
    assert (other.code, "다른 키" in other.out) == (1, True)
    tampered(file, "DELETE FROM entries WHERE number = 3")
    assert yukjo(*check, "--json").json()["first"] == 3
    assert yukjo("ledger", "verify", *asked).code == 0, "without it nothing shows"


def test_a_broken_chain_is_not_signed(project: Path, yukjo: Yukjo, tmp_path: Path) -> None:
    tampered(grown(project), "UPDATE entries SET run = 'x' WHERE number = 2")
    said = yukjo("ledger", "checkpoint", "--out", tmp_path / "c.json", "--project", project)
    assert (said.code, (tmp_path / "c.json").exists()) == (2, False)


@pytest.mark.parametrize("url", [
    "postgresql+pg8000://me:hidden@host/db", "postgresql+pg8000://host/db?password=hidden",
    "hidden", "x://[hidden",
])  # fmt: skip
def test_an_address_with_a_password_or_none_at_all_is_refused_and_not_shown(
    project: Path, url: str
) -> None:
    (project / "yukjo.toml").write_text(f'[ledger]\nurl = "{url}"\n')
    with pytest.raises((ConfigError, LedgerError)) as caught:
        grown(project)
    assert "hidden" not in str(caught.value)


@pytest.mark.services
def test_a_project_may_keep_its_ledger_in_postgresql_with_the_password_outside(
    project: Path, postgres: str, monkeypatch: pytest.MonkeyPatch, yukjo: Yukjo
) -> None:
    from sqlalchemy.engine import make_url

    url = make_url(postgres)
    assert url.password
    bare = postgres.replace(f":{url.password}@", "@")
    (project / "yukjo.toml").write_text(f'[ledger]\nurl = "{bare}"\nkey = "../key"\n')
    with pytest.raises(LedgerError):
        grown(project)
    monkeypatch.setenv("YUKJO_LEDGER_PASSWORD", url.password)
    grown(project)
    assert not (project / "runs" / "ledger.sqlite").exists()
    assert yukjo("ledger", "verify", "--project", project).code == 0
    tampered(postgres, "DELETE FROM entries WHERE number = 3")
    said = yukjo("ledger", "verify", "--project", project)
    assert said.code == 1
    assert url.password not in said.out + said.err


def test_openssl_confirms_a_signature(tmp_path: Path, key: Path) -> None:
    filled(tmp_path / "l")
    point = signed(tmp_path / "l", key).point
    (tmp_path / "message").write_bytes(point.message)
    (tmp_path / "signature").write_bytes(bytes.fromhex(point.signature))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pub", "-rawin",
               "-in", "message", "-sigfile", "signature"]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no openssl")  # a second opinion; `cryptography` checked it before
    assert done.returncode == 0, done.stderr


def test_a_checkpoint_says_what_it_says_it_says(tmp_path: Path, key: Path) -> None:
    filled(tmp_path / "l", 2)
    with Ledger(tmp_path / "l") as ledger:
        first, last = ledger.entries()
        head = ledger.head()
    assert dataclasses.astuple(head) == (first.hash, 2, last.hash)
    point = signed(tmp_path / "l", key).point
    assert (point.ledger, point.count, point.head) == (first.hash, 2, last.hash)
