"""How far an answer has drifted from the reference in script and in manner.

Both are the distance of two distributions, 0 for the same shares and 1 for nothing in common.
"""

from collections import Counter
from collections.abc import Mapping
from math import fsum

from yukjo.evaluate.reading import normal, spoken
from yukjo.korean.manner import level
from yukjo.korean.text import scripts


def script_drift(text: str, reference: str) -> float:
    """How far the shares of Hangul, Han and Latin letters are from the reference's, 0 to 1.

    >>> script_drift("민원을 접수", "민원을 접수"), script_drift("民願", "민원")
    (0.0, 1.0)
    """
    return _distance(scripts(normal(text)), scripts(normal(reference)))


def politeness_drift(text: str, reference: str) -> float:
    """How far the shares of sentences by politeness are from the reference's, 0 to 1.

    >>> politeness_drift("접수합니다. 오세요.", "접수합니다. 오십시오.")
    0.5
    """
    return _distance(manners(text), manners(reference))


def manners(text: str) -> Counter[str]:
    r"""Sentences of a text by their level; quotations, asides and labels are not the speaker's.

    >>> manners("접수합니다. 어디로 오시나요?\n- 신분증")
    Counter({'formal': 1, 'polite': 1, 'noun': 1})
    """
    found = (spoken(line) for line in normal(text).split("\n"))
    return Counter(level(sentence) for sentences in found for sentence in sentences)


def _distance(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """Total variation distance of two counts; 1 where one of them is empty, 0 where both are."""
    if not (all_a := sum(a.values())) or not (all_b := sum(b.values())):
        return float(any(a.values()) or any(b.values()))
    gaps = (abs(a.get(key, 0) / all_a - b.get(key, 0) / all_b) for key in a.keys() | b.keys())
    return min(1.0, fsum(gaps) / 2)
