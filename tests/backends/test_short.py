"""Many short samples attend side by side, and learn what they learn one by one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from references import gradients, reference, relative_error
from toys import ALL, SOME, Tiny, piece, toy, trainer_on
from yukjo.backends.torch.attention import Run, _runs
from yukjo.backends.torch.layout import lay, learned_span
from yukjo.backends.torch.short import Short
from yukjo.records import Example


def many(seed: int = 0, shared: int = 20) -> tuple[Example, ...]:
    """Twelve samples of other lengths that begin with the same tokens."""
    beginning = toy(shared, seed=77)[0].tokens
    return tuple(
        replace(e, tokens=(*beginning, *e.tokens[shared:]),
                learn=tuple(on and place >= shared for place, on in enumerate(e.learn)))
        for e in toy(*range(40, 64, 2), seed=seed)
    )  # fmt: skip


def kinds(*lanes: tuple[Example, ...], window: int | None = None) -> list[type]:
    laid = lay([learned_span(None, own) for own in lanes], share=True, device=torch.device("cpu"))
    return [type(run) for run in _runs(laid, window, 1, asked_only=False, plain=True)]


def test_only_lanes_of_many_samples_that_are_short_and_alike_are_taken_together() -> None:
    few = toy(40, 30)
    assert kinds(many()) == [Short]
    assert kinds(many(), few, few, many(1)) == [Short, Run, Short]
    assert kinds(few, many(), few) == [Run, Short, Run]
    assert kinds(few, few) == kinds(many(), window=48) == [Run]
    assert kinds(toy(*[20] * 9, 200)) == kinds(toy(*[300] * 9)) == [Run]


@pytest.mark.parametrize("kind", ["qwen3", "gemma3", "gemma2"])
def test_loss_and_gradients_are_those_of_transformers_and_peft(
    kind: str, tiny: Tiny, tmp_path: Path
) -> None:
    trainer = trainer_on(tiny(kind), {"a": ALL})
    (loss,) = trainer.backward([piece("a", many())])
    trainer.save("a", tmp_path)
    expected, theirs = reference(tiny(kind), tmp_path, many(), kind)
    assert loss / sum(e.learned for e in many()) == pytest.approx(expected, rel=1e-5)
    assert relative_error(gradients(trainer, "a"), theirs) < 1e-4


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_adapter_learns_beside_others_what_it_learns_alone_to_the_bit(
    dtype: str, tiny: Tiny
) -> None:
    configs = {"a": ALL, "b": SOME, "c": ALL}
    data = {"a": many(1), "b": toy(64, 30, seed=2), "c": many(3, shared=0)}
    joint, solo = (trainer_on(tiny("qwen3"), configs, dtype) for _ in range(2))  # type: ignore[arg-type]
    for name in configs:
        solo.backward([piece(name, data[name])])
    joint.backward([piece(name, data[name]) for name in configs])
    for name in configs:
        theirs = gradients(solo, name)
        assert all(torch.equal(mine, theirs[n]) for n, mine in gradients(joint, name).items())
