"""Prove that an adapter does something, and leave a fingerprint of what it does.

Serving stacks are known to load an adapter whose names don't fit and answer as the bare base,
without a word. So: ask the base with and without it, at fixed prompts, and compare the logits.
"""

import math
from collections.abc import Sequence
from heapq import nlargest

from yukjo.errors import AdapterError
from yukjo.files import hash_json
from yukjo.ports import Engine
from yukjo.records import Effect, Picture
from yukjo.words import say

_TOP = 8


def prove(
    engine: Engine,
    adapter: str,
    prompts: Sequence[Sequence[int]],
    images: Sequence[Sequence[Picture]] = (),
) -> Effect:
    """The effect of a loaded adapter at `prompts`; AdapterError where there is none.

    The fingerprint takes the likeliest tokens and their logits rounded to 0.1: equal on one
    machine, and mostly, but not surely, on another (a logit may stand at a rounding edge).
    """
    without = engine.next_logits("", prompts, images)
    with_it = engine.next_logits(adapter, prompts, images)
    changes = [
        abs(a - b) for x, y in zip(with_it, without, strict=True) for a, b in zip(x, y, strict=True)
    ]
    if not all(map(math.isfinite, changes)):
        raise AdapterError(
            say("the logits are no numbers"),
            where=adapter[:12],
            fix=say("train it again with a lower learning rate"),
        )
    change = max(changes)
    if change == 0:
        raise AdapterError(
            say("the adapter changes nothing: the base answers the same with and without it"),
            where=adapter[:12],
            fix=say("train it longer, or check that its layer names fit the base"),
        )
    return Effect(prompts=len(prompts), change=change, fingerprint=_fingerprint(with_it))


def _fingerprint(logits: Sequence[Sequence[float]]) -> str:
    top = [nlargest(_TOP, range(len(row)), key=row.__getitem__) for row in logits]
    return hash_json(
        [[[t, round(row[t] * 10)] for t in sorted(ts)] for row, ts in zip(logits, top, strict=True)]
    )
