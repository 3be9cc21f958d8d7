"""How the scorers read an answer: its lines, sentences, parts, numbers and citations.

Pure functions over any text whatever. Sentence ends are looked for line by line, because official
documents break sentence splitters (dates `2026. 3. 2.`, item labels `가.`).
"""

import re
import unicodedata

from yukjo.korean.text import sentences

_ITEM = re.compile(r"^\s*(?:\d{1,2}[.)]|\([\d가-하]\)|[가-하][.)]|[-•·○※▶]|[①-⑳㉮-㉻])\s*")
_LABEL = re.compile(r"^\s*[가-힣 ]{1,12}: ")
_HEADING = re.compile(r"^\s*\[[^\[\]]*\]\s*$")
_CITATION = re.compile(r"\[출처:[^\[\]]*\]")
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^“”\n]*”|‘[^‘’\n]*’|'[^'\n]*'")
_ASIDE = re.compile(r"\([^()\n]*\)")
_POLITE = re.compile(r"(?:니다|니까|시오|세요|(?<![필개주중수소강])요|죠)$")
_PLAIN = re.compile(r"(?<!니)다$")


def normal(text: str) -> str:
    r"""`text` in NFC, with `\n` as the only line end and no space around it.

    >>> normal("\u1100\u1161\r\n")
    '가'
    """
    return unicodedata.normalize("NFC", "\n".join(text.splitlines())).strip()


def lines(text: str) -> list[str]:
    """The lines of `text` that hold anything, without the space at their ends."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def part(text: str, heading: str) -> str:
    r"""What stands under the line `heading`, up to the next `[...]` line; "" if nothing does.

    >>> part("[조문]\n제5조\n[쉬운 설명]\n됩니다.", "[조문]")
    '제5조'
    """
    found: list[str] | None = None
    for line in lines(text):
        if found is None:
            found = [] if line == heading else None
        elif _HEADING.match(line):
            break
        else:
            found.append(line)
    return "\n".join(found or ())


def quotes(text: str) -> list[str]:
    """What stands between double quotation marks.

    >>> quotes('"몇일간" → “며칠간”이 바름')
    ['몇일간', '며칠간']
    """
    return ["".join(found).strip() for found in re.findall(r"\"([^\"\n]+)\"|“([^“”\n]+)”", text)]


def is_polite(text: str) -> bool:
    r"""Whether every sentence ends politely; a list item or `label: ` line may end in a noun.

    Quotations, bracketed asides and citations are not the speaker's own words and don't count.

    >>> is_polite("신청하시면 됩니다. (도서관 휴관 제외)"), is_polite("신청하면 된다.")
    (True, False)
    >>> is_polite("준비물은 다음과 같습니다.\n- 신분증"), is_polite("신분증")
    (True, False)
    """
    polite = False
    for line in text.split("\n"):
        free = bool(_ITEM.match(line) or _LABEL.match(line))
        for sentence in spoken(line):
            if _POLITE.search(sentence):
                polite = True
            elif not free or _PLAIN.search(sentence):
                return False
    return polite


def spoken(line: str) -> list[str]:
    """The sentences of a line without item label, quotations, asides and end marks.

    >>> spoken("1. 접수합니다. (주말 제외) 오세요.")
    ['접수합니다', '오세요']
    """
    if _HEADING.match(line):
        return []
    own = _CITATION.sub("", _ITEM.sub("", line))
    own = _ASIDE.sub("", _QUOTED.sub("인용", own))
    trimmed = (s.strip(" .?!:\"'") for s in sentences(own))
    return [sentence for sentence in trimmed if sentence]


def longest_loop(text: str, size: int) -> int:
    """How often the most repeated chunk of `size` characters stands in `text` without overlap.

    Runs of space count as one; a chunk without a letter (a ruled line) is no loop.

    >>> longest_loop("네, 알겠습니다. " * 5, 9)
    5
    """
    flat = " ".join(text.split())
    ends: dict[str, int] = {}
    counts: dict[str, int] = {}
    for start in range(len(flat) - size + 1):
        chunk = flat[start : start + size]
        if start >= ends.get(chunk, 0) and any(c.isalpha() for c in chunk):
            ends[chunk] = start + size
            counts[chunk] = counts.get(chunk, 0) + 1
    return max(counts.values(), default=0)
