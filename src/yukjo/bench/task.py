"""What every system is asked, to the token, and what each answers.

1. All systems train the same samples in the same steps: `steps` is laid out here, once.
2. One adapter, one agent: that is what the requirement's script trains.
3. The first step warms up; speed is counted over the others.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import PositiveInt

from yukjo.config.models import LoraConfig
from yukjo.errors import ConfigError
from yukjo.records import Example, Frozen
from yukjo.words import say

BATCH = 4
"""Most samples in a micro-batch, as in the requirement's script; it divides those of a step."""
WARM = 1
"""Steps that aren't counted."""


class Row(Frozen):
    """A sample as tokens; `learn[i]` says whether token i is learned."""

    tokens: tuple[int, ...]
    learn: tuple[bool, ...]

    @property
    def learned(self) -> int:
        """How many tokens are learned."""
        return sum(self.learn)


class Task(Frozen):
    """The training that is measured; written as JSON for every system to read."""

    model: str
    """A Hugging Face folder."""
    dtype: str
    """Of Yukjo's frozen weights, and of a peer's where it doesn't choose its own."""
    agent: str
    steps: tuple[tuple[Row, ...], ...]
    """The samples of each optimiser step, in the order they are trained."""
    batch: PositiveInt
    lora: LoraConfig
    learning_rate: float
    """Constant."""
    clip: float = 1.0
    threads: PositiveInt
    seed: int = 0
    scratch: str
    """A folder of this task's own, for what a system must write."""

    @property
    def counted(self) -> tuple[tuple[Row, ...], ...]:
        """The steps whose time counts."""
        return self.steps[WARM:]


class Outcome(Frozen):
    """What a system says of one round."""

    seconds: tuple[float, ...]
    """Of each optimiser step, the warm-up first."""
    losses: tuple[float, ...]
    """Nats a learned token, of each step."""
    peak_memory_mb: float
    versions: dict[str, str]


def make_task(
    examples: Mapping[str, Sequence[Example]],
    *,
    model: Path,
    dtype: str,
    steps: int,
    samples: int,
    dropout: float,
    scratch: Path,
) -> Task:
    """`steps` counted steps of `samples` samples, after the warm-up, of the agent with most."""
    agent = max(examples, key=lambda name: len(examples[name]))
    own = examples[agent]
    if not own:
        raise ConfigError(
            say("no sample to train on"), where="yukjo.toml [data]", fix=say("add samples")
        )
    rows = [Row(tokens=e.tokens, learn=e.learn) for e in own]
    wanted = [rows[i % len(rows)] for i in range((steps + WARM) * samples)]
    return Task(
        model=str(model.resolve()),
        dtype=dtype,
        agent=agent,
        steps=tuple(tuple(wanted[i : i + samples]) for i in range(0, len(wanted), samples)),
        batch=max(size for size in range(1, BATCH + 1) if samples % size == 0),
        lora=LoraConfig(rank=16, alpha=32, dropout=dropout, targets=("q_proj", "v_proj")),
        learning_rate=2e-4,
        threads=os.cpu_count() or 1,
        scratch=str(scratch),
    )
