"""How the router sees a text: as a row of numbers; alike texts have alike rows.

1. Every text has a row: empty, endless, or full of control characters.
2. A row has length 1, or 0 where the text says nothing that the view knows.
3. What a view knows follows from the set of texts it was made from, not from their order.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Terms = Callable[[str], Iterable[str]]

ENDS = 1000
"""Characters read at each end of a text: who pastes a document asks before it or after it."""

_LONGEST_GRAM = 3
_DIGITS = re.compile(r"[0-9]+")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class View(Protocol):
    """One way to see texts."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def rows(self, texts: Sequence[str]) -> Rows:
        """[texts, width]"""


@dataclass(frozen=True, slots=True)
class TermView:
    """A text as its terms, the rarer the heavier (TF-IDF, logarithmic counts)."""

    name: str
    terms: Terms
    known: dict[str, int]
    """Term -> place in a row."""
    weights: Rows
    """[width] inverse document frequency."""

    def rows(self, texts: Sequence[str]) -> Rows:
        """[texts, width]; terms that were not learned count nothing."""
        made = np.zeros((len(texts), len(self.known)), dtype=np.float32)
        for row, text in zip(made, texts, strict=True):
            found = Counter(filter(self.known.__contains__, self.terms(text)))
            for term, count in found.items():
                row[self.known[term]] = 1 + np.log(count)
        made *= self.weights
        return unit(made)


def learn_terms(name: str, terms: Terms, texts: Sequence[str]) -> TermView:
    """The view of the terms that at least two of `texts` hold."""
    spread = Counter(term for text in texts for term in set(terms(text)))
    kept = sorted(term for term, count in spread.items() if count > 1)
    weights = [1 + np.log((1 + len(texts)) / (1 + spread[term])) for term in kept]
    places = {term: place for place, term in enumerate(kept)}
    return TermView(name, terms, places, np.array(weights, dtype=np.float32))


def plain(text: str, *, ends: int = ENDS) -> str:
    r"""The two ends of a text in one form: NFKC, lower case, one space, any number as 0.

    >>> plain("  전년 대비\t12.5% 증가?  ")
    '전년 대비 0.0% 증가?'
    """
    if len(text) > 2 * ends:
        text = f"{text[:ends]} {text[-ends:]}"
    one = unicodedata.normalize("NFKC", text).casefold()
    return _DIGITS.sub("0", _SPACE.sub(" ", one)).strip()


def grams(text: str) -> Iterable[str]:
    """Runs of one to three characters; a space stands at each end."""
    padded = f" {plain(text)} "
    for length in range(1, _LONGEST_GRAM + 1):
        for start in range(len(padded) - length + 1):
            yield padded[start : start + length]


def unit(rows: Rows) -> Rows:
    """The rows brought to length 1, in place; a row of zeros stays."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.maximum(lengths, 1e-12)[:, None]
    return rows
