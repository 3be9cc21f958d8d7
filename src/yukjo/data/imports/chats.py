"""A JSON object of a known chat format -> the fields of a sample.

ChatML has `messages` of `role` and `content` (OpenAI's form), ShareGPT `conversations` of `from`
and `value`, Alpaca `instruction`, `input`, `output` and perhaps `history`; a line of our own is
an Alpaca line with `messages`.

1. The last answer is what is learned; what stands before its question becomes `messages`.
2. System messages are dropped and counted: an agent's role has its own.
3. A call of a tool is written as a model here writes it, `{"tool": …, "arguments": …}`.
4. Results of tools between the last question and the last answer are its `input`, as in serving;
   the calls that led to them are dropped and counted.
5. What has no place in a sample (images, a question without an answer) is refused, never cut.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from yukjo.korean.text import shown
from yukjo.words import say

LABELS = (
    "agent_type", "id", "difficulty", "topic", "exception", "source", "license",
)  # fmt: skip
"""Taken from a line of any format where it has them under these names."""

_SEEN = ("images", "image", "videos", "video", "audios", "audio")
_ROLES = {
    "user": "user", "human": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant",
    "chatgpt": "assistant",
    "system": "system", "developer": "system",
    "tool": "tool", "function": "tool", "observation": "tool", "function_response": "tool",
    "function_call": "call",
}  # fmt: skip
_PAIR = 2


class NotTaken(Exception):
    """Why a row can't become a sample; for the report."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(slots=True)
class Made:
    """The fields of a sample, which may still be wrong, and what was left out on the way."""

    format: str
    fields: dict[str, Any]
    unused: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    """"system": messages; "calls": calls of tools."""


@dataclass(frozen=True, slots=True)
class _Turn:
    role: str
    text: str


def format_of(value: Mapping[str, Any]) -> str | None:
    """The format of an object; None where it is none of the chat formats."""
    if "instruction" in value and ("output" in value or "messages" not in value):
        return "alpaca"
    if "messages" in value:
        return "chatml"
    return "sharegpt" if "conversations" in value else None


def made(value: Mapping[str, Any], format_: str) -> Made:
    """The fields of a sample in an object of that format; NotTaken where it can't be one."""
    for name in _SEEN:
        if value.get(name):
            raise NotTaken("images", say("`{field}`: only text is imported", field=name))
    if format_ == "alpaca":
        return _alpaca(value)
    name = "messages" if format_ == "chatml" else "conversations"
    turns = value[name]
    if not isinstance(turns, list):
        raise NotTaken("wrong-type", say("`{field}` is no list", field=name))
    keys = ("role", "content") if format_ == "chatml" else ("from", "value")
    read = [
        turn for place, one in enumerate(turns) for turn in _turns(one, keys, f"{name}[{place}]")
    ]
    taken = {name, *LABELS, "system", "tools", "input_from"}
    result = _sample(read, value.get("input_from"))
    result.format = format_
    result.fields |= {key: value[key] for key in LABELS if key in value}
    result.dropped["system"] += _system(value)
    result.unused = [key for key in value if key not in taken]
    return result


def _alpaca(value: Mapping[str, Any]) -> Made:
    taken = {"instruction", "input", "output", "messages", "history", "system", *LABELS}
    fields = {key: value[key] for key in taken - {"history", "system"} if key in value}
    if fields.get("input", "") is None:
        del fields["input"]
    if "history" in value:
        if fields.get("messages"):
            raise NotTaken("both-histories", say("it has both `history` and `messages`"))
        fields["messages"] = list(_history(value["history"]))
    return Made(
        "alpaca",
        fields,
        [key for key in value if key not in taken],
        Counter(system=_system(value)),
    )


def _history(pairs: object) -> Iterator[dict[str, object]]:
    """The earlier turns of an Alpaca line: pairs of a question and its answer."""
    if pairs is None:
        return
    if not isinstance(pairs, list):
        raise NotTaken("wrong-type", say("`{field}` is no list", field="history"))
    for place, pair in enumerate(pairs):
        if not (isinstance(pair, list) and len(pair) == _PAIR):
            raise NotTaken("wrong-type", say("`{field}` is no pair of question and answer",
                                             field=f"history[{place}]"))  # fmt: skip
        yield {"role": "user", "content": pair[0]}
        yield {"role": "assistant", "content": pair[1]}


def _system(value: Mapping[str, Any]) -> int:
    """1 where a line has a system prompt beside its turns."""
    return int(bool(value.get("system")))


def _sample(turns: list[_Turn], input_from: object) -> Made:
    """The fields of turns that end in an answer."""
    kept = [turn for turn in turns if turn.role != "system"]
    dropped = Counter(system=len(turns) - len(kept))
    if not kept or kept[-1].role not in {"assistant", "call"}:
        raise NotTaken("unanswered", say("the conversation doesn't end with an answer"))
    asked = max((n for n, turn in enumerate(kept) if turn.role == "user"), default=None)
    if asked is None:
        raise NotTaken("unasked", say("there is no question before the answer"))
    between = kept[asked + 1 : -1]
    results = [turn.text for turn in between if turn.role == "tool"]
    calls = [turn for turn in between if turn.role != "tool"]
    if any(turn.role == "assistant" for turn in calls) and not results:
        raise NotTaken("answered-twice", say("one question has several answers"))
    dropped["calls"] = len(calls)
    instruction, material = _split(kept[asked].text, input_from)
    return Made(
        "",
        {
            "messages": [{"role": _said(t), "content": t.text} for t in kept[:asked]],
            "instruction": instruction,
            "input": "\n\n".join(filter(None, [material, *results])),
            "output": kept[-1].text,
        },
        dropped=dropped,
    )


def _said(turn: _Turn) -> str:
    """The role of an earlier turn: a call of a tool is the assistant's."""
    return "assistant" if turn.role == "call" else turn.role


def _split(text: str, input_from: object) -> tuple[str, str]:
    r"""Instruction and input of a question, where our own export says at which character it turns.

    >>> _split("요약해 주세요.\n\n본문", 10), _split("요약해 주세요.", None)
    (('요약해 주세요.', '본문'), ('요약해 주세요.', ''))
    """
    if isinstance(input_from, int) and 2 < input_from <= len(text):  # noqa: PLR2004 - the blank line
        head, gap = text[: input_from - 2], text[input_from - 2 : input_from]
        if gap == "\n\n":
            return head, text[input_from:]
    return text, ""


def _turns(turn: object, keys: tuple[str, str], place: str) -> Iterator[_Turn]:
    """The turns in one message: its text, then the tools it calls."""
    if not isinstance(turn, dict):
        raise NotTaken("wrong-type", say("`{field}` is no object", field=place))
    who, what = keys
    role = turn.get(who)
    known = _ROLES.get(role.lower()) if isinstance(role, str) else None
    if known is None:
        raise NotTaken("unknown-role", say("`{field}` can't be `{value}`", field=f"{place}.{who}",
                                           value=shown(str(role))))  # fmt: skip
    calls = turn.get("tool_calls")
    text = _text(turn.get(what), f"{place}.{what}", absent=bool(calls))
    if known == "call":
        yield _Turn("call", _call(text, place))
        return
    if calls:
        lines = [text, *_calls(calls, f"{place}.tool_calls")]
        yield _Turn("call", "\n".join(filter(None, lines)))
        return
    if not text.strip():
        raise NotTaken("empty-text", say("`{field}` is blank", field=f"{place}.{what}"))
    yield _Turn(known, text)


def _text(content: object, place: str, *, absent: bool) -> str:
    """The text of a message: a text, or OpenAI's list of parts."""
    if content is None and absent:
        return ""
    if isinstance(content, list):
        return "".join(_part(part, f"{place}[{n}]") for n, part in enumerate(content))
    if not isinstance(content, str):
        raise NotTaken("wrong-type", say("`{field}` is no text", field=place))
    return content


def _part(part: object, place: str) -> str:
    text = part.get("text") if isinstance(part, dict) else None
    if isinstance(part, dict) and part.get("type") in {"text", "input_text", "output_text"}:
        if isinstance(text, str):
            return text
        raise NotTaken("wrong-type", say("`{field}` is no text", field=f"{place}.text"))
    raise NotTaken("images", say("`{field}`: only text is imported", field=place))


def _calls(calls: object, place: str) -> Iterator[str]:
    """OpenAI's calls of tools as the model writes them here."""
    if not isinstance(calls, list):
        raise NotTaken("wrong-type", say("`{field}` is no list", field=place))
    for number, call in enumerate(calls):
        named = call.get("function") if isinstance(call, dict) else None
        yield _written(named, f"{place}[{number}].function")


def _call(text: str, place: str) -> str:
    """ShareGPT's call of a tool: an object as text, or several in a list."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise NotTaken("not-json", say("`{field}` is no call of a tool", field=place)) from None
    calls = read if isinstance(read, list) else [read]
    return "\n".join(_written(call, place) for call in calls)


def _written(call: object, place: str) -> str:
    """A call as `serve.chat` shows it to the model."""
    name = call.get("name") if isinstance(call, dict) else None
    arguments = call.get("arguments") if isinstance(call, dict) else None
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            arguments = None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise NotTaken("wrong-type", say("`{field}` is no call of a tool", field=place))
    try:
        written = json.dumps(arguments, ensure_ascii=False)
    except RecursionError:
        raise NotTaken("too-deep", say("brackets are nested too deeply")) from None
    return f'{{"tool": {json.dumps(name, ensure_ascii=False)}, "arguments": {written}}}'
