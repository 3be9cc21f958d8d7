"""What the system says of memory, on a made-up system and on this one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from yukjo import machine

GIB = 2**30


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "_SELF", tmp_path / "self")
    monkeypatch.setattr(machine, "_SYS", tmp_path / "sys")
    monkeypatch.setattr(machine, "total_mb", lambda: 16 * 1024.0)
    (tmp_path / "self").mkdir()
    return tmp_path


def group(place: Path, names: tuple[str, str, str], limit: object, used: int, cache: int) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / names[0]).write_text(f"{limit}\n")
    (place / names[1]).write_text(f"{used}\n")
    (place / "memory.stat").write_text(f"anon 5\n{names[2]} {cache}\n")


def test_the_tightest_of_the_groups_around_a_process_is_its_limit(system: Path) -> None:
    (system / "self" / "cgroup").write_text("0::/user/session\n")
    group(system / "sys" / "user" / "session", machine._V2, "max", GIB, 0)
    group(system / "sys" / "user", machine._V2, 4 * GIB, 2 * GIB, GIB)
    assert machine.cgroup_mb() == (4096, 1024)


def test_version_1_and_a_path_seen_from_outside_the_container(system: Path) -> None:
    (system / "self" / "cgroup").write_text("8:pids:/\n4:cpu,memory:/docker/abc\n")
    group(system / "sys" / "memory", machine._V1, 2 * GIB, GIB, 0)
    assert machine.cgroup_mb() == (2048, 1024)


def test_no_limit_and_one_above_the_machine_are_none(system: Path) -> None:
    assert machine.cgroup_mb() == (float("inf"), 0)
    (system / "self" / "cgroup").write_text("4:memory:/\n")
    group(system / "sys" / "memory", machine._V1, 2**63 - 4096, GIB, 0)
    assert machine.cgroup_mb() == (float("inf"), 0)


def test_a_peak_that_is_forgotten_is_gone() -> None:
    block = bytearray(200 * 2**20)
    assert machine.peak_mb() >= 200
    del block
    machine.forget_peak()
    assert machine.peak_mb() < machine.resident_mb() + 50


def test_another_process_is_seen_from_outside_until_it_is_gone() -> None:
    command = [sys.executable, "-c", "print('up', flush=True); input()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as other:
        assert other.stdout
        assert other.stdout.readline()
        assert (machine.resident_mb_of(other.pid) or 0) > 1
        other.communicate(b"\n")
    assert machine.resident_mb_of(other.pid) is None


# Asked only where there is no /proc; a bare container that has /proc may come without ps.
@pytest.mark.skipif(not shutil.which("ps"), reason="no ps")
def test_without_proc_ps_tells_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = machine.resident_mb_of(os.getpid())
    monkeypatch.setattr(machine, "_SELF", tmp_path / "self")
    assert machine.resident_mb_of(os.getpid()) == pytest.approx(told, rel=0.2)
