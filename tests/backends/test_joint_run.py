"""A whole run of several adapters against each one's run alone, through the real loop."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from safetensors.torch import load_file

from toys import ALL, SOME, Tiny, toy
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config.models import AgentConfig, PaceConfig, SweepConfig, TrainConfig
from yukjo.records import Example
from yukjo.train.loop import Job, Stopped, train
from yukjo.train.plan import plan

CONFIG = TrainConfig(
    epochs=2, batch=2, accumulate=4, learning_rate=1e-2, pack_tokens=500, evaluate_every=2,
    checkpoint_every=1,
)  # fmt: skip
DATA = {
    "a": toy(*range(20, 60, 5), seed=1),
    "b": toy(*range(15, 75, 4), seed=2),
    "c": toy(90, 30, 31, 44, seed=3),
}
HELD = {name: toy(25, 40, seed=9) for name in DATA}
OWN = {
    "a": AgentConfig(lora=ALL, train=PaceConfig(epochs=2, learning_rate=1e-2)),
    "b": AgentConfig(lora=SOME, train=PaceConfig(epochs=1, learning_rate=3e-3, warmup=0.5)),
    "c": AgentConfig(
        lora=ALL.model_copy(update={"dropout": 0.2, "targets": ("down_proj", "k_proj")}),
        train=PaceConfig(epochs=4, learning_rate=2e-2, weight_decay=0.01, patience=1),
    ),
}


def job(names: Sequence[str], folder: Path, *, own: Mapping[str, AgentConfig] = OWN,
        sweep: SweepConfig | None = None) -> Job:  # fmt: skip
    chosen: dict[str, tuple[Example, ...]] = {name: DATA[name] for name in names}
    made = plan(chosen, train=CONFIG, lora=ALL, seed=0, own=own, sweep=sweep or SweepConfig())
    return Job(made, CONFIG, chosen, HELD, folder)


def fresh(base: Base, planned: Job) -> TorchTrainer:
    trainer = TorchTrainer(base, name="tiny")
    for one in planned.plan.agents:
        trainer.add(one.adapter, one.lora, seed=one.seed, weight_decay=one.pace.weight_decay)
    return trainer


def best(folder: Path, name: str) -> dict[str, bytes]:
    tensors = load_file(folder / "best" / name / "adapter_model.safetensors")
    return {key: tensor.numpy().tobytes() for key, tensor in tensors.items()}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["qwen3", "gemma3"])
def test_a_run_of_three_adapters_makes_what_three_runs_make_to_the_bit(
    kind: str, dtype: str, tiny: Tiny, tmp_path: Path
) -> None:
    base = Base(tiny(kind), dtype=dtype)  # type: ignore[arg-type]
    together = job(list(DATA), tmp_path / "joint")
    train(fresh(base, together), together)
    for name in DATA:
        alone = job([name], tmp_path / name)
        train(fresh(base, alone), alone)
        assert best(tmp_path / "joint", name) == best(tmp_path / name, name)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_sibling_in_a_sweep_is_what_a_run_with_its_setting_makes_to_the_bit(
    dtype: str, tiny: Tiny, tmp_path: Path
) -> None:
    base = Base(tiny("qwen3"), dtype=dtype)  # type: ignore[arg-type]
    grid = SweepConfig(learning_rate=(3e-3, 1e-2), rank=(2, 8), dropout=(0.1,))
    together = job(["a", "c"], tmp_path / "sweep", sweep=grid)
    train(fresh(base, together), together)
    assert len(together.plan.agents) == 8
    for one in together.plan.agents:
        own = {one.agent: AgentConfig(lora=one.lora, train=one.pace)}
        alone = job([one.agent], tmp_path / "solo" / one.adapter, own=own)
        train(fresh(base, alone), alone)
        assert best(together.folder, one.adapter) == best(alone.folder, one.agent)


def test_the_count_of_trained_numbers_is_that_of_the_shapes(tiny: Tiny) -> None:
    trainer = TorchTrainer(Base(tiny("qwen3"), dtype="float32"), name="tiny")
    counted = trainer.add("a", SOME, seed=0, weight_decay=0.0)
    # 3 layers of q 64 -> 128 and v 64 -> 64
    assert counted == 3 * SOME.rank * ((64 + 128) + (64 + 64))


def test_a_run_stopped_and_resumed_makes_what_an_unbroken_one_makes_to_the_bit(
    tiny: Tiny, tmp_path: Path
) -> None:
    base = Base(tiny("llama"), dtype="float32")
    whole = job(list(DATA), tmp_path / "whole")
    train(fresh(base, whole), whole)
    broken = job(list(DATA), tmp_path / "broken")
    for _ in range(whole.plan.steps - 1):
        with pytest.raises(Stopped):
            train(fresh(base, broken), broken, resume=True, stop=lambda: True)
    train(fresh(base, broken), broken, resume=True)
    for name in DATA:
        assert best(tmp_path / "broken", name) == best(tmp_path / "whole", name)
