"""What a run will do, derived from what was asked: adapters, steps, orders. No tensor, no clock.

Everything here is a function of settings and examples, so a resumed run derives the same plan
and the data's place in it is the step alone. What an adapter does depends on its own settings and
samples, never on its company.
"""

import math
import random
import zlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from yukjo.config.models import AgentConfig, LoraConfig, PaceConfig, SweepConfig, TrainConfig
from yukjo.errors import DataError
from yukjo.records import Example, Frozen
from yukjo.train.sweep import Setting, named, settings, with_setting
from yukjo.words import say


class AgentPlan(Frozen):
    """One adapter's part of a run."""

    adapter: str
    """Its name in the run: the agent's, and in a sweep what sets it apart from its siblings."""
    agent: str
    setting: Setting
    """What the sweep chose for it; empty without one."""
    lora: LoraConfig
    pace: PaceConfig
    seed: int
    """Of its weights, order and dropout; shared with its siblings in a sweep and nobody else."""
    samples: int
    steps: int
    warmup: int
    learned_tokens: int
    """In one pass over its samples."""


class Plan(Frozen):
    """A run, derived: what was asked is kept beside it."""

    agents: tuple[AgentPlan, ...]
    """An adapter each; several of one agent in a sweep."""
    steps: int
    """Of the adapter that has most."""
    warnings: tuple[str, ...] = ()
    """See `advice`: they need the size of the adapters, which are made after the plan."""
    asked: dict[str, Any]


def plan(
    examples: Mapping[str, Sequence[Example]],
    *,
    train: TrainConfig,
    lora: LoraConfig,
    seed: int,
    own: Mapping[str, AgentConfig] = MappingProxyType({}),
    sweep: SweepConfig = SweepConfig(),  # noqa: B008 - frozen
) -> Plan:
    """The plan for one adapter an agent, or one each setting of `sweep`.

    `own` holds the agents that differ from `train` and `lora`. DataError when an agent has nothing
    to learn from.
    """
    agents = []
    for agent, samples in examples.items():
        general = own.get(agent) or AgentConfig(lora=lora, train=_pace(train))
        agents += [
            _agent_plan(agent, samples, general, setting=setting, train=train, seed=seed)
            for setting in settings(sweep)
        ]
    return Plan(
        agents=tuple(agents),
        steps=max(a.steps for a in agents),
        asked={"train": train.model_dump(mode="json"), "lora": lora.model_dump(mode="json")},
    )


def _agent_plan(
    agent: str,
    examples: Sequence[Example],
    general: AgentConfig,
    *,
    setting: Setting,
    train: TrainConfig,
    seed: int,
) -> AgentPlan:
    if not examples:
        raise DataError(
            say("no training sample for `{agent}`", agent=agent),
            where="[data] files",
            fix=say("add samples of this agent, or take it out of `agents`"),
        )
    lora, pace = with_setting(general.lora, setting), with_setting(general.train, setting)
    exact = len(examples) * pace.epochs / (train.batch * train.accumulate)
    steps = math.ceil(exact - 1e-9)  # 10 * 1.1 is 11.000000000000002
    steps = min(steps, pace.max_steps or steps)
    return AgentPlan(
        adapter=named(agent, setting),
        agent=agent,
        setting=setting,
        lora=lora,
        pace=pace,
        seed=(seed * 1_000_003 + zlib.crc32(agent.encode())) % 2**31,
        samples=len(examples),
        steps=steps,
        warmup=math.ceil(pace.warmup * steps),
        learned_tokens=sum(e.learned for e in examples),
    )


def _pace(train: TrainConfig) -> PaceConfig:
    """What of [train] an adapter carries itself."""
    return PaceConfig(**{name: getattr(train, name) for name in PaceConfig.model_fields})


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
