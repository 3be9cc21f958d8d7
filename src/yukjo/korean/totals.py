"""Totals that stand beside their parts, and how large numbers are written.

1. A total is judged where its parts stand as a list of their own: in brackets after 총 or 합계,
   before `더하면`, in lines that end with 합계, or in a column of a table.
2. All parts and the total have the same unit; a list that holds anything else is left alone.
3. A table is judged by what its columns say of themselves: rates and means aren't added up.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from yukjo.korean.equations import rewritten
from yukjo.korean.found import Found, moved
from yukjo.korean.numbers import NUMBER, parse
from yukjo.korean.text import has_digit

_PLAIN = r"(?<![\d.,])(?=\d)(?>" + NUMBER + ")"
_COUNTED = (
    "원|명|인|건|개소|개|대|회|가구|세대|권|부|곳|그루|마리|동|필지|톤|㎡|㎏|kg|km"
    "|점|매|장|팀|식|과목|학급|시간"
)
_PART = (
    rf"[가-힣A-Za-z·ㆍ() ]{{1,16}}?\s?[:：]?\s?{_PLAIN}\s?(?:{_COUNTED})(?=[을를와과]|(?![가-힣]))"
)
_BRACKET = re.compile(
    rf"(?P<head>총|합계|모두|전체|계)\s?[:：]?\s?(?P<total>{_PLAIN})\s?(?P<unit>{_COUNTED})\s?"
    rf"\((?P<parts>{_PART}(?:\s?[,·/+]\s?{_PART})+)\)"
)
_ADDED = re.compile(
    rf"(?P<parts>{_PART}(?:\s?(?:,|·|와|과|및)\s?{_PART})+)\s?(?:을|를)\s(?:모두\s)?"
    r"(?:더하면|더해|더한|합하면|합해|합한|합치면|합쳐|합친)"
    rf"[^\d.!?\n]{{0,14}}?(?P<total>{_PLAIN})\s?(?P<unit>{_COUNTED})"
)
_ADDING = re.compile(r"[을를]\s(?:모두\s)?(?:더[하해한]|합[하해한치쳐친])")
_VALUE = re.compile(rf"(?P<value>{_PLAIN})\s?(?P<unit>{_COUNTED})")
_LINE = re.compile(
    rf"^[ \t]*(?:[-•·○*]|[가-하]\.|\d\)|[①-⑳])?[ \t]*"
    r"(?P<label>(?:\d{1,4}\s?)?[가-힣A-Za-z][^\d\n:：|]{0,20}?)\s?[:：]\s?"
    rf"(?P<value>{_PLAIN})\s?(?P<unit>{_COUNTED})[ .]*$"
)
_TOTAL = re.compile(r"^\s*(?:합\s?계|총\s?계|계|총합|전체)\s*$")
_SUBTOTAL = re.compile("소계|누계|평균|중간|이월|잔액")
_NOT_ADDED = re.compile(r"율|률|비중|비율|평균|%|％|단가|점수|만족도|순위|증감|당\b")
_CELL = re.compile(rf"^\s*(?P<value>{_PLAIN})\s?(?P<unit>{_COUNTED})?\s*$")
_BARE = re.compile(
    r"(?<![\d.,A-Za-z제-])(?P<number>\d{4,})"
    rf"(?=(?:\.\d+)?\s?(?:[만억천]\s?)?(?:{_COUNTED})(?!차))"
)
_GROUPED = re.compile(
    rf"(?<![\d.,A-Za-z])(?P<number>\d+(?:,\d+)+)(?=(?:\.\d+)?\s?(?:[만억천]\s?)?(?:{_COUNTED}))"
)
_GOOD_GROUPS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+")
_RULE = re.compile(r"[\s|:-]+")
_ROWS = 3
"""Of a table: two parts and their total."""
_BEFORE, _BEHIND = 120, 60
"""Characters around `더하면` in which parts and total are sought."""
_FOUR, _LONGEST = 4, 16
_YEAR = re.compile(r"(?:19|20)\d\d")


def total_faults(text: str) -> list[Found]:
    """Totals in `text`, in NFC, that differ from the sum of their parts.

    >>> [f.mend for f in total_faults("총 15개(횡단보도 11개, 정류장 5개)")]
    ['16']
    >>> [f.mend for f in total_faults("소파 6,000원, 책상 4,000원을 더하면 11,000원입니다.")]
    ['10,000']
    """
    found: list[Found] = []
    if not has_digit(text):
        return found
    if "(" in text:
        found += [one for match in _BRACKET.finditer(text) for one in _listed(match)]
    for adding in _ADDING.finditer(text):
        start = max(text.rfind("\n", 0, adding.start()) + 1, adding.start() - _BEFORE)
        piece = text[start : adding.end() + _BEHIND]
        found += moved((o for match in _ADDED.finditer(piece) for o in _listed(match)), start)
    if "계" in text or "전체" in text or "총합" in text:
        found += [*_lines(text), *_tables(text)]
    return found


def comma_faults(text: str) -> list[Found]:
    """Amounts and counts from 1,000 up that lack commas, or have them elsewhere.

    >>> [(f.start, f.mend) for f in comma_faults("예산 1200만 원, 12,34원, 2026년")]
    [(3, '1,200'), (12, '1,234')]
    """
    if not has_digit(text):
        return []
    bare = (m for m in _BARE.finditer(text) if not _is_year(m))
    grouped = (m for m in _GROUPED.finditer(text) if not _GOOD_GROUPS.fullmatch(m["number"]))
    found = []
    for match in (*bare, *grouped):
        digits = match["number"].replace(",", "")
        # `1,2동` are two names.
        if _FOUR <= len(digits) <= _LONGEST and not digits.startswith("0"):
            found.append(Found("number-commas", *match.span("number"), f"{int(digits):,}"))
    return found


def _is_year(match: re.Match[str]) -> bool:
    """Whether four digits may be a year rather than a quantity (`2026년`, `2026 건`)."""
    after = match.string[match.end() :].lstrip()
    return bool(_YEAR.fullmatch(match["number"])) and not after.startswith(("원", "명", "만", "억"))


def _listed(match: re.Match[str]) -> Iterator[Found]:
    parts = list(_VALUE.finditer(match["parts"]))
    unit = match["unit"]
    values = [parse(part["value"]) for part in parts]
    if any(part["unit"] != unit for part in parts):
        return
    yield from _judged(match["total"], match.start("total"), values)


def _judged(said: str, start: int, values: Sequence[Fraction | None]) -> Iterator[Found]:
    total = parse(said)
    known = [value for value in values if value is not None]
    if total is None or len(known) != len(values) or len(known) < 2:  # noqa: PLR2004
        return
    if total != sum(known):
        mend = rewritten(said, sum(known, Fraction(0)))
        yield Found("wrong-sum", start, start + len(said), mend)


def _lines(text: str) -> Iterator[Found]:
    """Lines `label: number unit` that end with a line of their total."""
    row: list[re.Match[str]] = []
    place = 0
    for line in text.split("\n"):
        match = _LINE.match(line)
        if match is None or (row and match["unit"] != row[0]["unit"]) or _SUBTOTAL.search(line):
            row = []
        elif _TOTAL.match(match["label"]):
            values = [parse(one["value"]) for one in row]
            yield from _judged(match["value"], place + match.start("value"), values)
            row = []
        if match is not None and not _TOTAL.match(match["label"]) and not _SUBTOTAL.search(line):
            row = [*row, match]
        place += len(line) + 1


def _tables(text: str) -> Iterator[Found]:
    """Columns of a table `a | b` whose last row is called 합계."""
    rows: list[tuple[int, str]] = []
    place = 0
    for line in [*text.split("\n"), ""]:
        if "|" in line:
            rows.append((place, line))
        elif rows:
            yield from _table([_cells(*row) for row in rows if not _RULE.fullmatch(row[1])])
            rows = []
        place += len(line) + 1


def _cells(place: int, line: str) -> list[tuple[int, str]]:
    """Where each cell starts, and what it holds."""
    found, start = [], place
    for cell in line.split("|"):
        found.append((start, cell))
        start += len(cell) + 1
    return found[1:-1] if line.strip().startswith("|") else found


def _table(rows: list[list[tuple[int, str]]]) -> Iterator[Found]:
    head, *body = rows or [[]]
    width = len(head)
    if len(body) < _ROWS or any(len(row) != width for row in rows):
        return
    if not _TOTAL.match(body[-1][0][1]):
        return
    if any(_SUBTOTAL.search(cell) for row in body for _, cell in row[:1]):
        return
    for column in range(1, width):
        cells = [_CELL.match(row[column][1]) for row in body]
        if _NOT_ADDED.search(head[column][1]) or not all(cells):
            continue
        good = [cell for cell in cells if cell]
        if len({cell["unit"] for cell in good}) == 1:
            start = body[-1][column][0] + good[-1].start("value")
            values = [parse(cell["value"]) for cell in good[:-1]]
            yield from _judged(good[-1]["value"], start, values)
