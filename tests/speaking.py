"""Turns for speakers, and answers taken from them step by step."""

import random
from collections.abc import Sequence
from typing import Any

from yukjo.ports import Speaker, Turn

END = 257
NEVER = 100_000


def turn(adapter: str, tokens: Sequence[int], **changes: Any) -> Turn:
    """A greedy turn of twelve tokens that nothing ends earlier."""
    given: dict[str, Any] = {
        "adapter": adapter, "tokens": tuple(tokens), "prefix": 0, "stop": frozenset(),
        "max_tokens": 12, "temperature": 0.0, "top_p": 1.0, "seed": 0,
    }  # fmt: skip
    return Turn(**(given | changes))


def prompt(length: int, seed: int = 0) -> tuple[int, ...]:
    """Random bytes as tokens, letters only: text that can be read."""
    draw = random.Random(seed)
    return tuple(draw.randrange(32, 120) for _ in range(length))


def said(speaker: Speaker, *turns: Turn) -> list[str]:
    """The answers to turns of one adapter that are under way side by side."""
    return [text for text, _ in answered(speaker, *turns)]


def answered(speaker: Speaker, *turns: Turn) -> list[tuple[str, str]]:
    """The same, with why each ended."""
    slots = [speaker.open(one).slot for one in turns]
    texts, ends = ["" for _ in turns], ["" for _ in turns]
    while not all(ends):
        going = [place for place, end in enumerate(ends) if not end]
        for place, spoken in zip(going, speaker.step([slots[p] for p in going]), strict=True):
            texts[place] += spoken.text
            ends[place] = spoken.finish or ""
    for slot in slots:
        speaker.close(slot)
    return list(zip(texts, ends, strict=True))
