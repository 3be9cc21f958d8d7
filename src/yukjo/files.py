"""Hash a file; write a file or a folder whole or not at all; put JSON in one form."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import rfc8785

from yukjo.errors import ModelError
from yukjo.words import say

_CHUNK = 1 << 20


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def canonical_json(value: object) -> str:
    """The one text of a JSON value that every program agrees on (RFC 8785).

    All numbers are IEEE doubles there: 1.0 and 1 are one value. ValueError for what has no such
    text: NaN, a whole number beyond 2^53, a key that is no text, a text that is no Unicode.

    >>> canonical_json({"b": 1.0, "a": "육조"})
    '{"a":"육조","b":1}'
    """
    return rfc8785.dumps(value).decode()  # type: ignore[arg-type]  # it refuses what is no JSON


def read_canonical(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a text of `canonical_json`: whole numbers beyond 2^53 in it were floats."""
    return json.loads(text, parse_int=_double)


def _double(digits: str) -> int | float:
    number = float(digits)
    return int(digits) if abs(number) < 2**53 else number


def sorted_json(value: object) -> str:
    """One text for one value, numbers as Python writes them: sorted keys, no spaces, no NaN.

    For lines and hashes of our own. Its bytes never change: bases, adapters' effects, samples,
    prompts and metrics are named by their hash.

    >>> sorted_json({"b": 1.0, "a": "육조"})
    '{"a":"육조","b":1.0}'
    """
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def hash_json(value: object) -> str:
    """Hex SHA-256 of the sorted JSON of `value`."""
    return sha256_bytes(sorted_json(value).encode())


def hash_base(folder: Path) -> str:
    """Hash of a base: its configuration, its weights and how it takes images, by file name."""
    files = sorted(folder.glob("*.safetensors"))
    config = folder / "config.json"
    if not files or not config.is_file():
        raise ModelError(
            say("not a model folder: config.json and *.safetensors are needed"),
            where=str(folder),
            fix=say("name a Hugging Face folder with safetensors weights in [base] model"),
        )
    images = [f for f in [folder / "preprocessor_config.json"] if f.is_file()]
    return hash_json({f.name: sha256_file(f) for f in [config, *images, *files]})


@contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that appears at `path` only when it is complete and on disk.

    A reader sees the old file or the new one, never a part; after an error or a kill the old
    file still stands. The parent folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content` (text as UTF-8) to `path`, whole or not at all."""
    with writing_whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def write_jsonl(path: Path, rows: Iterable[object]) -> None:
    """Write one JSON document a line, whole or not at all."""
    with writing_whole(path) as file:
        for row in rows:
            file.write(sorted_json(row).encode() + b"\n")


def move_whole(scratch: Path, place: Path) -> None:
    """Let the finished folder `scratch` appear at `place`, in the place of what stood there.

    A kill leaves the old folder, none, or the new one, never a part of either.
    """
    remove_whole(place)
    scratch.rename(place)
    _sync_folder(place.parent)


def remove_whole(folder: Path) -> None:
    """Remove a folder that may be missing; a kill leaves it whole, or hidden by a leading dot."""
    hidden = folder.with_name(f".{folder.name}.gone")
    shutil.rmtree(hidden, ignore_errors=True)
    if folder.exists():
        folder.rename(hidden)
        shutil.rmtree(hidden)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder by linking its files, where the system can: they must never change in place."""
    shutil.copytree(source, target, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut (where the system allows it)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
