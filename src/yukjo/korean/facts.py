"""The checkable facts of a text: dates, times, amounts, figures, articles of law, names, contacts.

Two writings of one fact are one fact: `2025. 11. 7.` and `2025년 11월 7일`, `113,560원` and
`금113,560원(금일십일만삼천오백육십원)` and `11만 3,560원`, `제10조의2 제1항` and `제10조의2제1항`.

1. A piece of text is one fact: a date isn't also three figures, nor a phone number.
2. A day without a year has the last year named before it; `제2항` the last article.
3. A figure is a number with its unit; a bare number is a fact to nobody, but it can ground one.
4. Numbers inside a name of a law or document belong to the name.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from yukjo.korean.citations import PLACE, citations, name_key, places
from yukjo.korean.numbers import NUMBER, parse

VERSION = 1
"""Raised when any text yields other facts than before."""

Kind = Literal["date", "time", "amount", "figure", "article", "name", "contact"]


class Fact(NamedTuple):
    """One fact in its one form."""

    kind: Kind
    value: str


_GONE = " ¶ "
"""Stands where a fact was taken out, so that what stood around it doesn't grow together."""

_ADDRESS = re.compile(
    r"(?a:[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})|https?://[^\s()<>\"'」』\]]+"
)
_PHONE = re.compile(
    r"(?<![\d-])(?:\(?0\d{1,2}\)?[-). ]{1,2}\d{3,4}[-. ]\d{4}|1[568]\d\d-\d{4})(?![\d-])"
)
_NAME = re.compile(
    r"「([^「」\n]{1,100})」|『([^『』\n]{1,100})』|(?<=\[출처:)([^\[\]\n]{1,100}?)(?=(?:,[^\[\],\n]*)?\])"
)
_YEAR = r"(?:19|20)\d\d"
_SHORT_DAY = (
    r"(?:(?<=[~∼～–-])|(?<=[~∼～–-] )|(?<=부터 ))(?P<m5>\d{1,2})\. ?(?P<d5>\d{1,2})\."
    r"|(?P<m8>\d{1,2})\. ?(?P<d8>\d{1,2})\.(?= ?(?:까지|부터|[에은는이의임자~∼～(]|\d\d:\d\d))"
    r"|(?P<m0>\d{1,2})\. ?(?P<d0>\d{1,2})\.(?!\d)"
)
_DATE = re.compile(
    rf"(?<![\d.,])(?:"
    rf"(?P<y1>{_YEAR}) ?(?P<by>[./-]) ?(?P<m1>\d{{1,2}}) ?(?P=by) ?(?P<d1>\d{{1,2}})(?!\d) ?\.?"
    rf"|(?P<y2>{_YEAR})(?P<m2>\d\d)(?P<d2>\d\d)(?!\d)"
    rf"|(?:(?P<y4>{_YEAR}) ?년 ?)?(?P<m4>\d{{1,2}}) ?월 ?(?P<d4>\d{{1,2}}) ?일"
    rf"|(?P<y3>{_YEAR})(?: ?년 ?(?P<m3>\d{{1,2}}) ?월|\. ?(?P<m9>\d{{1,2}})\.)"
    rf"|{_SHORT_DAY}"
    rf"|(?P<y6>{_YEAR}) ?년"
    rf"|(?P<m7>\d{{1,2}})월)"
)
_TIME = re.compile(
    r"(?<![\d:])(?:(?P<half>오전|오후|저녁|밤) ?)?(?P<hour>[0-2]?\d)"
    r"(?::(?P<sharp>[0-5]\d)(?!\d)|시(?![간도군구의설청])(?: ?(?P<minute>[0-5]?\d)분)?)"
)
_UNIT_NOTE = re.compile(r"단위\s?[:：]?\s?[^()\s]{1,10}")
# `만 65세`: 만 says how the age is counted.
_FULL_AGE = re.compile(r"(?<![\d가-힣])만\s?(?=\d{1,3}\s?(?:세|살|년|개월))")
_ITEM = re.compile(r"^\s*[1-9]\d?[.)](?=\s)", re.MULTILINE)
_CIRCLED = re.compile(r"[①-⑳]")
_NOT_NUMBER = re.compile(r"[^\d/]+$")
_BELOW_PARAGRAPH = re.compile(r"(?:제\d+호(?:의\d+)?)?(?:[가-힣]목)?$")
_BELOW_ARTICLE = re.compile(r"(?:제\d+항)?(?:제\d+호(?:의\d+)?)?(?:[가-힣]목)?$")

# Digits may follow a word at once (`총60명`). A number in words may not (`수십 명`), and it is none
# where a word goes on (만일, 조건, 구조, 십분).
_STARTS = (
    r"(?<![A-Za-z\d.,])(?!\s)"
    r"(?:(?=\d)|(?<![가-힣])(?![일이삼사오육칠팔구]?조|억)"
    r"(?![만천백십](?:일|(?![ 이삼사오육칠팔구천백십만]))))"
)
_AFTER = (
    r"(?![가-힣])|이[가상하]|[을를은는의에씩도로와과만당간안내중]"
    r"|까지|으로|미만|초과|마다|동안|부터|정도|가량"
)
_AMOUNT = re.compile(rf"{_STARTS}({NUMBER}) ?원(?![칙장고본서활천래형자료]|가(?!량))")
_PERCENT = {
    "퍼센트포인트": "%p",
    "%포인트": "%p",
    "％p": "%p",
    "%p": "%p",
    "퍼센트": "%",
    "％": "%",
}
# A longer one goes before a shorter one that it begins with.
_UNIT = (
    "퍼센트포인트|%포인트|％p|%p|퍼센트|％|%|kWh|kW|km|kg|cm|mm|m|g|t|L|㎡|㎞|㎏|㎝|㎜|㎥|℃|ℓ|톤|리터"
    "|개월|개소|개|가구|세대|세|시간|주년|주|단계|과목|문항|필지|포기|마리|그루|명|인|건|회|차|대|층|쪽|면|장|매"
    "|권|부|살|년|일|분|초|곳|점|배|등|위|평|호|팀|종|척|편|줄|칸|석|병|끼|급"
)
_FIGURE = re.compile(rf"{_STARTS}({NUMBER})(?:({_UNIT})(?![A-Za-z])| ({_UNIT})(?:{_AFTER}))")
_BARE = re.compile(rf"(?<![A-Za-z\d.])(?<!\d,)(?=\d)({NUMBER})")
_LONG = 40


@dataclass(frozen=True, slots=True)
class Ground:
    """What a text can vouch for: beside its facts, figures that stand there as bare cells."""

    marks: frozenset[Fact]
    words: str
    """All of its letters, for names that stand there without brackets."""

    def holds(self, fact: Fact) -> bool:
        """Whether the fact stands in the text, perhaps in another form.

        >>> ground("참여자(명): 640").holds(Fact("figure", "640명"))
        True
        """
        if fact.kind == "name":
            return fact.value in self.words
        return all(mark in self.marks for mark in _needed(fact))


@lru_cache(maxsize=4096)
def facts(text: str) -> frozenset[Fact]:
    """The facts of a text in NFC.

    >>> sorted(fact.value for fact in facts("2025년 11월 7일, 금3,560원(금삼천오백육십원)"))
    ['2025-11-7', '3560']
    """
    return _read(text)[0]


@lru_cache(maxsize=4096)
def ground(text: str) -> Ground:
    """What `text`, in NFC, can vouch for."""
    # A law's own text numbers its paragraphs ①②, which an answer cites as 제1항, 제2항.
    spelled = _CIRCLED.sub(lambda found: f"제{ord(found[0]) - ord('①') + 1}항 ", text)
    found, rest = _read(_ITEM.sub(_GONE, spelled))
    bare = (_exact(match[1]) for match in _BARE.finditer(rest))
    marks = {mark for fact in found for mark in _offered(fact)}
    return Ground(
        marks=frozenset(marks | {Fact("figure", value) for value in bare if value}),
        words=name_key(text),
    )


_Take = Callable[[re.Match[str]], Fact | None]


def _read(text: str) -> tuple[frozenset[Fact], str]:
    """The facts, and what is left of the text without them."""
    cited = citations(text)
    found = {Fact("name", key) for c in cited if (key := name_key(c.law))}
    found |= {Fact("article", c.place) for c in cited}
    rest = _FULL_AGE.sub("", _UNIT_NOTE.sub(_GONE, text))
    rest = _taken(_ADDRESS, rest, found, _address)
    rest = _taken(_PHONE, rest, found, _phone)
    rest = _taken(_NAME, rest, found, _name)
    found |= {Fact("article", place.place) for place in places(rest)}
    rest = PLACE.sub(_GONE, rest)
    rest = _taken(_DATE, rest, found, _Dates())
    rest = _taken(_TIME, rest, found, _time)
    rest = _taken(_AMOUNT, rest, found, _amount)
    rest = _taken(_FIGURE, rest, found, _figure)
    return frozenset(found), rest


def _taken(pattern: re.Pattern[str], text: str, found: set[Fact], take: _Take) -> str:
    """`text` without the matches that are facts; those go to `found`."""

    def one(match: re.Match[str]) -> str:
        fact = take(match)
        if fact is None:
            return match[0]
        found.add(fact)
        return _GONE

    return pattern.sub(one, text)


def _address(match: re.Match[str]) -> Fact:
    return Fact("contact", match[0].lower().rstrip("./,"))


def _phone(match: re.Match[str]) -> Fact:
    return Fact("contact", re.sub(r"\D", "", match[0]))


def _name(match: re.Match[str]) -> Fact | None:
    key = name_key(next(filter(None, match.groups()), ""))
    return Fact("name", key) if key else None


class _Dates:
    """Reads dates in their order, because a year stands for the days after it."""

    def __init__(self) -> None:
        self.year = ""

    def __call__(self, match: re.Match[str]) -> Fact | None:
        """`year-month-day`, each empty where it isn't known; None where it is no day."""
        named = match.groupdict().items()
        parts = {name[0]: value for name, value in named if value and name != "by"}
        year, month, day = (parts.get(part, "").lstrip("0") for part in "ymd")
        if not _is_day(year or "2000", month or "1", day or "1"):
            return None
        if match["m0"] and int(day) == int(month) + 1:  # `1. 2.` are two labels
            return None
        self.year = year or self.year
        return Fact("date", f"{self.year}-{month}-{day}")


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _time(match: re.Match[str]) -> Fact | None:
    hour = int(match["hour"])
    if match["half"] not in {None, "오전"} and hour < 12:  # noqa: PLR2004 - of the clock
        hour += 12
    minute = match["sharp"] or match["minute"] or "0"
    return Fact("time", f"{hour}:{int(minute):02d}") if hour <= 24 else None  # noqa: PLR2004


def _amount(match: re.Match[str]) -> Fact | None:
    value = _exact(match[1])
    return Fact("amount", value) if value else None


def _figure(match: re.Match[str]) -> Fact | None:
    value, unit = _exact(match[1]), match[2] or match[3]
    return Fact("figure", value + _PERCENT.get(unit, unit)) if value else None


def _exact(text: str) -> str:
    """A number as an exact fraction in digits; "" where it is none, or beyond any document."""
    value = parse(text) if len(text) <= _LONG else None
    return "" if value is None else str(value)


def _needed(fact: Fact) -> Iterator[Fact]:
    """What must stand in a text that vouches for `fact`."""
    if fact.kind == "date":
        year, month, day = fact.value.split("-")
        if month:
            yield Fact("date", f"-{month}-{day}")
        if year:
            yield Fact("figure", year)
    elif fact.kind in {"amount", "figure"}:
        yield Fact("figure", _NOT_NUMBER.sub("", fact.value))
    elif fact.kind == "article":
        # 호 and 목 of a law's own text are `1.` and `가.`: the 항 has to do.
        yield Fact("article", _BELOW_PARAGRAPH.sub("", fact.value))
    else:
        yield fact


def _offered(fact: Fact) -> Iterator[Fact]:
    """What `fact`, standing in a text, vouches for."""
    yield from _needed(fact)
    if fact.kind == "date" and fact.value.rpartition("-")[2]:
        yield Fact("date", f"-{fact.value.split('-')[1]}-")
    if fact.kind == "article":
        yield Fact("article", _BELOW_ARTICLE.sub("", fact.value))
