"""The images that a record names: where they lie, what they hold, and what is wrong with them.

1. A name leads to a file below the folder of the data file, whatever links lie in between.
2. Every image is decoded to its end: half a file is found here and not in the middle of a run.
3. Whatever stands in the record or the file, the answer is a picture or a fault.
"""

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from yukjo.data.findings import Fault, cut
from yukjo.files import sha256_bytes
from yukjo.pictures import BYTES, Unreadable, decode
from yukjo.records import Picture

MOST = 16
"""Images of one record."""


def find(names: Sequence[str], folder: Path) -> tuple[tuple[Picture, ...], list[Fault]]:
    """The pictures of a record whose data file lies in `folder`, and the faults of the others."""
    if len(names) > MOST:
        return (), [Fault("too-many-images", "images", {"count": len(names), "most": MOST})]
    found = [_find(name, folder, f"images[{number}]") for number, name in enumerate(names)]
    pictures = tuple(one for one in found if isinstance(one, Picture))
    return pictures, [one for one in found if isinstance(one, Fault)]


def _find(name: str, folder: Path, field: str) -> Picture | Fault:
    shown = {"name": cut(name)}
    try:
        path = (folder / name).resolve()
        if not _is_plain(name) or not path.is_relative_to(folder.resolve()):
            return Fault("image-path", field, shown)
        if not path.is_file():
            return Fault("image-missing", field, shown)
        if path.stat().st_size > BYTES:
            return Fault("image-too-large", field, shown)
        data = path.read_bytes()
    except (
        OSError,
        ValueError,
        RuntimeError,
    ):  # no name for a file, no right to it, links in a ring
        return Fault("image-missing", field, shown)
    try:
        decode(data)
    except Unreadable as why:
        return Fault(why.code, field, shown | {"mode": why.mode})
    return Picture(path=path, sha256=sha256_bytes(data))


def _is_plain(name: str) -> bool:
    """Whether a name means the same on every system, and starts and stays in its folder."""
    path = PureWindowsPath(name)  # knows drives and both kinds of slashes
    return not path.anchor and ".." not in path.parts and "\\" not in name
