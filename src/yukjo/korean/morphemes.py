"""The words of a text that carry meaning, in their dictionary form, by Kiwi.

Kiwi takes seconds and some 520 MB to load: it is loaded by the first call, once a process.
"""

import threading
import unicodedata
from functools import cache
from typing import Any

from yukjo.errors import ModelError
from yukjo.words import say

_CARRY = ("N", "VV", "VA", "MM", "MAG", "XR", "SL", "SH", "SN", "W")
"""Tags kept: nouns, verbs, adjectives, modifiers, roots, foreign letters, numbers, addresses."""

_loading = threading.Lock()


def morphemes(text: str) -> list[str]:
    """Content morphemes in order, NFC, lower case; ModelError where Kiwi isn't installed."""
    with _loading:
        kiwi = _kiwi()
    found = kiwi.tokenize(unicodedata.normalize("NFC", text))
    return [token.form.lower() for token in found if token.tag.startswith(_CARRY)]


@cache
def _kiwi() -> Any:  # noqa: ANN401 - a C++ object without types
    try:
        from kiwipiepy import Kiwi
    except ImportError as fault:
        raise ModelError(
            say("Kiwi, which finds Korean morphemes, isn't installed"),
            where=str(fault.name),
            fix="pip install 'yukjo[tools]'",
        ) from fault
    return Kiwi(num_workers=1)
