"""What the sides of a serving round are asked: one file for all, rendered once."""

from collections.abc import Iterator
from pathlib import Path

from yukjo.ports import Turn
from yukjo.records import Frozen


class Asked(Frozen):
    """A question as tokens."""

    tokens: tuple[int, ...]
    prefix: int
    """How many of them every question to the agent begins with."""


class ServedAgent(Frozen):
    """One agent, its adapter, and a question to it."""

    name: str
    adapter: str
    folder: str
    """A valid PEFT adapter."""
    gguf_lora: str
    """The same as llama.cpp reads it."""
    plain: Asked
    with_tools: Asked
    """The same with its own tools offered, if it has any."""


class ServeTask(Frozen):
    """A serving round."""

    project: str
    model: str
    """Hugging Face folder of the base."""
    gguf: str
    agents: tuple[ServedAgent, ...]
    threads: int
    tokens: int
    """Decoded to measure speed."""
    answer: int
    """Tokens of an answer whose seconds count."""
    requests: int
    """Such answers, over all agents in turn; 0 leaves them out."""
    cache: int
    """Adapters held while they are asked."""

    def adapters(self) -> Iterator[tuple[str, Path]]:
        """Content hash and folder of each."""
        return ((agent.adapter, Path(agent.folder)) for agent in self.agents)

    @property
    def having_tools(self) -> list[int]:
        """The agents whose prompt is longer with their tools."""
        return [i for i, agent in enumerate(self.agents) if agent.with_tools != agent.plain]

    def turn(self, number: int, *, max_tokens: int, tools: bool = False) -> Turn:
        """The question to an agent, answered greedily to exactly `max_tokens`."""
        agent = self.agents[number]
        asked = agent.with_tools if tools else agent.plain
        return Turn(
            adapter=agent.adapter,
            tokens=asked.tokens,
            prefix=asked.prefix,
            stop=frozenset(),
            max_tokens=max_tokens,
            temperature=0.0,
            top_p=1.0,
            seed=0,
        )
