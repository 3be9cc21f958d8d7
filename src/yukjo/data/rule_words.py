"""What is said of each code of `korean.rules`: of a line of data, and of a text that is checked.

A code has words for what is wrong, with the place in backquotes, and words for its mend where the
rule can't tell what should stand there.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from yukjo.korean.text import shown
from yukjo.words import say


class RuleWords(NamedTuple):
    """The words of one code."""

    wrong: Callable[[str], str]
    mend: Callable[[], str]

    def message(self, values: Mapping[str, Any]) -> str:
        """What is wrong, from a fault's `shown`."""
        return self.wrong(shown(values["shown"]))

    def fix(self, values: Mapping[str, Any]) -> str:
        """What should stand there, from a fault's `mend`; else what to do."""
        mend = values["mend"]
        return say("write `{mend}`", mend=shown(mend)) if mend.strip() else self.mend()


RULE_WORDS: dict[str, RuleWords] = {
    "doc-labels": RuleWords(
        lambda s: say("the item label `{shown}` is out of its order", shown=s),
        lambda: say("labels go 1. 가. 1) 가) (1) (가) ① ㉮; a single item has none"),
    ),
    "doc-date": RuleWords(
        lambda s: say("the day `{shown}` is not in the form of an official document", shown=s),
        lambda: say("write a day as {example}", example="2026. 3. 5."),
    ),
    "doc-time": RuleWords(
        lambda s: say("the time `{shown}` is not in the form of an official document", shown=s),
        lambda: say("write a time as {example}", example="09:00"),
    ),
    "doc-money": RuleWords(
        lambda s: say("the amount `{shown}` is not said in Hangul beside it", shown=s),
        lambda: say("write an amount as {example}", example="금123,400원(금일십이만삼천사백원)"),
    ),
    "doc-attachment": RuleWords(
        lambda s: say("the enclosure `{shown}` lacks its quantity or its right number", shown=s),
        lambda: say("write an enclosure as {example}", example="붙임  1. 계획서 1부."),
    ),
    "doc-han": RuleWords(
        lambda s: say("`{shown}` stands in Han characters", shown=s),
        lambda: say("write Hangul, with the other letters in brackets behind it"),
    ),
    "doc-end": RuleWords(
        lambda s: say("the end mark is missing or not in its place, at `{shown}`", shown=s),
        lambda: say("end the document, its enclosures too, with two spaces and {mark}",
                    mark="끝."),
    ),
    "doc-sections": RuleWords(
        lambda s: say("the sections are not the six in their order, at `{shown}`", shown=s),
        lambda: say("write {sections}, each with text below it",
                    sections="1. 개요 2. 배경 3. 내용 4. 예산 5. 일정 6. 효과"),
    ),
    "number-commas": RuleWords(
        lambda s: say("the number `{shown}` lacks commas or has them elsewhere", shown=s),
        lambda: say("set a comma every three digits"),
    ),
    "wrong-sum": RuleWords(
        lambda s: say("`{shown}` is not what the figures beside it come to", shown=s),
        lambda: say("reckon it again"),
    ),
    "wrong-rate": RuleWords(
        lambda s: say("the change `{shown}` doesn't follow from the figures beside it", shown=s),
        lambda: say("reckon it again"),
    ),
    "wrong-share": RuleWords(
        lambda s: say("the share `{shown}` doesn't follow from the figures beside it", shown=s),
        lambda: say("reckon it again"),
    ),
    "percent-point": RuleWords(
        lambda s: say("a difference of two rates is written with `{shown}`", shown=s),
        lambda: say("reckon it again"),
    ),
    "wrong-weekday": RuleWords(
        lambda s: say("the day of the week `{shown}` is not that of its date", shown=s),
        lambda: say("look at the calendar"),
    ),
    "impossible-date": RuleWords(
        lambda s: say("the calendar has no day `{shown}`", shown=s),
        lambda: say("look at the calendar"),
    ),
    "wrong-period": RuleWords(
        lambda s: say("the period `{shown}` doesn't fit its first and last day", shown=s),
        lambda: say("count both its ends, and let it end after it begins"),
    ),
    "wrong-deadline": RuleWords(
        lambda s: say("the due day `{shown}` is not the one that the receipt and the period give",
                      shown=s),
        lambda: say("count as article 19 of the civil petitions act has it"),
    ),
    "law-not-shown": RuleWords(
        lambda s: say("the material shows no law `{shown}`", shown=s),
        lambda: say("cite what the material shows, or put the law into it"),
    ),
    "article-not-shown": RuleWords(
        lambda s: say("the material doesn't show the article `{shown}`", shown=s),
        lambda: say("cite what the material shows, or put the law into it"),
    ),
    "quote-not-found": RuleWords(
        lambda s: say("the quotation `{shown}` doesn't stand in the material", shown=s),
        lambda: say("quote letter by letter"),
    ),
    "source-not-shown": RuleWords(
        lambda s: say("the material holds no document `{shown}`", shown=s),
        lambda: say("cite the title as the material has it"),
    ),
    "mixed-politeness": RuleWords(
        lambda s: say("`{shown}` isn't as polite as the rest of the answer", shown=s),
        lambda: say("keep one level of politeness"),
    ),
    "foreign-word": RuleWords(
        lambda s: say("the foreign word `{shown}` stands in Korean text", shown=s),
        lambda: say("write Hangul, with the other letters in brackets behind it"),
    ),
    "not-supported": RuleWords(
        lambda s: say("`{shown}` neither stands in the material nor follows from it", shown=s),
        lambda: say("check it, or put what it comes from into the material"),
    ),
}  # fmt: skip
"""Every code of `korean.rules.CODES`."""
