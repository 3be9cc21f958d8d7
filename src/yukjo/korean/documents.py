"""The form of an official document, one small pure function a rule.

By the 「행정업무의 운영 및 혁신에 관한 규정」 (the decree; once called
「행정 효율과 협업 촉진에 관한 규정」) and its 시행규칙 (the rule).

1. A form says yes, no, or None where the text holds nothing that the rule is about; `faults` says
   where it is broken, and what should stand there where that can be told.
2. What they leave open is not judged: a year or a month alone, an amount without `금`, special
   signs (□, ○, -) in place of labels.
3. `document_faults` knows two rules more, which are no forms of `FORMS`: the end mark and the six
   sections.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from yukjo.korean.citations import SUBITEMS
from yukjo.korean.found import Found, in_order
from yukjo.korean.numbers import in_words, parse

VERSION = 2
"""Raised when a rule demands something else than before. 2: `3. 12. 31. 완료` has a label, 3."""

_NUMERALS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_LETTERS = "㉮㉯㉰㉱㉲㉳㉴㉵㉶㉷㉸㉹㉺㉻"
_LABEL = re.compile(
    rf"^[ \t]*(?:(?P<n1>\d{{1,2}})\.(?!\d)(?!\s?\d{{1,2}}\.(?!\d|\s?\d{{1,2}}\.))"
    rf"|(?P<h1>[{SUBITEMS}])\.|\((?P<n3>\d{{1,2}})\)"
    rf"|\((?P<h3>[{SUBITEMS}])\)|(?P<n2>\d{{1,2}})\)|(?P<h2>[{SUBITEMS}])\)"
    rf"|(?P<n4>[{_NUMERALS}])|(?P<h4>[{_LETTERS}]))[^\S\n]*(?=\S)",
    re.MULTILINE,
)
_LEVELS = ("n1", "h1", "n2", "h2", "n3", "h3", "n4", "h4")
_FULL_DATE = re.compile(
    r"(?<![\d.,-])(?:19|20)\d\d ?([./-]) ?\d{1,2} ?\1 ?\d{1,2}(?!\d) ?\.?"
    r"|(?<!\d)(?:(?:19|20)\d\d ?년 ?)?\d{1,2}월 ?\d{1,2}일"
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
_ROW = re.compile(r"\S.*")
_LONGEST = 17
_DIGIT = re.compile(r"\d")
_HALF_DAY = 12
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_ASIDE = re.compile(r"[(（\[「『][^()（）\[\]「」『』\n]*[)）\]」』]")

Form = Callable[[str], bool | None]
Looked = Found | None
"""A place that a rule looked at: its fault, or None where it is well."""


class _Label(NamedTuple):
    """An item's label: how deep it stands, which one of its row it is from 1, and where."""

    level: int
    place: int
    start: int
    end: int


def labels(text: str) -> bool | None:
    r"""Items stand in their order, `1.` `가.` `1)` `가)` `(1)` `(가)` `①` `㉮` (rule, 제2조제1항).

    Each row begins with its first label, leaves none out, and has two at least: the rule asks for
    labels where there are two items or more. What follows 붙임 is a row of its own and no item.

    >>> labels("1. 개요\n  가. 대상\n  나. 기간\n2. 예산"), labels("1. 개요\n3. 예산")
    (True, False)
    """
    return _all(_labels_looked(text))


def dates(text: str) -> bool | None:
    """Days are written `2025. 11. 7.` (decree, 제7조제5항).

    >>> dates("2025. 11. 7.부터"), dates("2025. 11. 07."), dates("11월 7일"), dates("2025년")
    (True, False, False, None)
    """
    return _all(_dates_looked(text))


def times(text: str) -> bool | None:
    """Times are written `14:00`, by 24 hours (decree, 제7조제5항).

    >>> times("14:00~15:30"), times("오후 2시"), times("9:00"), times("24시간 안에")
    (True, False, False, None)
    """
    return _all(_times_looked(text))


def money(text: str) -> bool | None:
    """An amount after `금` is said in Hangul beside it (rule, 제2조제2항).

    >>> money("금113,560원(금일십일만삼천오백육십원)"), money("금113,560원"), money("80만 원")
    (True, False, None)
    """
    return _all(_money_looked(text))


def attachments(text: str) -> bool | None:
    r"""`붙임` names each enclosure with its quantity; two or more are numbered (rule, 제4조제4항).

    >>> attachments("알려 드립니다.\n붙임  계획서 1부.  끝."), attachments("붙임  계획서  끝.")
    (True, False)
    >>> attachments("붙임  1. 계획서 1부.\n      2. 명단 1부.  끝.")
    True
    """
    return _all(_attachments_looked(text))


def hangul(text: str) -> bool | None:
    """Han characters stand in brackets after the Hangul (decree, 제7조제1항).

    >>> hangul("도로(道路) 보수"), hangul("道路 보수"), hangul("도로 보수")
    (True, False, None)
    """
    return _all(_hangul_looked(text))


FORMS: dict[str, Form] = {
    "labels": labels,
    "dates": dates,
    "times": times,
    "money": money,
    "attachments": attachments,
    "hangul": hangul,
}
"""Every rule by its name. The end mark is `end_mark` of `evaluate.conformance`."""


def faults(text: str) -> list[Found]:
    """Every place in `text`, in NFC, that breaks a form, with what should stand there.

    >>> [(f.code, f.mend) for f in faults("11월 7일 오후 2시")]
    [('doc-date', '11. 7.'), ('doc-time', '14:00')]
    """
    looks = _LOOKS if _DIGIT.search(text) else _OF_WORDS
    return in_order(found for look in looks for found in look(text) if found)


def _all(looked: Iterable[Looked]) -> bool | None:
    """Whether every place is well; None where there was none to look at."""
    found = list(looked)
    return not any(found) if found else None


def _labels_looked(text: str) -> Iterator[Looked]:
    rows: list[_Label] = []
    body = _ATTACHED.split(text)[0]
    for label in _labels(body):
        level = label.level
        # A deeper row that has ended with a single item should have had no label.
        for alone in [row for row in rows[level:] if row.place == 1]:
            yield Found("doc-labels", alone.start, alone.end)
        before = rows[level - 1].place if level <= len(rows) else 0
        if level > len(rows) + 1:
            yield Found("doc-labels", label.start, label.end, _label_written(len(rows) + 1, 1))
            # What hangs below it can't be judged.
            rows += [label._replace(place=0)] * (level - len(rows) - 1)
        elif label.place != before + 1:
            yield Found("doc-labels", label.start, label.end, _label_written(level, before + 1))
        else:
            yield None
        rows[level - 1 :] = [label]
    for alone in [row for row in rows if row.place == 1]:
        yield Found("doc-labels", alone.start, alone.end)


def _dates_looked(text: str) -> Iterator[Looked]:
    for match in _FULL_DATE.finditer(text):
        if _GOOD_DATE.fullmatch(match[0]):
            yield None
        else:
            parts = [int(part) for part in re.findall(r"\d+", match[0])]
            good = " ".join(f"{part}." for part in parts)
            yield Found("doc-date", match.start(), match.end(), good)


def _times_looked(text: str) -> Iterator[Looked]:
    for match in _TIME.finditer(text):
        if _GOOD_TIME.fullmatch(match[0]):
            yield None
            continue
        hour, *minutes = (int(part) for part in re.findall(r"\d+", match[0]))
        hour += _HALF_DAY if match[0].startswith("오후") and hour < _HALF_DAY else 0
        good = f"{hour:02d}:{(minutes or [0])[0]:02d}"
        mend = good if _GOOD_TIME.fullmatch(good) else ""
        yield Found("doc-time", match.start(), match.end(), mend)


def _money_looked(text: str) -> Iterator[Looked]:
    for match in _MONEY.finditer(text):
        value = parse(match[1]) if len(match[1]) < _LONGEST else None
        good = f"금{int(value):,}원(금{in_words(int(value))}원)" if value is not None else ""
        # `금100원(부가세 포함)` has a bracket, and no words of the amount in it.
        end = match.end() if (match[2] or "(금").startswith("(금") else match.start(2)
        yield None if match[0] == good else Found("doc-money", match.start(), end, good)


def _attachments_looked(text: str) -> Iterator[Looked]:
    every = list(_ATTACHED.finditer(text)) if "붙" in text else []
    if not every:
        return
    last = every[-1]
    named = [
        (last.end() + found.start(), found[0].strip())
        for found in _ROW.finditer(text[last.end() :])
        if found[0].strip() != "끝."
    ]
    if not named:
        yield Found("doc-attachment", last.start(), last.end())
    for count, (start, row) in enumerate(named, 1):
        number = int(found[1]) if (found := _NUMBERED.match(row)) else 0
        wanted = count if len(named) > 1 else 0
        if number == wanted and _QUANTITY.search(row):
            yield None
            continue
        plain = _NUMBERED.sub("", row)
        mend = f"{wanted}. {plain}" if wanted else plain
        yield Found(
            "doc-attachment", start, start + len(row), mend if _QUANTITY.search(row) else ""
        )


def _hangul_looked(text: str) -> Iterator[Looked]:
    if not _HAN.search(text):
        return
    aside = [found.span() for found in _ASIDE.finditer(text)]
    for match in re.finditer(f"{_HAN.pattern}+", text):
        inside = any(start < match.start() < end for start, end in aside)
        yield None if inside else Found("doc-han", match.start(), match.end())


_OF_WORDS: tuple[Callable[[str], Iterator[Looked]], ...] = (
    _labels_looked,
    _attachments_looked,
    _hangul_looked,
)
_LOOKS = (*_OF_WORDS, _dates_looked, _times_looked, _money_looked)


def _labels(text: str) -> Iterator[_Label]:
    for match in _LABEL.finditer(text):
        name = match.lastgroup
        assert name, "each way of a label has a name"
        start, end = match.span(name)
        level, place = _LEVELS.index(name) + 1, _place(match[name])
        yield _Label(level, place, start, end)


def _place(label: str) -> int:
    """Which one of its row a label is, from 1."""
    if label.isdecimal():
        return int(label)
    row = next(row for row in (SUBITEMS, _NUMERALS, _LETTERS) if label in row)
    return row.index(label) + 1


def _label_written(level: int, place: int) -> str:
    """The letters of a label, without its full stop or brackets; "" beyond its row."""
    row = {"n4": _NUMERALS, "h4": _LETTERS}.get(name := _LEVELS[level - 1], SUBITEMS)
    if name in {"n1", "n2", "n3"}:
        return str(place)
    return row[place - 1] if place <= len(row) else ""
