"""Names of people, where a word beside them says so; in folded text.

Ordinary words look like names: what begins as one of `ORDINARY` does is taken for no name unless
a colon stands before it. A name that nothing points at isn't sought.

홍길동 in an example (`예시`, `작성 예`, `견본`) is a placeholder, elsewhere a name like another.
"""

import re
from collections.abc import Iterable, Iterator

from yukjo.korean.pii.around import before, column_head
from yukjo.korean.pii.kinds import Hit

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
    r"성 {0,9}명|성 ?함|이 {0,9}름|신청인|신고인|민원인|청구인|대표자|보호자|예금주|세대주|수령인|수임인|피해자|대리인|위임인|"
    r"임차인|임대인|소유자|작성자|건축주|담당자|환자|학생|배우자|신청자|신고자|제출자|대상자|책임자|당사자"
)
_HANGUL = re.compile("[가-힣]")
_WHOLE = 3
"""Letters of a name with its surname; one of two is told from a word only by 성명."""
_END = r"(?![가-힣])"
_PARTICLE = (
    r"(?:은|는|이|가|을|를|의|와|과|도|께|께서|에게|로|으로|님|씨|군|양|이고|이며|입니다|이라|이라고|라고)(?![가-힣])"
)
_LABELLED = re.compile(
    rf"(?:{_LABEL})(?:명| ?성명| ?이름)?(?: ?\([^()\n]{{1,6}}\)(?! ?님))?"
    rf"(?: ?[:=] ?\|? ?(?P<name>{_SHORT}|{_NAME}(?={_PARTICLE})|{_LATIN})"
    rf"|(?:은|는|이|가)? ?\|? (?P<bare>{_NAME})(?:{_END}|(?={_PARTICLE})))"
)
_IN_BRACKETS = re.compile(rf"(?:{_LABEL}) ?\((?P<name>{_NAME})[,)]")
_MYSELF = re.compile(rf"저는 (?P<name>{_NAME})(?=입니다|이라고|라고|이에요|예요|이고|인데|이며)")
_TITLE = (
    r"씨|님|[과팀계국실소원통이반부차사회시]장|(?:위원|센터|구청)장|[주사]무관|[의위]원|[교군]수|선생|어르신|할머니|할아버지|"
    r"대표|변호사|간호사|복지사"
)
_SAID_TO = rf"님?(?:{_END}|{_PARTICLE})"
TITLE_POINTS = tuple(
    f"{point}{_SAID_TO}"
    for point in (
        "씨", "님", "장(?<=[과팀계국실소원통이반부차사회시터청]장)", "무(?<=[주사]무)관", "원(?<=[의위]원)",
        "교수", "군수", "생(?<=선생)", "르(?<=어르)신", "할머니", "할아버지", "표(?<=대표)", "호(?<=[변간]호)사",
        "복지사",
    )
)  # fmt: skip
"""A telling letter of each title, with what must stand before and after it."""
CLOSING_POINTS = (r"림(?<=[드올]림)[ .]*(?![^\n])", r"배상[ .]*(?![^\n])")
"""The same of the words that end a letter."""
_CLOSED = re.compile(rf"(?<![가-힣])(?P<name>{_NAME}) (?:드림|올림|배상)$")
_AFTER_TITLE = re.compile(
    rf"(?:[과팀계국실소원]장|[주사]무관|위원장) (?P<name>{_NAME})(?<![임함됨음])(?=[ ]*(?:[,.)(/·\n]|$)|{_PARTICLE})"
)
LABEL_POINTS = (
    "명(?:(?<=성명)|(?<=성 명)|(?<=  명))", "함(?:(?<=성함)|(?<=성 함))", "름(?:(?<=이름)|(?<=이 름)|(?<=  름))",
    "인(?<=[청고원구령임리차대]인)(?<=[신민청수대위임]..)",
    "자(?<=[표호해유성당우청고출상임사]자)(?<=[대보피소작담배신제책당]..)",
    "환자", "예금주", "세대주", "축(?<=건축)주", "학생", "저는",
)  # fmt: skip
"""The same of the labels."""
_TITLED = re.compile(
    rf"(?P<name>{_NAME})(?P<space> ?)(?P<title>{_TITLE}){_SAID_TO}"
)
_CELL = re.compile(rf"(?:^|[|\t,])[ ]?(?P<name>{_SHORT})[ ]?(?=[|\t,\n]|$)", re.MULTILINE)
_HEADS = re.compile(r"(?:[가-힣]{0,4} ?)?(?:성 ?명|이 ?름|성함)(?:\([^()]*\))?")
_HEAD = re.compile("성 ?명|성함|이 ?름")
_BESIDE = re.compile(rf"(?<![가-힣])(?P<name>[{_COMMON}][가-힣]{{2}}) ?[(,:/|]? ?$")
_BESIDE_OF = frozenset({"rrn", "frn", "mobile", "passport", "licence", "birth"})

_SEATED = ("의원", "위원", "이장", "통장", "시장", "군수", "대표")
_EXAMPLE = re.compile(r"예시|작성 ?예|기재 ?예|견본|보기|\(예\)|서식")

# Beginnings of ordinary words, each with a letter first that is a surname too.
ORDINARY = frozenset(
    "이름 이용 이의 이후 이전 이상 이하 이내 이번 이동 이사 이웃 이재 이장 이미 이메 이행 이수 이유 이것 이런 이렇 이모 "
    "주소 주민 주무 주차 주택 주요 주간 주말 주변 주인 주거 주최 주관 주의 "
    "성명 성함 성별 성인 성적 연락 연령 연도 연장 연간 연금 연체 연결 전화 전체 전원 전입 전출 전문 전기 전자 전국 전교 전담 "
    "서명 서류 서식 서비 서로 서면 서울 안내 안전 안건 신청 신고 신규 신분 신임 신용 신속 민원 민간 문의 문서 문화 문자 문제 "
    "정보 정책 정부 정기 정원 정상 정비 정리 정정 정확 지정 지원 지역 지급 지방 지사 지도 지난 지점 지체 지번 "
    "방문 방법 방침 방향 변경 변호 변동 변제 확인 동의 동별 동일 동시 동장 동행 기재 기관 기간 기준 기타 기술 기본 기획 기록 기초 기한 "
    "본인 대리 대표 대상 고객 고지 고용 고령 고시 공고 공사 공무 공공 공동 공식 공개 공원 공유 공인 공란 "
    "도로 도시 도서 도움 도착 도지 제출 제한 제외 제공 제도 제목 제시 제증 "
    "사업 사용 사유 사망 사람 사회 사무 사본 사진 사전 사항 사장 사실 사고 사이 "
    "위원 위생 위임 위반 위치 위탁 위의 환경 복지 보호 보건 시민 시장 시설 시간 시청 시작 시행 시스 "
    "유족 유가 유형 유의 유선 유공 유료 임차 임대 임시 임금 임원 "
    "구청 구민 구직 구분 구간 구성 구역 구조 현장 현재 현황 현금 "
    "한부 한국 한글 한빛 한편 한번 한 장애 장소 장관 장기 장학 선생 선정 선택 선임 남은 남성 남편 남동 여성 여러 여권 여부 여동 "
    "교수 손님 조사 조치 조합 조회 조건 조례 조정 노인 노령 노동 노약 어르 어머 어린 아버 학부 학생 "
    "소유 소방 소음 소관 소속 소상 소지 소득 원하 원본 원래 강사 강당 강좌 강의 경우 경로 경찰 경비 경제 경유 "
    "심사 심의 심판 홍보 홍수 회의 모두 모집 모든 모바 인적 인감 인증 인근 인터 인원 인정 "
    "부서 부모 부과 부담 부터 부분 부양 부시 음식 음성 우편 우선 우리 우수 감사 감면 감독 "
    "상담 상기 상속 상세 상호 상동 국민 국적 국가 국외 단체 단독 당사 당직 당일 표시 표준 명의 명단 명칭 "
    "예금 예약 예정 예산 예시 편의 편지 용도 용역 은행 가족 가구 가입 가능 가정 가맹 차량 차주 차상 채권 채무 천만 "
    "황당 추가 추천 추진 최종 최초 최근 최대 최소 백신 배우 배송 배출 오전 오후 오늘 오류 온라 "
    "미성 미기 미상 박물 반려 반장 반드 반환 권리 권한 권익 금액 금융 금지 송금 송달 강제 허가 허위 "
    "호수 호적 형제 형사 태풍 피해 피신 피의 피상 목적 목록 설치 설명 설문 석사 석면 진행 진료 진술 진정 진단 "
    "노후 노선 하도 하수 하천 하루 함께 행정 염려 옥상 육아 맹견 마을 마감 마지 마찬 길이 왕복 라고 류로".split()
)
_ORDINARY_WORDS = frozenset(
    "없음 있음 어머니 미상 기재 상동 공란 이하 주민 본인 전원 도로 지원 조회 성명 이름 주소 신청 안내 서명 성인 남 여 남자 여자 "
    "남성 여성 한글 한자 영문 공개 정정 변경 확인 동의 지정 문의 전화 연락처 이메일 생략 해당 명의 별도 별첨 추후 "
    "미기재 비공개 익명 무기명 도로과 주택과 건축과 환경과 민원과 안전과 위생과 정보과 문화과 교통과 복지과 세무과 "
    "서명란 부군수 신청인 민원인 신고인 담당자 보호자 주무관 선생님 고객님 어르신 공무원 변호사 위원장 이용자 방문객 구직자 임차인 "
    "임대인 조합원 학부모 유가족 이재민 구청장 부시장 도지사 이사장 기관장 사업자 소유자 지원자 전문가 이모부 고모부 남동생 "
    "여동생 주인장 반장님 사장님 원장님 시장님 의원님 위원님 강사님 기사님 손님 현장".split()
)


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
    inside = name and _HANGUL.match(text, name.start() - 1) if name and name.start() else None
    if name and not inside and (name["space"] or name["title"] in "씨님"):
        if not _is_word(name["name"]) and not _is_office(name["name"], name["title"]):
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
    if word in _ORDINARY_WORDS or word[-1] in "과팀청회시된는던데며를을할면":
        return True
    return not labelled and word[:2] in ORDINARY


def _is_office(name: str, title: str) -> bool:
    """Whether what stands before a title is where its holder sits: `도로과 과장`, `한빛시 의원`."""
    last = name[-1]
    if title in "씨님":
        return last in "과팀"
    if last == title[0] or last in "과팀청회":
        return True
    return title.startswith(_SEATED) and last in "시군구읍면동리도"
