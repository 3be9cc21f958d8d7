"""Our loss and gradients against plain transformers + PEFT, in fp32."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from references import gradients, reference, relative_error
from toys import ALL, KINDS, SOME, Tiny, piece, toy, trainer_on
from yukjo.config.models import LoraConfig
from yukjo.config.presets import ALL_LINEAR
from yukjo.ports import Piece
from yukjo.records import Example


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("config", [ALL, SOME], ids=["all-linear", "q-and-v"])
def test_loss_and_gradients_are_those_of_transformers_and_peft(
    kind: str, config: LoraConfig, tiny: Tiny, tmp_path: Path
) -> None:
    examples = toy(90, 40, 63)  # 90 is longer than Gemma's window of 48
    trainer = trainer_on(tiny(kind), {"a": config})
    (loss,) = trainer.backward([piece("a", examples)])
    trainer.save("a", tmp_path)
    expected, theirs = reference(tiny(kind), tmp_path, examples, kind)
    assert loss / sum(e.learned for e in examples) == pytest.approx(expected, rel=1e-5)
    assert relative_error(gradients(trainer, "a"), theirs) < 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_packed_equals_one_by_one(kind: str, tiny: Tiny) -> None:
    examples = toy(50, 33, 71)
    whole = sum(e.learned for e in examples)
    packed = trainer_on(tiny(kind), {"a": ALL})
    packed_loss = packed.backward([piece("a", examples)])
    alone = trainer_on(tiny(kind), {"a": ALL})
    losses = [alone.backward([Piece("a", (e,), whole, noise=0)])[0] for e in examples]
    assert sum(losses) == pytest.approx(packed_loss[0], rel=1e-6)
    assert relative_error(gradients(packed, "a"), gradients(alone, "a")) < 1e-5


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_an_adapter_learns_beside_others_what_it_learns_alone_to_the_bit(
    kind: str, dtype: str, dropout: float, tiny: Tiny
) -> None:
    configs = {
        "a": LoraConfig(rank=4, alpha=8, targets=ALL_LINEAR, dropout=dropout),
        "b": LoraConfig(rank=8, alpha=32, targets=("q_proj", "v_proj"), dropout=dropout),
        "c": LoraConfig(rank=2, alpha=4, targets=("o_proj", "down_proj"), dropout=dropout),
    }
    data = {"a": toy(40, 21, seed=1), "b": toy(64, seed=2), "c": toy(17, 30, 25, seed=3)}
    joint = trainer_on(tiny(kind), configs, dtype)
    for step in range(3):
        joint.backward([_noisy(name, data[name], step) for name in configs])
        for name in configs:
            joint.update(name, learning_rate=1e-2, clip=1.0)
    solo = trainer_on(tiny(kind), configs, dtype)
    for name in configs:
        for step in range(3):
            solo.backward([_noisy(name, data[name], step)])
            solo.update(name, learning_rate=1e-2, clip=1.0)
    for name in configs:
        for ours, theirs in zip(
            joint.adapters[name].parameters(), solo.adapters[name].parameters(), strict=True
        ):
            assert torch.equal(ours, theirs)


def _noisy(name: str, examples: Sequence[Example], step: int) -> Piece:
    return Piece(name, tuple(examples), sum(e.learned for e in examples), noise=step)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_is_not_learned_nor_seen_by_a_learned_one_changes_nothing(
    kind: str, tiny: Tiny
) -> None:
    first, second = toy(40, 30)
    learn = tuple(place < 25 and on for place, on in enumerate(first.learn))
    tail = Example("a", "x", "x", first.tokens, learn)
    changed = Example("a", "x", "x", (*first.tokens[:-1], (first.tokens[-1] + 1) % 250), learn)
    one, other = trainer_on(tiny(kind), {"a": ALL}), trainer_on(tiny(kind), {"a": ALL})
    assert one.backward([piece("a", (tail, second))]) == other.backward(
        [piece("a", (changed, second))]
    )
    ours, theirs = gradients(one, "a"), gradients(other, "a")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_dropout_leaves_losses_alone_when_measuring_and_its_noise_is_its_seed(tiny: Tiny) -> None:
    config = LoraConfig(rank=4, alpha=8, targets=ALL_LINEAR, dropout=0.5)
    (example,) = toy(40)
    trainer = trainer_on(tiny("qwen3"), {"a": config})
    plain = trainer_on(tiny("qwen3"), {"a": config.model_copy(update={"dropout": 0.0})})
    assert trainer.losses([("a", example)]) == plain.losses([("a", example)])
    assert trainer.backward([_noisy("a", [example], 1)]) == trainer.backward(
        [_noisy("a", [example], 1)]
    )
    assert trainer.backward([_noisy("a", [example], 1)]) != trainer.backward(
        [_noisy("a", [example], 2)]
    )
