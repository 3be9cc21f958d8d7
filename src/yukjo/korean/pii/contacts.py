"""Ways to reach someone, in folded text: telephone, e-mail, network address.

An office's own line and mailbox are no personal data: it is reached by them (「민원 처리에 관한
법률 시행령」 asks for them in a notice). A mobile number is a person's wherever it stands; what a
project may show all the same it names in `yukjo.toml`, `[data] allowed_contacts`.
"""

import re
from collections.abc import Collection, Iterator
from ipaddress import ip_address

from yukjo.korean.pii.around import after, before, is_thing
from yukjo.korean.pii.kinds import Hit
from yukjo.korean.pii.numbers import digits

_CUT = r"(?: ?[-./·_~] ?| )?"
_ABROAD = r"(?:(?:\+ ?|(?<![0-9])00)82|(?<![0-9])82(?=[-. ]))[)]?[-. ]{0,2}"
_MOBILE = re.compile(
    rf"(?:{_ABROAD}0?1[016789]|{_ABROAD}\(0?1[016789]\)|\(01[016789]\)|(?<![0-9])01[016789]\)?)"
    rf"{_CUT}[0-9]{{3,4}}{_CUT}[0-9]{{4}}(?![0-9])"
    r"|(?<![0-9])(?<![0-9] )0 1 [016789](?: ?-? ?[0-9]){7,8}(?![0-9]| [0-9])"
)
_SAID = dict(zip("공영일이삼사오육칠팔구", "00123456789", strict=True))
_WORDS = "[" + "".join(_SAID) + "]"
_SPOKEN = re.compile(
    rf"(?<![가-힣])[공영]일[공영][- ]?{_WORDS}{{3,4}}[- ]?(?:에[- ]?)?{_WORDS}{{4}}"
)
_PLACE = "(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[2-8]?)"
_PHONE = re.compile(
    rf"(?:{_ABROAD}0?{_PLACE}|\(0{_PLACE}\)|(?<![0-9])(?<![0-9][-.])0{_PLACE}\)?)"
    rf"{_CUT}[0-9]{{3,4}}{_CUT}[0-9]{{4}}(?![0-9])(?!-[0-9])"
)
_PRIVATE = re.compile(
    r"(?<![가-힣])집|자택|댁|신청인|신고인|민원인|보호자|청구인|본인|개인|어머니|아버지|배우자|세대주|수령인|입주민|"
    r"씨(?![가-힣])|제 (?:번호|전화|연락처)"
)
_OWN = re.compile(r".*(?:개인|제|저희 집) ?(?:번호|전화)")
_OFFICE = re.compile(
    r"문의|대표|담당|주무관|사무관|[과팀계국실소]장|☎|☏|고객|민원실|상담|창구|콜센터|안내|사무|"
    r"신고 ?전화|팩스|FAX|내선|센터|공단|공사|도서관|지사|지점|복지관|회관|학교|재단|보건소|"
    r"[가-힣][과팀실국소원청](?![가-힣])"
)
_EMAIL = re.compile(
    r"(?:(?<![A-Za-z0-9._%+-])[A-Za-z0-9_][A-Za-z0-9._%+-]{0,63}|[가-힣]{2,10}(?=@))"
    r"(?: ?@ ?| ?[\[(] ?(?:at|골뱅이) ?[\])] ?| ?골뱅이 ?)"
    r"[A-Za-z0-9][A-Za-z0-9-]{0,62}"
    r"(?:\.[A-Za-z0-9-]{1,63}| ?[. ] ?(?=(?:com|net|org|kr|co|go|or|ac|re)\b)[a-z]{2,3}){1,5}",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\.[a-z]{2,24}$")
_KNOWN = re.compile(r"\.(?:com|net|org|kr|edu|io|me|info|biz)$")
_FREE = re.compile(
    r"(?:naver|gmail|daum|hanmail|kakao|nate|outlook|hotmail|yahoo|icloud|live|msn|proton|paran|"
    r"korea|dreamwiz|empas|chol|lycos)\.(?:com|net|co\.kr|kr|me)$"
)
_BOX = re.compile(
    r"(?:info|help|contact|admin|webmaster|master|privacy|noreply|no-reply|support|office|minwon|"
    r"postmaster|hello|cs)[0-9]{0,2}"
)
_STATE = re.compile(r"(?:.+\.)?(?:korea\.kr|go\.kr)")
_RESERVED = re.compile(
    r"(?:.+\.)?(?:example(?:\.(?:com|net|org|kr|co\.kr))?|test|invalid|localhost)"
)
_IP = re.compile(
    r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])"
    r"|(?<![0-9A-Za-z:])(?:[0-9a-f]{1,4}:{1,2}){2,7}[0-9a-f]{1,4}(?![0-9A-Za-z:])",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?:버전|판|ver\.?|v) ?$", re.IGNORECASE)
_IP_WORDS = re.compile(r"IP|아이피|접속|로그인", re.IGNORECASE)


def mobiles(text: str, start: int, end: int, allowed: Collection[str] = ()) -> Iterator[Hit]:
    """휴대전화번호; `010-0000-0000` is a placeholder."""
    for found in _MOBILE.finditer(text, start, end):
        number = _national(found[0])
        if number[3:].strip("0") and number not in allowed:
            yield Hit(*found.span(), "mobile")


def spoken(text: str, allowed: Collection[str] = ()) -> Iterator[Hit]:
    """휴대전화번호 in words, 공일공 and so on."""
    for found in _SPOKEN.finditer(text):
        number = "".join(_SAID.get(letter, "") for letter in found[0])
        if number not in allowed:
            yield Hit(*found.span(), "mobile")


def phones(text: str, start: int, end: int, allowed: Collection[str] = ()) -> Iterator[Hit]:
    """전화번호 that is not an office's: no office around it, or a person named before it.

    Numbers that stand for a service (110, 1577-, 080-) are of another form and never found.
    """
    for found in _PHONE.finditer(text, start, end):
        number = _national(found[0])
        empty = not number[2:].strip("0")
        bare = len(number) == len(found[0])
        if empty or number in allowed or (bare and is_thing(text, found.start())):
            continue
        words, follows = before(text, found.start()), after(text, found.end(), 20)
        private = _PRIVATE.search(words) or _OWN.match(follows)
        if private or not _OFFICE.search(f"{words}\n{follows}"):
            yield Hit(*found.span(), "phone")


def _national(text: str) -> str:
    """The digits of a telephone number as it is dialled within the country."""
    number = digits(text).removeprefix("00")
    return "0" + number.removeprefix("82").removeprefix("0")


def emails(text: str, allowed: Collection[str] = ()) -> Iterator[Hit]:
    """전자우편 that is not an office's, nor in a domain kept for examples (RFC 2606)."""
    for found in _EMAIL.finditer(text):
        address = re.sub(
            r" ?(?:@|[\[(] ?(?:at|골뱅이) ?[\])]|골뱅이) ?", "@", found[0].lower(), count=1
        )
        box, _, domain = re.sub(r" ?[. ] ?", ".", address).partition("@")
        if not (_KNOWN if " " in found[0] else _ENDS).search(domain):
            continue
        if not _is_official(box, domain) and not {f"{box}@{domain}", f"@{domain}"} & set(allowed):
            yield Hit(*found.span(), "email")


def _is_official(box: str, domain: str) -> bool:
    """Whether a mailbox is an office's, or nobody's."""
    if _STATE.fullmatch(domain) or _RESERVED.fullmatch(domain):
        return True
    return _BOX.fullmatch(box) is not None and not _FREE.search(domain)


def networks(text: str) -> Iterator[Hit]:
    """IP addresses of the open net, where a word says that it is one and no version."""
    for found in _IP.finditer(text):
        words = before(text, found.start())
        version = _VERSION.search(words) is not None
        if not version and _IP_WORDS.search(words) and _is_global(found[0]):
            yield Hit(*found.span(), "ip")


def _is_global(text: str) -> bool:
    """Whether an address leads to one machine of the open net."""
    try:
        return ip_address(text).is_global
    except ValueError:
        return False
