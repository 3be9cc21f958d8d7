"""`document_check`: the rules officials live by, held against a draft.

What it says of a place is quoted from the draft, so it is data (`quoting.disarmed`), on one line.
"""

import unicodedata
from collections import Counter
from typing import Annotated, Any

from pydantic import StringConstraints

from yukjo.data.rule_words import RULE_WORDS
from yukjo.korean.found import Found
from yukjo.korean.rules import GROUPS, found
from yukjo.serve.tools.quoting import disarmed
from yukjo.serve.tools.tool import Arguments, Result, Tool
from yukjo.words import say

LONGEST = 10_000
"""Characters of a draft, and of its material."""
MOST = 30
"""Faults that a result lists."""
MOST_OF_ONE = 5
"""Of one rule."""


class CheckArguments(Arguments):
    """[document_check]"""

    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
    """The draft, whole and with its line breaks."""
    material: Annotated[str, StringConstraints(max_length=LONGEST)] = ""
    """What the draft rests on: with it, citations, quotations and figures are held against it."""


class DocumentCheck(Tool[CheckArguments]):
    """Knows nothing but the text."""

    name = "document_check"
    arguments = CheckArguments

    @property
    def about(self) -> str:
        """What it does."""
        return say("Check a draft: form of an official document, sums and rates, days of the week,"
                   " periods, and what its material doesn't support.")  # fmt: skip

    def run(self, asked: CheckArguments) -> Result:
        """Each fault with its place and mend, the first place first."""
        text = unicodedata.normalize("NFC", asked.text)
        every = found(text, unicodedata.normalize("NFC", asked.material), groups=tuple(GROUPS))
        listed = _listed(every)
        rows = [_row(text, one) for one in listed]
        head = say("{count} places to look at:", count=len(every))
        if not every:
            head = say(
                "No fault was found by rule. Spelling, wording and facts were not looked at."
            )
        lines = [f"{n}. {row['message']} → {row['fix']}" for n, row in enumerate(rows, 1)]
        if left := len(every) - len(listed):
            lines.append(say("{count} more are not listed", count=left))
        return Result(
            tool=self.name,
            text="\n".join([head, *lines]),
            extra={"count": len(every), "faults": rows},
        )

    def by_rule(self, text: str) -> list[dict[str, Any]]:  # noqa: ARG002 - every tool is asked alike
        """Never: the review adapter was trained without its results, and would be led astray."""
        return []


def _listed(every: list[Found]) -> list[Found]:
    counts: Counter[str] = Counter()
    kept: list[Found] = []
    for one in every:
        counts[one.code] += 1
        if counts[one.code] <= MOST_OF_ONE and len(kept) < MOST:
            kept.append(one)
    return kept


def _row(text: str, one: Found) -> dict[str, Any]:
    """A fault in words, and for programs: its place in the draft in NFC."""
    words, values = RULE_WORDS[one.code], {"shown": text[one.start : one.end], "mend": one.mend}
    return {
        "code": one.code,
        "line": text.count("\n", 0, one.start) + 1,
        "start": one.start,
        "end": one.end,
        "mend": one.mend,
        "message": disarmed(words.message(values)),
        "fix": disarmed(words.fix(values)),
    }
