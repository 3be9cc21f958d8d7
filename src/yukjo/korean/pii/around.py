"""What stands around a number: the words that say what it is.

1. Context never crosses a line, but in a table the head of the column counts as standing before.
2. All texts here are folded.
"""

import re

REGIONS = "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주"
"""As licences and number plates of old have them, as alternatives."""
_BEFORE = 24
_AFTER = 14
_MARKS = ("|", "\t", ",")
_MOST_ROWS = 200

# What is named so is a number of a thing, unless its own form says otherwise.
_THING = re.compile(
    r"(?:문서|접수|관리|주문|운송장?|송장|계약|과제|부품|품번|제품|제조|일련|모델|물품|식별|분류|고시|공고|"
    r"입찰|납부|납세|규격|도면|시료|바코드|ISBN|ISSN|시각|시간|좌표|버전|해시|등록번호 ?제)"
    r"(?:번호|코드|명|호|시각|기록)?[^\n]{0,6}$",
    re.IGNORECASE,
)


def before(text: str, start: int, size: int = _BEFORE) -> str:
    """What stands before on the same line, with the head of the column in a table."""
    piece = text[max(0, start - size) : start]
    line = piece[piece.rfind("\n") + 1 :]
    head = column_head(text, start)
    return f"{head} {line}" if head else line


def after(text: str, end: int, size: int = _AFTER) -> str:
    """What follows on the same line."""
    return text[end : end + size].split("\n", 1)[0]


def is_thing(text: str, start: int) -> bool:
    """Whether the words before say that a number is a thing's: a document's, a part's.

    >>> is_thing("주문번호 2026", 5), is_thing("카드번호 2026", 5)
    (True, False)
    """
    return _THING.search(before(text, start, 16)) is not None


def column_head(text: str, start: int) -> str:
    r"""The first row's cell above a place in a table; empty where there is no table.

    >>> column_head("이름,계좌\n김○○,123", 11)
    '계좌'
    """
    begin = text.rfind("\n", 0, start) + 1
    if not begin:
        return ""
    line = text[begin:start]
    mark = next((mark for mark in _MARKS if mark in line), None)
    if mark is None:
        return ""
    head = _top(text, begin, mark).split(mark)
    column = line.count(mark)
    return head[column].strip() if column < len(head) else ""


def _top(text: str, begin: int, mark: str) -> str:
    """The first of the lines that stand together above `begin` and hold `mark`."""
    top = ""
    for _ in range(_MOST_ROWS):
        if not begin:
            break
        above = text.rfind("\n", 0, begin - 1) + 1
        line = text[above : begin - 1]
        if mark not in line:
            break
        top, begin = line, above
    return top
