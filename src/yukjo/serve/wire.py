"""What is asked and answered on the wire: the part of OpenAI's chat completions that is done here.

An unknown field is refused by name, and so is a value that would change what is answered and isn't
done (`n` = 2, `logprobs`). Accepted without effect: `user`, `metadata`, `store`, `name` of a
message, `parallel_tool_calls`, `strict`.
"""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails

from yukjo.serve.faults import Fault
from yukjo.words import say


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """ValueError where a JSON object can't be written as text again."""
    try:
        json.dumps(given, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError(say("brackets are nested too deeply")) from None
    return given


Json = Annotated[dict[str, Any], AfterValidator(_plain)]


class Wire(BaseModel):
    """Part of a request: no unknown field, no `"1"` for 1, no infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class TextPart(Wire):
    """A part of a message; only text is read."""

    type: Literal["text"]
    text: str


Content = str | Annotated[list[TextPart], Field(max_length=64)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class SystemMessage(Wire):
    """Goes below the agent's own system prompt, which every adapter was trained with."""

    role: Literal["system", "developer"]
    content: Content
    name: str | None = None


class UserMessage(Wire):
    """What is asked."""

    role: Literal["user"]
    content: Content
    name: str | None = None


class CalledFunction(Wire):
    """Which function the model called."""

    name: Name
    arguments: str
    """JSON text."""


class ToolCall(Wire):
    """A call that the model made."""

    id: str
    type: Literal["function"]
    function: CalledFunction


class AssistantMessage(Wire):
    """An earlier answer."""

    role: Literal["assistant"]
    content: Content | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=16)] | None = None
    refusal: None = None
    name: str | None = None


class ToolMessage(Wire):
    """What a called tool gave."""

    role: Literal["tool"]
    content: Content
    tool_call_id: str


Turn = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


class Function(Wire):
    """A tool of the client's, as the model is shown it."""

    name: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    parameters: Json = Field(default_factory=dict)
    """JSON Schema of its arguments."""
    strict: bool | None = None


class Tool(Wire):
    """A tool the client would run for the model."""

    type: Literal["function"]
    function: Function


class FunctionName(Wire):
    """Names one tool."""

    name: Name


class ToolChoice(Wire):
    """The tool that must be called."""

    type: Literal["function"]
    function: FunctionName


class StreamOptions(Wire):
    """With `include_usage` a last chunk counts the tokens."""

    include_usage: bool = False


class TextFormat(Wire):
    """Any text."""

    type: Literal["text"]


class ObjectFormat(Wire):
    """Some JSON object."""

    type: Literal["json_object"]


class NamedSchema(Wire):
    """A JSON Schema."""

    name: Name
    schema_: Json = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None


class SchemaFormat(Wire):
    """JSON that satisfies a schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


Format = Annotated[TextFormat | ObjectFormat | SchemaFormat, Field(discriminator="type")]
Stop = Annotated[str, Field(min_length=1, max_length=100)]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ChatRequest(Wire):
    """POST /v1/chat/completions."""

    model: Annotated[str, Field(max_length=100)]
    """An agent, or `auto`: the router chooses by the last user message."""
    messages: Annotated[list[Turn], Field(min_length=1, max_length=128)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    """More than `[serve] max_tokens`, or than the context leaves, counts as that."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """0, the likeliest token each time, unless told otherwise: so the adapters were measured."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    response_format: Format | None = None
    tools: Annotated[list[Tool], Field(max_length=32)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    frequency_penalty: Literal[0] | None = None
    presence_penalty: Literal[0] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop texts."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


Finish = Literal["stop", "length", "tool_calls"]


class Usage(BaseModel):
    """Tokens read and made; `cached_tokens` of the prompt were restored, not computed."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]

    @staticmethod
    def of(prompt: int, made: int, restored: int) -> "Usage":
        """Counted together."""
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=made,
            total_tokens=prompt + made,
            prompt_tokens_details={"cached_tokens": restored},
        )


class AnswerMessage(BaseModel):
    """The answer, or the call of a tool."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    tool_calls: list[ToolCall] | None = None


class Choice(BaseModel):
    """The only one."""

    index: Literal[0] = 0
    message: AnswerMessage
    logprobs: None = None
    finish_reason: Finish


class Yukjo(BaseModel):
    """What OpenAI has no field for: who answered, how long it took, which tools gave what."""

    agent: str
    adapter: str
    """SHA-256 of the adapter's weights."""
    timing: str
    tools: list[dict[str, Any]]


class Completion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    system_fingerprint: str
    choices: list[Choice]
    usage: Usage
    yukjo: Yukjo


class Model(BaseModel):
    """An agent, or `auto`; `adapter` answers for it."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: Literal["yukjo"] = "yukjo"
    title: str
    adapter: str | None
    tools: list[dict[str, Any]]
    """Its own tools, to be sent as `tools`; those the model calls are run by the server."""


class Models(BaseModel):
    """GET /v1/models."""

    object: Literal["list"] = "list"
    data: list[Model]


class Refreshed(BaseModel):
    """POST /v1/adapters/refresh: who answers now, and which adapters can't and why."""

    agents: dict[str, str]
    left_out: dict[str, str]


class Health(BaseModel):
    """GET /healthz."""

    status: Literal["ok", "stopping"]


class ErrorDetail(BaseModel):
    """What, where (`param`) and how to mend it (`fix`)."""

    message: str
    type: str
    param: str
    code: str
    fix: str


class ErrorBody(BaseModel):
    """Every error."""

    error: ErrorDetail


def refused(errors: Sequence[ErrorDetails]) -> Fault:
    """The first fault of a request that isn't a ChatRequest."""
    first = errors[0]
    place = [part for part in first["loc"] if part != "body"]
    where = ".".join(map(str, place)) or "body"
    if first["type"] == "extra_forbidden" and len(place) == 1:
        known = list(ChatRequest.model_fields)
        near = get_close_matches(str(place[0]), known, n=1)
        return Fault(
            400,
            say("unknown or unsupported field `{field}`", field=where),
            where=where,
            fix=say("did you mean `{near}`?", near=near[0])
            if near
            else say("leave it out; known here: {known}", known=", ".join(known)),
        )
    return Fault(
        400,
        say("the request can't be used: {why}", why=first["msg"]),
        where=where,
        fix=say("write it as /openapi.json describes"),
    )
