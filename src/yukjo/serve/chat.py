"""From the messages of a request to the words and tokens that the model is asked with.

1. The agent's own system prompt comes first, always: its adapter was trained below it. System
   messages of the client follow it, then the client's tools.
2. Tokens are made where training makes them (`data.render`), so that both are the same.
3. What tools found stands in the user's turn where a sample's `input` stands: it is material.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from yukjo.agents import Role
from yukjo.data.render import Template, before_reply, render, template_of
from yukjo.errors import DataError
from yukjo.ports import Tokenizer
from yukjo.records import Chat, Message
from yukjo.serve import wire
from yukjo.serve.faults import Fault
from yukjo.words import say

_REPLY = Message(role="assistant", content="-")
"""Stands in for the reply, so that a prompt is rendered as it is in training."""
_TOOLS = (
    "다음 도구를 쓸 수 있습니다. 도구가 필요하면 다른 말 없이"
    ' {"tool": "이름", "arguments": {...}} 모양의 JSON만 씁니다.'
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a speaker is asked, and where its answer ends."""

    tokens: tuple[int, ...]
    stop: frozenset[int]


class Prompter:
    """Makes prompts with one tokenizer, whose template is the one adapters were trained with."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        # A fast tokenizer changes its own state while it encodes.
        self._lock = Lock()
        self.template: Template = template_of(tokenizer)

    def prompt(self, messages: Sequence[Message]) -> Prompt:
        """`messages` up to where the reply begins; Fault where they can't be asked."""
        chat = Chat("", "", "messages", (*messages, _REPLY))
        try:
            with self._lock:
                whole = render(
                    chat, tokenizer=self._tokenizer, template=self.template, max_tokens=2**31
                )
        except DataError as fault:
            raise Fault(
                400,
                fault.what,
                where="messages",
                fix=say("send plain text, user and assistant in turn"),
            ) from fault
        return Prompt(before_reply(whole), frozenset(whole.tokens[-1:]))

    def prefix(self, system: str) -> int:
        """How many tokens all prompts under this system message begin with."""
        own = Message(role="system", content=system)
        asks = [Message(role="user", content=text) for text in ("가", "A")]
        return len(common([self.prompt((own, ask)).tokens for ask in asks]))

    def count(self, text: str) -> int | None:
        """Tokens of `text`; None where it holds a control token."""
        with self._lock:
            tokens = self._tokenizer.encode(text)
        return None if self._tokenizer.special.intersection(tokens) else len(tokens)


def common(rows: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """What all rows begin with.

    >>> common([[1, 2, 3], [1, 2, 4, 5], [1, 2]])
    (1, 2)
    """
    shared = []
    for tokens in zip(*rows, strict=False):
        if len(set(tokens)) > 1:
            break
        shared.append(tokens[0])
    return tuple(shared)


def messages_of(request: wire.ChatRequest, role: Role) -> list[Message]:
    """The conversation for `role`; Fault where it isn't one that can be answered."""
    if not isinstance(request.messages[-1], wire.UserMessage | wire.ToolMessage):
        raise Fault(
            400,
            say("the last message is not a user's or a tool's"),
            where=f"messages.{len(request.messages) - 1}.role",
            fix=say("end the conversation with what is to be answered"),
        )
    system, turns, calls = [role.prompt], [], set()
    for place, message in enumerate(request.messages):
        if isinstance(message, wire.SystemMessage):
            system.append(text_of(message.content))
            continue
        if isinstance(message, wire.AssistantMessage):
            calls |= {call.id for call in message.tool_calls or ()}
        if isinstance(message, wire.ToolMessage) and message.tool_call_id not in calls:
            raise Fault(
                400,
                say("no earlier message called the tool that this one answers for"),
                where=f"messages.{place}.tool_call_id",
                fix=say("send the assistant's message with its `tool_calls` before it"),
            )
        turns.append(Message(role=message.role, content=_spoken(message)))
    if tools := offered(request):
        system.append("\n".join([_TOOLS, *map(_shown, tools)]))
    return [Message(role="system", content="\n\n".join(filter(None, system))), *turns]


def question_of(request: wire.ChatRequest) -> str:
    """The last user message: what the router and the rules of tools look at."""
    asked = [m for m in request.messages if isinstance(m, wire.UserMessage)]
    return text_of(asked[-1].content) if asked else ""


def with_material(messages: Sequence[Message], material: Sequence[str]) -> list[Message]:
    """`messages` with what tools found below the last user turn."""
    *before, last = messages
    content = "\n\n".join([last.content, *material])
    return [*before, Message(role=last.role, content=content)]


def text_of(content: wire.Content | None) -> str:
    """The text of a message, its parts joined."""
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(part.text for part in content)


def _spoken(message: wire.UserMessage | wire.AssistantMessage | wire.ToolMessage) -> str:
    """A turn as the model reads it; a call of a tool as the model wrote it."""
    if not isinstance(message, wire.AssistantMessage) or not message.tool_calls:
        return text_of(message.content)
    calls = [
        f'{{"tool": {json.dumps(c.function.name)}, "arguments": {c.function.arguments}}}'
        for c in message.tool_calls
    ]
    return "\n".join(filter(None, [text_of(message.content), *calls]))


# Tools of the client


def offered(request: wire.ChatRequest) -> list[wire.Function]:
    """The tools that the model may call in this turn; Fault where the choice makes no sense."""
    tools = [tool.function for tool in request.tools or ()]
    choice = request.tool_choice
    if isinstance(choice, wire.ToolChoice):
        tools = [tool for tool in tools if tool.name == choice.function.name]
    if not tools and choice not in {None, "none", "auto"}:
        raise Fault(
            400,
            say("the tool that must be called is not among `tools`"),
            where="tool_choice",
            fix=say("name one of `tools`"),
        )
    return [] if choice == "none" else tools


def schema_of(request: wire.ChatRequest) -> str | None:
    """The JSON Schema that the answer must satisfy; None for free text."""
    tools, wanted = offered(request), request.response_format
    formatted = wanted is not None and not isinstance(wanted, wire.TextFormat)
    if tools and formatted:
        raise Fault(
            400,
            say("`tools` and a `response_format` can't be asked for together"),
            where="response_format",
            fix=say('leave one of them out, or send `tool_choice` "none"'),
        )
    if isinstance(wanted, wire.SchemaFormat):
        return json.dumps(wanted.json_schema.schema_, ensure_ascii=False)
    if isinstance(wanted, wire.ObjectFormat):
        return '{"type": "object"}'
    if request.tool_choice in {None, "none", "auto"}:
        return None
    calls = [_call_schema(tool) for tool in tools]
    return json.dumps(calls[0] if len(calls) == 1 else {"anyOf": calls}, ensure_ascii=False)


def called(text: str, tools: Sequence[wire.Function]) -> wire.ToolCall | None:
    """The call that an answer is, if it is one."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.keys() != {"tool", "arguments"}:
        return None
    if said["tool"] not in [tool.name for tool in tools] or not isinstance(said["arguments"], dict):
        return None
    arguments = json.dumps(said["arguments"], ensure_ascii=False)
    return wire.ToolCall(
        id=f"call_{secrets.token_hex(12)}",
        type="function",
        function=wire.CalledFunction(name=said["tool"], arguments=arguments),
    )


def after(
    request: wire.ChatRequest, call: wire.ToolCall, result: str, *, more: bool
) -> wire.ChatRequest:
    """`request` with a call of the model's and what it gave; `more` calls may follow."""
    made = wire.AssistantMessage(role="assistant", tool_calls=[call])
    gave = wire.ToolMessage(role="tool", content=result, tool_call_id=call.id)
    return request.model_copy(
        update={
            "messages": [*request.messages, made, gave],
            "tool_choice": "auto" if more else "none",
        }
    )


def _call_schema(tool: wire.Function) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {
            "tool": {"const": tool.name},
            "arguments": tool.parameters or {"type": "object"},
        },
        "required": ["tool", "arguments"],
        "additionalProperties": False,
    }


def _shown(tool: wire.Function) -> str:
    parameters = json.dumps(tool.parameters, ensure_ascii=False)
    return f"- {tool.name}: {tool.description} {parameters}"
