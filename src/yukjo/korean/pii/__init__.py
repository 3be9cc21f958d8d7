"""Personal data in Korean text: what kind, where, and the text without it.

    find(text)   -> hits, in their order; none overlaps another
    masked(text) -> the text with `[주민등록번호]` and the like in the place of each hit

1. A text is read in one form (full-width digits, any dash, spaces inside numbers); positions are
   those of the text as given, which is never changed but where a hit stands.
2. A check digit that doesn't fit clears nothing.
3. Placeholders are no hits: `[이름]` and its like, zeros (`010-0000-0000`), `*`, `○`, `X`.
4. What is masked holds no hit: masking again changes nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from operator import itemgetter

from yukjo.korean.pii import contacts, names, numbers, places
from yukjo.korean.pii.fold import fold
from yukjo.korean.pii.gate import long_numbers, points
from yukjo.korean.pii.kinds import KINDS, Hit, Kind, Level
from yukjo.korean.text import has_digit

__all__ = ["KINDS", "Hit", "Kind", "Level", "contact", "find", "masked", "shape"]

_DIGITS = re.compile("[0-9]+")
_AREA = re.compile("0[2-7]|82")
_HALF, _RESIDENT, _CARD = 6, 13, 15
"""Digits of the longest group that a 주민등록번호 has at least, of all of it, of a card."""
_LEAD, _TRAIL = 6, 4
"""What may stand before and after the digits of a number and belongs to it."""


def find(text: str, *, allowed: Collection[str] = ()) -> tuple[Hit, ...]:
    """The personal data in a text; `allowed` are contacts that may stand, as `contact` makes them.

    >>> [hit.kind for hit in find("성명: 곽도윤, ０１０ 0123 4567")]
    ['name', 'mobile']
    """
    folded = fold(text)
    hits = _apart(_found(folded.text, allowed))
    if not hits:
        return ()
    hits = _apart([*hits, *names.beside(folded.text, hits)])
    return tuple(sorted(hit._replace(start=start, end=end) for hit in hits
                        for start, end in (folded.span(hit.start, hit.end),)))  # fmt: skip


def masked(text: str, *, allowed: Collection[str] = ()) -> tuple[str, tuple[Hit, ...]]:
    """The text with a placeholder for each hit, and the hits at their places in `text`.

    A number that only shows once its neighbour is gone is masked too.

    >>> masked("연락처: 010-0123-4567")[0]
    '연락처: [휴대전화번호]'
    """
    taken: list[Hit] = []
    while True:
        written, starts = _written(text, taken)
        more = find(written, allowed=allowed)
        if not more:
            return written, tuple(taken)
        taken = sorted([*taken, *(_back(hit, starts, len(text)) for hit in more)])


def shape(value: str) -> str:
    """What a value looks like without saying it: its letters and digits are stars.

    >>> shape("010-0123-4567"), shape("haru@naver.com")
    ('***-****-****', '****@*****.***')
    """
    return re.sub(r"\w", "*", value.replace("_", "*"))


def contact(text: str) -> str:
    """A telephone number, an e-mail address or `@domain` in the form that `allowed` compares.

    >>> contact("02-0123-4567"), contact("+82 2 0123 4567"), contact("Haru@Naver.com")
    ('0201234567', '0201234567', 'haru@naver.com')
    """
    if "@" in text:
        return text.strip().lower()
    number = numbers.digits(text)
    return "0" + number[2:].removeprefix("0") if text.strip().startswith("+82") else number


def _found(text: str, allowed: Collection[str]) -> Iterator[Hit]:
    """Whatever is found in a folded text, the surest kinds first."""
    told: dict[str, list[int]] = {}
    for rule, place in points(text):
        told.setdefault(rule, []).append(place)
    if "email" in told:
        yield from contacts.emails(text, allowed)
    if "spoken" in told:
        yield from contacts.spoken(text, allowed)
    if has_digit(text):
        yield from _numbers(text, allowed, told)
    if "label" in told:
        yield from names.labelled(text)
    for place in told.get("title", ()):
        yield from names.titled(text, place)
        yield from names.after_title(text, place)
    for place in told.get("closing", ()):
        yield from names.closed(text, place)


def _numbers(text: str, allowed: Collection[str], told: Collection[str]) -> Iterator[Hit]:
    """What holds digits."""
    for start, end in long_numbers(text):
        yield from _long(text, start, end, allowed)
    if "tail" in told:
        yield from numbers.tails(text)
    if "passport" in told:
        yield from numbers.passports(text)
    if places.are_near(text):
        yield from places.plates(text)
        yield from places.addresses(text)
    if "motorcycle" in told:
        yield from places.old_plates(text)
    if "network" in told:
        yield from contacts.networks(text)
    if "birth" in told:
        yield from places.births(text)


def _long(text: str, start: int, end: int, allowed: Collection[str]) -> Iterator[Hit]:
    """Long numbers between two places; how the digits are grouped says what may be there."""
    window = (text, max(0, start - _LEAD), end + _TRAIL)
    piece = text[start:end]
    groups = list(map(len, _DIGITS.findall(piece)))
    count, longest = sum(groups), max(groups)
    if count >= _RESIDENT and (longest >= _HALF or longest == 1):
        yield from numbers.residents(*window)
    if "01" in piece or "82" in piece or longest == 1:
        yield from contacts.mobiles(*window, allowed)
    if longest >= _HALF:
        yield from numbers.licences(*window)
        yield from numbers.insurances(*window)
    if count >= _CARD:
        yield from numbers.cards(*window)
    if "-" in piece or " " in piece or longest > _HALF:
        yield from numbers.accounts(*window)
        yield from numbers.businesses(*window)
    if _AREA.search(piece):
        yield from contacts.phones(*window, allowed)


def _apart(hits: Iterable[Hit]) -> list[Hit]:
    """Hits none of which overlaps another: the first kind stays, and takes in what overlaps it."""
    kept: list[tuple[int, Hit]] = []
    for order, hit in sorted(enumerate(hits), key=lambda pair: pair[1].start):
        if kept and hit.start < kept[-1][1].end:
            (before, other) = kept.pop()
            end = max(hit.end, other.end)
            surer = hit if order < before else other
            kept.append((min(order, before), surer._replace(start=other.start, end=end)))
        else:
            kept.append((order, hit))
    return [hit for _, hit in kept]


def _written(text: str, taken: list[Hit]) -> tuple[str, list[tuple[int, int]]]:
    """The text with placeholders, and for each part of it where it begins there and in `text`."""
    parts: list[str] = []
    starts: list[tuple[int, int]] = []
    size = begin = 0
    for hit in taken:
        starts.append((size, begin))
        parts += (text[begin : hit.start], KINDS[hit.kind].placeholder)
        size += sum(map(len, parts[-2:]))
        begin = hit.end
    return "".join((*parts, text[begin:])), [*starts, (size, begin)]


def _back(hit: Hit, starts: list[tuple[int, int]], size: int) -> Hit:
    """A hit in a written text at its place in the text itself."""
    there, here = starts[bisect_right(starts, hit.start, key=itemgetter(0)) - 1]
    assert 0 <= hit.start - there + here <= size
    return hit._replace(start=hit.start - there + here, end=hit.end - there + here)
