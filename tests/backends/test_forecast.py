"""The forecast's parts against counts by hand, and the pass on shapes against the pass itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from toys import ALL, KINDS, Tiny, piece, toy, trainer_on
from yukjo import machine
from yukjo.backends.torch import forecast as forecasts
from yukjo.backends.torch.sketch import Sketch
from yukjo.backends.torch.trainer import TorchTrainer

MIB = 2**20


def sketch(folder: Path) -> Sketch:
    made = Sketch(folder, dtype="float32")
    made.add("a", ALL, seed=0, weight_decay=0.0)
    return made


def in_files(folder: Path) -> float:
    """MiB of fp32 weights by the headers of the files."""
    with safe_open(folder / "model.safetensors", "pt") as file:  # type: ignore[no-untyped-call]
        sizes = [torch.Size(file.get_slice(k).get_shape()).numel() for k in file.keys()]  # noqa: SIM118 - no mapping
    return sum(sizes) * 4 / MIB


def counted(trainer: TorchTrainer, *lengths: int) -> float:
    pack = [piece("a", toy(*lengths))]
    return forecasts.count_pass_mb(lambda: trainer._pack_losses(pack).sum(), trainer._parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_weights_adapters_gradients_and_moments_are_counted_to_the_byte(
    kind: str, tiny: Tiny
) -> None:
    parts = sketch(tiny(kind)).forecast([piece("a", toy(40))]).parts
    assert parts["weights"] == pytest.approx(in_files(tiny(kind)), abs=1e-9)
    trained = trainer_on(tiny(kind), {"a": ALL})
    trained.backward([piece("a", toy(40))])
    trained.update("a", learning_rate=1e-3, clip=1.0)
    weights = trained._parameters()
    assert parts["adapters"] == sum(w.numel() * 4 for w in weights) / MIB
    assert parts["gradients"] == parts["adapters"]
    moments = [s[k] for o in trained.optimisers.values() for s in o.state.values()
               for k in ("exp_avg", "exp_avg_sq")]  # fmt: skip
    assert parts["optimiser"] == sum(m.numel() * 4 for m in moments) / MIB


@pytest.mark.parametrize("kind", KINDS)
def test_a_base_without_contents_and_a_loaded_one_foresee_the_same_pass(
    kind: str, tiny: Tiny
) -> None:
    real = trainer_on(tiny(kind), {"a": ALL})
    assert counted(sketch(tiny(kind)), 90, 40) == counted(real, 90, 40) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_pass_on_shapes_takes_what_the_pass_itself_takes(
    kind: str, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = trainer_on(tiny(kind), {"a": ALL})
    foreseen = counted(trainer, 90, 40)
    monkeypatch.setattr(forecasts, "SHAPES", torch.enable_grad())  # nothing in its place: compute
    assert foreseen == pytest.approx(counted(trainer, 90, 40), rel=0.02)


def test_twice_the_samples_take_twice_the_pass_and_a_longer_one_more_than_its_share(
    tiny: Tiny,
) -> None:
    made = sketch(tiny("gemma2"))  # its attention holds the scores
    one, two, long = (counted(made, *lengths) for lengths in ((100,), (100, 100), (200,)))
    assert two == pytest.approx(2 * one, rel=0.15)
    assert long > 1.15 * two


def test_a_forecast_leaves_no_gradient_and_changes_no_bit(tiny: Tiny) -> None:
    pack = [piece("a", toy(50, 30))]
    asked, plain = (trainer_on(tiny("qwen3"), {"a": ALL}) for _ in range(2))
    asked.forecast(pack)
    assert all(w.grad is None for w in asked._parameters())
    assert taken(asked, pack) == taken(plain, pack)


def test_a_probe_leaves_no_gradient_and_changes_no_bit(tiny: Tiny) -> None:
    noisy = ALL.model_copy(update={"dropout": 0.3})
    pack = [piece("a", toy(50, 30))]
    tried, plain = (trainer_on(tiny("qwen3"), {"a": noisy}) for _ in range(2))
    probe = tried.probe([piece("a", toy(90, 40))])
    assert probe.resting_mb > 0
    assert taken(tried, pack) == taken(plain, pack)


def taken(trainer: TorchTrainer, pack: Any) -> list[bytes]:
    """The weights after one step."""
    trainer.backward(pack)
    trainer.update("a", learning_rate=1e-2, clip=1.0)
    return [w.detach().numpy().tobytes() for w in trainer._parameters()]


def test_a_probe_measures_its_own_pass_and_not_what_was_before(tiny: Tiny) -> None:
    trainer = trainer_on(tiny("qwen3"), {"a": ALL})
    before = torch.ones(100 * MIB)  # 400 MiB, long gone when the probe begins
    del before
    assert trainer.memory_mb() > trainer.resident_mb() + 300
    assert trainer.probe([piece("a", toy(60))]).pass_mb < 100
    assert trainer.memory_mb() < trainer.resident_mb() + 100


def test_resident_memory_and_what_is_left_follow_an_allocation() -> None:
    held: Callable[[], float] = machine.resident_mb
    before = held()
    block = torch.ones(25 * MIB)
    assert held() - before == pytest.approx(100, abs=10)
    del block
    assert 0 < machine.available_mb() <= machine.total_mb()
