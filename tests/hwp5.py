"""Write a small HWP 5 file: the container (MS-CFB, version 3) and the records of its paragraphs.

No program that runs here writes HWP 5. This one knows what a reader needs: `FileHeader` without
compression, `DocInfo` with empty tables, and `BodyText/Section0` with plain paragraphs. All
streams are below 4096 bytes, so that they lie in the mini stream.
"""

import struct
from collections.abc import Sequence

SECTOR, MINI = 512, 64
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_NONE = 0xFFFFFFFF


def hwp5(paragraphs: Sequence[str]) -> bytes:
    """A document of these paragraphs."""
    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000300, 0)
    info = _record(0x10, 0, bytes(26)) + _record(0x11, 0, bytes(72))
    body = b"".join(map(_paragraph, paragraphs))
    return _container({"FileHeader": header.ljust(256, b"\0"), "DocInfo": info, "Section0": body})


def _record(tag: int, level: int, data: bytes) -> bytes:
    return struct.pack("<I", tag | level << 10 | len(data) << 20) + data


def _paragraph(text: str) -> bytes:
    said = (text + "\r").encode("utf-16-le")
    head = struct.pack("<IIHBBHHHI", len(said) // 2, 0, 0, 0, 0, 1, 0, 0, 0)
    return (
        _record(0x42, 0, head) + _record(0x43, 1, said) + _record(0x44, 1, struct.pack("<II", 0, 0))
    )


def _container(streams: dict[str, bytes]) -> bytes:
    """Root with FileHeader, DocInfo and the folder BodyText, which has Section0."""
    mini, mini_fat, starts = b"", list[int](), dict[str, int]()
    for name, data in streams.items():
        assert len(data) < 4096, "larger streams would lie in sectors of their own"
        starts[name] = len(mini) // MINI
        count = -(-len(data) // MINI)
        mini_fat += [*range(len(mini_fat) + 1, len(mini_fat) + count), _END]
        mini += data.ljust(count * MINI, b"\0")
    mini_sectors = -(-len(mini) // SECTOR)
    # Sector 0 is the FAT, 1 and 2 the directory, 3 the mini FAT, the rest the mini stream.
    fat = [_FAT, 2, _END, _END, *range(5, 4 + mini_sectors), _END]
    # A tree in order of length: DocInfo, BodyText, FileHeader.
    directory = b"".join([
        _entry("Root Entry", 5, child=3, start=4, size=len(mini)),
        _entry("FileHeader", 2, start=starts["FileHeader"], size=len(streams["FileHeader"])),
        _entry("DocInfo", 2, start=starts["DocInfo"], size=len(streams["DocInfo"])),
        _entry("BodyText", 1, left=2, right=1, child=4),
        _entry("Section0", 2, start=starts["Section0"], size=len(streams["Section0"])),
    ])  # fmt: skip
    return b"".join([
        _header(),
        _numbers(fat),
        directory.ljust(2 * SECTOR, b"\0"),
        _numbers(mini_fat),
        mini.ljust(mini_sectors * SECTOR, b"\0"),
    ])  # fmt: skip


def _header() -> bytes:
    return struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII", bytes.fromhex("D0CF11E0A1B11AE1"), b"", 0x3E, 3, 0xFFFE, 9, 6,
        b"", 0, 1, 1, 0, 4096, 3, 1, _END, 0, 0,
    ) + struct.pack("<108I", *[_FREE] * 108)  # fmt: skip


def _numbers(numbers: Sequence[int]) -> bytes:
    assert len(numbers) <= SECTOR // 4, "one sector holds the table"
    return struct.pack(f"<{SECTOR // 4}I", *numbers, *[_FREE] * (SECTOR // 4 - len(numbers)))


def _entry(
    name: str, kind: int, *, left: int = _NONE, right: int = _NONE, child: int = _NONE,
    start: int = 0, size: int = 0,
) -> bytes:  # fmt: skip
    said = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        said,
        len(said),
        kind,
        1,
        left,
        right,
        child,
        b"",
        0,
        0,
        0,
        start,
        size,
    )
