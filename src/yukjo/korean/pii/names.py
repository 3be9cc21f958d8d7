"""Names of people, where a word beside them says so; in folded text.

Ordinary words look like names: what begins as one of `BEGINNINGS` does is taken for no name unless
a colon stands before it. A name that nothing points at isn't sought.

홍길동 in an example (`예시`, `작성 예`, `견본`) is a placeholder, elsewhere a name like another.
"""

import re
from collections.abc import Iterable, Iterator

from yukjo.korean.pii.around import before, column_head
from yukjo.korean.pii.kinds import Hit
from yukjo.korean.pii.ordinary import BEGINNINGS, WORDS

_SURNAMES = (
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현"
    "함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용예봉경사부가복태목형피두감음빈동온"
    "호범좌팽승간상시갈단견당"
)
_COMMON = _SURNAMES[:69]
_DOUBLE = "남궁|황보|제갈|선우|독고|사공|서문|동방|망절|어금|강전"
_NAME = rf"(?:(?:{_DOUBLE})[가-힣]{{1,2}}|[{_SURNAMES}][가-힣]{{2}})"
_SHORT = (
    rf"(?:(?:{_DOUBLE})[가-힣]{{1,2}}(?![가-힣])"
    rf"|[{_SURNAMES}](?:[가-힣]{{2}}| [가-힣] [가-힣])(?![가-힣])"
    rf"|[{_SURNAMES}](?:[가-힣]| [가-힣]{{2}})(?! ?[가-힣]))"
)
"""A name that stands alone: of two letters, or with a space after the first, nothing follows."""
_LATIN = r"[A-Z][A-Za-z'-]+(?: [A-Z][A-Za-z'-]*){1,4}"

# Alternatives all begin with a letter, none with a class: `re` then skips ahead to one of them.
_LABEL = (
    r"성 {0,9}명|성 ?함|이 {0,9}름|신청인|신고인|민원인|청구인|대표자|보호자|예금주|세대주|수령인|"
    r"수임인|피해자|대리인|위임인|임차인|임대인|소유자|작성자|건축주|담당자|환자|학생|배우자|신청자|"
    r"신고자|제출자|대상자|책임자|당사자"
)
_HANGUL = re.compile("[가-힣]")
_WHOLE = 3
"""Letters of a name with its surname; one of two is told from a word only by 성명."""
_END = r"(?![가-힣])"
_PARTICLE = (
    r"(?:은|는|이|가|을|를|의|와|과|도|께|께서|에게|로|으로|님|씨|군|양|이고|이며|입니다|이라|이라고|라고)"
    r"(?![가-힣])"
)
_LABELLED = re.compile(
    rf"(?:{_LABEL})(?:명| ?성명| ?이름)?(?: ?\([^()\n]{{1,6}}\)(?! ?님))?"
    rf"(?: ?[:=] ?\|? ?(?P<name>{_SHORT}|{_NAME}(?={_PARTICLE})|{_LATIN})"
    rf"|(?:은|는|이|가)? ?\|? (?P<bare>{_NAME})(?:{_END}|(?={_PARTICLE})))"
)
_IN_BRACKETS = re.compile(rf"(?:{_LABEL}) ?\((?P<name>{_NAME})[,)]")
_MYSELF = re.compile(rf"저는 (?P<name>{_NAME})(?=입니다|이라고|라고|이에요|예요|이고|인데|이며)")
_TITLE = (
    r"씨|님|[과팀계국실소원통이반부차사회시]장|(?:위원|센터|구청)장|[주사]무관|[의위]원|[교군]수|선생|"
    r"어르신|할머니|할아버지|대표|변호사|간호사|복지사"
)
_SAID_TO = rf"님?(?:{_END}|{_PARTICLE})"
TITLE_POINTS = tuple(
    f"{point}{_SAID_TO}"
    for point in (
        "씨", "님", "장(?<=[과팀계국실소원통이반부차사회시터청]장)", "무(?<=[주사]무)관",
        "원(?<=[의위]원)", "교수", "군수", "생(?<=선생)", "르(?<=어르)신", "할머니", "할아버지",
        "표(?<=대표)", "호(?<=[변간]호)사", "복지사",
    )
)  # fmt: skip
"""A telling letter of each title, with what must stand before and after it."""
CLOSING_POINTS = (r"림(?<=[드올]림)[ .]*(?![^\n])", r"배상[ .]*(?![^\n])")
"""The same of the words that end a letter."""
_CLOSED = re.compile(rf"(?<![가-힣])(?P<name>{_NAME}) (?:드림|올림|배상)$")
_AFTER_TITLE = re.compile(
    rf"(?:[과팀계국실소원]장|[주사]무관|위원장) (?P<name>{_NAME})(?<![임함됨음])"
    rf"(?=[ ]*(?:[,.)(/·\n]|$)|{_PARTICLE})"
)
LABEL_POINTS = (
    "명(?:(?<=성명)|(?<=성 명)|(?<=  명))", "함(?:(?<=성함)|(?<=성 함))",
    "름(?:(?<=이름)|(?<=이 름)|(?<=  름))",
    "인(?<=[청고원구령임리차대]인)(?<=[신민청수대위임]..)",
    "자(?<=[표호해유성당우청고출상임사]자)(?<=[대보피소작담배신제책당]..)",
    "환자", "예금주", "세대주", "축(?<=건축)주", "학생", "저는",
)  # fmt: skip
"""The same of the labels."""
_TITLED = re.compile(rf"(?P<name>{_NAME})(?P<space> ?)(?P<title>{_TITLE}){_SAID_TO}")
_CELL = re.compile(rf"(?:^|[|\t,])[ ]?(?P<name>{_SHORT})[ ]?(?=[|\t,\n]|$)", re.MULTILINE)
_HEADS = re.compile(r"(?:[가-힣]{0,4} ?)?(?:성 ?명|이 ?름|성함)(?:\([^()]*\))?")
_HEAD = re.compile("성 ?명|성함|이 ?름")
_BESIDE = re.compile(rf"(?<![가-힣])(?P<name>[{_COMMON}][가-힣]{{2}}) ?[(,:/|]? ?$")
_BESIDE_OF = frozenset({"rrn", "frn", "mobile", "passport", "licence", "birth"})

_SEATED = ("의원", "위원", "이장", "통장", "시장", "군수", "대표")
_EXAMPLE = re.compile(r"예시|작성 ?예|기재 ?예|견본|보기|\(예\)|서식")


def beside(text: str, hits: Iterable[Hit]) -> Iterator[Hit]:
    """Names right before other personal data: `곽도윤(010-...)`."""
    for hit in hits:
        found = _BESIDE.search(before(text, hit.start, 12)) if hit.kind in _BESIDE_OF else None
        if found and not _is_word(found["name"]):
            start = text.rindex(found["name"], 0, hit.start)
            yield from _hit(text, (start, start + len(found["name"])))


def labelled(text: str) -> Iterator[Hit]:
    """`성명: 곽도윤`, `성명` over a column; without a colon the label is a word of its own."""
    for found in _LABELLED.finditer(text):
        if found["name"]:
            if not _is_word(found["name"], labelled=True):
                yield from _hit(text, found.span("name"))
        elif _is_bare(text, found) and not _is_word(found["bare"]):
            yield from _hit(text, found.span("bare"))
    for found in (*_IN_BRACKETS.finditer(text), *_MYSELF.finditer(text)):
        if not _is_word(found["name"]):
            yield from _hit(text, found.span("name"))
    if "\n" in text and _HEAD.search(text):
        yield from _listed(text)


def _is_bare(text: str, found: re.Match[str]) -> bool:
    """Whether a label without a colon is a word of its own, and no thing's: `이름 공모전`."""
    inside = found.start() > 0 and "가" <= text[found.start() - 1] <= "힣"
    return not inside and not re.match(r"이 ?름 ", found[0])


def _listed(text: str) -> Iterator[Hit]:
    """Names in a column that is headed so."""
    for found in _CELL.finditer(text):
        head = column_head(text, found.start("name"))
        short = len(found["name"]) < _WHOLE and "름" in head
        if _HEADS.fullmatch(head) and not short and not _is_word(found["name"], labelled=True):
            yield from _hit(text, found.span("name"))


def titled(text: str, point: int) -> Iterator[Hit]:
    """`곽도윤 님`, where a title's letter stands at `point`; a longer title stands apart."""
    name = _TITLED.search(text, max(0, point - 9), point + 8)
    if name is None or (name.start() and _HANGUL.match(text, name.start() - 1)):
        return
    apart = name["space"] or name["title"] in "씨님"
    if apart and not _is_word(name["name"]) and not _is_office(name["name"], name["title"]):
        yield from _hit(text, name.span("name"))


def after_title(text: str, point: int) -> Iterator[Hit]:
    """`주무관 곽도윤`, where a title's letter stands at `point`."""
    found = _AFTER_TITLE.search(text, max(0, point - 3), point + 12)
    if found and found.start() <= point and not _is_word(found["name"]):
        yield from _hit(text, found.span("name"))


def closed(text: str, point: int) -> Iterator[Hit]:
    """`곽도윤 드림` at a letter's end."""
    for end in (point, point + 1):
        found = _CLOSED.search(text, max(0, point - 9), end)
        if found and not _is_word(found["name"]):
            yield from _hit(text, found.span("name"))


def _hit(text: str, span: tuple[int, int]) -> Iterator[Hit]:
    """The name at `span`, unless it is the name that examples have."""
    start, end = span
    name = text[start:end].replace(" ", "")
    line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end) + 1 or len(text)]
    if name != "홍길동" or not _EXAMPLE.search(line):
        yield Hit(start, end, "name")


def _is_word(name: str, *, labelled: bool = False) -> bool:
    """Whether what could be a name is an ordinary word."""
    word = name.replace(" ", "")
    if word in WORDS or word[-1] in "과팀청회시된는던데며를을할면로와":
        return True
    return not labelled and word[:2] in BEGINNINGS


def _is_office(name: str, title: str) -> bool:
    """Whether what stands before a title is where its holder sits: `도로과 과장`, `한빛시 의원`."""
    last = name[-1]
    if title in "씨님":
        return last in "과팀"
    if last == title[0] or last in "과팀청회단직군":
        return True
    return title.startswith(_SEATED) and last in "시군구읍면동리도"
