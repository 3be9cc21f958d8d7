"""What a run will do, derived from what was asked: steps, batches, warnings. No tensor, no clock.

Everything here is a function of settings and examples, so a resumed run derives the same plan
and the data's place in it is the step alone.
"""

import math
import random
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from yukjo.config.models import LoraConfig, TrainConfig
from yukjo.errors import DataError
from yukjo.records import Example, Frozen
from yukjo.words import say


class AgentPlan(Frozen):
    """One adapter's part of a run."""

    agent: str
    seed: int
    """Of its weights, order and dropout; not shared with any other adapter."""
    samples: int
    steps: int
    warmup: int
    learned_tokens: int
    """In one pass over its samples."""


class Plan(Frozen):
    """A run, derived: what was asked is kept beside it."""

    agents: tuple[AgentPlan, ...]
    steps: int
    """Of the adapter that has most."""
    warnings: tuple[str, ...]
    asked: dict[str, Any]


def plan(
    examples: Mapping[str, Sequence[Example]], *, train: TrainConfig, lora: LoraConfig, seed: int
) -> Plan:
    """The plan for one adapter an agent; DataError when an agent has nothing to learn from."""
    agents = tuple(
        _agent_plan(agent, own, train=train, seed=seed) for agent, own in examples.items()
    )
    return Plan(
        agents=agents,
        steps=max(a.steps for a in agents),
        warnings=tuple(advice(train, lora)),
        asked={"train": train.model_dump(mode="json"), "lora": lora.model_dump(mode="json")},
    )


def _agent_plan(
    agent: str, examples: Sequence[Example], *, train: TrainConfig, seed: int
) -> AgentPlan:
    if not examples:
        raise DataError(
            say("no training sample for `{agent}`", agent=agent),
            where="[data] files",
            fix=say("add samples of this agent, or take it out of `agents`"),
        )
    exact = len(examples) * train.epochs / (train.batch * train.accumulate)
    steps = math.ceil(exact - 1e-9)  # 10 * 1.1 is 11.000000000000002
    steps = min(steps, train.max_steps or steps)
    return AgentPlan(
        agent=agent,
        seed=(seed * 1_000_003 + zlib.crc32(agent.encode())) % 2**31,
        samples=len(examples),
        steps=steps,
        warmup=math.ceil(train.warmup * steps),
        learned_tokens=sum(e.learned for e in examples),
    )


def step_samples(agent: AgentPlan, step: int, *, size: int) -> list[int]:
    """Indices of the samples of `step`: epochs back to back, each freshly shuffled by its seed."""
    wanted = range(step * size, (step + 1) * size)
    orders: dict[int, list[int]] = {}
    chosen = []
    for place in wanted:
        epoch, within = divmod(place, agent.samples)
        if epoch not in orders:
            order = list(range(agent.samples))
            random.Random(f"{agent.seed}/{epoch}").shuffle(order)  # noqa: S311 - an order, no secret
            orders[epoch] = order
        chosen.append(orders[epoch][within])
    return chosen


def advice(train: TrainConfig, lora: LoraConfig) -> list[str]:
    """Reasoned warnings for settings outside the recommended ranges (G6)."""
    said = []
    if not 16 <= lora.rank <= 32:  # noqa: PLR2004 - the range of G6
        said.append(
            say("rank {rank} is outside 16-32: below, quality falls; above, an adapter of a small"
                " set only grows", rank=lora.rank)
        )  # fmt: skip
    # G6's range is for attention-only adapters; over all linear layers the evidence goes higher.
    highest = 3e-4 if set(lora.targets) <= {"q_proj", "k_proj", "v_proj", "o_proj"} else 2e-3
    if not 1e-4 <= train.learning_rate <= highest:  # noqa: PLR2004 - the range of G6
        said.append(
            say("learning rate {rate:g} is outside 1e-4 to {highest:g}: below, little is learned in"
                " a few epochs; above, training may diverge",
                rate=train.learning_rate, highest=highest)
        )  # fmt: skip
    if not 4 <= train.batch <= 8:  # noqa: PLR2004 - the range of G6
        said.append(
            say("batch {batch} is outside 4-8: below, gradients are noisy; above, memory grows",
                batch=train.batch)
        )  # fmt: skip
    if not 3 <= train.epochs <= 5:  # noqa: PLR2004 - the range of G6
        said.append(
            say("{epochs:g} epochs is outside 3-5: below, little is learned; above, a small set is"
                " memorised", epochs=train.epochs)
        )  # fmt: skip
    if train.max_steps is not None:
        said.append(
            say("max_steps {steps} may end training before its epochs: a budget, not a recipe",
                steps=train.max_steps)
        )  # fmt: skip
    return said
