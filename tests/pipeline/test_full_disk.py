"""A disk that is full, shut or has something else in the place: a clear word, and nothing lost."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from toys import Said, Yukjo
from yukjo.train.checkpoints import Progress

SHAPE = ("train.max_steps=4", "train.accumulate=1", "train.batch=1", "train.keep=9")


def trained(yukjo: Yukjo, project: Path, runs: Path, *, resume: bool = False) -> Said:
    changes = [part for change in (*SHAPE, f"project.runs={runs}") for part in ("--set", change)]
    return yukjo("train", "-p", project, *changes, *(("--resume", "latest") if resume else ()))


def adapters(runs: Path) -> set[str]:
    return {p.parent.name for p in runs.glob("adapters/*/yukjo.json")}


def checkpoints(runs: Path) -> list[Path]:
    return sorted(runs.glob("*/checkpoints/step-*"))


def is_a_clear_word(said: Said) -> None:
    assert said.code == 2, said.err
    assert "Traceback" not in said.err
    assert "위치:" in said.err
    assert "방법:" in said.err


@pytest.fixture
def whole(yukjo: Yukjo, project: Path) -> Path:
    """The runs folder of an undisturbed run."""
    runs = project / "whole"
    assert trained(yukjo, project, runs).code == 0
    return runs


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: the system answers EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_any_file_of_a_run_stops_it_with_a_clear_word_and_it_can_go_on(
    yukjo: Yukjo, project: Path, whole: Path
) -> None:
    """From a limit at which not even the ledger can be made to one that stops only checkpoints."""
    state = max(f.stat().st_size for f in whole.rglob("state.safetensors"))
    for number, size in enumerate((5_000, 60_000, state - 1)):
        runs = project / f"limit-{number}"
        with files_of_at_most(size):
            is_a_clear_word(trained(yukjo, project, runs))
        begun = any(runs.glob("*/plan.json"))
        said = trained(yukjo, project, runs, resume=begun)
        assert said.code == 0, said.err
        assert adapters(runs) == adapters(whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB of its own; only root can have one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - leave)))
    return ballast


def test_a_full_disk_stops_a_run_with_its_last_checkpoint_whole_and_it_goes_on_when_there_is_room(
    yukjo: Yukjo, project: Path, whole: Path, small_disk: Path
) -> None:
    ended = []
    for number, leave in enumerate((240_000, 420_000, 640_000)):
        runs = small_disk / f"runs-{number}"
        ballast = fill(small_disk, leave=leave)
        is_a_clear_word(trained(yukjo, project, runs))
        ended.append(len(checkpoints(runs)))
        for place in checkpoints(runs):
            Progress.model_validate_json((place / "progress.json").read_bytes())
        ballast.unlink()
        said = trained(yukjo, project, runs, resume=any(runs.glob("*/plan.json")))
        assert said.code == 0, said.err
        assert "손상" not in said.err
        assert adapters(runs) == adapters(whole)
        for file in (f for f in runs.rglob("*") if f.is_file()):
            file.unlink()
    assert len(set(ended)) > 1, "it was full at different moments"


def test_a_disk_that_is_shut_says_so(yukjo: Yukjo, project: Path, small_disk: Path) -> None:
    runs = small_disk / "runs"
    assert trained(yukjo, project, runs).code == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    is_a_clear_word(trained(yukjo, project, runs))
    is_a_clear_word(trained(yukjo, project, runs, resume=True))


def a_file(place: Path) -> None:
    place.touch()


def a_folder(place: Path) -> None:
    (place / "inner").mkdir(parents=True)


@pytest.mark.parametrize(
    ("name", "put"),
    [("events.jsonl", a_folder), ("best", a_file), ("adapters", a_file), ("checkpoints", a_file)],
)
def test_something_else_in_the_place_of_a_part_of_the_run_is_named(
    yukjo: Yukjo, project: Path, whole: Path, name: str, put: Callable[[Path], Any]
) -> None:
    (run,) = (plan.parent for plan in whole.glob("*/plan.json"))
    place = run / name
    place.rename(run / "aside")
    put(place)
    said = trained(yukjo, project, whole, resume=True)
    is_a_clear_word(said)
    assert run.name in said.err


def test_a_file_where_the_runs_should_be_is_named(yukjo: Yukjo, project: Path) -> None:
    (project / "file").touch()
    said = trained(yukjo, project, project / "file")
    is_a_clear_word(said)
    assert "file" in said.err
