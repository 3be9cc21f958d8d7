"""The words of a text that carry meaning, in their dictionary form, by Kiwi.

Kiwi takes a second and some 330 MB to load: it is loaded by the first call, once a process.
"""

import threading
import unicodedata
from functools import cache
from typing import Any

from yukjo.errors import ModelError
from yukjo.words import say

CARRY = ("N", "VV", "VA", "MM", "MAG", "XR", "SL", "SH", "SN", "W")
"""Tags kept: nouns, verbs, adjectives, modifiers, roots, foreign letters, numbers, addresses."""

_loading = threading.Lock()


def morphemes(text: str) -> list[str]:
    """Content morphemes in order, NFC, lower case; ModelError where Kiwi isn't installed."""
    with _loading:
        kiwi = _kiwi()
    found = kiwi.tokenize(unicodedata.normalize("NFC", text))
    return [token.form.lower() for token in found if token.tag.startswith(CARRY)]


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
    # Its dictionary of names of several words takes 1.6 s and 190 MB more; over the 3,175 lines of
    # the practice data it changes no morpheme.
    return Kiwi(num_workers=1, load_multi_dict=False)
