"""A whole run of several adapters against each one's run alone, through the real loop."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from safetensors.torch import load_file

from toys import ALL, SOME, Tiny, toy
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config.models import LoraConfig, TrainConfig
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
LORAS = {"a": ALL, "b": SOME, "c": ALL.model_copy(update={"dropout": 0.2})}


def job(names: Sequence[str], folder: Path) -> Job:
    chosen: dict[str, tuple[Example, ...]] = {name: DATA[name] for name in names}
    made = plan(chosen, train=CONFIG, lora=ALL, seed=0)
    return Job(made, CONFIG, chosen, HELD, folder)


def fresh(base: Base, planned: Job, loras: dict[str, LoraConfig] = LORAS) -> TorchTrainer:
    trainer = TorchTrainer(base, name="tiny")
    for agent in planned.plan.agents:
        trainer.add(agent.agent, loras[agent.agent], seed=agent.seed, weight_decay=0.01)
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
