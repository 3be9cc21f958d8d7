"""The form of an official document, one small pure function a rule.

By the 「행정업무의 운영 및 혁신에 관한 규정」 (the decree; once called
「행정 효율과 협업 촉진에 관한 규정」) and its 시행규칙 (the rule).

1. A function says yes, no, or None where the text holds nothing that the rule is about.
2. What they leave open is not judged: a year or a month alone, an amount without `금`, special
   signs (□, ○, -) in place of labels.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from yukjo.korean.citations import SUBITEMS
from yukjo.korean.numbers import in_words, parse

VERSION = 1
"""Raised when a rule demands something else than before."""

_NUMERALS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_LETTERS = "㉮㉯㉰㉱㉲㉳㉴㉵㉶㉷㉸㉹㉺㉻"
_LABEL = re.compile(
    rf"^\s*(?:(?P<n1>\d{{1,2}})\.(?!\d)(?!\s?\d{{1,2}}\.(?!\d))|(?P<h1>[{SUBITEMS}])\.|\((?P<n3>\d{{1,2}})\)"
    rf"|\((?P<h3>[{SUBITEMS}])\)|(?P<n2>\d{{1,2}})\)|(?P<h2>[{SUBITEMS}])\)"
    rf"|(?P<n4>[{_NUMERALS}])|(?P<h4>[{_LETTERS}]))\s*\S"
)
_LEVELS = ("n1", "h1", "n2", "h2", "n3", "h3", "n4", "h4")
_FULL_DATE = re.compile(
    r"(?<![\d.,-])(?:19|20)\d\d ?([./-]) ?\d{1,2} ?\1 ?\d{1,2}(?!\d) ?\.?"
    r"|(?<!\d)\d{1,2}월 ?\d{1,2}일"
)
_GOOD_DATE = re.compile(r"(?:19|20)\d\d\. [1-9]\d?\. [1-9]\d?\.")
_TIME = re.compile(
    r"(?<![\d:])(?:(?:오전|오후)\s?)?\d{1,2}(?::\d{2}(?![\d:])|시(?![간도군구의설청])(?:\s?\d{1,2}분)?)"
)
_GOOD_TIME = re.compile(r"(?:[01]\d|2[0-4]):[0-5]\d")
_MONEY = re.compile(r"(?<![가-힣])금\s?(\d[\d,]*)\s?원(\([^()\n]*\))?")
_ATTACHED = re.compile(r"^[ \t]*붙[ \t]*임(?![가-힣])[ \t:]*", re.MULTILINE)
_QUANTITY = re.compile(r"\S.*\d\s?(?:부|매|장|권|개|점|식|철|건|통|책)\.?(?:\s+끝\.)?$")
_NUMBERED = re.compile(r"^(\d{1,2})\.\s+")
_LONGEST = 17
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_ASIDE = re.compile(r"[(（\[「『][^()（）\[\]「」『』\n]*[)）\]」』]")

Form = Callable[[str], bool | None]


class _Label(NamedTuple):
    """An item's label: how deep it stands, and which one of its row it is, from 1."""

    level: int
    place: int


def labels(text: str) -> bool | None:
    r"""Items stand in their order, `1.` `가.` `1)` `가)` `(1)` `(가)` `①` `㉮` (rule, 제2조제1항).

    Each row begins with its first label, leaves none out, and has two at least: the rule asks for
    labels where there are two items or more. What follows 붙임 is a row of its own and no item.

    >>> labels("1. 개요\n  가. 대상\n  나. 기간\n2. 예산"), labels("1. 개요\n3. 예산")
    (True, False)
    """
    rows: list[int] = []
    found = list(_labels(_ATTACHED.split(text)[0]))
    for level, place in found:
        if level == len(rows) + 1:
            rows.append(0)
        # A deeper row that has ended with a single item should have had no label.
        if level > len(rows) or 1 in rows[level:] or place != rows[level - 1] + 1:
            return False
        rows[level - 1 :] = [place]
    return 1 not in rows if found else None


def dates(text: str) -> bool | None:
    """Days are written `2025. 11. 7.` (decree, 제7조제5항).

    >>> dates("2025. 11. 7.부터"), dates("2025. 11. 07."), dates("11월 7일"), dates("2025년")
    (True, False, False, None)
    """
    return _all(_GOOD_DATE.fullmatch(found[0]) is not None for found in _FULL_DATE.finditer(text))


def times(text: str) -> bool | None:
    """Times are written `14:00`, by 24 hours (decree, 제7조제5항).

    >>> times("14:00~15:30"), times("오후 2시"), times("9:00"), times("24시간 안에")
    (True, False, False, None)
    """
    return _all(_GOOD_TIME.fullmatch(found[0]) is not None for found in _TIME.finditer(text))


def money(text: str) -> bool | None:
    """An amount after `금` is said in Hangul beside it (rule, 제2조제2항).

    >>> money("금113,560원(금일십일만삼천오백육십원)"), money("금113,560원"), money("80만 원")
    (True, False, None)
    """
    return _all(_is_said(found) for found in _MONEY.finditer(text))


def attachments(text: str) -> bool | None:
    r"""`붙임` names each enclosure with its quantity; two or more are numbered (rule, 제4조제4항).

    >>> attachments("알려 드립니다.\n붙임  계획서 1부.  끝."), attachments("붙임  계획서  끝.")
    (True, False)
    >>> attachments("붙임  1. 계획서 1부.\n      2. 명단 1부.  끝.")
    True
    """
    parts = _ATTACHED.split(text)
    if len(parts) == 1:
        return None
    rows = [line.strip() for line in parts[-1].strip().split("\n")]
    named = [row for row in rows if row and row != "끝."]
    numbers = [int(found[1]) if (found := _NUMBERED.match(row)) else 0 for row in named]
    wanted = [0] if len(named) == 1 else list(range(1, len(named) + 1))
    return bool(named) and numbers == wanted and all(map(_QUANTITY.search, named))


def hangul(text: str) -> bool | None:
    """Han characters stand in brackets after the Hangul (decree, 제7조제1항).

    >>> hangul("도로(道路) 보수"), hangul("道路 보수"), hangul("도로 보수")
    (True, False, None)
    """
    if not _HAN.search(text):
        return None
    return not _HAN.search(_ASIDE.sub("", text))


FORMS: dict[str, Form] = {
    "labels": labels,
    "dates": dates,
    "times": times,
    "money": money,
    "attachments": attachments,
    "hangul": hangul,
}
"""Every rule by its name. The end mark is `end_mark` of `evaluate.conformance`."""


def _all(kept: Iterator[bool]) -> bool | None:
    """Whether all are kept; None where there is nothing to keep."""
    found = list(kept)
    return all(found) if found else None


def _labels(text: str) -> Iterator[_Label]:
    for line in text.split("\n"):
        match = _LABEL.match(line)
        name = match.lastgroup if match else None
        if match and name:
            yield _Label(_LEVELS.index(name) + 1, _place(match[name]))


def _place(label: str) -> int:
    """Which one of its row a label is, from 1."""
    if label.isdecimal():
        return int(label)
    row = next(row for row in (SUBITEMS, _NUMERALS, _LETTERS) if label in row)
    return row.index(label) + 1


def _is_said(found: re.Match[str]) -> bool:
    """Whether an amount is written with commas and then in Hangul, both the same."""
    value = parse(found[1]) if len(found[1]) < _LONGEST else None
    if value is None:
        return False
    amount = int(value)
    return found[0] == f"금{amount:,}원(금{in_words(amount)}원)"
