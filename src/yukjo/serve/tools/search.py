"""Search the index: words by SQLite FTS5, meaning by vectors, fused by reciprocal rank.

1. A search sees one whole index; when `yukjo index` has put a new one in its place, the next
   search opens that one.
2. Where the index has no vectors, or nothing here makes the same kind, words alone decide; a
   question without a word that carries meaning finds nothing then.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from yukjo.errors import DataError
from yukjo.serve.tools.index import FILE, Kind
from yukjo.serve.tools.means import Means
from yukjo.serve.tools.statutes import Law
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.serve.tools.means import Vectors

T = TypeVar("T")

DEPTH = 50
"""Passages that each way of searching hands to the fusion."""
RANK = 60
"""Added to a rank before it is inverted (Cormack, Clarke and Büttcher, SIGIR 2009)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and where it stands."""

    file: str
    title: str
    page: int | None
    paragraph: int | None
    text: str


class Shelf:
    """The index in a folder, for searching; may be used from several threads."""

    def __init__(self, place: Path, how: Means) -> None:
        self._path = place / FILE
        self._how = how
        self._lock = threading.Lock()
        self._open: _Index | None = None

    def search(self, kind: Kind, text: str, *, limit: int) -> list[Found]:
        """The passages nearest to `text`, best first."""
        made_by = self._asked(lambda index: index.made_by)
        words, vector = self._how.words(text), None
        if self._how.questions and made_by["vectors"] == self._how.vectors_by:
            vector = self._how.questions([text])
        return self._asked(lambda index: index.search(kind, words, vector, limit))

    def laws(self) -> dict[str, Law]:
        """File -> law, of all laws in the index."""
        return self._asked(lambda index: index.laws)

    def _asked(self, question: "Callable[[_Index], T]") -> T:
        with self._lock:
            try:
                return question(self._fresh())
            except sqlite3.DatabaseError as fault:
                raise DataError(
                    say("the index is damaged: {fault}", fault=fault),
                    where=str(self._path),
                    fix=say("delete it and run `yukjo index`"),
                ) from None

    def _fresh(self) -> "_Index":
        """The index that stands there now."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            raise DataError(
                say("there is no index to search"),
                where=str(self._path),
                fix=say("run `yukjo index`"),
            ) from None
        if self._open is None or not self._open.is_of(stat):
            if self._open is not None:
                self._open.close()
                self._open = None
            self._open = _Index(self._path, stat)
        made_by = self._open.made_by
        if any(made_by.get(key) != self._how.made_by[key] for key in ("format", "words")):
            raise DataError(
                say("the index was made by another version"),
                where=str(self._path),
                fix=say("run `yukjo index`"),
            )
        return self._open


class _Index:
    """One index as it was when it was opened."""

    def __init__(self, path: Path, stat: os.stat_result) -> None:
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._stamp = _stamp(stat)
        self._matrices: dict[Kind, tuple[list[int], Vectors]] = {}

    def is_of(self, stat: os.stat_result) -> bool:
        return self._stamp == _stamp(stat)

    def close(self) -> None:
        self._database.close()

    @cached_property
    def made_by(self) -> dict[str, str]:
        return dict(self._database.execute("SELECT name, value FROM made_by"))

    @cached_property
    def laws(self) -> dict[str, Law]:
        rows = self._database.execute(
            "SELECT path, law FROM file WHERE law IS NOT NULL ORDER BY path"
        )
        return {path: Law.model_validate_json(law) for path, law in rows}

    def search(
        self, kind: Kind, words: list[str], vector: "Vectors | None", limit: int
    ) -> list[Found]:
        lists = [self._by_words(kind, words)]
        if vector is not None:
            lists.append(self._by_meaning(kind, vector))
        return [self._found(passage) for passage in fused(lists)[:limit]]

    def _by_words(self, kind: Kind, words: list[str]) -> list[int]:
        """Passages with any of the words, by BM25."""
        terms = " OR ".join('"' + word.replace('"', '""') + '"' for word in dict.fromkeys(words))
        if not terms:
            return []
        rows = self._database.execute(
            "SELECT words.rowid FROM words JOIN passage ON passage.id = words.rowid"
            " JOIN file ON file.id = passage.file WHERE words MATCH ? AND kind = ?"
            " ORDER BY rank, words.rowid LIMIT ?",
            (terms, kind, DEPTH),
        )
        return [row for (row,) in rows]

    def _by_meaning(self, kind: Kind, vector: "Vectors") -> list[int]:
        """Passages by cosine."""
        import numpy as np

        if kind not in self._matrices:
            rows = self._database.execute(
                "SELECT passage.id, vector FROM passage JOIN file ON file.id = passage.file"
                " WHERE kind = ? AND vector IS NOT NULL ORDER BY passage.id",
                (kind,),
            ).fetchall()
            flat = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32)
            matrix = flat.reshape(len(rows), -1) if rows else flat.reshape(0, vector.shape[1])
            self._matrices[kind] = [row[0] for row in rows], matrix
        numbers, matrix = self._matrices[kind]
        near = np.argsort(-(matrix @ vector[0]), kind="stable")[:DEPTH]
        return [numbers[place] for place in near]

    def _found(self, passage: int) -> Found:
        row = self._database.execute(
            "SELECT path, title, page, paragraph, text FROM passage"
            " JOIN file ON file.id = passage.file WHERE passage.id = ?",
            (passage,),
        ).fetchone()
        return Found(*row)


def fused(lists: Iterable[list[int]]) -> list[int]:
    """Passages by the sum of 1 / (RANK + rank) over the lists; at a tie the first list decides.

    >>> fused([[1, 2, 3], [3, 4]])
    [3, 1, 2, 4]
    """
    scores: dict[int, float] = {}
    for ranked in lists:
        for rank, passage in enumerate(ranked, 1):
            scores[passage] = scores.get(passage, 0.0) + 1 / (RANK + rank)
    return sorted(scores, key=lambda passage: -scores[passage])


def _stamp(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
