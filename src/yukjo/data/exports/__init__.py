"""Samples in the formats of other tools: ChatML, Alpaca, and Croissant's description of a set.

1. What comes out and is imported again (`data.imports`) is the same samples, hash by hash; system
   turns among the earlier ones are what an import drops.
2. What a format has no place for is refused by name, and nothing is written.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from yukjo.errors import DataError
from yukjo.korean.text import shown
from yukjo.records import Message, Sample
from yukjo.words import say

Format = Literal["chatml", "alpaca"]

LABELS = ("id", "agent_type", "difficulty", "topic", "exception", "source", "license")

_GAP = "\n\n"
"""Between instruction and input, as in training."""
_NAMED = 5
_PAIR = 2


def exported(
    samples: Sequence[Sample], format_: Format, *, history: bool = False
) -> list[dict[str, Any]]:
    """The samples as lines; DataError that names those that have no place in the format.

    `history` lets Alpaca lines have earlier turns, as pairs of question and answer.
    """
    refuse_images(samples)
    if format_ == "alpaca":
        bad: Callable[[Sample], bool] = _unpaired if history else _several
        _refuse(
            samples, bad,
            say("earlier turns don't go in pairs of question and answer") if history
            else say("Alpaca has no place for earlier turns"),
            say("export ChatML instead, with --format chatml") if history
            else say("write them as `history` with --history, or export --format chatml"),
        )  # fmt: skip
        return [_alpaca(sample) for sample in samples]
    return [_chatml(sample) for sample in samples]


def refuse_images(samples: Sequence[Sample]) -> None:
    """DataError that names the samples with images."""
    fix = say("leave out the samples with images")
    _refuse(samples, _seeing, say("images are not exported"), fix)


def _refuse(samples: Sequence[Sample], bad: Callable[[Sample], bool], what: str, fix: str) -> None:
    names = [sample.name for sample in samples if bad(sample)]
    if names:
        first = ", ".join(shown(name) for name in names[:_NAMED])
        raise DataError(
            what,
            where=first if len(names) <= _NAMED
            else say("{first} and {count} more", first=first, count=len(names) - _NAMED),
            fix=fix,
        )  # fmt: skip


def _seeing(sample: Sample) -> bool:
    return bool(sample.images) or any(turn.images for turn in sample.messages)


def _several(sample: Sample) -> bool:
    return bool(sample.messages)


def _unpaired(sample: Sample) -> bool:
    roles = [turn.role for turn in sample.messages]
    return roles != ["user", "assistant"] * (len(roles) // _PAIR)


def _chatml(sample: Sample) -> dict[str, Any]:
    """`messages`; `input_from` is the character of the last question at which the input begins."""
    question = sample.instruction + _GAP + sample.input if sample.input else sample.instruction
    last = (
        Message(role="user", content=question),
        Message(role="assistant", content=sample.output),
    )
    turns = [{"role": turn.role, "content": turn.content} for turn in (*sample.messages, *last)]
    start = {"input_from": len(sample.instruction + _GAP)} if sample.input else {}
    return {"messages": turns} | start | _labels(sample)


def _alpaca(sample: Sample) -> dict[str, Any]:
    turns = iter(sample.messages)
    pairs = [[asked.content, said.content] for asked, said in zip(turns, turns, strict=True)]
    texts = {"instruction": sample.instruction, "input": sample.input, "output": sample.output}
    return texts | ({"history": pairs} if pairs else {}) | _labels(sample)


def _labels(sample: Sample) -> dict[str, Any]:
    return {name: value for name in LABELS if (value := getattr(sample, name)) is not None}


def lines(rows: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """The rows as lines of a file."""
    import json

    for row in rows:
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"
