"""Which column of a table holds which field of a sample.

1. What is named with `--map` counts; the rest is guessed from Korean and English headers.
2. A guess takes the whole header, letters and digits only (`fold`), never a part of one; earlier
   names in a list go before later ones; a column stands for one field only.
3. Running numbers (연번, 순번, No.) are no ids: they begin anew in every file.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from yukjo.errors import ConfigError
from yukjo.korean.text import fold, shown
from yukjo.words import say

NEEDED = ("instruction", "output")

_GUESSES: dict[str, tuple[str, ...]] = {
    "instruction": (
        "instruction", "질문", "질의", "질문 내용", "질의 내용", "문의", "문의 내용",
        "민원 내용", "민원 질의", "물음", "요청", "요청 내용", "지시", "지시문", "지시 사항",
        "프롬프트", "question", "query", "prompt", "request", "user",
    ),
    "output": (
        "output", "답변", "답변 내용", "모범 답변", "회신", "회신 내용", "처리 결과",
        "응답", "응답 내용", "출력", "정답", "답",
        "answer", "response", "completion", "reply", "assistant", "target",
    ),
    "input": (
        "input", "입력", "입력 자료", "자료", "참고 자료", "근거", "근거 자료", "근거 문서",
        "본문", "원문", "문서", "지문", "문맥", "맥락",
        "context", "passage", "document", "material",
    ),
    "agent_type": ("agent_type", "agent", "에이전트", "에이전트 유형", "담당 에이전트"),
    "difficulty": ("difficulty", "난이도", "level"),
    "topic": ("topic", "주제", "분야", "민원 분야", "분류", "category", "subject"),
    "exception": ("exception", "예외", "예외 유형", "예외 종류"),
    "id": ("id", "아이디", "식별자"),
    "source": ("source", "출처"),
    "license": ("license", "licence", "라이선스", "이용 허락"),
}  # fmt: skip
"""Field of a sample -> headers that mean it, the surest first."""

FIELDS = tuple(_GUESSES)


def asked(pairs: Sequence[str]) -> dict[str, str]:
    """Field -> column of pairs as `instruction=질문`; ConfigError where they make no sense."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = (part.strip() for part in pair.partition("="))
        if not (equals and name and column):
            raise ConfigError(
                say("`{pair}` names no field and column", pair=shown(pair)),
                where="--map",
                fix=say("write it as {example}", example="--map instruction=질문"),
            )
        if name not in FIELDS:
            near = get_close_matches(name[:60], FIELDS, n=1)
            raise ConfigError(
                say("a sample has no field `{name}`", name=shown(name)),
                where="--map",
                fix=say("did you mean `{near}`?", near=near[0]) if near
                else say("known are: {known}", known=", ".join(FIELDS)),
            )  # fmt: skip
        if name in found:
            raise ConfigError(
                say("the field `{name}` is named twice", name=name),
                where="--map",
                fix=say("keep one of the two"),
            )
        found[name] = column
    return found


def mapping(head: Sequence[str], named: Mapping[str, str]) -> dict[str, int]:
    """Field -> column of `head`; a named column that isn't there is left out.

    >>> mapping(["연번", "질문 내용", "답변", "분야"], {})
    {'instruction': 1, 'output': 2, 'topic': 3}
    >>> mapping(["Q", "A"], {"instruction": "Q", "output": "A"})
    {'instruction': 0, 'output': 1}
    """
    folded = [fold(cell) for cell in head]
    found: dict[str, int] = {}
    for name, column in named.items():
        exact = [i for i, cell in enumerate(head) if cell == column]
        near = [i for i, cell in enumerate(folded) if cell and cell == fold(column)]
        if exact or near:
            found[name] = (exact or near)[0]
    for name, guesses in _GUESSES.items():
        if name in named:
            continue
        places = (folded.index(fold(guess)) for guess in guesses if fold(guess) in folded)
        place = next((p for p in places if p not in found.values()), None)
        if place is not None:
            found[name] = place
    return found


def absent(found: Mapping[str, int], named: Mapping[str, str]) -> list[str]:
    """The fields, or the named columns, without which rows can't be samples."""
    columns = [column for name, column in named.items() if name not in found]
    return columns + [name for name in NEEDED if name not in found and name not in named]
