"""The tokenizer that a GGUF carries, behind our port: without transformers, half a gigabyte less.

Used for the embedded base, where a test holds it against the Hugging Face folder's own, text by
text. Other bases have their folder's: not every GGUF's vocabulary is exact.
"""

import ctypes
import json
from collections.abc import Collection, Sequence
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from yukjo.engines.llama_cpp.model import Model
from yukjo.errors import DataError, ModelError
from yukjo.records import Message, Picture
from yukjo.words import say

_BLANK = "\N{LOWER ONE EIGHTH BLOCK}"
"""How sentencepiece writes a space; in a text it means a space, too."""
_LONGEST = 4096
"""Bytes of a token's text."""


class LlamaCppTokenizer:
    """The vocabulary of a loaded model; `special` are the control tokens its file names."""

    def __init__(self, model: Model, *, special: Collection[int]) -> None:
        self._c, self._vocab = model.c, model.vocab
        self.special = frozenset(special)
        template = self._c.llama_model_chat_template(model.pointer, None)
        self.chat_template: str | None = template and template.decode()
        self._marks = {
            f"{name}_token": self.spell([token])
            for name in ("bos", "eos")
            if (token := getattr(self._c, f"llama_vocab_{name}")(self._vocab)) >= 0
        }
        self._jinja = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        self._jinja.filters["tojson"] = _as_json
        self._jinja.globals["raise_exception"] = _refuse

    def render(self, messages: Sequence[Message], *, template: str, reply: bool) -> str:
        """The conversation as text; DataError where the template refuses it."""
        turns = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return self._jinja.from_string(template).render(
                messages=turns, add_generation_prompt=reply, **self._marks
            )
        except TemplateError as fault:
            raise DataError(
                say("the chat template refuses this conversation: {fault}", fault=fault),
                where=say("chat template"),
                fix=say("order the turns as the model expects, user and assistant in turn"),
            ) from fault

    def encode(self, text: str) -> list[int]:
        """Tokens of `text`, none added."""
        data = text.replace(_BLANK, " ").encode()
        room = (ctypes.c_int32 * (len(data) + 1))()
        count = self._c.llama_tokenize(self._vocab, data, len(data), room, len(room), 0, 1)
        assert count >= 0
        return room[:count]

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of `tokens` without control tokens."""
        return self.spell([token for token in tokens if token not in self.special])

    def spell(self, tokens: Sequence[int]) -> str:
        """Text of `tokens`, control tokens written out."""
        return b"".join(map(self._bytes, tokens)).decode(errors="replace")

    def expand(self, tokens: Sequence[int], images: Sequence[Picture]) -> list[int]:
        """ModelError: the embedded base sees no images."""
        del tokens, images
        raise ModelError(
            say("the data holds images, and this base sees none"),
            where="yukjo.toml [base] model",
            fix=say("name a Qwen3-VL or Qwen2.5-VL model in [base] model, or leave out `images`"),
        )

    def _bytes(self, token: int) -> bytes:
        room = ctypes.create_string_buffer(_LONGEST)
        count = self._c.llama_token_to_piece(self._vocab, token, room, _LONGEST, 0, 1)
        assert count >= 0
        return room.raw[:count]


def _as_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> None:
    raise TemplateError(message)
