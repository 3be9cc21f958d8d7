"""How politely a sentence ends, by its ending alone.

The four levels that official writing knows, and the noun ending of 개조식. What no ending of a verb
is recognised in counts as a noun ending: a list item, a heading, a word of another language.
"""

import re
from typing import Literal

Level = Literal["formal", "polite", "plain", "casual", "noun"]
"""합니다체, 해요체, 해라체 (한다체), 해체, and 명사형."""

LEVELS: tuple[Level, ...] = ("formal", "polite", "plain", "casual", "noun")

VERSION = 1
"""Raised when any sentence gets another level than before."""

_FORMAL = re.compile(r"(?:니다|니까|시오|십시다|읍시다|합시다|봅시다|갑시다)$")
# Nouns end in 요 too: 필요, 개요, 주요, 중요, 수요, 소요, 강요.
_POLITE = re.compile(r"(?:(?<![필개주중수소강])요|죠)$")
_PLAIN = re.compile(r"(?:다|느냐|으냐|는가|[하시]라)$")
# Nouns end in 해 and 지 too: 재해, 피해, 올해, 공지. So only what no noun ends in.
_CASUAL = re.compile(
    r"(?:(?<![재피이침저방손오장공새올난동서남분용상양견유무박가화북])해"
    r"|[었았였했있없겠랬갔왔봤됐셨]어|줘|돼|해봐|거야|잖아|거든|[할줄볼갈을]게|[할줄볼갈을]래|을까|할까"
    r"|[하되이겠]지|[하되이]네|구나)$"
)
_CLOSING = " .?!…:;~\"'”’」』)]"


def level(sentence: str) -> Level:
    """The level of one sentence in NFC, its closing marks aside.

    >>> [level(s) for s in ("접수합니다.", "오세요!", "접수한다.", "내일까지 해.", "접수 완료")]
    ['formal', 'polite', 'plain', 'casual', 'noun']
    """
    said = sentence.rstrip(_CLOSING)
    if _FORMAL.search(said):
        return "formal"
    if _POLITE.search(said):
        return "polite"
    if _PLAIN.search(said):
        return "plain"
    return "casual" if _CASUAL.search(said) else "noun"
