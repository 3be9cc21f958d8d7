"""The facts of a case: read from an analysis line by line, and looked for in a summary.

1. Two writings of one fact are one fact: `12,300원` and `1만 2,300원`, `2026. 3. 2.` and `2026년
   3월 2일`, `주민 센터` and `주민센터`.
2. A date or an amount that can't be read as one is no fact: "" stands for a field that is missing
   or malformed.
3. A summary says whatever date, amount and number of the case's form stands in it, and of names
   those known for the field. A made-up name that nobody knows is not seen.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from yukjo.config.models import FieldKind
from yukjo.korean.facts import facts
from yukjo.korean.text import visible

VERSION = 1
"""Raised when any text yields other facts than before."""

Fields = Mapping[str, FieldKind]
Facts = Mapping[str, str]
"""Field -> its fact in its one form; "" where there is none."""
Said = frozenset[tuple[str, str]]
"""(group, fact) of all that a text says; see `group_of`."""

_READ = ("date", "amount")
"""Kinds that `korean.facts` reads."""
_LINE = re.compile(r"^[ ]*([^:\n]{1,40}?)[ ]*:[ ]*(.*?)[ ]*$", re.MULTILINE)
_DASHES = str.maketrans(dict.fromkeys("‐‑–—−－", "-"))
_RUN = re.compile(r"[0-9]+|[A-Za-z]+|[^0-9A-Za-z]+")


def parse(text: str, fields: Fields) -> dict[str, str]:
    r"""The values of an analysis as they are written, "" for none; of lines of one name the first.

    >>> parse("종류: 확인서\n비고: 없음", {"종류": "name", "금액": "amount"})
    {'종류': '확인서', '금액': ''}
    """
    found: dict[str, str] = {}
    for name, value in _LINE.findall(visible(text)):
        if value:
            found.setdefault(name, value)
    return {name: found.get(name, "") for name in fields}


def facts_of(text: str, fields: Fields) -> dict[str, str]:
    """The facts of an analysis."""
    return {name: fact(fields[name], value) for name, value in parse(text, fields).items()}


def fact(kind: FieldKind, text: str) -> str:
    """A value in its one form; "" where it is none of its kind.

    >>> fact("amount", "1만 2,300원"), fact("amount", "12,3O0원"), fact("code", "12 - 3456")
    ('12300', '', '12-3456')
    >>> fact("date", "2026년 3월 2일"), fact("date", "2026. 13. 2."), fact("date", "3월 2일")
    ('2026-3-2', '', '')
    """
    clean = visible(text)
    if kind not in _READ:
        return "".join(clean.translate(_DASHES).split())
    found = [one.value for one in facts(clean) if one.kind == kind]
    return found[0] if len(found) == 1 and all(found[0].split("-")) else ""


def group_of(field: str, kind: FieldKind) -> str:
    """What the values of a field are told apart by in running text: their kind, of names the field.

    An amount could be of any field of amounts; a name is known by its field.
    """
    return field if kind == "name" else kind


def marks(known: Facts, fields: Fields) -> Said:
    """Facts as they would be found in a text that says all of them."""
    return frozenset((group_of(f, fields[f]), value) for f, value in known.items() if value)


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked for in summaries."""

    fields: Fields
    names: Mapping[str, frozenset[str]]
    """Field of names -> every name known for it."""

    def said(self, text: str, *known: Facts) -> Said:
        """All that `text` says; `known` are the truth and the reading, whose names count too."""
        clean = visible(text).translate(_DASHES)
        own = frozenset().union(*(marks(one, self.fields) for one in known))
        kinds = {kind for kind in self.fields.values() if kind in _READ}
        dated = {(one.kind, one.value) for one in facts(clean) if one.kind in kinds}
        found: set[tuple[str, str]] = {one for one in dated if not _is_part(one, own)}
        found |= {("code", code) for code in _codes(clean, {v for g, v in own if g == "code"})}
        for field, kind in self.fields.items():
            if kind == "name":
                every = self.names.get(field, frozenset()) | {v for g, v in own if g == field}
                found |= {(field, name) for name in _names(clean, every)}
        return frozenset(found)


def look(fields: Fields, truths: Iterable[Facts]) -> Look:
    """What to look for, with every name that stands in `truths`."""
    known: dict[str, set[str]] = {field: set() for field, kind in fields.items() if kind == "name"}
    for truth in truths:
        for field, names in known.items():
            names.add(truth[field])
    return Look(fields, {field: frozenset(names - {""}) for field, names in known.items()})


def _is_part(one: tuple[str, str], own: Said) -> bool:
    """Whether it is a date known in full with a part left out: `3월 2일` of 2026. 3. 2."""
    kind, value = one
    parts = value.split("-")
    if kind != "date" or all(parts):
        return False
    whole = [known.split("-") for group, known in own if group == "date"]
    return any(all(a in {"", b} for a, b in zip(parts, full, strict=True)) for full in whole)


def _codes(text: str, known: Iterable[str]) -> Iterator[str]:
    """What stands in the text in the form of a known number: runs of digits, of letters, signs."""
    for form in sorted({shape(code) for code in known}):
        yield from re.findall(rf"(?a:(?<![\w,.-])){form}(?a:(?![\w-]|[,.]\d))", text)


def shape(code: str) -> str:
    """A pattern of numbers of this form.

    >>> shape("12-A3")
    '[0-9]+-[A-Za-z]+[0-9]+'
    """
    return "".join(map(_run, _RUN.findall(code)))


def _run(run: str) -> str:
    if run.isascii() and run.isalnum():
        return "[0-9]+" if run.isdigit() else "[A-Za-z]+"
    return "-" if run == "-" else re.escape(run)


def _names(text: str, known: Iterable[str]) -> Iterator[str]:
    """The names in the text, each where no longer one stands; a word may go on behind it."""
    for name in sorted(known, key=lambda name: (-len(name), name)):
        pattern = r"\s?".join(map(re.escape, name))
        text, times = re.subn(rf"(?<![\w]){pattern}", " ¶ ", text)
        if times:
            yield name
