"""A law and its articles, from the XML of law.go.kr's open API or from plain text.

Three forms are read: statutes (`법령`: 조문단위 with 항, 호 and 목 as elements), ordinances
(`LawService`: 조 whose text is flat) and text as law.go.kr prints it (`[시행 2026. 1. 1.]`).

1. The day an article takes effect is its own 조문시행일자 or `[시행일: …]`, else the law's. Flags
   that call a version current are not read: they are wrong for versions to come.
2. A place is found by its numbers, 가지번호 included; labels in the text are never renumbered.
3. XML is read without DTD and entities.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from yukjo.errors import DataError
from yukjo.korean.citations import SUBITEMS, Citation, article_label
from yukjo.korean.days import days
from yukjo.korean.text import visible
from yukjo.reading.documents import decoded
from yukjo.records import Frozen
from yukjo.words import say

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ROUND = "①-⑳㉑-㉟㊱-㊿"
_HEAD = re.compile(r"제(\d+)조(?:의(\d+))?\s*(?:\(([^)\n]*)\))?\s*")
_HEAD_LINE = re.compile(r"^[ \t]*제(\d+)조(?:의(\d+))?(\(| )", re.MULTILINE)
_ADDENDA = re.compile(r"^[ \t]*부[ \t]*칙\b.*", re.MULTILINE | re.DOTALL)
_CHAPTER = re.compile(r"^[ \t]*제\d+[편장절관](?:의\d+)?[ \t].*$", re.MULTILINE)
_DELETED = re.compile(r"\s*삭제\b")
_STARTS = re.compile(r"\[시행일\s*[:：]\s*([^\]]+)\]")
_INFORCE = re.compile(r"\[시행\s+([^\]]+)\]")
_SHORT = re.compile(r"약칭\s*[:：]\s*([^)\n]+)")
_CIRCLED = re.compile(f"[{_ROUND}]")
_PARAGRAPH = re.compile(rf"(?:^|(?<=[\s)]))(?=[{_ROUND}])", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*(\d+)(?:의(\d+))?\.[ \t]", re.MULTILINE)
_SUBITEM = re.compile(rf"^[ \t]*([{SUBITEMS}])\.[ \t]", re.MULTILINE)


class Part(Frozen):
    """A 항, 호 or 목: where it stands, and its own text without what stands below it."""

    paragraph: int | None = None
    item: int | None = None
    item_branch: int = 0
    subitem: str | None = None
    text: str


class Article(Frozen):
    """A 조."""

    number: int
    branch: int = 0
    title: str = ""
    effective: date | None = None
    """Where it differs from its law's."""
    text: str
    """All of it, as it stands."""
    parts: tuple[Part, ...] = ()
    deleted: bool = False

    @property
    def label(self) -> str:
        """`제10조의2`."""
        return article_label(self.number, self.branch)

    def at(self, place: Citation) -> str | None:
        """The text at a place in this article, with all below it; None where there is none."""
        if place.paragraph is None and place.item is None and place.subitem is None:
            return self.text
        found = [part.text for part in self.parts if _within(part, place)]
        return "\n".join(found) if found else None


class Law(Frozen):
    """One version of a law."""

    name: str
    short: str = ""
    """약칭; "" where the file gives none."""
    number: str = ""
    """공포번호."""
    promulgated: date | None = None
    effective: date
    """시행일자 of this version."""
    articles: tuple[Article, ...]

    def article(self, number: int, branch: int) -> Article | None:
        """The article of that number."""
        same = (a for a in self.articles if (a.number, a.branch) == (number, branch))
        return next(same, None)

    def starts(self, article: Article) -> date:
        """The day from which `article` holds as this version words it."""
        return article.effective or self.effective


def read_law(path: Path) -> Law:
    """The law in a file; DataError where it holds none."""
    if path.suffix.lower() == ".xml":
        return _from_xml(path)
    return _from_text(visible(decoded(path)), path)


def _within(part: Part, place: Citation) -> bool:
    """Whether a part is the place or stands below it."""
    return (
        part.paragraph == place.paragraph
        and (place.item is None or (part.item, part.item_branch) == (place.item, place.item_branch))
        and (place.subitem is None or part.subitem == place.subitem)
    )


def _refused(path: Path, why: str) -> DataError:
    return DataError(
        say("no law can be read here: {why}", why=why),
        where=str(path),
        fix=say("save it from law.go.kr as XML, or as text that begins with name and [시행 day]"),
    )


def _from_xml(path: Path) -> Law:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(path.read_bytes(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as fault:
        raise _refused(path, say("the XML is broken or not allowed ({fault})",
                                 fault=type(fault).__name__)) from None  # fmt: skip
    name = _first(root, "법령명_한글", "자치법규명", "행정규칙명")
    effective = _day(_first(root, "시행일자"))
    articles = (
        *map(_statute_article, root.iter("조문단위")),
        *map(_ordinance_article, root.iter("조")),
    )
    found = tuple(article for article in articles if article is not None)
    if not name or effective is None or not found:
        raise _refused(path, say("name, 시행일자 or articles are missing"))
    return Law(
        name=name,
        short=_first(root, "법령명약칭", "법령약칭명"),
        number=_first(root, "공포번호"),
        promulgated=_day(_first(root, "공포일자")),
        effective=effective,
        articles=_dated(found, effective),
    )


def _statute_article(unit: "Element") -> Article | None:
    """A 조문단위; None for the title of a chapter."""
    number = _own(unit, "조문번호")
    if _own(unit, "조문여부") != "조문" or not number.isdecimal():
        return None
    lead = _own(unit, "조문내용")
    parts = tuple(_statute_parts(unit))
    return Article(
        number=int(number),
        branch=_number(_own(unit, "조문가지번호")),
        title=_own(unit, "조문제목"),
        effective=_day(_own(unit, "조문시행일자")),
        text="\n".join([lead, *(part.text for part in parts)]),
        parts=parts,
        deleted=_is_deleted(lead),
    )


def _statute_parts(unit: "Element") -> Iterator[Part]:
    """항, 호 and 목 in their order; 호 that need no 항 stand in one without a number."""
    for first in unit.findall("항"):
        paragraph = _number(_own(first, "항번호")) or None
        if text := _own(first, "항내용"):
            yield Part(paragraph=paragraph, text=text)
        for second in first.findall("호"):
            item, branch = _number(_own(second, "호번호")), _number(_own(second, "호가지번호"))
            yield Part(paragraph=paragraph, item=item, item_branch=branch,
                       text=_own(second, "호내용"))  # fmt: skip
            for third in second.findall("목"):
                letter, said = _own(third, "목번호")[:1], _own(third, "목내용")
                yield Part(paragraph=paragraph, item=item, item_branch=branch, subitem=letter,
                           text=said)  # fmt: skip


def _ordinance_article(unit: "Element") -> Article | None:
    """A 조, whose 조문번호 is four digits of number and two of 가지번호; None for a chapter."""
    if _own(unit, "조문여부") == "N":
        return None
    made = _flat_article(_own(unit, "조내용"))
    return made and made.model_copy(update={"title": _own(unit, "조제목") or made.title})


def _from_text(text: str, path: Path) -> Law:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    stated = _INFORCE.search(text)
    day = days(stated[1]) if stated else []
    body = _CHAPTER.sub("", _ADDENDA.sub("", text))
    articles = map(_flat_article, _articles(body))
    found = tuple(article for article in articles if article is not None)
    if not day or not found:
        raise _refused(path, say("name, 시행일자 or articles are missing"))
    short = _SHORT.search(text)
    number = re.search(r"제(\d+)호", text[: body.find(found[0].text)])
    return Law(
        name=re.sub(r"\s*\(\s*약칭.*", "", lines[0]),
        short=short[1].strip() if short else "",
        number=number[1] if number else "",
        effective=day[0],
        articles=_dated(found, day[0]),
    )


def _articles(body: str) -> list[str]:
    """The articles of a text.

    One without a title is known by its number, which follows the last: a line may also begin with
    the 조 that it refers to. 가지번호 begin with 2.
    """
    starts, number, branch = list[int](), 0, 0
    for head in _HEAD_LINE.finditer(body):
        place = int(head[1]), int(head[2] or 0)
        follows = place in {(number + 1, 0), (number, max(2, branch + 1))}
        if head[3] == "(" or follows:
            starts.append(head.start())
            number, branch = place
    return [body[start:end] for start, end in pairwise([*starts, len(body)])]


def _flat_article(text: str) -> Article | None:
    """An article whose 항, 호 and 목 are lines of one text."""
    text = "\n".join(line.strip() for line in text.splitlines() if line.strip())
    head = _HEAD.match(text)
    if head is None:
        return None
    starts = _STARTS.search(text)
    day = days(starts[1]) if starts else []
    return Article(
        number=int(head[1]),
        branch=int(head[2] or 0),
        title=head[3] or "",
        effective=day[0] if day else None,
        text=text,
        parts=tuple(_flat_parts(text[head.end() :])),
        deleted=_is_deleted(text),
    )


def _flat_parts(body: str) -> Iterator[Part]:
    for piece in _PARAGRAPH.split(body):
        paragraph = _number(piece) if _CIRCLED.match(piece) else None
        lead, items = _cut(_ITEM, piece)
        if paragraph:
            yield Part(paragraph=paragraph, text=lead)
        for (number, branch), text in items:
            item = {"paragraph": paragraph, "item": int(number), "item_branch": int(branch or 0)}
            own, below = _cut(_SUBITEM, text)
            yield Part(**item, text=own)
            for (letter,), said in below:
                yield Part(**item, subitem=letter, text=said)


def _cut(label: re.Pattern[str], text: str) -> tuple[str, list[tuple[tuple[str, ...], str]]]:
    """What stands before the first label; and each label's groups with the text it opens."""
    found = list(label.finditer(text))
    starts = [match.start() for match in found] + [len(text)]
    below = [text[start:end].strip() for start, end in pairwise(starts)]
    return text[: starts[0]].strip(), [
        (m.groups(), said) for m, said in zip(found, below, strict=True)
    ]


def _dated(articles: tuple[Article, ...], effective: date) -> tuple[Article, ...]:
    """Articles keep a day of their own only where it is later: they can't precede their law."""
    return tuple(
        a if a.effective and a.effective > effective else a.model_copy(update={"effective": None})
        for a in articles
    )


def _is_deleted(text: str) -> bool:
    head = _HEAD.match(text)
    return head is not None and _DELETED.match(text, head.end()) is not None


def _first(root: "Element", *names: str) -> str:
    """The text of the first element called one of `names`, wherever it stands."""
    found = (_said(element) for name in names for element in root.iter(name))
    return next((text for text in found if text), "")


def _own(parent: "Element", name: str) -> str:
    child = parent.find(name)
    return "" if child is None else _said(child)


def _said(element: "Element") -> str:
    lines = (line.strip() for line in visible("".join(element.itertext())).splitlines())
    return "\n".join(line for line in lines if line)


def _day(text: str) -> date | None:
    found = days(text)
    return found[0] if found else None


def _number(text: str) -> int:
    """The number a label begins with, `12.` or `③`; 0 where it begins with none."""
    if digits := re.match(r"\d+", text):
        return int(digits[0])
    return int(unicodedata.numeric(text[:1], 0)) if text else 0
