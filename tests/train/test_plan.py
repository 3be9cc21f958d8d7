import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.config.load import parse
from yukjo.config.models import LoraConfig, TrainConfig
from yukjo.config.presets import ALL_LINEAR, PRESETS
from yukjo.errors import DataError
from yukjo.records import Example
from yukjo.train.plan import AgentPlan, Plan, advice, plan, step_samples
from yukjo.words import speak

Make = Callable[..., list[Example]]


def planned(examples: Make, sizes: dict[str, int], *, seed: int = 0, **train: Any) -> Plan:
    own = {agent: examples(agent, number) for agent, number in sizes.items()}
    return plan(own, train=TrainConfig(**train), lora=LoraConfig(), seed=seed)


def an_agent(*, samples: int, seed: int = 0) -> AgentPlan:
    return AgentPlan(agent="rag", seed=seed, samples=samples, steps=9, warmup=1, learned_tokens=1)


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


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_left_as_it_is_earns_no_warning(preset: str) -> None:
    config = parse(f'preset = "{preset}"')
    assert advice(config.train, config.lora) == []


@pytest.mark.parametrize(
    ("train", "lora", "said"),
    [
        ({}, {"rank": 8}, "rank 8: 권장 범위 16~32를 벗어났습니다"),
        ({}, {"rank": 33}, "rank 33: 권장 범위 16~32를"),
        ({"learning_rate": 9e-5}, {}, "학습률 9e-05: 권장 범위 1e-4~0.0003 밖입니다"),
        ({"learning_rate": 5e-4}, {}, "학습률 0.0005: 권장 범위 1e-4~0.0003"),
        ({"learning_rate": 3e-3}, {"targets": ALL_LINEAR}, "학습률 0.003: 권장 범위 1e-4~0.002"),
        ({"batch": 2}, {}, "배치 2: 권장 범위 4~8"),
        ({"batch": 16}, {}, "배치 16: 권장 범위 4~8"),
        ({"epochs": 1}, {}, "에포크 1: 권장 범위 3~5"),
        ({"epochs": 5.5}, {}, "에포크 5.5: 권장 범위 3~5"),
        ({"max_steps": 7}, {}, "max_steps 7: "),
    ],
)
def test_a_setting_outside_its_range_is_warned_of_with_its_value(
    train: dict[str, Any], lora: dict[str, Any], said: str
) -> None:
    (warning,) = advice(TrainConfig(**train), LoraConfig(**lora))
    assert warning.startswith(said)


@pytest.mark.parametrize(
    ("train", "lora"),
    [
        ({"learning_rate": 1e-4, "batch": 4, "epochs": 3}, {"rank": 16}),
        ({"learning_rate": 3e-4, "batch": 8, "epochs": 5}, {"rank": 32}),
        ({"learning_rate": 2e-3}, {"targets": ALL_LINEAR}),
    ],
)
def test_the_ends_of_a_range_are_inside(train: dict[str, Any], lora: dict[str, Any]) -> None:
    assert advice(TrainConfig(**train), LoraConfig(**lora)) == []


def test_warnings_add_up_speak_english_too_and_stand_in_the_plan(examples: Make) -> None:
    speak("en")
    made = planned(examples, {"rag": 3}, batch=1, epochs=9, max_steps=1)
    assert [w.split(" ")[0] for w in made.warnings] == ["batch", "9", "max_steps"]
