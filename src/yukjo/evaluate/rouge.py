"""ROUGE (Lin 2004) over the content morphemes that Kiwi finds.

Particles and endings, which any two Korean texts share, don't count. The usual scorer gives 0 to
identical Korean texts unless it is told what a word is, and fills a table of n x m steps in
Python; here the longest common subsequence is found with one bit a morpheme (Hyyrö 2004). A test
holds both measures against the usual scorer.
"""

from collections import Counter
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise

from yukjo.evaluate.reading import normal
from yukjo.korean.morphemes import morphemes
from yukjo.korean.text import visible

VERSION = 1

Morphemes = tuple[str, ...]


@cache
def kiwi() -> str | None:
    """Kiwi and its model with their versions; None where it isn't installed."""
    try:
        return f"kiwipiepy {version('kiwipiepy')}, model {version('kiwipiepy_model')}"
    except PackageNotFoundError:
        return None


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of morphemes, 0 to 1; ModelError without Kiwi."""
    said, asked = _morphemes(normal(text)), _morphemes(normal(reference))
    return _f1(common(said, asked), len(said), len(asked))


def rouge_2(text: str, reference: str) -> float:
    """F1 of the pairs of neighbouring morphemes, 0 to 1; ModelError without Kiwi."""
    said, asked = _pairs(_morphemes(normal(text))), _pairs(_morphemes(normal(reference)))
    return _f1((said & asked).total(), said.total(), asked.total())


def common(a: Morphemes, b: Morphemes) -> int:
    """Length of the longest common subsequence.

    >>> common(("민원", "접수", "처리"), ("민원", "처리", "접수"))
    2
    """
    places: dict[str, int] = {}
    for place, morpheme in enumerate(a):
        places[morpheme] = places.get(morpheme, 0) | 1 << place
    everywhere = (1 << len(a)) - 1
    unmatched = everywhere
    for morpheme in b:
        hit = unmatched & places.get(morpheme, 0)
        unmatched = ((unmatched + hit) | (unmatched - hit)) & everywhere
    return len(a) - unmatched.bit_count()


def _f1(shared: int, said: int, asked: int) -> float:
    """The harmonic mean of precision and recall; 0 where a side is empty."""
    return 2 * shared / (said + asked) if shared else 0.0


def _pairs(found: Morphemes) -> Counter[tuple[str, str]]:
    return Counter(pairwise(found))


@lru_cache(maxsize=4096)
def _morphemes(text: str) -> Morphemes:
    """Kept, because a reference is read for both sides and both measures."""
    return tuple(morphemes(visible(text)))
