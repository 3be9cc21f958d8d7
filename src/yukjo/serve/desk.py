"""From a request to a question: choose the agent, ask its tools by rule, make the prompt."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from yukjo.agents import Role
from yukjo.config.models import ServeConfig
from yukjo.ports import Turn
from yukjo.serve import wire
from yukjo.serve.agents import AUTO, Agent, Agents
from yukjo.serve.chat import (
    Prompt,
    Prompter,
    messages_of,
    offered,
    question_of,
    schema_of,
    with_material,
)
from yukjo.serve.faults import Fault
from yukjo.words import say


class Route(Protocol):
    """Where a text goes."""

    @property
    def agent(self) -> str:
        """Name of an agent."""

    @property
    def scores(self) -> Mapping[str, float]:
        """How well the text fits each agent."""


class Router(Protocol):
    """Chooses the agent for a text."""

    def choose(self, text: str) -> Route:
        """Where `text` goes."""


class Found(Protocol):
    """What a tool gave."""

    @property
    def text(self) -> str:
        """For the model, what comes from files quoted in it."""

    @property
    def failed(self) -> bool:
        """Whether the call could not be done."""

    def model_dump(self, *, mode: Literal["json"]) -> dict[str, Any]:
        """For the client."""


class Tools(Protocol):
    """The tools of one agent."""

    @property
    def names(self) -> Sequence[str]:
        """What they are called."""

    def schemas(self) -> list[dict[str, Any]]:
        """Their definitions in the OpenAI tool protocol."""

    def by_rule(self, text: str) -> Sequence[Found]:
        """What the calls give that are due for `text`, best first."""

    def call(self, name: str, arguments: str) -> Found:
        """What one call gives; a fault of any kind is `failed`."""


class Toolbox(Protocol):
    """All tools of the project."""

    def for_agent(self, role: Role) -> Tools:
        """Those that `role` names."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready to be asked."""

    agent: Agent
    turn: Turn
    stops: tuple[str, ...]
    tools: tuple[dict[str, Any], ...]
    """What tools found that stands in the prompt."""


class Desk:
    """Knows the agents, the router and the tools; slow work of a request is done here."""

    def __init__(
        self,
        agents: Agents,
        prompter: Prompter,
        *,
        serve: ServeConfig,
        context: int,
        router: Router,
        toolbox: Toolbox | None = None,
    ) -> None:
        self.agents = agents
        self._prompter = prompter
        self._serve = serve
        self._context = min(context, serve.context)
        self._router = router
        self._toolbox = toolbox

    def agent(self, request: wire.ChatRequest) -> Agent:
        """Who answers; Fault where nobody does."""
        if request.model != AUTO:
            return self.agents.find(request.model)
        return self.agents.find(self._router.choose(question_of(request)).agent)

    def prepare(self, request: wire.ChatRequest, agent: Agent) -> Prepared:
        """The turn that answers `request`; Fault where it can't be answered."""
        schema = schema_of(request)
        messages = messages_of(request, agent.role)
        prompt = self._prompter.prompt(messages)
        self._refuse_long(prompt)
        # What tools found leaves room for the answer, or for a quarter of the context.
        kept = min(self._most(request), self._context // 4)
        found = self._found(request, agent, self._context - len(prompt.tokens) - kept)
        if found:
            texts = [one.text for one in found]
            prompt = self._prompter.prompt(with_material(messages, texts))
        return Prepared(
            agent,
            self._turn(request, agent, prompt, self._prompter.prefix(messages[0].content), schema),
            request.stops,
            tuple(one.model_dump(mode="json") for one in found),
        )

    def schemas(self, agent: Agent) -> list[dict[str, Any]]:
        """The agent's own tools, as a client may offer them to the model."""
        return self._toolbox.for_agent(agent.role).schemas() if self._toolbox else []

    def call(self, agent: Agent, call: wire.ToolCall) -> Found | None:
        """What the agent's own tool gives that the model called; None where it is the client's."""
        if not self._toolbox:
            return None
        own, asked = self._toolbox.for_agent(agent.role), call.function
        return own.call(asked.name, asked.arguments) if asked.name in own.names else None

    def _refuse_long(self, prompt: Prompt) -> None:
        if len(prompt.tokens) >= self._context:
            raise Fault(
                400,
                say("the conversation takes {count} tokens of {most}, and leaves none to answer",
                    count=len(prompt.tokens), most=self._context),
                where="messages",
                fix=say("leave out earlier turns or part of the material"),
            )  # fmt: skip

    def _found(self, request: wire.ChatRequest, agent: Agent, room: int) -> list[Found]:
        """What the agent's tools give for the question, as much as there is room for.

        Where the client offers tools, the model calls them instead.
        """
        asked = request.messages[-1]
        if not self._toolbox or offered(request) or not isinstance(asked, wire.UserMessage):
            return []
        kept = []
        for one in self._toolbox.for_agent(agent.role).by_rule(question_of(request)):
            # What holds a control token of the model can't stand in a prompt.
            count = self._prompter.count(f"\n\n{one.text}")
            if one.failed or count is None or count > room:
                continue
            kept.append(one)
            room -= count
        return kept

    def _most(self, request: wire.ChatRequest) -> int:
        asked = request.max_completion_tokens or request.max_tokens or self._serve.max_tokens
        return min(asked, self._serve.max_tokens)

    def _turn(
        self,
        request: wire.ChatRequest,
        agent: Agent,
        prompt: Prompt,
        prefix: int,
        schema: str | None,
    ) -> Turn:
        seed = secrets.randbits(31) if request.seed is None else request.seed % 2**31
        return Turn(
            adapter=agent.adapter,
            tokens=prompt.tokens,
            prefix=prefix,
            stop=prompt.stop,
            max_tokens=min(self._most(request), self._context - len(prompt.tokens)),
            temperature=request.temperature or 0.0,
            top_p=1.0 if request.top_p is None else request.top_p,
            seed=seed,
            schema=schema,
        )
