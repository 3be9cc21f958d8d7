"""The answered cases of a run, as its folder holds them, and those of them that are asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from yukjo.errors import RunError
from yukjo.files import sha256_bytes
from yukjo.records import CaseShown, Change
from yukjo.runs import RunFolder
from yukjo.words import say

SAME: tuple[Change, ...] = ("unsound", "sound")
MARKS: dict[Change, str] = {"broken": "✕", "fixed": "○", "unsound": "△", "sound": "＝"}


class Case(CaseShown):
    """A case that may have been written by a later version."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All cases of a run, the broken ones first."""

    cases: tuple[Case, ...]
    sha256: str
    """Of the file of a run that is no chain."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which cases are asked for; "" asks for all."""

    agent: str = ""
    difficulty: str = ""
    topic: str = ""
    change: str = ""

    def fits(self, case: Case) -> bool:
        """Whether a case is among them."""
        pairs = ((self.agent, case.agent), (self.difficulty, case.difficulty or "-"),
                 (self.topic, case.topic or "-"))  # fmt: skip
        changed = not self.change or case.change == self.change or (
            self.change == "same" and case.change in SAME
        )  # fmt: skip
        return changed and all(not wanted or wanted == own for wanted, own in pairs)


def read(folder: RunFolder) -> CaseFile | None:
    """The cases of a run and of the stages of a chain; None where it has no such file."""
    files = [file for file in (folder.cases, *sorted(folder.path.glob("*/cases.jsonl")))
             if file.is_file()]  # fmt: skip
    if not files:
        return None
    parts = [_read(file, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    order = list(MARKS)
    cases = [case for part in parts for case in part.cases]
    if len(parts) > 1:
        cases.sort(key=lambda case: order.index(case.change))
    return CaseFile(tuple(cases), parts[0].sha256 if files[0] == folder.cases else "")


@lru_cache(maxsize=8)
def _read(file: Path, _changed: int, _size: int) -> CaseFile:
    """One file; read again only when it has changed."""
    content = file.read_bytes()
    cases = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            cases.append(Case.model_validate_json(line))
        except ValidationError as fault:
            raise RunError(
                say("this case can't be shown: {fault}", fault=fault.errors()[0]["msg"]),
                where=f"{file.name}:{number}",
                fix=say("make it anew: `yukjo evaluate --rescore RUN` after removing the file"),
            ) from None
    return CaseFile(tuple(cases), sha256_bytes(content))


def values(cases: Iterable[Case], of: Callable[[Case], str]) -> list[str]:
    """What can be asked for, by name."""
    return sorted({of(case) for case in cases})


def change_name(change: str) -> str:
    """What became of a case, in words."""
    return {
        "broken": say("broken"),
        "fixed": say("fixed"),
        "unsound": say("still not sound"),
        "sound": say("sound as before"),
        "same": say("unchanged"),
    }.get(change, change)


def fault_name(code: str) -> str:
    """What there is against an answer: why it failed, or the rule it breaks; else its code."""
    return {
        "empty": say("empty answer"),
        "cut": say("cut at the token limit"),
        "not-korean": say("not Korean"),
        "loop": say("says the same again and again"),
        "item_accuracy": say("a field was read wrong"),
        "cites_source": say("no true source cited"),
        "cites_every_document": say("not every document cited"),
        "polite": say("not polite throughout"),
        "gives_steps": say("no numbered steps"),
        "gives_contact": say("no contact"),
        "asks_back": say("does not ask back"),
        "six_sections": say("not the six sections"),
        "outline_style": say("no outline style"),
        "end_mark": say("no end mark"),
        "cites_article": say("no article cited in form"),
        "quotes_article": say("article not quoted letter by letter"),
        "plain_words": say("no plain explanation"),
        "practical_use": say("no practical use"),
        "thousands_separators": say("figures without commas"),
        "gives_percentage": say("no percentage"),
        "names_trend": say("no trend in words"),
        "proposes_chart": say("no chart proposed"),
        "lists_errors": say("errors not listed in form"),
        "proposes_improvement": say("no improvement proposed"),
        "corrected_text": say("no corrected text"),
    }.get(code, code)
