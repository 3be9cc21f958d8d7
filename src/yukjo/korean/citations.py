"""Citations of law: `「법률명」 제10조의2제1항제3호가목`, found in a text and written in one form.

The form is that of 법제처's 법령 입안·심사 기준: name in 「」, one space, then no inner space.

1. A name in 「」 is taken as it stands; without 「」 it must be a known name, or one word that ends
   as names of laws do.
2. `같은 법` means the last law cited before, in the same text.
3. Two writings of a name are one name if their `name_key` is one: spaces and middle dots, which
   are written in four ways, don't count.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from yukjo.korean.text import fold

SUBITEMS = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허"
"""Letters of 목, in their order."""

_DOTS = "·ㆍ‧・"
_S = r"[ \t]*"
_NUMBER = r"(\d{1,4})"
# `제5조의 80만 원` is an amount by article 5, and no article 5-80.
_BRANCH = rf"(?:{_S}의{_S}(\d{{1,3}})(?![\d,.]*{_S}[만천백억원명건개분%]))?"
_ARTICLE = rf"(?:제{_S})?{_NUMBER}{_S}조{_BRANCH}"
_BELOW = (
    rf"(?:{_S}(?:제{_S})?{_NUMBER}{_S}항)?(?:{_S}(?:제{_S})?{_NUMBER}{_S}호{_BRANCH})?"
    rf"(?:{_S}([{SUBITEMS}]){_S}목)?"
)
_WORD = r"(?!시행)[가-힣]{1,30}(?:법률|법|령|규칙|조례)"
_AGAIN = rf"(?:같은|동){_S}(?:법률|법|영|령|규칙|조례)(?:{_S}(시행령|시행규칙))?"
PLACE = re.compile(
    rf"제{_S}{_NUMBER}{_S}조{_BRANCH}{_BELOW}"
    rf"|제{_S}(?P<paragraph>\d{{1,4}}){_S}항(?:{_S}제{_S}(?P<item_below>\d{{1,4}}){_S}호)?"
    rf"|제{_S}(?P<item>\d{{1,4}}){_S}호(?!{_S}서식)"
)
"""A place in a law with `제`, whether or not a law is named; `places` reads it."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a law."""

    law: str
    article: int
    branch: int = 0
    """가지번호: 2 of 제10조의2; 0 where there is none."""
    paragraph: int | None = None
    """항"""
    item: int | None = None
    """호"""
    item_branch: int = 0
    """가지번호 of the 호."""
    subitem: str | None = None
    """목"""

    @property
    def place(self) -> str:
        """Where in the law, without its name.

        >>> Citation("도서관법", 10, 2, 1, 3).place
        '제10조의2제1항제3호'
        """
        return article_label(self.article, self.branch) + "".join(
            (
                f"제{self.paragraph}항" if self.paragraph else "",
                f"제{self.item}호" if self.item else "",
                f"의{self.item_branch}" if self.item and self.item_branch else "",
                f"{self.subitem}목" if self.subitem else "",
            )
        )

    def __str__(self) -> str:
        return f"「{self.law}」 {self.place}"


def article_label(article: int, branch: int) -> str:
    """`제10조의2`."""
    return f"제{article}조" + (f"의{branch}" if branch else "")


def citations(text: str, known: Iterable[str] = ()) -> list[Citation]:
    """Every citation in `text`, in order; names in `known` are recognised without 「」.

    >>> [str(c) for c in citations("「도서관법」제10조의 2 제1항 및 같은 법 제3조")]
    ['「도서관법」 제10조의2제1항', '「도서관법」 제3조']
    >>> [str(c) for c in citations("주차장 조례 5조 2항", ["주차장 조례"])]
    ['「주차장 조례」 제5조제2항']
    """
    return [citation for citation, _, _ in located(text, known)]


def located(text: str, known: Iterable[str] = ()) -> list[tuple[Citation, int, int]]:
    """Every citation in `text`, in order, with where it starts and ends.

    >>> [(start, end) for _, start, end in located("「도서관법」 제10조와 같은 법 제3조")]
    [(0, 11), (13, 21)]
    """
    found: list[tuple[Citation, int, int]] = []
    for match in _pattern(known).finditer(text):
        quoted, named, again, decree, word, *numbers = match.groups()
        if again and not found:
            continue
        name = f"{found[-1][0].law} {decree or ''}" if again else quoted or named or word
        found.append((_made(" ".join(name.split()), numbers), *match.span()))
    return found


def places(text: str) -> list[Citation]:
    """Every place named with `제`, in order, each without its law.

    `제2항` after 제6조제1항 is 제6조제2항, as drafters of law abbreviate; without an article before
    it, it is left out.

    >>> [place.place for place in places("제6조 제1항, 같은 조 제2항 및 제3호, 제10조의2")]
    ['제6조제1항', '제6조제2항', '제6조제2항제3호', '제10조의2']
    """
    found: list[Citation] = []
    for match in PLACE.finditer(text):
        if match[1]:
            found.append(_made("", list(match.groups()[:6])))
        elif found:
            found.append(_below(found[-1], match))
    return found


def name_key(name: str) -> str:
    """What two writings of a law's name share.

    >>> name_key("자연ㆍ환경 조례") == name_key("자연·환경조례")
    True
    """
    # ㆍ is a letter to Unicode, the old vowel araea, and a middle dot to law.go.kr.
    return fold(re.sub(f"[{_DOTS}]", "", name))


def _pattern(known: Iterable[str]) -> re.Pattern[str]:
    """A name and a place. A longer known name goes before a shorter one that it holds."""
    longest_first = sorted(known, key=len, reverse=True)
    names = "|".join(_loose(name) for name in longest_first if name_key(name))
    return re.compile(
        rf"(?:「([^「」\n]{{1,100}})」|({names or '(?!)'})|({_AGAIN})|(?<![가-힣])({_WORD}))"
        rf"{_S}{_ARTICLE}{_BELOW}"
    )


def _loose(name: str) -> str:
    """A name as a pattern that doesn't care for spaces and middle dots."""
    return rf"[\s{_DOTS}]*".join(re.escape(letter) for letter in name if name_key(letter))


def _made(law: str, numbers: list[str | None]) -> Citation:
    article, branch, paragraph, item, item_branch, subitem = numbers
    return Citation(
        law=law,
        article=int(article or 0),
        branch=int(branch or 0),
        paragraph=int(paragraph) if paragraph else None,
        item=int(item) if item else None,
        item_branch=int(item_branch or 0),
        subitem=subitem,
    )


def _below(last: Citation, match: re.Match[str]) -> Citation:
    """A 항 or 호 that stands without its article, under the article of the place before."""
    paragraph = int(match["paragraph"]) if match["paragraph"] else last.paragraph
    item = match["item_below"] or match["item"]
    return replace(last, paragraph=paragraph, item=int(item) if item else None, item_branch=0,
                   subitem=None)  # fmt: skip
