import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.config.models import AgentConfig, LoraConfig, PaceConfig, SweepConfig, TrainConfig
from yukjo.errors import DataError
from yukjo.records import Example
from yukjo.train.plan import AgentPlan, Plan, plan, step_samples

Make = Callable[..., list[Example]]


def planned(examples: Make, sizes: dict[str, int], *, seed: int = 0, **train: Any) -> Plan:
    own = {agent: examples(agent, number) for agent, number in sizes.items()}
    return plan(own, train=TrainConfig(**train), lora=LoraConfig(), seed=seed)


def an_agent(*, samples: int, seed: int = 0) -> AgentPlan:
    return AgentPlan(adapter="rag", agent="rag", setting={}, lora=LoraConfig(), pace=PaceConfig(),
                     seed=seed, samples=samples, steps=9, warmup=1, learned_tokens=1)  # fmt: skip


def test_ten_samples_three_epochs_four_a_step_are_eight_steps(examples: Make) -> None:
    made = planned(examples, {"rag": 10}, epochs=3, batch=2, accumulate=2, warmup=0.25)
    assert (made.steps, made.agents[0].steps, made.agents[0].warmup) == (8, 8, 2)


def test_the_run_is_as_long_as_its_longest_adapter(examples: Make) -> None:
    made = planned(examples, {"rag": 4, "review": 40}, epochs=1, batch=4, accumulate=1)
    assert [a.steps for a in made.agents] == [1, 10]
    assert made.steps == 10


def test_a_budget_of_steps_cuts_long_adapters_only(examples: Make) -> None:
    sizes = {"rag": 4, "review": 40}
    made = planned(examples, sizes, epochs=1, batch=4, accumulate=1, max_steps=3)
    assert [a.steps for a in made.agents] == [1, 3]


def test_an_agent_without_samples_is_refused_by_name(examples: Make) -> None:
    with pytest.raises(DataError, match="review"):
        planned(examples, {"rag": 3, "review": 0})


def test_what_was_asked_is_kept_beside_what_was_derived(examples: Make) -> None:
    made = planned(examples, {"rag": 3}, epochs=4)
    assert made.asked["train"]["epochs"] == 4
    assert made.asked["lora"] == LoraConfig().model_dump(mode="json")


@given(
    samples=st.integers(1, 300), epochs=st.integers(1, 9),
    batch=st.integers(1, 9), accumulate=st.integers(1, 9),
)  # fmt: skip
def test_the_steps_hold_all_epochs_and_no_whole_step_more(
    examples: Make, samples: int, epochs: int, batch: int, accumulate: int
) -> None:
    made = planned(examples, {"rag": samples}, epochs=epochs, batch=batch, accumulate=accumulate)
    size = batch * accumulate
    assert (made.steps - 1) * size < samples * epochs <= made.steps * size


@given(samples=st.integers(1, 50), share=st.floats(0, 0.99))
def test_the_warmup_is_its_share_of_the_steps(examples: Make, samples: int, share: float) -> None:
    own = planned(examples, {"rag": samples}, warmup=share).agents[0]
    assert own.warmup == math.ceil(share * own.steps) <= own.steps


@given(st.integers(0, 2**31 - 1))
def test_no_two_agents_share_a_seed_and_company_changes_none(examples: Make, seed: int) -> None:
    alone = planned(examples, {"rag": 3}, seed=seed).agents[0]
    beside = planned(examples, {"review": 5, "rag": 3}, seed=seed).agents
    assert beside[1] == alone
    assert beside[0].seed != alone.seed
    assert all(0 <= a.seed < 2**31 for a in beside)
    assert planned(examples, {"rag": 3}, seed=seed + 1).agents[0].seed != alone.seed


@given(samples=st.integers(1, 30), size=st.integers(1, 12), seed=st.integers(0, 99))
def test_an_epoch_sees_every_sample_once_before_any_twice(
    samples: int, size: int, seed: int
) -> None:
    agent = an_agent(samples=samples, seed=seed)
    steps = math.ceil(3 * samples / size)
    seen = [i for step in range(steps) for i in step_samples(agent, step, size=size)]
    assert len(seen) == steps * size
    for epoch in range(3):
        assert sorted(seen[epoch * samples : (epoch + 1) * samples]) == list(range(samples))


def test_each_epoch_and_each_seed_has_an_order_of_its_own() -> None:
    orders = {
        tuple(step_samples(an_agent(samples=20, seed=seed), epoch, size=20))
        for seed in range(3)
        for epoch in range(3)
    }
    assert len(orders) == 9


# Agents that differ


OWN = AgentConfig(
    lora=LoraConfig(rank=32, alpha=8), train=PaceConfig(epochs=6, learning_rate=1e-4, warmup=0.5)
)


def test_an_agent_of_its_own_settings_has_its_own_steps_and_leaves_the_others_alone(
    examples: Make,
) -> None:
    both = {"rag": examples("rag", 8), "review": examples("review", 8)}
    general = TrainConfig(batch=4, accumulate=1)
    made = plan(both, train=general, lora=LoraConfig(), seed=0, own={"rag": OWN})
    rag, review = made.agents
    assert (rag.lora, rag.pace, rag.steps, rag.warmup) == (OWN.lora, OWN.train, 12, 6)
    assert review == plan(both, train=general, lora=LoraConfig(), seed=0).agents[1]


# Siblings in a sweep


def test_a_sweep_of_two_settings_is_a_grid_of_siblings_with_names_of_their_own(
    examples: Make,
) -> None:
    sweep = SweepConfig(learning_rate=(1e-4, 1e-4, 2e-4), rank=(8, 16))
    made = plan({"rag": examples("rag", 3)}, train=TrainConfig(), lora=LoraConfig(), seed=0,
                sweep=sweep)  # fmt: skip
    assert [a.adapter for a in made.agents] == [
        "rag@learning_rate=0.0001,rank=8", "rag@learning_rate=0.0001,rank=16",
        "rag@learning_rate=0.0002,rank=8", "rag@learning_rate=0.0002,rank=16",
    ]  # fmt: skip
    assert [(a.pace.learning_rate, a.lora.rank) for a in made.agents] == [
        (1e-4, 8), (1e-4, 16), (2e-4, 8), (2e-4, 16),
    ]  # fmt: skip


rates = st.lists(st.floats(1e-6, 1e-1), max_size=3)
sweeps = st.builds(
    SweepConfig, learning_rate=rates, rank=st.lists(st.integers(1, 64), max_size=2),
    alpha=st.lists(st.floats(1, 64), max_size=2), dropout=st.lists(st.floats(0, 0.9), max_size=2),
    epochs=st.lists(st.floats(0.1, 9), max_size=2),
)  # fmt: skip


@given(sweep=sweeps, own=st.booleans(), samples=st.integers(1, 30), seed=st.integers(0, 99))
def test_a_sibling_is_the_solo_plan_with_its_setting(
    examples: Make, *, sweep: SweepConfig, own: bool, samples: int, seed: int
) -> None:
    both = {"rag": examples("rag", samples), "review": examples("review", 3)}
    general = TrainConfig(batch=2, accumulate=2)
    owned = {"rag": OWN} if own else {}
    made = plan(both, train=general, lora=LoraConfig(), seed=seed, own=owned, sweep=sweep)
    assert len({a.adapter for a in made.agents}) == len(made.agents)
    assert not any(set(a.adapter) & set("/\\ :*") for a in made.agents)
    for one in made.agents:
        base = owned.get(one.agent)
        lora = (base.lora if base else LoraConfig()).model_copy(
            update={k: v for k, v in one.setting.items() if k in LoraConfig.model_fields}
        )
        train = general.model_copy(update=(base.train.model_dump() if base else {}) | {
            k: v for k, v in one.setting.items() if k in PaceConfig.model_fields})  # fmt: skip
        (solo,) = plan({one.agent: both[one.agent]}, train=train, lora=lora, seed=seed).agents
        assert one == solo.model_copy(update={"adapter": one.adapter, "setting": one.setting})
        orders = [[step_samples(a, s, size=4) for s in range(a.steps)] for a in (one, solo)]
        assert orders[0] == orders[1]
