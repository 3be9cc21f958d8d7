"""Every shortcut of a pass is taken, and none changes what comes out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from references import gradients, relative_error
from toys import ALL, KINDS, Tiny, piece, toy, trainer_on
from yukjo.backends.torch import attention
from yukjo.backends.torch import forecast as forecasts
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.fused import RmsNorm, fuse
from yukjo.backends.torch.head import Head, token_losses
from yukjo.backends.torch.layout import lay, learned_span
from yukjo.backends.torch.lora import Lora
from yukjo.backends.torch.screen import BLOCK
from yukjo.backends.torch.trainer import TorchTrainer, learned_losses
from yukjo.records import Example

CPU = torch.device("cpu")


def prompted(*lengths: int, shared: int) -> tuple[Example, ...]:
    """Random samples that begin with the same tokens, none of them learned."""
    beginning = toy(shared, seed=77)[0].tokens
    made = []
    for example in toy(*lengths):
        learn = tuple(on and place >= shared for place, on in enumerate(example.learn))
        tokens = (*beginning, *example.tokens[shared:])
        made.append(replace(example, tokens=tokens, learn=learn))
    return tuple(made)


def taught(trainer: TorchTrainer, examples: Sequence[Example], *, share: bool) -> float:
    """Loss of one piece, its gradients left on the adapter."""
    span = learned_span(trainer.adapters["a"], examples)
    loss = learned_losses(trainer.base, [span], examples, share=share).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())


# A shared beginning


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_beginning_is_computed_once_and_changes_nothing(kind: str, tiny: Tiny) -> None:
    examples = prompted(90, 61, 75, shared=50)  # beyond Gemma's window of 48
    once, apart = (trainer_on(tiny(kind), {"a": ALL}) for _ in range(2))
    losses = taught(once, examples, share=True), taught(apart, examples, share=False)
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert relative_error(gradients(once, "a"), gradients(apart, "a")) < 1e-5
    span = learned_span(None, examples)
    # The 50th row already predicts a learned token, so each sample has its own.
    assert len(lay([span], share=True, device=CPU).tokens) == 49 + 41 + 12 + 26


def test_what_is_shared_ends_before_the_first_row_that_predicts() -> None:
    same = toy(40)[0]
    laid = lay([learned_span(None, (same, same))], share=True, device=CPU)
    first = same.learn.index(True) - 1  # this row predicts, so each sample has its own
    shared = laid.segments[1].shared_stop - laid.segments[1].shared_start
    assert shared == (first if first >= 16 else 0)
    longer = replace(same, learn=(False,) * 30 + (True,) * 10)
    laid = lay([learned_span(None, (longer, longer))], share=True, device=CPU)
    assert laid.segments[1].shared_stop == 29
    assert [int(t) for t in laid.tokens[laid.rows]] == [*same.tokens[29:39]] * 2


def test_a_short_or_lonely_beginning_is_not_shared() -> None:
    for examples in (prompted(40, 30, shared=8), prompted(60, shared=50)):
        laid = lay([learned_span(None, examples)], share=True, device=CPU)
        assert len(laid.tokens) == sum(len(e.tokens) for e in examples)


# The last layer


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_layer_computes_the_rows_that_predict_and_no_others(kind: str, tiny: Tiny) -> None:
    trainer, seen = trainer_on(tiny(kind), {"a": ALL}), []
    for layer in trainer.base.decoder.layers:
        layer.mlp.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[1]))
    examples = toy(50, 33)
    trainer.backward([piece("a", examples)])
    assert seen == [83, 83, sum(e.learned for e in examples)]


# Attention


def test_odds_that_are_made_again_give_the_same_bits_as_those_kept(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, again = (trainer_on(tiny("gemma2"), {"a": ALL}, "bfloat16") for _ in range(2))
    kept.backward([piece("a", toy(90, 40))])
    monkeypatch.setattr(attention, "_KEPT_KEYS", 0)
    again.backward([piece("a", toy(90, 40))])
    theirs = gradients(kept, "a")
    assert all(torch.equal(mine, theirs[n]) for n, mine in gradients(again, "a").items())


def test_many_blocks_of_queries_are_one(tiny: Tiny) -> None:
    """A sample longer than a block, with a window that begins inside of an earlier one."""
    examples = toy(700)
    for kind in ("gemma3", "llama"):
        packed = trainer_on(tiny(kind), {"a": ALL})
        (loss,) = packed.backward([piece("a", examples)])
        assert loss / examples[0].learned == pytest.approx(
            plain_loss(tiny(kind), examples[0], packed), rel=1e-5
        )


def plain_loss(folder: Path, example: Example, trainer: TorchTrainer) -> float:
    """transformers' own loss with the adapter merged into its weights."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for name, pair in trainer.adapters["a"].pairs.items():
        linear = model.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        linear.weight.data += ALL.scale * (pair.b @ pair.a).detach()
    labels = [t if on else -100 for t, on in zip(example.tokens, example.learn, strict=True)]
    with torch.no_grad():
        out = model(input_ids=torch.tensor([example.tokens]), labels=torch.tensor([labels]))
    return float(out.loss)


# Recomputation


@pytest.mark.parametrize("kind", ["qwen3", "gemma3"])
def test_recomputing_gives_the_same_bits_for_less_memory(kind: str, tiny: Tiny) -> None:
    noisy = ALL.model_copy(update={"dropout": 0.2})
    kept, again = (trainer_on(tiny(kind), {"a": noisy}) for _ in range(2))
    again.base.recompute()
    examples = prompted(90, 61, 75, shared=30)
    assert kept.backward([piece("a", examples)]) == again.backward([piece("a", examples)])
    theirs = gradients(kept, "a")
    assert all(torch.equal(mine, theirs[n]) for n, mine in gradients(again, "a").items())
    large = piece("a", toy(200))
    taken = [
        forecasts.count_pass_mb(
            lambda t=t: t._pack_losses([large]).sum(),  # type: ignore[misc]
            t._parameters(),
        )
        for t in (kept, again)
    ]
    assert taken[1] < 0.75 * taken[0]


# Norms and gated MLPs


@pytest.mark.parametrize("kind", KINDS)
def test_every_norm_and_mlp_of_the_families_is_ours(kind: str, tiny: Tiny) -> None:
    base = Base(tiny(kind), dtype="float32")
    for name, module in base.decoder.named_modules():
        if "norm" in name.rpartition(".")[2]:
            assert isinstance(module, RmsNorm), name
        if name.endswith(".mlp"):
            assert "forward" in vars(module), name


class OddNorm(nn.Module):
    """A norm by name that computes something else."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(8)), 1e-6

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * x / (x.abs().mean(-1, keepdim=True) + self.eps)


def test_what_a_probe_does_not_confirm_stays_the_models_own() -> None:
    model = nn.ModuleDict({"odd": OddNorm(), "layer": nn.LayerNorm(8)})
    fuse(model, dtype=torch.float32)
    assert isinstance(model["odd"], OddNorm)
    assert isinstance(model["layer"], nn.LayerNorm)


# The head


def test_a_row_whose_highest_logit_hides_in_a_late_block_is_swept_again() -> None:
    hidden = torch.tensor([[100.0, 1.0], [0.0, 1.0]], requires_grad=True)
    weight = torch.zeros(3 * BLOCK, 2)
    weight[-1, 0] = 5.0  # a logit of 500, where a shift from the first block is 0
    losses = token_losses(hidden, torch.tensor([0, 0]), Head(weight, None))
    assert losses.tolist() == pytest.approx([500.0, torch.tensor(3.0 * BLOCK).log().item()])
    losses[0].backward()  # type: ignore[no-untyped-call]
    assert hidden.grad is not None
    assert hidden.grad[0].tolist() == pytest.approx([5.0, 0.0])


def test_no_logits_are_ever_held_whole() -> None:
    """4,096 rows over 65,536 words would be 1 GiB; a pass over them takes a small part of it."""
    weight = torch.zeros(65_536, 16)
    hidden = torch.zeros(4096, 16, requires_grad=True)

    def loss() -> torch.Tensor:
        return token_losses(hidden, torch.zeros(4096, dtype=torch.long), Head(weight, None)).sum()

    assert forecasts.count_pass_mb(loss, [hidden]) < 128


def test_an_adapter_without_a_layer_leaves_its_rows_as_they_are(tiny: Tiny) -> None:
    base = Base(tiny("llama"), dtype="float32")
    idle = Lora(ALL, {})
    examples = toy(30)
    bare = learned_losses(base, [learned_span(None, examples)], examples, share=False)
    lone = learned_losses(base, [learned_span(idle, examples)], examples, share=False)
    assert torch.equal(bare, lone)
