"""The index is brought up to date piece by piece, and is whole at any moment."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sample import EXAMPLE, TOY
from yukjo.errors import DataError, RunError
from yukjo.files import sha256_file
from yukjo.serve.tools.index import FILE, Built, build
from yukjo.serve.tools.search import Shelf, fused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "가.txt").write_text("주차장 안내\n\n요금은 600원이다.")
    (folder / "나.md").write_text("# 도서관 안내\n\n열 권까지 빌린다.")
    return folder


def built(folder: Path) -> Built:
    return build({"documents": folder}, folder.parent / "index", TOY)


def texts(folder: Path, question: str) -> list[str]:
    shelf = Shelf(folder.parent / "index", TOY)
    return [found.text for found in shelf.search("documents", question, limit=9)]


def test_a_file_that_did_not_change_is_not_read_again(folder: Path) -> None:
    assert built(folder).read == ["가.txt", "나.md"]
    (folder / "가.txt").write_text("주차장 안내\n\n요금은 700원이다.")
    again = built(folder)
    assert (again.read, again.kept, again.gone, again.passages) == (["가.txt"], 1, [], 2)
    assert texts(folder, "요금은") == ["주차장 안내\n요금은 700원이다."]


def test_a_file_that_is_gone_leaves_the_index(folder: Path) -> None:
    built(folder)
    (folder / "가.txt").unlink()
    assert built(folder).gone == ["가.txt"]
    assert texts(folder, "요금은") == []


def test_a_broken_file_is_named_and_the_others_are_read(folder: Path) -> None:
    built(folder)
    (folder / "가.txt").write_bytes(b"\xff\xff\xff\x00")
    (folder / "다.pdf").write_bytes(b"%PDF-1.7 nothing")
    (folder / "라.md").write_text("새 글")
    again = built(folder)
    assert [Path(fault.where).name for fault in again.faults] == ["가.txt", "다.pdf"]
    assert again.read == ["라.md"]
    assert texts(folder, "요금은") == []  # of the broken file nothing old is told either


def test_what_is_no_document_of_the_folder_is_left_alone(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "비밀.txt"
    outside.write_text("비밀 글")
    (folder / "고리.txt").symlink_to(outside)
    (folder / ".숨김.txt").write_text("숨김 글")
    (folder / "README.md").write_text("설명 글")
    (folder / "그림.png").write_bytes(b"\x89PNG")
    (folder / "안").mkdir()
    (folder / "안" / "다.txt").write_text("안쪽 글")
    assert built(folder).read == ["가.txt", "나.md", "안/다.txt"]


def test_other_means_make_the_index_anew(folder: Path) -> None:
    built(folder)
    other = build({"documents": folder}, folder.parent / "index", replace(TOY, words_by="other"))
    assert (other.read, other.kept) == (["가.txt", "나.md"], 0)


@pytest.mark.parametrize("data", [b"", b"no database at all" * 100])
def test_a_damaged_index_is_made_anew_and_named_until_then(folder: Path, data: bytes) -> None:
    built(folder)
    (folder.parent / "index" / FILE).write_bytes(data)
    with pytest.raises(DataError, match="색인이 손상"):
        texts(folder, "요금")
    assert built(folder).read == ["가.txt", "나.md"]
    assert texts(folder, "요금은")


KILLED = """
import os, signal, sys
from pathlib import Path
from yukjo.serve.tools import index
from sample import TOY, pairs
from dataclasses import replace
folder, moment = Path(sys.argv[1]), sys.argv[2]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if moment == "words":
    TOY = replace(TOY, words=lambda text: die())
else:
    Path.replace = die
index.build({"documents": folder}, folder.parent / "index", TOY)
"""


@pytest.mark.parametrize("moment", ["words", "rename"])
def test_a_kill_leaves_the_old_index_and_the_next_build_works(folder: Path, moment: str) -> None:
    built(folder)
    index = folder.parent / "index" / FILE
    before = sha256_file(index)
    (folder / "가.txt").write_text("바뀐 글")
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, folder, moment], env={**os.environ, "PYTHONPATH": path},
        check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert sha256_file(index) == before
    assert built(folder).read == ["가.txt"]
    assert [path.name for path in sorted(index.parent.iterdir())] == [".lock", FILE]


def test_two_builders_do_not_meet(folder: Path) -> None:
    built(folder)
    lock = sqlite3.connect(folder.parent / "index" / ".lock", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RunError, match="실행 중"):
        built(folder)
    lock.close()
    assert built(folder).kept == 2


def test_a_place_that_cannot_be_written_is_named(folder: Path) -> None:
    (folder.parent / "index").write_text("a file")
    with pytest.raises(RunError, match="쓸 수 없습니다"):
        built(folder)


# Searching


def test_a_search_sees_the_index_that_stands_there_now(folder: Path) -> None:
    shelf = Shelf(folder.parent / "index", TOY)
    with pytest.raises(DataError, match="색인이 없습니다"):
        shelf.search("documents", "요금은", limit=1)
    built(folder)
    assert "600원" in shelf.search("documents", "요금은", limit=1)[0].text
    (folder / "가.txt").write_text("요금은 없다.")
    built(folder)
    assert shelf.search("documents", "요금은", limit=1)[0].text == "요금은 없다."


@pytest.mark.parametrize(
    "question", ['"', '" OR "', "요금* NEAR(x)", "col:가", "-가", "''", "(", ""]
)
def test_a_question_is_never_syntax(folder: Path, question: str) -> None:
    built(folder)
    texts(folder, question)


def test_laws_and_documents_are_kept_apart(shelf: Shelf) -> None:
    laws = {found.file for found in shelf.search("laws", "주차요금", limit=50)}
    documents = {found.file for found in shelf.search("documents", "주차요금", limit=50)}
    assert laws
    assert documents
    assert {Path(name).suffix for name in laws} <= {".xml", ".txt"}
    assert all((EXAMPLE / "documents" / name).is_file() for name in documents)


def test_meaning_and_words_are_fused_by_rank(folder: Path) -> None:
    import numpy as np

    def lengths(asked: list[str]) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
        # A toy meaning: who speaks of books is near to who speaks of reading.
        books = [[float("도서" in t or "독서" in t), float("주차" in t)] for t in asked]
        return np.asarray(books, dtype=np.float32)

    how = replace(TOY, passages=lengths, questions=lengths, vectors_by="toy")
    assert build({"documents": folder}, folder.parent / "index", how).vectors
    place = folder.parent / "index"
    by_both = Shelf(place, how).search("documents", "독서", limit=1)
    assert "도서관" in by_both[0].text
    for other in (TOY, replace(how, vectors_by="another toy")):
        assert Shelf(place, other).search("documents", "독서", limit=1) == []


def test_an_index_made_by_another_version_asks_to_be_made_anew(folder: Path) -> None:
    built(folder)
    shelf = Shelf(folder.parent / "index", replace(TOY, words_by="other"))
    with pytest.raises(DataError, match="다른 버전"):
        shelf.search("documents", "요금", limit=1)


def test_a_passage_that_two_lists_know_goes_before_one_that_leads_one() -> None:
    assert fused([[1, 2], [3, 2]]) == [2, 1, 3]
    assert fused([[], [5]]) == [5]
