"""What a check can find: every code with its level, its message and its mend.

A `Fault` is a finding without words, cheap to make a million times; `explain` puts it into the
language being spoken. Text from a file is quoted through `shown`: one short, printable line.

1. An error keeps a line from being trained on; a warning does not.
2. A code is a word that never changes its meaning; messages may.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, NamedTuple

from pydantic import Field

from yukjo.data import personal
from yukjo.data.rule_words import RULE_WORDS
from yukjo.korean.pii import Level
from yukjo.korean.text import shown
from yukjo.pictures import BYTES, FORMATS, PIXELS, THIN
from yukjo.records import Frozen
from yukjo.words import say

SHORT, LONG = 100, 1000
"""Characters of an output of good length (requirement G9)."""


class Finding(Frozen):
    """One thing to look at, as shown to people."""

    file: str
    line: int
    """1-based; 0 means the file as a whole."""
    code: str
    level: Level
    field: str | None
    message: str
    fix: str


class Report(Frozen):
    """What a check found: everything is counted, a bounded number per code is listed."""

    lines: int
    errors: int
    warnings: int
    findings: tuple[Finding, ...]
    omitted: int = Field(default=0, exclude_if=lambda count: count == 0)
    """Findings counted above and not listed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A finding before it has words or a place."""

    code: str
    field: str | None = None
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the message is about; small, since a check keeps many: types and text cut by `cut`."""


class _Rule(NamedTuple):
    """The level of a code and the words for it, made from a fault's values."""

    level: Level
    message: Callable[[Mapping[str, Any]], str]
    fix: Callable[[Mapping[str, Any]], str]


def cut(text: str) -> str:
    """As much of a text as a message may quote."""
    return text[:100]


def level(fault: Fault) -> Level:
    """Whether a fault is an error or a warning."""
    return RULES[fault.code].level


def explain(fault: Fault, *, file: str, line: int) -> Finding:
    """A fault in words, with its place."""
    rule = RULES[fault.code]
    return Finding(
        file=file,
        line=line,
        code=fault.code,
        level=rule.level,
        field=fault.field,
        message=rule.message(fault.values),
        fix=rule.fix(fault.values),
    )


def _nearest(name: str, known: Collection[str]) -> str:
    """What to write instead of `name`."""
    near = get_close_matches(name[:60], known, n=1)
    if near:
        return say("did you mean `{near}`?", near=near[0])
    return say("known are: {known}", known=", ".join(known))


def _as_utf8(values: Mapping[str, Any]) -> str:
    """How to save the file, with a word for the encoding Korean files often have."""
    if values["cp949"]:
        return say("it looks like CP949 (Windows Korean): save the file as UTF-8")
    return say("save the file as UTF-8")


def _kind(kind: type) -> str:
    """What a JSON value of a type is called."""
    kinds: dict[type, str] = {
        type(None): "null",
        bool: say("a truth value"),
        int: say("a number"),
        float: say("a number"),
        str: say("a text"),
        list: say("a list"),
        dict: say("an object"),
    }
    return kinds[kind]


RULES: dict[str, _Rule] = {
    "line-too-long": _Rule(
        "error",
        lambda v: say("the line is longer than {limit} bytes", limit=f"{v['limit']:,}"),
        lambda _: say("put one sample on a line, and split texts this long"),
    ),
    "not-utf8": _Rule(
        "error",
        lambda v: say("byte {position} is not UTF-8", position=v["position"]),
        _as_utf8,
    ),
    "not-json": _Rule(
        "error",
        lambda v: say("not JSON at character {position}: {why}", position=v["position"],
                      why=v["why"]),
        lambda _: say("write one whole JSON object on each line"),
    ),
    "too-deep": _Rule(
        "error",
        lambda _: say("brackets are nested too deeply"),
        lambda _: say("a sample is a flat object"),
    ),
    "not-object": _Rule(
        "error",
        lambda v: say("the line holds {kind}, not an object", kind=_kind(v["kind"])),
        lambda _: say("write {example}", example='{"instruction": "…", "input": "…", …}'),
    ),
    "duplicate-key": _Rule(
        "error",
        lambda v: say("the key `{key}` stands twice in one object", key=shown(v["key"])),
        lambda _: say("keep one of the two"),
    ),
    "not-finite": _Rule(
        "error",
        lambda v: say("{value} is no number JSON knows", value=shown(v["value"])),
        lambda _: say("write a finite number, or null"),
    ),
    "lone-surrogate": _Rule(
        "error",
        lambda v: say("half of a surrogate pair at character {position}", position=v["position"]),
        lambda _: say("write the character itself, or both halves of its escape"),
    ),
    "missing-field": _Rule(
        "error",
        lambda v: say("the field `{field}` is missing", field=v["field"]),
        lambda v: say("add `{field}`", field=v["field"]),
    ),
    "unknown-field": _Rule(
        "warning",
        lambda v: say("unknown field `{field}`; it is not used", field=shown(v["field"])),
        lambda v: _nearest(v["field"], v["known"]),
    ),
    "wrong-type": _Rule(
        "error",
        lambda v: say("`{field}` is {kind}", field=v["field"], kind=_kind(v["kind"])),
        lambda v: say("write a list of earlier turns") if v["want"] == "list"
        else say("write a list of file names") if v["want"] == "names"
        else say("write an object with `role` and `content`") if v["want"] == "object"
        else say("write a text in quotes"),
    ),
    "wrong-value": _Rule(
        "error",
        lambda v: say("`{field}` can't be `{value}`", field=v["field"], value=shown(v["value"])),
        lambda v: say("one of: {known}", known=", ".join(v["known"])),
    ),
    "unknown-agent": _Rule(
        "error",
        lambda v: say("unknown agent `{agent}`", agent=shown(v["agent"])),
        lambda v: _nearest(v["agent"], v["known"]),
    ),
    "empty-text": _Rule(
        "error",
        lambda v: say("`{field}` is blank", field=v["field"]),
        lambda _: say("write its text, or take the line out"),
    ),
    "control-character": _Rule(
        "error",
        lambda v: say("control character {shown} at character {position}", **v),
        lambda _: say("take it out; lines within a text end in \\n"),
    ),
    "bidi": _Rule(
        "error",
        lambda v: say("a character that turns the reading direction, {shown}, at character "
                      "{position}", **v),
        lambda _: say("take it out: it can show people other text than the model learns"),
    ),
    "zero-width": _Rule(
        "warning",
        lambda v: say("an invisible character, {shown}, at character {position}", **v),
        lambda _: say("take it out: the model would learn it"),
    ),
    "not-nfc": _Rule(
        "warning",
        lambda _: say("the Korean is stored in pieces (NFD), as macOS file names are"),
        lambda _: say("normalise the text to NFC"),
    ),
    "not-korean": _Rule(
        "warning",
        lambda _: say("fewer than half of the letters are Hangul"),
        lambda _: say("check that the answer is meant to be in another language"),
    ),
    "short-output": _Rule(
        "warning",
        lambda v: say("the answer has {count} characters, fewer than {limit}", count=v["count"],
                      limit=SHORT),
        lambda _: say("say all that the question asks for"),
    ),
    "long-output": _Rule(
        "warning",
        lambda v: say("the answer has {count} characters, more than {limit}",
                      count=f"{v['count']:,}", limit=f"{LONG:,}"),
        lambda _: say("say it shorter, or split the sample"),
    ),
    "duplicate-line": _Rule(
        "warning",
        lambda v: say("the same sample as {other}", other=v["other"]),
        lambda _: say("take it out; training uses it once in any case"),
    ),
    "near-duplicate": _Rule(
        "warning",
        lambda v: say("nearly the same text as {other} ({percent} % alike)", **v),
        lambda _: say("reword it, or keep one of the two"),
    ),
    "duplicate-id": _Rule(
        "error",
        lambda v: say("the id already belongs to another sample, {other}",
                      other=v["other"]),
        lambda _: say("give each sample its own id"),
    ),
    "near-duplicates-unsought": _Rule(
        "warning",
        lambda v: say("near duplicates were sought among the first {limit} samples only",
                      limit=f"{v['limit']:,}"),
        lambda _: say("check parts of the data on their own as well"),
    ),
    "blank-line": _Rule(
        "warning",
        lambda _: say("the line is blank"),
        lambda _: say("take it out"),
    ),
    "empty-file": _Rule(
        "warning",
        lambda _: say("the file holds no line"),
        lambda _: say("write one JSON object a line"),
    ),
    "bom": _Rule(
        "warning",
        lambda _: say("the file starts with a byte order mark"),
        lambda _: say("save it as UTF-8 without BOM"),
    ),
    "crlf": _Rule(
        "warning",
        lambda _: say("lines end in carriage return and line feed (Windows)"),
        lambda _: say("save it with \\n line ends"),
    ),
    "too-many-images": _Rule(
        "error",
        lambda v: say("{count} images, more than {most}", count=v["count"], most=v["most"]),
        lambda _: say("split the sample"),
    ),
    "image-path": _Rule(
        "error",
        lambda v: say("`{name}` doesn't stay below the folder of the data file",
                      name=shown(v["name"])),
        lambda _: say("name a file below it, as `images/0001.png`; never an absolute path or `..`"),
    ),
    "image-missing": _Rule(
        "error",
        lambda v: say("there is no file `{name}` that can be read", name=shown(v["name"])),
        lambda _: say("put it there, or mend its name; it starts from the data file's folder"),
    ),
    "image-too-large": _Rule(
        "error",
        lambda v: say("`{name}` has more than {mega} MiB or {pixels} million pixels",
                      name=shown(v["name"]), mega=BYTES >> 20, pixels=PIXELS // 10**6),
        lambda _: say("make it smaller: the base scales such an image down anyway"),
    ),
    "image-too-thin": _Rule(
        "error",
        lambda v: say("one side of `{name}` is over {times} times the other",
                      name=shown(v["name"]), times=THIN),
        lambda _: say("cut it into parts that can be looked at"),
    ),
    "not-image": _Rule(
        "error",
        lambda v: say("`{name}` is none of {formats}", name=shown(v["name"]),
                      formats=", ".join(FORMATS)),
        lambda _: say("save the image as PNG or JPEG"),
    ),
    "image-broken": _Rule(
        "error",
        lambda v: say("`{name}` is damaged or ends too early", name=shown(v["name"])),
        lambda _: say("export or copy the image again"),
    ),
    "image-frames": _Rule(
        "error",
        lambda v: say("`{name}` holds several frames", name=shown(v["name"])),
        lambda _: say("save each frame as an image of its own"),
    ),
    "image-mode": _Rule(
        "error",
        lambda v: say("`{name}` can't become RGB without loss ({mode})", name=shown(v["name"]),
                      mode=v["mode"]),
        lambda _: say("save it as 8-bit RGB or grey, without transparency"),
    ),
    "other-answer": _Rule(
        "warning",
        lambda v: say("the same images and question as {other}, and another answer",
                      other=v["other"]),
        lambda _: say("keep the right one of the two"),
    ),
}  # fmt: skip
RULES |= {
    code: _Rule(
        personal.level(kind),
        partial(personal.message, kind),
        partial(personal.fix, kind),
    )
    for code, kind in personal.CODES.items()
}
RULES |= {code: _Rule("warning", w.message, w.fix) for code, w in RULE_WORDS.items()}
