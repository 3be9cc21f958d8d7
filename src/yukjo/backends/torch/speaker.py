"""A Speaker on the torch engine: the oracle for every other, and the fallback where none runs.

Slots are computed one after another and no state is kept: simple and slow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from yukjo.backends.torch.cache import RoomyCache
from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.stack import Stack
from yukjo.decoding import Draw, Voice, refuse_length
from yukjo.errors import DataError
from yukjo.ports import Opened, Spoken, Turn
from yukjo.words import say

_WEIGHTS = "adapter_model.safetensors"


@dataclass(slots=True)
class _Answering:
    """A slot in use; `fresh` is what is to be fed next."""

    turn: Turn
    draw: Draw
    voice: Voice
    owners: Stack
    fresh: list[int]
    cache: RoomyCache = field(default_factory=RoomyCache)
    done: int = 0
    made: int = 0


class TorchSpeaker:
    """Answers token by token with what a `TorchEngine` holds."""

    def __init__(self, engine: TorchEngine, *, slots: int, context: int) -> None:
        self.engine, self.slots, self.context = engine, slots, context
        self._answering: list[_Answering | None] = [None] * slots

    @property
    def base_hash(self) -> str:
        """Hash of the base's configuration and weights."""
        return self.engine.base_hash

    def load(self, adapter: str, folder: Path) -> int:
        """Load a PEFT folder; the bytes of its weights."""
        self.engine.load(adapter, folder)
        return (folder / _WEIGHTS).stat().st_size

    def unload(self, adapter: str) -> None:
        """Forget an adapter; none of its answers may be under way."""
        assert all(a is None or a.turn.adapter != adapter for a in self._answering)
        self.engine.lora(adapter)
        self.engine.unload(adapter)

    def open(self, turn: Turn) -> Opened:
        """Take a free slot; DataError where the turn can't be answered."""
        lora = self.engine.lora(turn.adapter)
        if turn.schema:
            raise DataError(
                say("the torch engine keeps no JSON Schema"),
                where="response_format",
                fix=say('serve with [serve] engine = "llama_cpp", or ask for plain text'),
            )
        refuse_length(turn, self.context)
        slot = self._answering.index(None)
        owners = Stack(
            [lora] if lora else [], [0 if lora else None], device=self.engine.base.device
        )
        self._answering[slot] = _Answering(
            turn, Draw(turn), Voice(self.engine.tokenizer.decode), owners, list(turn.tokens)
        )
        return Opened(slot, 0)

    def step(self, slots: Sequence[int]) -> list[Spoken]:
        """One token on in each slot; the first step reads the whole prompt."""
        with torch.no_grad():
            return [self._say(self._in_use(slot)) for slot in slots]

    def close(self, slot: int) -> None:
        """Give a slot back."""
        self._in_use(slot)
        self._answering[slot] = None

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        """fp32 logits of the token after each prompt."""
        return self.engine.next_logits(adapter, prompts)

    def _in_use(self, slot: int) -> _Answering:
        answering = self._answering[slot]
        assert answering, slot
        return answering

    def _say(self, answering: _Answering) -> Spoken:
        turn = answering.turn
        token = answering.draw.token(self._logits(answering).numpy())
        if token in turn.stop:
            return Spoken(answering.voice.rest(), 0, "stop")
        answering.fresh = [token]
        answering.made += 1
        text = answering.voice.add(token)
        if answering.made == turn.max_tokens or answering.done + 1 == self.context:
            return Spoken(text + answering.voice.rest(), 1, "length")
        return Spoken(text, 1, None)

    def _logits(self, answering: _Answering) -> torch.Tensor:
        """Feed what is fresh; logits [V] of the token after it, on the processor."""
        base, done = self.engine.base, answering.done
        answering.done = total = done + len(answering.fresh)
        hidden = base.hidden_of_batch(
            torch.tensor([answering.fresh], device=base.device),
            answering.owners,
            mask=torch.ones(1, total, dtype=torch.long, device=base.device),
            positions=torch.arange(done, total, device=base.device)[None],
            cache=answering.cache,
        )
        return base.head.logits(hidden[:, -1])[0].cpu()
