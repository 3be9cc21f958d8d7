"""The frame of a document: its six sections, and the mark it ends with.

1. Only what shows a frame is judged: two headings of the six, or two items, or 붙임.
2. `끝.` stands two spaces after the last letter, of 붙임 where there is one (the rule of
   `documents`, 제4조제5항). On a line of its own it is right after a table, and after a line that
   fills its width.
"""

import re
from collections.abc import Iterator

from yukjo.korean.found import Found

SECTIONS = ("개요", "배경", "내용", "예산", "일정", "효과")
"""Headings of a plan, numbered 1 to 6."""

_HEADING = re.compile(
    rf"^[ \t]*(?:(?P<number>\d{{1,2}})[.)])?[ \t]*(?P<name>{'|'.join(SECTIONS)})[ \t]*$",
    re.MULTILINE,
)
_ITEM = re.compile(r"^[ \t]*(?:\d{1,2}\.(?!\s?\d)|[가-하]\.)\s", re.MULTILINE)
_ATTACHED = re.compile(r"^[ \t]*붙[ \t]*임(?![가-힣])", re.MULTILINE)
_END = re.compile(r"(?P<space>\s*)끝(?P<stop>\.?)(?=\s*$)")
_EARLY = re.compile(r"(?<![가-힣])끝\.[ \t]*$", re.MULTILINE)
_SPACES = ("  ", "\u3000")
_FEW = 2
"""Items or headings that show a frame."""
_WIDTH = 40
"""Characters of a line that may well fill the width of its page."""


def end_faults(text: str) -> list[Found]:
    r"""What is wrong with the end mark of a text in NFC, without spaces at its end.

    >>> end_faults("1. 개요\n2. 배경 끝.")
    [Found(code='doc-end', start=11, end=12, mend='  ')]
    >>> [(f.start, f.mend) for f in end_faults("1. 개요\n2. 배경")]
    [(10, '경  끝.')]
    """
    items = len(_ITEM.findall(text))
    if not text.strip() or (items < _FEW and not ("붙" in text and _ATTACHED.search(text))):
        return []
    found = [Found("doc-end", early.start(), early.start() + 2) for early in _early(text)]
    end = _END.search(text)
    if end is None or (end["space"] == "" and not _ends_row(text, end.start())):
        last = len(text.rstrip()) - 1
        return [*found, Found("doc-end", last, last + 1, f"{text[last]}  끝.")]
    space = end["space"]
    if space not in _SPACES and not ("\n" in space and _may_be_alone(text[: end.start()])):
        # Where there is no room at all, the mark itself is the place.
        start, stop = end.span("space") if space else end.span()
        found.append(Found("doc-end", start, stop, "  " if space else "  끝."))
    if not end["stop"]:
        found.append(Found("doc-end", end.end() - 1, end.end(), "끝."))
    return found


def section_faults(text: str) -> list[Found]:
    r"""Headings of the six that are missing, out of their order, misnumbered or empty.

    >>> [f.mend for f in section_faults("1. 개요\n계획\n2. 배경\n필요\n3. 내용\n조사\n5. 일정\n달")]
    ['4. 예산', '6. 효과']
    """
    headings = list(_HEADING.finditer(text))
    if len({heading["name"] for heading in headings}) < _FEW:
        return []
    return list(_section_faults(text, headings))


def _section_faults(text: str, headings: list[re.Match[str]]) -> Iterator[Found]:
    named = [heading["name"] for heading in headings]
    last = -1
    for place, heading in enumerate(headings):
        wanted = SECTIONS.index(heading["name"])
        start, end = heading.span("name")
        after = headings[place + 1].start() if place + 1 < len(headings) else len(text)
        if heading["name"] in named[:place] or wanted < last:
            yield Found("doc-sections", start, end)
        elif heading["number"] and int(heading["number"]) != wanted + 1:
            yield Found("doc-sections", *heading.span("number"), str(wanted + 1))
        elif not re.sub(r"끝\.?", "", text[heading.end() : after]).strip():
            yield Found("doc-sections", start, end)
        last = max(last, wanted)
    for number, name in enumerate(SECTIONS, 1):
        if name not in named:
            later = [h for h in headings if SECTIONS.index(h["name"]) >= number]
            start, end = (later[0] if later else headings[-1]).span("name")
            yield Found("doc-sections", start, end, f"{number}. {name}")


def _early(text: str) -> Iterator[re.Match[str]]:
    """End marks that something follows."""
    body = text.rstrip()
    return (found for found in _EARLY.finditer(body) if found.end() < len(body))


def _ends_row(text: str, start: int) -> bool:
    """Whether what stands before the mark is closed, so that `끝` is no part of a word."""
    return start > 0 and text[start - 1] in ".)]」』|"


def _may_be_alone(before: str) -> bool:
    """Whether the mark may stand on a line of its own below `before`."""
    line = before.rstrip().rpartition("\n")[2]
    return line.lstrip().startswith("|") or line.endswith("|") or len(line) >= _WIDTH
