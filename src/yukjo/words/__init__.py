"""Words for people, in Korean (the default) and English, through one catalogue.

The English text in the code is the key; `ko/*.toml`, one file a folder of the code, hold the
Korean. A test reads every `say(...)` in the source and fails when its Korean is missing.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import Literal

Language = Literal["ko", "en"]

_spoken: Language = "ko"
_here: ContextVar[Language | None] = ContextVar("language spoken here", default=None)


def speak(language: Language) -> None:
    """Choose the language of everything said from now on in this process."""
    global _spoken  # noqa: PLW0603 - a process speaks one language, chosen once at its edge
    _spoken = language


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak `language` for a while, in this thread or task alone: a server has many askers."""
    before = _here.set(language)
    try:
        yield
    finally:
        _here.reset(before)


def spoken() -> Language:
    """The language being spoken."""
    return _here.get() or _spoken


def say(text: str, **values: object) -> str:
    """`text` in the language being spoken, with `{name}` filled from `values`.

    >>> say("{count} lines", count=3)
    '3줄'
    """
    template = catalogue().get(text, text) if spoken() == "ko" else text
    return template.format(**values)


@cache
def catalogue() -> dict[str, str]:
    """English text -> Korean text, over all files of the catalogue."""
    folder = resources.files(__name__) / "ko"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    merged: dict[str, str] = {}
    for file in files:
        merged |= tomllib.loads(file.read_text(encoding="utf-8"))
    return merged
