"""Numbers that the state, a bank or a card company gave to a person, in folded text.

A hit needs one of: a form of its own, a word beside it that names it, a check digit that fits.
None of the three clears what another has found; only a date that can't be, in a number that
nothing else names, does.
"""

import re
from collections.abc import Iterator

from yukjo.korean.pii import checksums
from yukjo.korean.pii.around import REGIONS, after, before, is_thing
from yukjo.korean.pii.kinds import Hit

_CUT = r"(?: ?[-./·_~] ?| )"
_RESIDENT = re.compile(
    rf"(?<![0-9])(?P<century>19|20)?([0-9]{{6}}){_CUT}?([0-9]{{7}})(?![0-9])"
    r"|(?<![0-9])(?<![0-9] )([0-9](?: [0-9]){5}) ?-? ?([0-9](?: [0-9]){6})(?! ?[0-9])"
)
_PERSON = re.compile(r"주민|민번|외국인|거소|고유식별|인적사항")
_LEGAL = re.compile(r"법인")
_COUNTED = re.compile(r"(?:천|만|백만|억)?원| ?(?:명|건|개|세대|그루|가구)")
_CENTURY = {None: "0123456789", "19": "1256", "20": "3478"}
"""The first digit of the second half, after a year of four digits."""
_TURN = 40
"""Two-digit years up to here may be of this century."""
_TAIL = re.compile(r"(?:뒷|뒤) ?(?:자리|번호)(?:\(7자리\))?(?:는|은|가)?[ :]*([0-9]{7})(?![0-9])")

_LICENCE = re.compile(
    r"(?<![0-9])(?<![0-9][-.])"
    rf"(?:(?:{REGIONS})[ -]?[0-9]{{2}}[-. ][0-9]{{6}}[-. ][0-9]{{2}}"
    r"|(?P<place>[0-9]{2})[-. ][0-9]{2}[-. ][0-9]{6}[-. ][0-9]{2}|(?P<bare>[0-9]{12}))"
    r"(?![0-9])(?![-.][0-9])"
)
_PLACES = frozenset(map(str, (*range(11, 27), 28)))
_PASSPORT = re.compile(
    r"[A-Z](?:(?P<new> ?[0-9]{3} ?[A-Z] ?[0-9]{4})| ?[0-9]{8}|[A-Z][0-9]{7})"
    r"(?![A-Za-z0-9])(?!-[A-Za-z0-9])",
    re.IGNORECASE,
)
_TRAVEL = re.compile(r"여권|사증|passport", re.IGNORECASE)
_INSURANCE = re.compile(r"(?<![0-9])[1-9][- ]?[0-9]{10}(?![0-9])")
_BUSINESS = re.compile(
    r"(?<![0-9])(?<![0-9]-)(?:[0-9]{3} ?- ?[0-9]{2} ?- ?[0-9]{5}|(?P<bare>[0-9]{10}))"
    r"(?![0-9])(?!-[0-9])"
)
_CARD = re.compile(
    rf"(?<![0-9])(?<![0-9][-.])(?:[2-69][0-9]{{3}}{_CUT}[0-9]{{4}}{_CUT}[0-9]{{4}}{_CUT}[0-9]{{4}}"
    rf"|3[47][0-9]{{2}}{_CUT}[0-9]{{6}}{_CUT}[0-9]{{5}}"
    r"|(?P<bare>[2-69][0-9]{15}|3[47][0-9]{13}))(?![0-9])(?!-[0-9])"
)
_BANK = re.compile(
    r"계좌|통장|예금|입금|송금|이체|은행(?!나무|잎|동|로|길)|농협|수협|신협|새마을금고|우체국|뱅크|bank",
    re.IGNORECASE,
)
_BANK_NAME = re.compile(
    r"(?:국민|신한|우리|하나|기업|산업|카카오|토스|씨티|제일|농협|KB|NH|IBK) ?:? ?$"
)
_ACCOUNT = re.compile(
    r"(?<![0-9,.])(?<![0-9]-)(?:[0-9]{2,6}(?:[- ][0-9]{1,8}){1,4}|[0-9]{10,14})(?![,-]?[0-9])"
)
_ACCOUNT_DIGITS = range(10, 17)
_NO_ACCOUNT = re.compile(
    r"(?:19|20)[0-9]{2}[- ](?:0[1-9]|1[0-2])[- ].*|0(?:2|[3-6][0-9]|70)[- ][0-9]{3,4}[- ][0-9]{4}"
)


def digits(text: str) -> str:
    """The digits of a text, joined."""
    return re.sub("[^0-9]", "", text)


def is_day(text: str) -> bool:
    """Whether six digits are a day, YYMMDD; 29 February is one in any year.

    >>> is_day("880229"), is_day("881301"), is_day("880431")
    (True, False, False)
    """
    month, day = int(text[2:4]), int(text[4:6])
    lengths = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= month <= len(lengths) and 1 <= day <= lengths[month - 1]


def residents(text: str, start: int, end: int) -> Iterator[Hit]:
    """주민등록번호, 외국인등록번호, and 법인등록번호, which has their form."""
    for found in _RESIDENT.finditer(text, start, end):
        number = digits("".join(found.group(2, 3) if found[2] else found.group(4, 5)))
        kind = _resident(text, found, number)
        if kind and len(set(number)) > 1:
            check = {"rrn": checksums.resident, "frn": checksums.foreigner}
            yield Hit(*found.span(), kind, check.get(kind, checksums.corporation)(number))


def _resident(text: str, found: re.Match[str], number: str) -> str | None:
    """What 13 digits are: their day decides, and the words before them."""
    words = before(text, found.start())
    person = "frn" if number[6] in "5678" else "rrn"
    if _PERSON.search(words):
        return person
    if _LEGAL.search(words):
        return "corporation"
    if is_day(number) and number[6] in _CENTURY[found["century"]]:
        bare = len(found[0]) == len(number)
        return None if bare and _is_figure(text, found, number) else person
    dashed = "-" in found[0]
    return "corporation" if dashed and checksums.corporation(number) else None


def _is_figure(text: str, found: re.Match[str], number: str) -> bool:
    """Whether 13 digits in a row are a figure, a thing's number, or nobody's day of birth."""
    unborn = number[6] in "3478" and int(number[:2]) > _TURN
    counted = _COUNTED.match(text, found.end()) is not None
    return counted or unborn or is_thing(text, found.start())


def tails(text: str) -> Iterator[Hit]:
    """The second half of a 주민등록번호 that stands alone."""
    for found in _TAIL.finditer(text):
        if set(found[1]) != {"0"}:
            yield Hit(*found.span(1), "rrn")


def licences(text: str, start: int, end: int) -> Iterator[Hit]:
    """운전면허번호; twelve digits in a row need the word."""
    for found in _LICENCE.finditer(text, start, end):
        named = "면허" in before(text, found.start())
        own = found["bare"] is None and found["place"] in {None, *_PLACES}
        if (named or own) and set(digits(found[0])) != {"0"}:
            yield Hit(*found.span(), "licence")


def passports(text: str) -> Iterator[Hit]:
    """여권번호, as issued since 2021 (`M123A4567`) and before (`M12345678`)."""
    for found in _PASSPORT.finditer(text):
        begin = found.start()
        if re.search(r"[A-Za-z0-9]-?$", text[max(0, begin - 2) : begin]):
            continue
        named = _TRAVEL.search(before(text, begin)) is not None
        own = found[0].isupper() and found[0][0] in ("MSROD" if found["new"] else "M")
        if (named or (own and not is_thing(text, begin))) and set(digits(found[0])) != {"0"}:
            yield Hit(*found.span(), "passport")


def insurances(text: str, start: int, end: int) -> Iterator[Hit]:
    """건강보험증번호, which only its name tells."""
    for found in _INSURANCE.finditer(text, start, end):
        words = before(text, found.start())
        if re.search(r"건강 ?보험|건보|보험 ?증", words):
            yield Hit(*found.span(), "insurance")


def cards(text: str, start: int, end: int) -> Iterator[Hit]:
    """Card numbers in groups of four; without groups the check digit or the word tells."""
    for found in _CARD.finditer(text, start, end):
        number = digits(found[0])
        fits = checksums.luhn(number)
        if found["bare"]:
            named = "카드" in before(text, found.start())
            thing = is_thing(text, found.start()) or _COUNTED.match(text, found.end())
            if not named and (thing or not fits):
                continue
        if len(set(number)) > 1:
            yield Hit(*found.span(), "card", fits)


def businesses(text: str, start: int, end: int) -> Iterator[Hit]:
    """사업자등록번호; ten digits in a row need the word."""
    for found in _BUSINESS.finditer(text, start, end):
        words = before(text, found.start())
        named = "사업자" in words
        own = not found["bare"] and not _BANK.search(words)
        number = digits(found[0])
        if (named or own) and not number.startswith("000"):
            yield Hit(*found.span(), "business", checksums.business(number))


def accounts(text: str, start: int, end: int) -> Iterator[Hit]:
    """계좌번호, which only a bank or the word beside it tells."""
    for found in _ACCOUNT.finditer(text, start, end):
        number = digits(found[0])
        if len(number) not in _ACCOUNT_DIGITS or number.startswith("000"):
            continue
        if _NO_ACCOUNT.fullmatch(found[0]) or _COUNTED.match(text, found.end()):
            continue
        words = before(text, found.start())
        if _BANK.search(words + "\n" + after(text, found.end())) or _BANK_NAME.search(words):
            yield Hit(*found.span(), "account")
