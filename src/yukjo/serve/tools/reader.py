"""Read the files of the tools in a process of its own (`yukjo.reading.sandbox`)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yukjo.reading.sandbox import MEMORY_MB, SECONDS, Sandbox
from yukjo.serve.tools.reading import Document, read
from yukjo.serve.tools.tables import read_rows


class Reader(Sandbox):
    """Reads files one by one; `end` ends its process."""

    def read(self, path: Path, *, law: bool) -> Document:
        """The document in a file; DataError where it can't be read within the limits."""
        return Document.model_validate_json(self.run(_law if law else _document, path))

    def rows(self, path: Path) -> list[list[str]]:
        """The cells of a table; DataError where it can't be read within the limits."""
        found: list[list[str]] = json.loads(self.run(_table, path))
        return found


@contextmanager
def opened(*, seconds: float = SECONDS, memory_mb: int = MEMORY_MB) -> Iterator[Reader]:
    """A reader whose process ends with the block."""
    reader = Reader(seconds=seconds, memory_mb=memory_mb)
    try:
        yield reader
    finally:
        reader.end()


def _document(path: Path) -> str:
    return read(path, law=False).model_dump_json()


def _law(path: Path) -> str:
    return read(path, law=True).model_dump_json()


def _table(path: Path) -> str:
    return json.dumps(read_rows(path))
