"""From logits to words: draw a token by its turn's own seed, and say whole characters only.

Shared by all speakers, so that a seed means the same to each of them.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from yukjo.errors import DataError
from yukjo.ports import Turn
from yukjo.words import say

_BROKEN = "\N{REPLACEMENT CHARACTER}"
_LIKELY = 64
"""Tokens sorted at first for `top_p`; sorting a vocabulary of 262,144 takes as long as a token."""


def refuse_length(turn: Turn, context: int) -> None:
    """DataError where the prompt leaves a slot of `context` tokens no room for an answer."""
    if not 0 < len(turn.tokens) < context:
        raise DataError(
            say("a prompt of {count} tokens; 1 to {most} can be read",
                count=len(turn.tokens), most=context - 1),
            where="messages",
            fix=say("shorten the conversation, or raise [serve] context"),
        )  # fmt: skip


class Draw:
    """Draws the tokens of one turn; what stands beside it changes nothing."""

    def __init__(self, turn: Turn) -> None:
        self._heat, self._share = turn.temperature, turn.top_p
        self._random = np.random.default_rng(turn.seed)

    def token(self, logits: NDArray[np.float32]) -> int:
        """The next token: logits [V]; -inf is never drawn."""
        best = int(logits.argmax())
        if self._heat == 0:
            return best
        shares = np.exp((logits - logits[best]) / np.float32(self._heat))
        wanted = self._random.random()
        if self._share < 1:
            likely = nucleus(shares, self._share * float(shares.sum(dtype=np.float64)))
            return int(likely[_reached(shares[likely], wanted)])
        return _reached(shares, wanted)


def nucleus(shares: NDArray[np.float32], wanted: float) -> NDArray[np.int64]:
    """The fewest tokens, likeliest first, whose shares reach `wanted`.

    >>> nucleus(np.array([0.1, 0.6, 0.3], dtype=np.float32), 0.8).tolist()
    [1, 2]
    """
    count = 0
    while True:
        count = min(max(_LIKELY, count * 8), len(shares))
        best = np.argpartition(shares, -count)[-count:]
        best = best[np.lexsort((best, -shares[best]))]  # of equals the lower id first
        held = shares[best].cumsum(dtype=np.float64)
        if held[-1] >= wanted or count == len(shares):
            return best[: int(np.searchsorted(held, wanted)) + 1]


def _reached(shares: NDArray[np.float32], wanted: float) -> int:
    """Where the running sum of `shares` passes the part `wanted` of all."""
    held = shares.cumsum(dtype=np.float64)
    place = int(np.searchsorted(held, wanted * held[-1], side="right"))
    return min(place, len(shares) - 1)


class Voice:
    """Says an answer as its tokens come.

    A character of Korean may be spread over tokens: it waits until all its bytes are there. A
    tokenizer may spell a token otherwise at the beginning of a text: so new tokens are spelled
    behind those said last.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._said: list[int] = []
        self._waiting: list[int] = []

    def add(self, token: int) -> str:
        """The whole characters that `token` completes."""
        self._waiting.append(token)
        text = self._fresh()
        if text.endswith(_BROKEN):
            return ""
        self._said, self._waiting = self._waiting, []
        return text

    def rest(self) -> str:
        """What still waits when the answer ends, however broken."""
        text = self._fresh() if self._waiting else ""
        self._waiting = []
        return text

    def _fresh(self) -> str:
        before = self._decode(self._said)
        return self._decode([*self._said, *self._waiting])[len(before) :]
