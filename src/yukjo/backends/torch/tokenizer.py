"""transformers' tokenizer behind our port."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer

from yukjo.backends.torch.processor import Processor, sees, settings_of
from yukjo.errors import DataError, ModelError
from yukjo.records import Message, Picture
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
        self._folder = folder

    @property
    def chat_template(self) -> str | None:
        """The model's own template."""
        template: str | None = self._inner.chat_template
        return template

    def render(self, messages: Sequence[Message], *, template: str, reply: bool) -> str:
        """The conversation as text; DataError where the template refuses it."""
        turns = [{"role": m.role, "content": _content(m)} for m in messages]
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

    def expand(self, tokens: Sequence[int], images: Sequence[Picture]) -> list[int]:
        """`tokens` with the mark of each image repeated as the base's vision tower sees it."""
        processor, mark = self._eyes
        if list(tokens).count(mark) != len(images):
            raise DataError(
                say("the chat template leaves images out"),
                where=say("chat template"),
                fix=say("use the template the base was published with"),
            )
        counts = iter([processor.tokens(image) for image in images])
        return [t for token in tokens for t in [token] * (next(counts) if token == mark else 1)]

    @cached_property
    def _eyes(self) -> tuple[Processor, int]:
        """How the base takes images, and the token that stands for one; ModelError for no eyes."""
        if not sees(self._folder):
            raise ModelError(
                say("the data holds images, and this base sees none"),
                where=str(self._folder),
                fix=say(
                    "name a Qwen3-VL or Qwen2.5-VL model in [base] model, or leave out `images`"
                ),
            )
        return Processor(self._folder), settings_of(self._folder)["image_token_id"]

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of `tokens` without control tokens."""
        text: str = self._inner.decode(list(tokens), skip_special_tokens=True)
        return text

    def spell(self, tokens: Sequence[int]) -> str:
        """Text of `tokens`, control tokens written out."""
        text: str = self._inner.decode(list(tokens), skip_special_tokens=False)
        return text


def _content(message: Message) -> str | list[dict[str, str]]:
    """What a template is given of a turn: its text, or a list with its images first."""
    if not message.images:
        return message.content
    images = [{"type": "image"} for _ in message.images]
    return [*images, {"type": "text", "text": message.content}]
