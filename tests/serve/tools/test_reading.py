"""Files are read with their places, and no file, however bad, does more than be refused by name."""

import io
import random
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sample import EXAMPLE
from yukjo.errors import DataError
from yukjo.reading import documents
from yukjo.reading.documents import Block
from yukjo.reading.passages import LENGTH, passages
from yukjo.serve.tools.reader import Reader, opened
from yukjo.serve.tools.reading import read

DOCUMENTS = EXAMPLE / "documents"
HWPX = DOCUMENTS / "마을버스 노선 개편 계획.hwpx"
PDF = DOCUMENTS / "청년 월세 지원 지침.pdf"

ENTITIES = "".join(f"<!ENTITY x{n} '{10 * (f'&x{n - 1};' if n else 'x')}'>" for n in range(10))
BOMB = f"<!DOCTYPE a [{ENTITIES}]><a>&x9;</a>"
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


@pytest.fixture(scope="module")
def files() -> Iterator[Reader]:
    with opened() as reader:
        yield reader


def test_an_hwpx_has_its_paragraphs_and_tables() -> None:
    document = read(HWPX, law=False)
    assert document.title == "마을버스 노선 개편 계획"
    assert [block.paragraph for block in document.blocks] == list(range(1, 17))
    assert "| 어른 | 1,250원 | 1,350원 |" in document.blocks[-1].text


def test_a_pdf_has_its_pages_whole() -> None:
    document = read(PDF, law=False)
    assert [block.page for block in document.blocks] == [1, 2]
    assert "동 행정복지센터에서 신청한다." in document.blocks[1].text
    assert "가족관계증명서" in document.blocks[1].text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_text_is_read_in_the_encodings_of_korea(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "가.txt"
    path.write_bytes("제목\r\n\r\n본문입니다.".encode(encoding))
    document = read(path, law=False)
    assert (document.title, [b.text for b in document.blocks]) == ("제목", ["제목", "본문입니다."])


def test_unseen_characters_do_not_get_in(tmp_path: Path) -> None:
    path = tmp_path / "가.md"
    path.write_text("# 예\u200b산\u202e\n\n본\U000e0041문", encoding="utf-8")
    document = read(path, law=False)
    assert (document.title, document.blocks[1].text) == ("예산", "본문")


def test_passages_are_short_and_lose_nothing() -> None:
    for path in DOCUMENTS.iterdir():
        if path.suffix in documents.DOCUMENTS and not path.name.startswith("README"):
            blocks = read(path, law=False).blocks
            made = list(passages(blocks))
            assert all(len(passage.text) <= 2 * LENGTH for passage in made)
            joined = "".join("".join(block.text.split()) for block in blocks)
            assert "".join("".join(passage.text.split()) for passage in made) == joined


def test_a_passage_keeps_to_its_page_and_a_long_word_is_cut() -> None:
    made = list(passages((Block(text="가", page=1), Block(text="나" * 2000, page=2))))
    assert [passage.page for passage in made] == [1, 2, 2, 2, 2]


# Bad files


def _refused(path: Path, files: Reader, *, law: bool = False) -> DataError:
    with pytest.raises(DataError) as refused:
        files.read(path, law=law)
    assert refused.value.where == str(path)
    assert refused.value.fix
    return refused.value


@pytest.mark.parametrize("suffix", documents.DOCUMENTS)
@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 64, b"\xff\xfe\x00\xd8" * 9, b"PK\x03\x04\x00 no zip"]
)
def test_garbage_is_refused_by_name(
    suffix: str, data: bytes, tmp_path: Path, files: Reader
) -> None:
    path = tmp_path / f"나쁨{suffix}"
    path.write_bytes(data)
    _refused(path, files)


@pytest.mark.parametrize("source", [HWPX, PDF], ids=["hwpx", "pdf"])
def test_a_damaged_file_is_read_or_refused_and_the_reader_goes_on(
    source: Path, tmp_path: Path, files: Reader
) -> None:
    whole, draw = source.read_bytes(), random.Random(0)
    path = tmp_path / f"나쁨{source.suffix}"
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(draw.randrange(1, 30)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(data[: draw.randrange(len(data))] if draw.random() < 0.4 else data)
        with suppress(DataError):
            files.read(path, law=False)
    assert files.read(source, law=False).blocks


def test_a_zip_bomb_is_weighed_before_it_is_unpacked(tmp_path: Path, files: Reader) -> None:
    path = tmp_path / "폭탄.hwpx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Contents/section0.xml", "<a/>")
        archive.infolist()[0].file_size = (documents.INFLATED_MB + 1) * 2**20
    assert "압축" in _refused(path, files).what


def test_a_zip_that_lies_about_its_size_takes_no_more_than_the_limit(
    tmp_path: Path, files: Reader
) -> None:
    with zipfile.ZipFile(HWPX) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    section = next(name for name in parts if "section0" in name)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data if name != section else b"<a>" + bytes(64 * 2**20))
    data = held.getvalue().replace(
        (64 * 2**20 + 3).to_bytes(4, "little"), (9).to_bytes(4, "little")
    )
    path = tmp_path / "거짓.hwpx"
    path.write_bytes(data)
    _refused(path, files)


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, "<a>", "", "<법령/>", "<a>" * 100_000])
def test_xml_that_is_hostile_or_no_law_is_refused(text: str, tmp_path: Path, files: Reader) -> None:
    path = tmp_path / "법.xml"
    path.write_text(text, encoding="utf-8")
    fault = _refused(path, files, law=True)
    assert "root:" not in str(fault)


def test_a_law_with_entities_is_refused_even_if_they_are_harmless(
    tmp_path: Path, files: Reader
) -> None:
    law = next((EXAMPLE / "laws").glob("*2024*.xml")).read_text(encoding="utf-8")
    path = tmp_path / "법.xml"
    path.write_text(law, encoding="utf-8")
    assert files.read(path, law=True).law
    head, _, rest = law.partition("?>")
    path.write_text(f"{head}?><!DOCTYPE a [<!ENTITY x '가'>]>{rest}", encoding="utf-8")
    assert "XML" in _refused(path, files, law=True).what


def test_a_large_file_is_not_opened(tmp_path: Path, files: Reader) -> None:
    path = tmp_path / "큼.txt"
    with path.open("wb") as file:
        file.truncate(documents.LARGEST_MB * 2**20 + 1)
    assert "50 MB" in _refused(path, files).what


def test_a_long_text_is_refused_before_it_is_looked_at(tmp_path: Path, files: Reader) -> None:
    path = tmp_path / "김.txt"
    path.write_text("a" * (documents.MOST_CHARACTERS + 1))
    assert "5,000,000자" in _refused(path, files).what


def test_a_page_without_text_asks_for_ocr(tmp_path: Path, files: Reader) -> None:
    import pypdfium2

    path = tmp_path / "스캔.pdf"
    with pypdfium2.PdfDocument.new() as pdf:
        pdf.new_page(100, 100)
        pdf.save(path)
    assert "OCR" in _refused(path, files).what


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "느림.txt"
    path.write_text("글")
    with opened(seconds=0.001) as hasty:
        assert "초" in _refused(path, hasty).what


def test_a_parser_that_dies_takes_one_file_with_it(tmp_path: Path) -> None:
    path = tmp_path / "가.txt"
    path.write_text("글")
    with opened() as files:
        files.read(path, law=False)
        process = files._process
        assert process is not None
        process.kill()
        process.wait()
        assert files.read(path, law=False).title == "글"


# RLIMIT_AS is kept by Linux alone; elsewhere the bound on time stands by itself.
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_a_parser_can_take_no_more_memory_than_its_share(tmp_path: Path) -> None:
    path = tmp_path / "법.xml"
    path.write_text("<법령>" + "<a/>" * 3_000_000 + "</법령>")
    with opened(memory_mb=250) as files:
        assert files.read(PDF, law=False).blocks
        assert "메모리" in _refused(path, files, law=True).what
