"""Where someone lives, what they drive, when they were born; in folded text."""

import re
from collections.abc import Iterator

from yukjo.korean.pii.around import REGIONS, after, before, is_thing
from yukjo.korean.pii.kinds import Hit
from yukjo.korean.pii.numbers import is_day

_COUNTER = (
    r"(?:년|월|일|회|차|명|인|건|개|대|호선|세대|가구|필지|시간|시|분|초|층|면|점|억|만|천|원|조|%|km|m|kg|㎡|"
    r"묶음|표|장|부|매|배|세|곳|그루|위|급|종)"
)
"""What follows a count: a house number is none."""

_PLATED = (
    r"[0-9]{1,2} ?"
    r"[가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주바사아자배하허호육해공국합]"
    r" ?[0-9]{4}(?![0-9])"
)
_PLATE = re.compile(rf"[0-9]{_PLATED}(?! ?{_COUNTER}(?!주|량))")
_REGION = re.compile(rf"(?:{REGIONS}) ?$")
_PLATE_OLD = re.compile(r"[가-힣]{2} ?[가-힣]{2,3} ?[가-힣] ?[0-9]{4}(?![0-9])")
_CAR = re.compile(
    r"차량|차 ?번호|번호판|승용차|화물차|택시|버스|트럭|오토바이|이륜|렌터카|주차|견인|주정차|운전|"
    r"[가-힣]차(?:가|는|를)? ?\(?$"
)
_COURT = re.compile(r"판결|선고|법원|헌재|사건|결정|별표|서식")

_DAY = re.compile(
    r"(?<![0-9])(?:(?:18|19|20)?(?P<y>[0-9]{2}) ?[-./년] ?(?P<m>[0-9]{1,2}) ?[-./월] ?"
    r"(?P<d>[0-9]{1,2})(?![0-9])(?: ?일|\.)?|(?:18|19|20)?(?P<six>[0-9]{6})(?![0-9]))"
    r"(?P<born> ?생(?![가-힣])| ?생(?=입|이|으로|인|의|\b))?"
)
_BORN = re.compile(
    r"(?:생 ?년 ?월 ?일|출생 ?(?:일자|일|연월일|년월일)|생일|태어난 ?날|앞 ?(?:자리|번호))"
    r"(?:\([^()\n]{0,6}\))?(?:은|는|이|가)?[ :|(]*$"
)
_BORN_AFTER = re.compile(r" ?(?:에|에 )?(?:태어|출생(?!신고|아|축하))")

_PART = r"[가-힣]{1,5}(?:특별자치시|특별자치도|특별시|광역시|도|시|군|구|읍|면|동|리)"
_NUMBER = rf"[1-9][0-9]{{0,3}}(?:-[0-9]{{1,4}})?(?:번지)?(?![0-9-]|[.,][0-9])(?! ?{_COUNTER})"
_ROOM = r"(?:(?:제?[0-9]{1,4}|[가-힣A-Za-z])동 ?)?[0-9]{1,4}호(?![선기차실])|[0-9]{1,2}층"
_TAIL = (
    r"(?:,? ?\([^()\n]{1,24}\))?"
    rf"(?:,? ?(?:[가-힣]{{1,10}}(?:아파트|빌라|오피스텔) ?)?(?:{_ROOM}))?"
)
_ROAD = r"(?:[가-힣]{1,7}|[가-힣]{1,6}[0-9]{1,3})(?:대로|로|길)(?: ?[0-9]{1,3}(?:번|가)?길)?"
_LOT = r"[가-힣]{1,4}[0-9]?(?:동|리|가|읍|면)(?= ?(?:산 ?)?[0-9])"
_ADDRESS = re.compile(
    rf"(?<![가-힣])(?P<parts>(?:{_PART} ){{0,4}})(?:(?P<road>{_ROAD}) ?{_NUMBER}"
    rf"|(?P<lot>{_LOT}) ?(?P<hill>산 ?)?(?P<number>{_NUMBER})){_TAIL}"
)
_HOMES = "아파트|빌라|마을|맨션|연립|빌리지|타운|오피스텔|주공|단지"
_FLAT = re.compile(
    rf"(?:[가-힣0-9A-Za-z]{{1,10}}(?:{_HOMES})(?: ?[0-9]{{1,2}}(?:단지|차))? ?)?"
    r"(?<![0-9])[0-9]{1,4}동 ?[0-9]{1,4}호(?![선기차실])"
    rf"|[가-힣0-9A-Za-z]{{1,10}}(?:{_HOMES}) ?[가-힣A-Za-z]동 ?[0-9]{{1,4}}호(?![선기차실])"
)
# What each address holds: a house number; beside it a place within a place, or a word for home.
_HOUSE = (
    r"(?:(?<=[로길동리가읍면산][0-9])|(?<=[로길동리가읍면산] [0-9]))"
    rf"(?![0-9]{{0,3}}(?:[.,][0-9]| ?{_COUNTER}))"
)
_NEAR = re.compile(rf"[0-9](?<![0-9]{{2}})(?:{_HOUSE}|{_PLATED})")
_PARTED = re.compile(
    r"[도시군구읍면동리] [가-힣0-9]{1,8}[로길동리가읍면][0-9가-힣]{0,6} ?(?:산 ?)?[0-9]"
)
_ROOMED = re.compile(r"동 ?[0-9]{1,4}호")
_HOME = re.compile(
    r"주 ?소|거주|자택|저희 집|우리 집|제 집|댁|사는 곳|전입|전출|본적|체류지|거소|신청인|신고인|"
    r"민원인"
)
_LIVES = re.compile(r"[.,)]? ?(?:에|에서)? ?(?:삽니다|사는|살고|살아|거주|입주민|주민입)")
_HOME_WORDS = re.compile(f"{_HOME.pattern}|삽니다|사는|살고|살아|입주민|주민입")
_PUBLIC = re.compile(
    r"청사|시청|구청|군청|도청|센터|사무소|민원실|도서관|공원|주차장|장소|위치|소재지|회관|보건소|학교|"
    r"경로당|행사|공사|사업장|복지관|누리집|체육관|시장|개최"
)
_STREET = re.compile(
    r"[^\n]{0,3}(?:앞|일원|일대|인근|부근|구간|주변|건너편|맞은편|사거리|교차로|도로|옆)"
)
_OFFICES = re.compile(r"(?:시청|구청|청사|센터)[ (:]*$")


def are_near(text: str) -> bool:
    """Whether a text may hold a plate or an address; one quick pass."""
    return _NEAR.search(text) is not None


def plates(text: str) -> Iterator[Hit]:
    """차량번호; written with a space, or as motorcycles have it, a word must say so."""
    for found in _PLATE.finditer(text):
        region = _REGION.search(text, max(0, found.start() - 3), found.start())
        start = region.start() if region else found.start()
        words, follows = before(text, start, 16), after(text, found.end(), 12)
        if (
            not found[0].strip("0가 ")
            or _inside(text, start)
            or _COURT.search(words)
            or _COURT.search(follows)
        ):
            continue
        if " " not in found[0] or _CAR.search(words) or _CAR.search(follows):
            yield Hit(start, found.end(), "plate")


def old_plates(text: str) -> Iterator[Hit]:
    """Plates of motorcycles, which begin with two places; only the word before tells."""
    for found in _PLATE_OLD.finditer(text):
        if re.search(r"(?:번호판?|이륜차|오토바이)[ :]*$", before(text, found.start(), 10)):
            yield Hit(*found.span(), "plate")


def _inside(text: str, start: int) -> bool:
    """Whether a place is within a word or a number."""
    return re.match(r"[0-9가-힣-]", text[start - 1 : start]) is not None if start else False


def births(text: str) -> Iterator[Hit]:
    """A day that is said to be one's day of birth; a year alone is none."""
    for found in _DAY.finditer(text):
        six = found["six"] or f"{found['y']}{found['m']:0>2}{found['d']:0>2}"
        if not is_day(six):
            continue
        said = found["born"] or _BORN.search(before(text, found.start()))
        if said or _BORN_AFTER.match(text, found.end()):
            yield Hit(*found.span(), "birth")


def addresses(text: str) -> Iterator[Hit]:
    """주소 down to the house number, or a flat with its room, unless it is a public place."""
    if _PARTED.search(text) or _HOME_WORDS.search(text):
        for found in _ADDRESS.finditer(text):
            if _is_home(text, found):
                yield Hit(*found.span(), "address")
    if "호" in text and _ROOMED.search(text):
        for found in _FLAT.finditer(text):
            yield Hit(*found.span(), "address")


def _is_home(text: str, found: re.Match[str]) -> bool:
    """Whether an address may be someone's: a word says so, or it is whole and no office's."""
    words = before(text, found.start(), 22)
    if found["lot"] and not (found["hill"] or "-" in found["number"] or "번지" in found["number"]):
        return False
    follows = after(text, found.end())
    if _HOME.search(words) or _LIVES.match(follows):
        return not _OFFICES.search(words)
    public = _PUBLIC.search(words) or _PUBLIC.search(follows) or _STREET.match(follows)
    return bool(found["parts"]) and not public and not is_thing(text, found.start())
