"""How an answer speaks: one level of politeness, and Korean words.

1. 합니다체 and 해요체 go together in an answer to a citizen; 해라체 or 해체 beside them doesn't.
   The fewer are the fault.
2. Quotations, bracketed asides, headings and labels are not the speaker's own words.
3. A foreign word is accepted where the material has it, in brackets after its Hangul (국어기본법
   제14조), as a unit, an acronym in capitals, an address, a name of a file, or one of `ALLOWED`.
4. A text with hardly any Hangul is no Korean text, and no word of it foreign.
"""

import re
from collections.abc import Iterator

from yukjo.korean.found import Found
from yukjo.korean.manner import level
from yukjo.korean.text import hangul_share, sentences

# fmt: off
ALLOWED = frozenset((
    "app", "bot", "com", "e", "email", "excel", "go", "hwp", "hwpx", "id", "iot", "kakao", "kr",
    "lab", "mail", "naver", "net", "ok", "one", "pc", "pdf", "pin", "qr", "sms", "sns", "stop",
    "tv", "url", "usb", "vs", "wifi", "wi", "fi", "xlsx", "youtube", "zero", "zip", "km", "kg",
    "cm", "mm", "ml", "mg", "ha", "kw", "kwh", "mw", "db", "lx", "ppm", "pm", "mpa", "bps", "gb",
    "mb", "tb", "hz", "x", "px", "dpi",
))
# fmt: on
"""Latin words that Korean offices write as they are, in lower case."""

_ASIDE = re.compile(
    r"\"[^\"\n]*\"|“[^“”\n]*”|‘[^‘’\n]*’|'[^'\n]*'|\([^()\n]*\)|「[^「」\n]*」|『[^『』\n]*』|\[[^\[\]\n]*\]"
)
_ADDRESS = re.compile(
    r"[\w.+-]*@[\w.-]+|(?:https?://|www\.)\S+|[\w-]+(?:\.[A-Za-z]{2,4})+(?:/\S*)?"
)
_ITEM = re.compile(r"^\s*(?:\d{1,2}[.)]|\([\d가-하]\)|[가-하][.)]|[-•·○※▶]|[①-⑳])\s*")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’-][A-Za-z]+)*")
_OTHER = re.compile(
    "[\u0370-\u052f\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+"
)
_ANY = re.compile(f"[A-Za-zÀ-ɏ{_OTHER.pattern[1:-2]}]")
"""Both, in one pass."""
_CASUAL = re.compile(r"[로에서지고꼭시]\s(?:와|가|내|둬|말해|물어봐|기다려)[.!]?$")
"""Orders in 해체 that `manner.level` takes for nouns."""
_MAY_BE_PLAIN = re.compile(
    r"[.!?\n](?:(?<=[^니]다.)|(?<=[어돼줘해야지네래게와가내구나까라둬봐도].))", re.DOTALL
)
_KOREAN = 0.25
"""Share of Hangul letters from which a text is Korean."""
_SHORT = 3
"""Letters of a Latin word worth a word."""


def politeness_faults(text: str) -> list[Found]:
    """Sentences of an answer in NFC whose level is not that of the rest.

    >>> text = "접수했습니다. 내일까지 처리한다. 기다려 주세요."
    >>> [text[f.start : f.end] for f in politeness_faults(text)]
    ['내일까지 처리한다.']
    """
    # Most answers hold no sentence that could be plain, and end here.
    if not _MAY_BE_PLAIN.search(f"{text}\n"):
        return []
    polite: list[tuple[int, int]] = []
    plain: list[tuple[int, int]] = []
    for start, end in _own_sentences(text):
        spoken = level(text[start:end])
        if spoken in {"formal", "polite"}:
            polite.append((start, end))
        elif spoken in {"plain", "casual"} or _CASUAL.search(text[start:end]):
            plain.append((start, end))
    if not polite or not plain:
        return []
    fewer = plain if len(plain) <= len(polite) else polite
    return [Found("mixed-politeness", start, end) for start, end in fewer]


def foreign_faults(text: str, material: str = "") -> list[Found]:
    """Foreign words in Korean text that its material doesn't have.

    >>> [(f.start, f.end) for f in foreign_faults("CCTV 영상은 please 확인(check)해 주세요.")]
    [(9, 15)]
    """
    if not _ANY.search(text) or hangul_share(text) < _KOREAN:
        return []
    shown = _hidden(_ADDRESS, _hidden(_ASIDE, text))
    known = material.casefold()
    return [
        Found("foreign-word", word.start(), word.end())
        for pattern in (_LATIN, _OTHER)
        for word in pattern.finditer(shown)
        if not _accepted(word[0], known)
    ]


def _accepted(word: str, known: str) -> bool:
    if not word[0].isascii() and not _LATIN.fullmatch(word):
        return word in known
    plain = word.casefold()
    return (
        len(word) < _SHORT
        or word.isupper()
        or plain in ALLOWED
        or plain in known
        or all(part in ALLOWED or len(part) < _SHORT for part in re.split("['’-]", plain))
    )


def _own_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each of the speaker's own sentences stands, without labels and what is quoted."""
    place = 0
    shown = _hidden(_ASIDE, text)
    for line in shown.split("\n"):
        item = _ITEM.match(line)
        start = item.end() if item else 0
        own = line[start:]
        at = 0
        for sentence in sentences(own):
            found = own.index(sentence, at)
            at = found + len(sentence)
            if re.search("[가-힣]", sentence):
                yield place + start + found, place + start + at
        place += len(line) + 1


def _hidden(pattern: re.Pattern[str], text: str) -> str:
    """`text` with each match blank, so that places stay."""
    return pattern.sub(lambda found: " " * len(found[0]), text)
