"""The MLX leaf against the torch leaf: same seeds, same batches, step by step."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from toys import ALL, SOME, Tiny, piece, toy
from yukjo.backends.mlx import wire
from yukjo.backends.mlx.trainer import MlxTrainer
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config.models import LoraConfig
from yukjo.errors import AdapterError
from yukjo.files import sha256_file
from yukjo.ports import Piece, Trainer
from yukjo.records import Example

pytestmark = pytest.mark.mlx

KINDS = ("qwen3", "llama", "gemma3", "qwen2")
FORMS = {
    "plain": ALL,
    "rs": SOME.model_copy(update={"use_rslora": True}),
    "plus": ALL.model_copy(update={"loraplus_lr_ratio": 4.0}),
}
Workers = Any


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def both(kind: str, tiny: Tiny, workers: Workers) -> tuple[TorchTrainer, MlxTrainer]:
    torch_side = TorchTrainer(Base(tiny(kind), dtype="float32"), name="tiny")
    return torch_side, MlxTrainer(workers(kind), name="tiny")


def weights(trainer: Trainer, adapter: str, folder: Path) -> dict[str, torch.Tensor]:
    trainer.save(adapter, folder)
    return load_file(folder / "adapter_model.safetensors")


def far(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    """Relative distance of all weights as one vector."""
    assert ours.keys() == theirs.keys()
    wrong = sum(float((ours[n] - theirs[n]).square().sum()) for n in ours)
    return (wrong / sum(float(t.square().sum()) for t in theirs.values())) ** 0.5


def packs(adapter: str) -> list[list[Piece]]:
    """Steps of two micro-batches, of samples of ever other lengths."""
    made = []
    for step in range(5):
        micro = [toy(30, 17, seed=step), toy(9, 44, 21, seed=50 + step)]
        total = sum(e.learned for own in micro for e in own)
        made.append([Piece(adapter, own, total, noise=step) for own in micro])
    return made


@pytest.mark.parametrize("form", FORMS)
def test_losses_norms_and_weights_are_those_of_torch_at_every_step(
    kind: str, form: str, tiny: Tiny, workers: Workers, tmp_path: Path
) -> None:
    sides, found = both(kind, tiny, workers), []
    for side in sides:
        numbers = side.add("a", FORMS[form], seed=7, weight_decay=0.1)
        found.append((numbers, weights(side, "a", tmp_path / f"{len(found)}")))
    assert found[0][0] == found[1][0]
    assert far(found[1][1], found[0][1]) < 1e-7  # the same seed draws the same adapter
    for pack in packs("a"):
        theirs, ours = (
            ([loss for one in pack for loss in side.backward([one])],
             side.update("a", learning_rate=3e-3, clip=0.5))
            for side in sides
        )  # fmt: skip
        assert ours[0] == pytest.approx(theirs[0], rel=5e-6)
        assert ours[1] == pytest.approx(theirs[1], rel=5e-5)
    torch_now, mlx_now = (
        weights(side, "a", tmp_path / f"then-{n}") for n, side in enumerate(sides)
    )
    assert far(mlx_now, torch_now) < 3e-4
    assert far(torch_now, found[0][1]) > 0.05  # there was something to go wrong
    held_out = [("a", e) for e in toy(40, 12, seed=99)]
    assert sides[1].losses(held_out) == pytest.approx(sides[0].losses(held_out), rel=1e-4)


def test_an_untrained_adapter_answers_as_the_bare_base_and_a_norm_is_not_clipped_in_its_report(
    kind: str, workers: Workers
) -> None:
    trainer = MlxTrainer(workers(kind), name="tiny")
    trainer.add("a", ALL, seed=0, weight_decay=0.0)
    examples = toy(25, 13)
    rows = [("", wire.row(example)) for example in examples]
    bare = trainer.worker.ask("losses", rows=rows, training=False)
    assert trainer.losses([("a", e) for e in examples]) == bare
    trainer.backward([piece("a", examples)])
    assert trainer.update("a", learning_rate=0.0, clip=1e-9) > 1e-3
    assert trainer.losses([("a", e) for e in examples]) == bare


def test_adapters_of_different_shape_learn_side_by_side_what_they_learn_alone(
    workers: Workers, tmp_path: Path
) -> None:
    configs = {"a": ALL, "b": SOME, "c": ALL.model_copy(update={"dropout": 0.3})}
    joint, solo = (MlxTrainer(workers("qwen3"), name="tiny") for _ in range(2))
    for name, config in configs.items():
        joint.add(name, config, seed=len(name), weight_decay=0.0)
        solo.add(f"solo-{name}", config, seed=len(name), weight_decay=0.0)
    for step in range(3):
        own = {name: toy(20 + 3 * n, 31, seed=10 * step + n) for n, name in enumerate(configs)}
        joint.backward([noisy(name, examples, step) for name, examples in own.items()])
        for name, examples in own.items():
            joint.update(name, learning_rate=1e-2, clip=1.0)
            solo.backward([noisy(f"solo-{name}", examples, step)])
            solo.update(f"solo-{name}", learning_rate=1e-2, clip=1.0)
    for name in configs:
        joint.save(name, tmp_path / name)
        solo.save(f"solo-{name}", tmp_path / f"solo-{name}")
        ours, alone = (sha256_file(tmp_path / n / "adapter_model.safetensors")
                       for n in (name, f"solo-{name}"))  # fmt: skip
        assert ours == alone


def noisy(name: str, examples: Sequence[Example], step: int) -> Piece:
    return Piece(name, tuple(examples), sum(e.learned for e in examples), noise=step)


def test_a_token_that_is_not_learned_nor_seen_by_a_learned_one_changes_nothing(
    kind: str, workers: Workers
) -> None:
    first, second = toy(40, 30)
    learn = tuple(place < 25 and on for place, on in enumerate(first.learn))
    tail = Example("a", "x", "x", first.tokens, learn)
    changed = Example("a", "x", "x", (*first.tokens[:-1], (first.tokens[-1] + 1) % 250), learn)
    trainer = MlxTrainer(workers(kind), name="tiny")
    norms, losses = [], []
    for one in (tail, changed):
        trainer.add("a", ALL, seed=0, weight_decay=0.0)
        losses.append(trainer.backward([piece("a", (one, second))]))
        norms.append(trainer.update("a", learning_rate=1e-2, clip=1.0))
        losses.append(trainer.losses([("a", second)]))
    assert losses[:2] == losses[2:]
    assert norms[0] == norms[1]


def test_dropout_is_its_seeds_and_leaves_measured_losses_alone(workers: Workers) -> None:
    config = LoraConfig(rank=4, alpha=8, targets=ALL.targets, dropout=0.5)
    trainer = MlxTrainer(workers("qwen3"), name="tiny")
    for name in ("a", "plain"):
        chosen = config if name == "a" else ALL
        trainer.add(name, chosen, seed=0, weight_decay=0.0)
        for _ in range(2):  # B is zero at first: no noise would be seen
            trainer.backward([noisy(name, toy(40), 0)])
            trainer.update(name, learning_rate=1e-2, clip=1.0)
    (example,) = toy(40)
    one, again, other = (trainer.backward([noisy("a", [example], n)]) for n in (1, 1, 2))
    assert one == again != other
    plain = [trainer.backward([noisy("plain", [example], n)])[0] for n in (1, 2)]
    assert plain[0] == plain[1]
    assert trainer.losses([("a", example)]) == trainer.losses([("a", example)])


def test_recomputing_changes_no_loss_and_no_gradient(tiny: Tiny, workers: Workers) -> None:
    from yukjo.backends.mlx.worker import Worker

    again = Worker(tiny("llama"), dtype="float32", limit_mb=20_000, recompute=True)
    found = []
    for worker in (workers("llama"), again):
        trainer = MlxTrainer(worker, name="tiny")
        trainer.add("a", ALL, seed=0, weight_decay=0.0)
        steps = [(trainer.backward(pack), trainer.update("a", learning_rate=1e-2, clip=1.0))
                 for pack in packs("a")]  # fmt: skip
        found.append([figure for losses, norm in steps for figure in (*losses, norm)])
    again.close()
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_what_mlx_does_not_train_equally_is_refused_by_name(workers: Workers) -> None:
    trainer = MlxTrainer(workers("llama"), name="tiny")
    with pytest.raises(AdapterError, match="use_dora"):
        trainer.add("a", ALL.model_copy(update={"use_dora": True}), seed=0, weight_decay=0)
    with pytest.raises(AdapterError, match="wq_proj"):
        trainer.add("a", ALL.model_copy(update={"targets": ("wq_proj",)}), seed=0, weight_decay=0)
