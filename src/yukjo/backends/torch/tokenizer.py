"""transformers' tokenizer behind our port."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer

from yukjo.errors import DataError, ModelError
from yukjo.records import Message
from yukjo.words import say

_DAY = "26 Jul 2024"
_NO_CLOCK = f"{{% macro strftime_now(form) %}}{_DAY}{{% endmacro %}}"
_PINNED: dict[str, Any] = {"date_string": _DAY, "enable_thinking": False}
"""What templates may ask beside the turns. Llama's writes today's date into the prompt, which would
make tomorrow's training another one; Qwen3's leaves room for thoughts that no sample has."""


class HfTokenizer:
    """The tokenizer of a Hugging Face folder."""

    def __init__(self, folder: Path) -> None:
        try:
            self._inner: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as fault:
            raise ModelError(
                say("the tokenizer can't be loaded: {fault}", fault=fault),
                where=str(folder),
                fix=say("name a folder with tokenizer files, as the base was published"),
            ) from fault
        added = self._inner.added_tokens_decoder
        self.special = frozenset(i for i, token in added.items() if token.special)

    @property
    def chat_template(self) -> str | None:
        """The model's own template."""
        template: str | None = self._inner.chat_template
        return template

    def render(self, messages: Sequence[Message], *, template: str, reply: bool) -> str:
        """The conversation as text; DataError where the template refuses it."""
        turns = [{"role": m.role, "content": m.content} for m in messages]
        try:
            text: str = self._inner.apply_chat_template(
                turns,
                chat_template=_NO_CLOCK + template,
                tokenize=False,
                add_generation_prompt=reply,
                **_PINNED,
            )
        except TemplateError as fault:
            raise DataError(
                say("the chat template refuses this conversation: {fault}", fault=fault),
                where=say("chat template"),
                fix=say("order the turns as the model expects, user and assistant in turn"),
            ) from fault
        return text

    def encode(self, text: str) -> list[int]:
        """Tokens of `text`, none added."""
        tokens: list[int] = self._inner.encode(text, add_special_tokens=False)
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of `tokens` without control tokens."""
        text: str = self._inner.decode(list(tokens), skip_special_tokens=True)
        return text

    def spell(self, tokens: Sequence[int]) -> str:
        """Text of `tokens`, control tokens written out."""
        text: str = self._inner.decode(list(tokens), skip_special_tokens=False)
        return text
