"""What an answer claims of its material, and the material doesn't show.

Every finder is given the answer and its material (question, input, earlier turns, what tools gave),
both in NFC. Where the material is blank nothing is said: there was nothing to go by.

1. A law is shown where its name stands in the material, however it is spaced; an article where its
   number stands there.
2. A sentence that says something is missing (`자료에 없습니다`) claims nothing.
3. A quotation may leave out words with `…` or `(중략)`; each piece must stand in the material.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

from yukjo.korean.citations import PLACE, Citation, article_label, located, name_key, places
from yukjo.korean.found import Found
from yukjo.korean.text import sentences

_LEGAL = re.compile(r"(?:법|법률|령|규칙|조례|규정|지침|훈령|예규|고시)$")
_DENIED = re.compile(
    r"없[습어는으다고음]|않[습아는았고음]|아니[며라]|못|확인(?:이 필요|하|해|할)|알 수 없|다른 법"
)
_QUOTED = re.compile(r"\"([^\"\n]{2,400})\"|“([^“”\n]{2,400})”")
_GAP = re.compile(r"…+|\.{3,}|\(중략\)|\(생략\)")
_SAID = re.compile(
    r"[^가-힣\n]{0,3}(?:이?라고|고|는|라는)\s?(?:적[혀힌]|적고 있|규정|쓰여|쓰인|씌어|써 있|명시"
    r"|나와|나옵|되어 있"
    r"|돼 있|밝히고|밝혀|정하고|정해져|정한|기재되|안내하고 있|안내되)"
)
_ARTICLES = re.compile(
    r"^\[조문\]\s*$(?P<body>.*?)(?=^\[[^\[\]\n]+\]\s*$|\Z)", re.MULTILINE | re.DOTALL
)
_WRONG = re.compile(
    r"^\[오류\]\s*$(?P<body>.*?)(?=^\[[^\[\]\n]+\]\s*$|\Z)", re.MULTILINE | re.DOTALL
)
_SOURCE = re.compile(r"\[출처:\s?(?P<title>[^\[\],]{1,100})(?:,[^\[\]]*)?\]")
_HEAD = re.compile(r"^[>\s]*제\s?(\d{1,4})\s?조(?:의\s?(\d{1,3}))?\s?(?=[(（①])", re.MULTILINE)
_CIRCLED = re.compile("[①-⑳]")
_LONG = 10
"""Letters of a quotation worth looking for."""


def citation_faults(text: str, material: str) -> list[Found]:
    r"""Laws and articles cited that the material doesn't show.

    >>> shown = "「누리구 공원 조례」\n제5조(이용) ① 이용한다."
    >>> [f.code for f in citation_faults("「누리구 공원 조례」 제7조와 「지방세법」 제3조", shown)]
    ['article-not-shown', 'law-not-shown']
    """
    if "조" not in text or not material.strip():
        return []
    if "「" not in material and not PLACE.search(material):
        return []
    return list(_citation_faults(text, material))


def quotation_faults(text: str, material: str) -> list[Found]:
    r"""Words quoted as the material's own that don't stand there.

    Looked at: under [조문] every quotation; under [오류] what stands before an arrow; elsewhere one
    that is said to stand somewhere (`...라고 규정합니다`).

    >>> quotation_faults('[조문]\n제5조: "이용료는 3천 원으로 한다."', "이용료는 2천 원으로 한다.")
    [Found(code='quote-not-found', start=10, end=27, mend='')]
    """
    if ('"' not in text and "“" not in text) or not material.strip():
        return []
    source = _squeezed(material)
    return [
        Found("quote-not-found", *quoted.span())
        for quoted in _claimed(text)
        if not all(_squeezed(piece) in source for piece in _pieces(quoted))
    ]


def source_faults(text: str, material: str) -> list[Found]:
    """Titles in `[출처: 제목, 쪽]` that the material doesn't name.

    >>> [f.code for f in source_faults("[출처: 공원 지침, 2쪽]", "『주차 지침』 2쪽: 된다.")]
    ['source-not-shown']
    """
    if "[출처" not in text or not material.strip():
        return []
    words = name_key(material)
    return [
        Found("source-not-shown", *source.span("title"))
        for source in _SOURCE.finditer(text)
        if name_key(source["title"]) not in words
    ]


def _citation_faults(text: str, material: str) -> Iterator[Found]:
    words, shown = name_key(material), _Articles(material)
    denied = [span for span in _spans(text) if _DENIED.search(text[slice(*span)])]
    taken: list[tuple[int, int]] = []
    for citation, start, end in located(text):
        taken.append((start, end))
        if _within(start, denied):
            continue
        if name_key(citation.law) not in words:
            if text[start] == "「" and _LEGAL.search(citation.law):
                yield Found("law-not-shown", start, end)
        elif not shown.holds(citation):
            yield Found("article-not-shown", start, end)
    for match in PLACE.finditer(text):
        start, end = match.span()
        if not match[1] or _within(start, taken) or _within(start, denied):
            continue
        if not shown.holds(places(match[0])[0]):
            yield Found("article-not-shown", start, end)


class _Articles:
    """The articles that a material names, and the 항 of those whose text stands there."""

    def __init__(self, material: str) -> None:
        self._paragraphs: dict[str, set[int]] = {}
        self._named = {article_label(p.article, p.branch) for p in places(material)}
        self._places = {p.place for p in places(material)}
        heads = list(_HEAD.finditer(material))
        ends = [*(head.start() for head in heads[1:]), len(material)]
        for head, end in zip(heads, ends, strict=False):
            label = article_label(int(head[1]), int(head[2] or 0))
            numbers = {
                ord(mark) - ord("①") + 1 for mark in _CIRCLED.findall(material[head.end() : end])
            }
            self._paragraphs[label] = self._paragraphs.get(label, set()) | numbers
        self._named |= self._paragraphs.keys()

    def holds(self, place: Citation) -> bool:
        """Whether the article stands there, and the 항 where the article's text does."""
        if not self._named:
            return True
        label = article_label(place.article, place.branch)
        if label not in self._named or place.paragraph is None:
            return label in self._named
        known = self._paragraphs.get(label)
        if known is None or f"{label}제{place.paragraph}항" in self._places:
            return True
        return place.paragraph in (known or {1})


def _within(place: int, spans: list[tuple[int, int]]) -> bool:
    """Whether one of the spans, which are in order and don't overlap, holds the place."""
    before = bisect_right(spans, place, key=itemgetter(0))
    return before > 0 and place < spans[before - 1][1]


def _claimed(text: str) -> Iterator[re.Match[str]]:
    articles, wrong = _ARTICLES.search(text), _WRONG.search(text)
    for quoted in _QUOTED.finditer(text):
        start, end = quoted.span()
        if len(_squeezed(quoted[1] or quoted[2])) < _LONG:
            continue
        in_articles = articles and articles.start("body") <= start < articles.end("body")
        in_wrong = wrong and wrong.start("body") <= start < wrong.end("body")
        line = text[text.rfind("\n", 0, start) + 1 : start]
        if (
            in_articles
            or (in_wrong and "→" not in line)
            or (not in_wrong and _SAID.match(text, end))
        ):
            yield quoted


def _pieces(quoted: re.Match[str]) -> list[str]:
    return [piece.strip(" .,") for piece in _GAP.split(quoted[1] or quoted[2])]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence starts and ends."""
    place = 0
    for sentence in sentences(text):
        start = text.index(sentence, place)
        place = start + len(sentence)
        yield start, place


def _squeezed(text: str) -> str:
    """Letters and digits alone: how a line is broken and set is no part of what it says."""
    return re.sub(r"[\W_]+", "", text)
