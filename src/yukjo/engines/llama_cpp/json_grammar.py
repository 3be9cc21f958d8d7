"""Keep an answer to a JSON Schema: tokens that can't go on to satisfy it are never drawn."""

import ctypes
import json

import numpy as np
from numpy.typing import NDArray

from yukjo.engines.llama_cpp.library import Candidates
from yukjo.engines.llama_cpp.model import Model
from yukjo.errors import DataError
from yukjo.words import say

_ENTRY = np.dtype([("id", "<i4"), ("logit", "<f4"), ("share", "<f4")])
"""`llama_token_data`."""
_SPACES = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""As most JSON is written: left to itself a small model fills an answer with blanks."""


class JsonGrammar:
    """How far one answer has come in its schema."""

    def __init__(self, model: Model, schema: str) -> None:
        """DataError where the schema can't be kept."""
        self._library = model.c
        self._entries = np.zeros(model.size, dtype=_ENTRY)
        self._entries["id"] = np.arange(model.size)
        self._sampler: int | None = None
        try:
            wished = _with_spaces_fixed(schema)
        except ValueError as fault:
            raise _unkept(str(fault)) from fault
        model.c.complaint()
        self._sampler = model.c.json_sampler(model.vocab, wished)
        # A schema that can't be kept gives a sampler that lets everything pass.
        if not self._sampler or np.isfinite(self.allowed(self._entries["logit"])).all():
            self.close()
            raise _unkept(model.c.complaint())

    def allowed(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """`logits` [V] with -inf where a token would leave the schema."""
        self._entries["logit"] = logits
        listed = Candidates(self._entries.ctypes.data, len(self._entries), -1, sorted=False)
        self._library.llama_sampler_apply(self._sampler, ctypes.byref(listed))
        return self._entries["logit"].copy()

    def accept(self, token: int) -> None:
        """`token` was drawn, from those allowed."""
        self._library.llama_sampler_accept(self._sampler, token)

    def close(self) -> None:
        """Free its memory."""
        if self._sampler:
            self._library.llama_sampler_free(self._sampler)
        self._sampler = None


def _with_spaces_fixed(schema: str) -> str:
    """`schema` with llguidance's own wish about blanks; ValueError where it is no JSON."""
    given = json.loads(schema)
    return json.dumps({"x-guidance": _SPACES} | given) if isinstance(given, dict) else schema


def _unkept(fault: str) -> DataError:
    return DataError(
        say("the JSON Schema can't be kept: {fault}", fault=fault),
        where="response_format",
        fix=say("use a JSON Schema as llguidance knows it, with no remote `$ref`"),
    )
