"""The samples of examples/chain: what the check accepts, the same bytes each time."""

import json
from pathlib import Path

import pytest

pytest.importorskip("PIL")

import draw
import slips
from yukjo.data.check import check

SMALL = ("--train", "4", "--train-clean", "2", "--learn", "2", "--valid", "2", "--test", "3")
FILES = {"train": 6, "learn": 2, "valid": 2, "test": 3, "clean": 3}


def drawn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.argv", ["draw.py", "--out", str(folder), *SMALL])
    draw.main()
    return folder


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}  # fmt: skip


def test_it_writes_the_same_bytes_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (bytes_of(drawn(tmp_path / name, monkeypatch)) for name in ("one", "two"))
    assert one == two
    assert len(one) == sum(FILES.values()) + len(FILES)


def test_the_check_finds_no_error_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = drawn(tmp_path, monkeypatch)
    report = check([folder / f"slips-{name}.jsonl" for name in FILES], agents=("reader",))
    assert report.lines == sum(FILES.values())
    assert report.errors == 0, report.findings


def test_a_sample_names_its_picture_and_holds_the_analysis_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, seen = drawn(tmp_path, monkeypatch), []
    for name, count in FILES.items():
        lines = (folder / f"slips-{name}.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == count
        for sample in map(json.loads, lines):
            (picture,) = sample["images"]
            assert (folder / picture).is_file()
            assert not Path(picture).is_absolute()
            assert tuple(slips.parse(sample["output"])) == slips.FIELDS
            seen.append(sample["output"])
    assert len(set(seen)) == len(seen)  # no split holds a slip of another
