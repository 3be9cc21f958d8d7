"""What is warned of, and what earns no warning."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.config.load import parse
from yukjo.config.models import AgentConfig, LoraConfig, PaceConfig, TrainConfig
from yukjo.config.presets import ALL_LINEAR, PRESETS
from yukjo.records import Example
from yukjo.train.advice import advice, advise
from yukjo.train.plan import plan
from yukjo.words import speak


def said_of(*, batch: int = 4, numbers: int = 10**6, tokens: int = 10**4,
            lora: dict[str, Any] | None = None, **pace: Any) -> list[str]:  # fmt: skip
    return advice(LoraConfig(**(lora or {})), PaceConfig(**pace), batch=batch, numbers=numbers,
                  tokens=tokens)  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_left_as_it_is_earns_no_warning(preset: str) -> None:
    config = parse(f'preset = "{preset}"')
    own = AgentConfig(lora=config.lora, train=PaceConfig(**{
        key: getattr(config.train, key) for key in PaceConfig.model_fields}))  # fmt: skip
    assert advice(own.lora, own.train, batch=config.train.batch, numbers=10**6, tokens=10**5) == []


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
    (warning,) = said_of(lora=lora, **train)
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
    assert said_of(lora=lora, **train) == []


# Capacity


def test_an_adapter_too_small_for_its_tokens_is_told_the_rank_that_holds_them() -> None:
    (warning,) = said_of(lora={"rank": 16}, numbers=16_000, tokens=40_001)
    assert "16,000" in warning
    assert "40,001" in warning
    assert "rank 41 " in warning


def test_a_high_rank_is_doubted_where_the_data_is_small_and_not_where_it_asks_for_it() -> None:
    assert len(said_of(lora={"rank": 64}, numbers=64_000, tokens=1_000)) == 1
    assert said_of(lora={"rank": 64}, numbers=64_000, tokens=60_000) == []


@given(rank=st.integers(1, 512), per_rank=st.integers(1, 5_000), tokens=st.integers(1, 10**6))
def test_the_rank_advised_is_the_least_that_holds_the_tokens_and_is_not_doubted(
    rank: int, per_rank: int, tokens: int
) -> None:
    said = [w for w in said_of(lora={"rank": rank}, numbers=rank * per_rank, tokens=tokens)
            if "충분" in w]  # fmt: skip
    assert bool(said) == (rank * per_rank < tokens)
    for warning in said:
        needed = int(warning.split("rank ")[-1].split(" ")[0])
        assert (needed - 1) * per_rank < tokens <= needed * per_rank
        again = said_of(lora={"rank": needed}, numbers=needed * per_rank, tokens=tokens)
        assert again == [] or needed < 16


# What acts as a learning rate


@pytest.mark.parametrize(
    "lora",
    [{"alpha": 320}, {"alpha": 1}, {"rank": 32, "use_rslora": True}, {"loraplus_lr_ratio": 16}],
    ids=str,
)
def test_what_moves_the_learning_rate_far_is_warned_of(lora: dict[str, Any]) -> None:
    (warning,) = said_of(lora=lora, learning_rate=2.5e-4 if lora != {"alpha": 1} else 1e-4)
    assert "alpha 32" in warning


@pytest.mark.parametrize(
    "lora",
    [{"alpha": 16}, {"alpha": 64}, {"rank": 16, "use_rslora": True}, {"loraplus_lr_ratio": 4},
     {"loraplus_lr_ratio": 16, "targets": ALL_LINEAR}],
    ids=str,
)  # fmt: skip
def test_what_moves_it_a_little_is_not(lora: dict[str, Any]) -> None:
    assert said_of(lora=lora, learning_rate=2.5e-4) == []


# Of a whole plan


def test_what_is_true_of_all_adapters_is_said_once_and_the_rest_by_name(
    examples: Callable[..., list[Example]],
) -> None:
    speak("en")
    both = {agent: examples(agent, 3) for agent in ("rag", "review")}
    slow = AgentConfig(lora=LoraConfig(), train=PaceConfig(learning_rate=1e-6))
    made = plan(both, train=TrainConfig(batch=1), lora=LoraConfig(), seed=0, own={"review": slow})
    batch, rate = advise(made, batch=1, numbers={"rag": 10**6, "review": 10**6})
    assert batch.startswith("batch 1 is outside")
    assert rate.startswith("review: learning rate 1e-06 is outside")
