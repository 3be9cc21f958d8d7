"""Put numbers on one answer. Every metric has an id that changes when its meaning changes.

1. A scorer takes any text whatever, never raises, and stays in its range.
2. Text is compared in NFC: the same letters in another encoding are the same answer.
3. `metric_id` hashes name, version, library and settings; figures under different ids are never
   compared.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from yukjo.agents import Role
from yukjo.evaluate import fields, forms, rouge
from yukjo.evaluate.conformance import VERSION as RULES_VERSION
from yukjo.evaluate.reading import lines, longest_loop, normal
from yukjo.files import hash_json
from yukjo.korean.documents import FORMS
from yukjo.korean.documents import VERSION as FORMS_VERSION
from yukjo.korean.facts import VERSION as FACTS_VERSION
from yukjo.korean.manner import VERSION as MANNER_VERSION
from yukjo.korean.morphemes import CARRY
from yukjo.korean.text import hangul_share
from yukjo.records import Answer

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF

Reason = Literal["empty", "cut", "not-korean", "loop"]

_CHRF = {"char_order": 6, "word_order": 0, "beta": 2}
_KOREAN_SHARE = 0.5
_LOOP_TIMES = 4
_LOOP_CHARACTERS = 20
_LONG_LINE = 10
_NAMED = re.compile(r"(?<=출처: )[^\[\]]+(?=,)|「[^「」]+」|『[^『』]+』")


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure means and which side of it is good."""

    name: str
    version: int
    higher_is_better: bool | None
    """None: a description, neither side is good."""
    library: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def metric_id(self) -> str:
        """12 hex digits over everything that gives the figure its meaning."""
        meaning = [self.name, self.version, self.library, dict(self.settings)]
        return hash_json(meaning)[:12]


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one case on one side."""

    case: str
    metric: str
    value: float


def metrics(roles: Iterable[Role]) -> dict[str, Metric]:
    """Every metric by name, for answers of `roles`: their rules give `conformance` its meaning.

    A metric whose library isn't installed is left out.
    """
    found = (*_of_texts(roles), *_of_facts(), *_of_morphemes(), *_of_images())
    return {metric.name: metric for metric in found}


def _of_texts(roles: Iterable[Role]) -> Iterator[Metric]:
    """Metrics of an answer as a whole."""
    rules = {role.name: list(role.rules) for role in roles}
    chrf_library = f"sacrebleu {_sacrebleu()}"
    failing = {"korean": _KOREAN_SHARE, "times": _LOOP_TIMES, "chunk": _LOOP_CHARACTERS}
    yield Metric("perplexity", 1, higher_is_better=False)
    yield Metric("chrf", 1, higher_is_better=True, library=chrf_library, settings=_CHRF)
    yield Metric("conformance", RULES_VERSION, higher_is_better=True, settings=rules)
    yield Metric("failure_rate", 1, higher_is_better=False, settings=failing)
    yield Metric("length", 1, higher_is_better=None)
    yield Metric("length_drift", 1, higher_is_better=False)
    yield Metric("script_drift", 1, higher_is_better=False)
    yield Metric("politeness_drift", MANNER_VERSION, higher_is_better=False)
    yield Metric("consistency", 1, higher_is_better=True, library=chrf_library, settings=_CHRF)
    yield Metric("seconds", 1, higher_is_better=False)


def _of_facts() -> Iterator[Metric]:
    """Metrics of what an answer states, and of the form of a document."""
    for name in ("fact_recall", "fact_precision", "dates", "amounts", "articles"):
        yield Metric(name, FACTS_VERSION, higher_is_better=True)
    writers = {"writers": forms.WRITERS, "forms": list(FORMS)}
    yield Metric("document_form", FORMS_VERSION, higher_is_better=True, settings=writers)


def _of_morphemes() -> Iterator[Metric]:
    """Metrics that need Kiwi; none where it isn't installed."""
    if library := rouge.kiwi():
        for name in ("rouge_l", "rouge_2"):
            yield Metric(
                name, rouge.VERSION, higher_is_better=True, library=library,
                settings={"tags": CARRY},
            )  # fmt: skip


def _of_images() -> Iterator[Metric]:
    """Metrics of fields read off an image; none where their libraries aren't installed."""
    libraries = fields.libraries()
    if libraries is None:
        return
    for name in fields.NAMES:
        better, library = not name.startswith("cer"), libraries.get(name, "")
        yield Metric(name, fields.VERSION, higher_is_better=better, library=library)


def chrf(text: str, reference: str) -> float:
    """Sentence chrF of `text` against `reference`, 0 to 100 (Popović 2015, by sacrebleu).

    >>> chrf("접수합니다", "접수합니다"), chrf("", "접수합니다")
    (100.0, 0.0)
    """
    score = _scorer().sentence_score(normal(text), [normal(reference)]).score
    return min(100.0, max(0.0, float(score)))


def failure(answer: Answer) -> float:
    """1.0 where the answer is of no use whatever it says, else 0.0."""
    return float(failure_reason(answer) is not None)


def failure_reason(answer: Answer) -> Reason | None:
    """Why the answer is of no use: empty, cut at the token limit, not Korean, a loop; or None."""
    text = normal(answer.text)
    if not text:
        return "empty"
    if answer.finish == "length":
        return "cut"
    if not any(map(str.isalpha, text)) or hangul_share(text) < _KOREAN_SHARE:
        return "not-korean"
    return "loop" if loops(text) else None


def loops(text: str) -> bool:
    """Whether `text` says a line or a chunk of 20 characters four times or more.

    Names of documents and laws don't count: a good answer cites one of them many times. A short
    line, as `(확인 필요)`, is a loop only where the four stand one after another.

    >>> loops("접수 기한을 확인해 주시기 바랍니다. " * 4), loops("접수 기한을 확인하세요.")
    (True, False)
    """
    rows = lines(text)
    long = Counter(row for row in rows if len(row) >= _LONG_LINE)
    fours = zip(*(rows[start:] for start in range(_LOOP_TIMES)), strict=False)
    return (
        max(long.values(), default=0) >= _LOOP_TIMES
        or any(len(set(four)) == 1 for four in fours)
        or longest_loop(_NAMED.sub("", text), _LOOP_CHARACTERS) >= _LOOP_TIMES
    )


def length(text: str) -> float:
    """Characters of `text` in NFC."""
    return float(len(normal(text)))


def length_drift(text: str, reference: str) -> float:
    """How far the length is off the reference's, as a share of it: |a - b| / b.

    >>> length_drift("가나다", "가나"), length_drift("", "가나")
    (0.5, 1.0)
    """
    asked = length(reference)
    return abs(length(text) - asked) / max(1.0, asked)


def consistency(texts: Sequence[str]) -> float | None:
    """How alike several answers to one question are: mean pairwise chrF / 100, both ways round.

    None with fewer than two answers.

    >>> consistency(["네", "네", "네"]), consistency(["네"])
    (1.0, None)
    """
    pairs = [_alike(a, b) for a, b in combinations(sorted(map(normal, texts)), 2)]
    return sum(pairs) / len(pairs) if pairs else None


def _alike(a: str, b: str) -> float:
    """0 to 1; 1 for the same text, the empty one too."""
    return 1.0 if a == b else (chrf(a, b) + chrf(b, a)) / 200


@cache
def _scorer() -> "CHRF":
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(char_order=_CHRF["char_order"], word_order=_CHRF["word_order"], beta=_CHRF["beta"])


@cache
def _sacrebleu() -> str:
    return version("sacrebleu")
