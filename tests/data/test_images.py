"""Images in data files: each fault is found by its line, and nothing in a file breaks the check."""

import json
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from toys import Yukjo
from yukjo.data.check import check
from yukjo.data.read import read
from yukjo.data.split import group_keys
from yukjo.errors import DataError
from yukjo.files import hash_json, sha256_file
from yukjo.pictures import Unreadable, decode, read_rgb, size_of
from yukjo.records import Picture, Sample

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]


def drawn(colour: int = 0, size: tuple[int, int] = (24, 16), mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize(size).point(lambda v: (v + colour) % 256).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    data = BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, depth: int = 8, colours: int = 2) -> bytes:
    """The header of a PNG of any size, and a few bytes of content."""
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    rows = zlib.compress(bytes(100))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


FINE = {
    "rgb.png": encoded(drawn()),
    "grey.png": encoded(drawn(mode="L")),
    "ink.png": encoded(drawn(mode="1")),
    "palette.png": encoded(drawn(mode="P")),
    "opaque.png": encoded(drawn(mode="RGBA")),
    "photo.jpg": encoded(drawn(), "JPEG"),
    "grey.jpg": encoded(drawn(mode="L"), "JPEG"),
    "web.webp": encoded(drawn(), "WEBP", lossless=True),
    "old.bmp": encoded(drawn(), "BMP"),
}
corner = drawn(mode="P").getpixel((0, 0))
see_through = drawn(mode="RGBA")
see_through.putalpha(200)
frames = [drawn(), drawn(128)]
WRONG = {
    "gone": (None, "image-missing"),
    "empty": (b"", "not-image"),
    "text": ("육조".encode(), "not-image"),
    "film.gif": (encoded(drawn(mode="P"), "GIF"), "not-image"),
    "cut.png": (FINE["rgb.png"][:-30], "image-broken"),
    "cut.jpg": (FINE["photo.jpg"][: len(FINE["photo.jpg"]) // 2], "image-broken"),
    "damaged.png": (FINE["rgb.png"].replace(b"IDAT", b"IDAU"), "not-image"),
    "hollow.png": (FINE["rgb.png"][:33] + FINE["rgb.png"][-12:], "image-broken"),
    "bomb.png": (png(60_000, 60_000), "image-too-large"),
    "vast.png": (png(10_000, 5_001), "image-too-large"),
    "thin.png": (encoded(drawn(size=(402, 2))), "image-too-thin"),
    "paint.jpg": (encoded(drawn(mode="CMYK"), "JPEG"), "image-mode"),
    "deep.png": (encoded(Image.new("I;16", (9, 9))), "image-mode"),
    "deep-colour.png": (png(5, 3, depth=16), "image-mode"),
    "glass.png": (encoded(see_through), "image-mode"),
    "key.png": (encoded(drawn(mode="P"), transparency=corner), "image-mode"),
    "film.png": (encoded(frames[0], save_all=True, append_images=frames[1:]), "image-frames"),
    "film.webp": (encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
                  "image-frames"),
}  # fmt: skip


def codes(file: Path) -> list[tuple[int, str]]:
    return [(found.line, found.code) for found in check([file]).findings]


def test_what_becomes_rgb_without_loss_is_accepted(
    tmp_path: Path, record: Record, write: Write
) -> None:
    for name, data in FINE.items():
        (tmp_path / name).write_bytes(data)
        made = decode(data)
        assert made.mode == "RGB"
        if name not in {"photo.jpg", "grey.jpg"}:  # their own compression loses some
            with Image.open(BytesIO(data)) as image:
                assert made.tobytes() == image.convert("RGBA").convert("RGB").tobytes()
    file = write(tmp_path / "data.jsonl", *(record(images=[n], input=n) for n in FINE))
    assert check([file]).errors == 0
    assert [s.images[0].path.name for s in read([file], agents=("rag",)).samples] == list(FINE)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_an_image_is_found_by_its_line(
    name: str, tmp_path: Path, record: Record, write: Write
) -> None:
    data, code = WRONG[name]
    if data is not None:
        (tmp_path / name).write_bytes(data)
    (tmp_path / "fine.png").write_bytes(FINE["rgb.png"])
    rows = record(images=["fine.png"]), record(images=["fine.png", name])
    file = write(tmp_path / "data.jsonl", *rows)
    (found,) = check([file]).findings
    assert (found.line, found.code, found.field) == (2, code, "images[1]")
    assert name in found.message
    assert found.message.isprintable()
    with pytest.raises(DataError, match=name):
        read([file], agents=("rag",))


def test_only_files_below_the_data_files_folder_are_opened(tmp_path: Path, record: Record) -> None:
    inside = tmp_path / "data" / "images"
    inside.mkdir(parents=True)
    (tmp_path / "out.png").write_bytes(FINE["rgb.png"])
    (inside / "in.png").write_bytes(FINE["rgb.png"])
    (inside / "link.png").symlink_to(tmp_path / "out.png")
    (inside / "ring.png").symlink_to(inside / "ring.png")
    outside = ["../out.png", str(tmp_path / "out.png"), "images/../../out.png", "images/link.png",
               "C:/out.png", "images\\in.png", "//host/out.png"]  # fmt: skip
    nowhere = ["images/ring.png", "images", "a\x00b", "x" * 5000, "\ud800.png"]
    rows = [record(images=[name]) for name in ["images/in.png", *outside, *nowhere]]
    file = tmp_path / "data" / "data.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = [f.code for f in check([file]).findings]
    assert found == ["image-path"] * len(outside) + ["image-missing"] * len(nowhere)


def test_a_list_of_names_is_asked_for(tmp_path: Path, record: Record, write: Write) -> None:
    many = ["a.png"] * 17
    wrong = ["a.png", None, {}, [1], [" "], many]
    file = write(tmp_path / "a", *(record(images=names) for names in wrong if names is not None),
                 record(images=[]))  # fmt: skip
    assert codes(file) == [(1, "wrong-type"), (2, "wrong-type"), (3, "wrong-type"),
                           (4, "empty-text"), (5, "too-many-images")]  # fmt: skip


def test_the_same_question_about_one_image_with_two_answers_is_a_warning(
    tmp_path: Path, record: Record, write: Write
) -> None:
    for name, colour in (("a.png", 0), ("copy.png", 0), ("b.png", 9)):
        (tmp_path / name).write_bytes(encoded(drawn(colour)))
    said = "금액: 12,300원"
    rows = [
        record(images=["a.png"], output=said),
        record(images=["b.png"], output=said),  # another image may say the same
        record(images=["copy.png"], output=said),  # the same image by another name: the same line
        record(images=["copy.png"], output="금액: 12,800원"),
        record(images=["a.png"], output=said, instruction="얼마입니까?"),
    ]
    file = write(tmp_path / "data.jsonl", *rows)
    assert codes(file) == [(3, "duplicate-line"), (4, "other-answer")]
    assert read([file], agents=("rag",)).dropped == 1


def test_a_sample_about_images_has_a_hash_of_its_own_and_others_keep_theirs(tmp_path: Path) -> None:
    plain = Sample(instruction="질문", output="답", agent_type="rag")
    assert plain.hash == hash_json(["rag", [], "질문", "", "답"])
    pictures = [
        Picture(path=tmp_path / n, sha256=h) for n, h in (("a", "1"), ("b", "1"), ("c", "2"))
    ]
    hashes = [plain.model_copy(update={"images": (p,)}).hash for p in pictures]
    assert hashes[0] == hashes[1]
    assert len({plain.hash, *hashes}) == 3


def test_samples_about_one_image_stand_on_one_side_and_alike_ones_about_others_need_not() -> None:
    def about(*hashes: str, output: str = "종류: 납부고지서\n부서: 세무과") -> Sample:
        pictures = tuple(Picture(path=Path(h), sha256=h * 64) for h in hashes)
        return Sample(instruction="읽어 주세요.", output=output, agent_type="rag", images=pictures)

    keys = group_keys([about("a"), about("b"), about("a", "c", output="딴것"), about("c")])
    assert keys[0] == keys[2] == keys[3] != keys[1]


def test_a_photo_is_turned_as_its_camera_was_held(tmp_path: Path) -> None:
    notes = Image.Exif()
    notes[0x0112] = 6
    file = tmp_path / "held.jpg"
    file.write_bytes(encoded(drawn(size=(24, 16)), "JPEG", exif=notes))
    picture = Picture(path=file, sha256=sha256_file(file))
    assert size_of(picture) == read_rgb(picture).size == (16, 24)


def test_an_image_that_changed_since_it_was_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(FINE["rgb.png"])
    picture = Picture(path=file, sha256=sha256_file(file))
    assert read_rgb(picture).size == (24, 16)
    file.write_bytes(FINE["grey.png"])
    with pytest.raises(DataError, match="바뀌었습니다"):
        read_rgb(picture)
    file.unlink()
    for look in (read_rgb, size_of):
        with pytest.raises(DataError, match="없어졌거나"):
            look(picture)


def test_a_split_keeps_images_that_lie_below_it_and_refuses_others(
    tmp_path: Path, record: Record, write: Write, yukjo: Yukjo
) -> None:
    (tmp_path / "images").mkdir()
    for n in range(6):
        (tmp_path / "images" / f"{n}.png").write_bytes(encoded(drawn(n)))
    file = write(tmp_path / "d.jsonl", *(record(images=[f"images/{n}.png"]) for n in range(6)))
    assert yukjo("data", "split", file, "--out", tmp_path).code == 0
    parts = [tmp_path / f"{side}.jsonl" for side in ("train", "valid", "test")]
    made = read([part for part in parts if part.stat().st_size], agents=("rag",)).samples
    assert {s.hash for s in made} == {s.hash for s in read([file], agents=("rag",)).samples}
    elsewhere = yukjo("data", "split", file, "--out", tmp_path / "else")
    assert elsewhere.code != 0
    assert "이미지" in elsewhere.err


SEEDS = [*FINE.values(), *(data for data, _ in WRONG.values() if data)]


@given(data=st.binary(max_size=200))
@settings(deadline=None, max_examples=60)
def test_no_bytes_can_break_the_decoder(data: bytes) -> None:
    _survives(data)


@given(
    seed=st.sampled_from(SEEDS), place=st.integers(0, 3000), piece=st.binary(max_size=8),
    cut=st.integers(0, 9), end=st.integers(0, 4000),
)  # fmt: skip
@settings(deadline=None, max_examples=250)
def test_no_damage_to_an_image_can_break_the_decoder(
    seed: bytes, place: int, piece: bytes, cut: int, end: int
) -> None:
    _survives((seed[:place] + piece + seed[place + cut :])[: end or None])


def _survives(data: bytes) -> None:
    try:
        found = decode(data).mode
    except Unreadable as why:
        found = why.code
    assert found in {"RGB", *(code for _, code in WRONG.values())}
