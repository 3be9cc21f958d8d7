"""A speaker without a model, to see what serving does: it says who it is and what it was asked.

It answers `<adapter's first 8 letters> <the last request>`, a character a step, and below a
temperature something drawn by the seed. A request may steer it:

    say TEXT    it says TEXT and ends
    slow ...    every step takes a while
    break ...   the step fails
    long ...    it goes on for as long as it may
"""

import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment

from yukjo.adapters.store import WEIGHTS
from yukjo.errors import AdapterError, DataError
from yukjo.ports import Opened, Spoken, Turn
from yukjo.records import Message

BEGIN, END = 256, 257
BASE = "b" * 64
_CONTROL = re.compile("(<bos>|<eos>)")
_SLOW_SECONDS = 0.05


class Bytes:
    """A tokenizer whose tokens are bytes, and two control tokens."""

    chat_template = None
    special = frozenset({BEGIN, END})

    def render(self, messages: Sequence[Message], *, template: str, reply: bool) -> str:
        shape = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)
        return shape.from_string(template).render(
            messages=messages, add_generation_prompt=reply, bos_token="<bos>", eos_token="<eos>"
        )

    def encode(self, text: str) -> list[int]:
        tokens: list[int] = []
        for part in _CONTROL.split(text):
            known = {"<bos>": [BEGIN], "<eos>": [END]}
            tokens += known.get(part) or list(part.encode())
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        return bytes(t for t in tokens if t < BEGIN).decode(errors="replace")

    def spell(self, tokens: Sequence[int]) -> str:
        return self.decode(tokens)


class SpellingSpeaker:
    """Keeps the promises of `ports.Speaker` and fails where serving breaks its own."""

    base_hash = BASE
    context = 2048

    def __init__(self, slots: int = 4) -> None:
        self.slots = slots
        self.loaded: dict[str, bytes] = {}
        self.taken: dict[int, tuple[Turn, Iterator[Spoken]]] = {}
        self.steps: list[str] = []
        self.opened: list[Turn] = []

    def load(self, adapter: str, folder: Path) -> int:
        assert adapter not in self.loaded
        try:
            self.loaded[adapter] = (folder / WEIGHTS).read_bytes()
        except OSError as fault:
            raise AdapterError("gone", where=str(folder), fix="bring it back") from fault
        return len(self.loaded[adapter])

    def unload(self, adapter: str) -> None:
        assert all(turn.adapter != adapter for turn, _ in self.taken.values())
        del self.loaded[adapter]

    def open(self, turn: Turn) -> Opened:
        assert turn.adapter in self.loaded or not turn.adapter
        assert len(turn.tokens) + turn.max_tokens <= self.context
        if turn.schema and "unheard" in turn.schema:
            raise DataError("unheard of", where="schema", fix="another")
        slot = next(s for s in range(self.slots) if s not in self.taken)
        self.taken[slot] = (turn, _spoken(turn))
        self.opened.append(turn)
        return Opened(slot, restored=turn.prefix)

    def step(self, slots: Sequence[int]) -> list[Spoken]:
        turns = [self.taken[slot][0] for slot in slots]
        assert len({turn.adapter for turn in turns}) == 1
        self.steps.append(turns[0].adapter)
        asked = [_asked(turn) for turn in turns]
        if any(text.startswith("break") for text in asked):
            raise RuntimeError("broken")
        if any(text.startswith("slow") for text in asked):
            time.sleep(_SLOW_SECONDS)
        return [next(self.taken[slot][1]) for slot in slots]

    def close(self, slot: int) -> None:
        del self.taken[slot]

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        raise NotImplementedError  # serving never asks: logits are the proof's business


def _spoken(turn: Turn) -> Iterator[Spoken]:
    yield Spoken("", 0, None)  # the prompt is read
    for count, letter in enumerate(_reply(turn), 1):
        yield Spoken(letter, 1, "length" if count == turn.max_tokens else None)
    assert END in turn.stop
    yield Spoken("", 0, "stop")


def _asked(turn: Turn) -> str:
    text = Bytes().decode(turn.tokens)
    return text.rpartition("### 요청\n")[2].partition("\n\n### ")[0].strip()


def _reply(turn: Turn) -> str:
    if turn.schema:
        return json.dumps(_instance(json.loads(turn.schema)), ensure_ascii=False)
    asked = _asked(turn)
    if asked.startswith("say "):
        return asked.removeprefix("say ")
    if asked.startswith("long"):
        return "가나다라" * 500
    drawn = f" {random.Random(turn.seed).random()}" if turn.temperature else ""
    return f"{turn.adapter[:8]} {asked}{drawn}"


def _instance(schema: dict[str, Any]) -> Any:
    """Something that satisfies a simple schema."""
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return _instance(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    simple = {"string": "가", "integer": 1, "number": 1.5, "boolean": True, "array": []}
    kind = schema.get("type", "object")
    if kind in simple:
        return simple[kind]
    return {name: _instance(inner) for name, inner in schema.get("properties", {}).items()}
