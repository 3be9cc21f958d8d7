"""A vocabulary screened in eight bits: what is felt, what is summed, when nothing is left out."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from toys import ALL, Tiny, piece, toy, trainer_on
from yukjo.backends.torch import head as heads
from yukjo.backends.torch.head import Head, token_losses
from yukjo.backends.torch.screen import Screen, can_screen

VOCABULARY, WIDTH = 40_000, 64


def peaked(rows: int, *, strong: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, weight and targets: each row likes the first `strong` tokens, all others little."""
    torch.manual_seed(rows)
    weight = torch.randn(VOCABULARY, WIDTH) * 0.05
    weight[:, 0] = 0
    weight[:strong, 0] = 1.5 + 0.1 * torch.rand(strong)
    hidden = torch.randn(rows, WIDTH) * 0.1
    hidden[:, 0] = 8
    return hidden.bfloat16(), weight.bfloat16(), torch.randint(0, strong, (rows,))


def loss_and_gradient(hidden: Tensor, targets: Tensor, head: Head) -> tuple[Tensor, Tensor]:
    rows = hidden.clone().requires_grad_()
    losses = token_losses(rows, targets, head)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert rows.grad is not None
    return losses.detach(), rows.grad


def test_a_screened_loss_counts_the_tail_it_does_not_compute() -> None:
    hidden, weight, targets = peaked(3, strong=8)
    shift = (hidden @ weight[targets.unique()].T).float().logsumexp(1, keepdim=True)
    felt, tail = Screen(weight).felt(hidden, shift, targets.unique())
    assert felt is not None
    assert set(targets.tolist()) <= set(felt.tolist())
    assert len(felt) < 100
    exact = (hidden.double() @ weight.double().T - shift).exp()
    exact[:, felt] = 0
    assert float(tail.min()) > 0.01  # the loss would be off by more than a hundredth
    assert torch.allclose(tail.double(), exact.sum(1, keepdim=True), rtol=0.1)
    losses, _ = loss_and_gradient(hidden, targets, Head(weight, None, Screen(weight)))
    expected = cross_entropy(hidden.double() @ weight.double().T, targets, reduction="none")
    assert torch.allclose(losses.double(), expected, atol=0.02)


def test_its_gradient_is_as_near_to_the_true_one_as_bfloat16_comes() -> None:
    hidden, weight, targets = peaked(200, strong=300)
    true = hidden.double().requires_grad_()
    cross_entropy(true @ weight.double().T, targets, reduction="sum").backward()  # type: ignore[no-untyped-call]
    assert true.grad is not None

    def error(head: Head) -> float:
        _, gradient = loss_and_gradient(hidden, targets, head)
        assert true.grad is not None
        return float((gradient.double() - true.grad).norm() / true.grad.norm())

    assert error(Head(weight, None, Screen(weight))) < 1.1 * error(Head(weight, None)) < 0.05


def test_every_token_with_a_share_in_the_gradient_is_felt() -> None:
    hidden, weight, targets = peaked(50, strong=40)
    logits = hidden.double() @ weight.double().T
    share = logits.softmax(1).sum(0)
    shift = (hidden @ weight[targets.unique()].T).float().logsumexp(1, keepdim=True)
    felt, _ = Screen(weight).felt(hidden, shift, targets.unique())
    assert felt is not None
    assert set((share > 1e-4).nonzero()[:, 0].tolist()) <= set(felt.tolist())


def test_without_a_tail_nothing_is_left_out() -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(64, WIDTH).bfloat16(), (torch.randn(9000, WIDTH) / 8).bfloat16()
    targets = torch.randint(0, 9000, (64,))
    screened = loss_and_gradient(hidden, targets, Head(weight, None, Screen(weight)))
    exact = loss_and_gradient(hidden, targets, Head(weight, None))
    assert all(torch.equal(*pair) for pair in zip(screened, exact, strict=True))


def test_a_logit_far_above_all_targets_does_not_overflow() -> None:
    hidden, weight, targets = peaked(64, strong=8)
    weight[-1, 0] = 40.0  # a logit of 320, where the targets have 12
    screened = loss_and_gradient(hidden, targets, Head(weight, None, Screen(weight)))
    exact = loss_and_gradient(hidden, targets, Head(weight, None))
    assert all(torch.equal(*pair) for pair in zip(screened, exact, strict=True))


def test_a_row_of_zeros_and_a_weight_of_zeros_have_a_loss() -> None:
    weight = torch.zeros(5000, WIDTH).bfloat16()
    losses, _ = loss_and_gradient(
        torch.zeros(3, WIDTH).bfloat16(), torch.zeros(3, dtype=torch.long),
        Head(weight, None, Screen(weight)),
    )  # fmt: skip
    assert losses == pytest.approx(torch.full((3,), 5000.0).log())


def test_fp32_and_soft_capped_heads_are_never_screened() -> None:
    weight = torch.zeros(8, 8)
    assert not can_screen(weight, None)
    assert not can_screen(weight.bfloat16(), 30.0)


def test_training_is_screened_and_measuring_is_not(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = trainer_on(tiny("qwen3"), {"a": ALL}, dtype="bfloat16")
    base = trainer.base
    base.screened = Head(base.head.weight, None, Screen(base.head.weight))
    asked = []
    screened = heads._screened
    monkeypatch.setattr(heads, "_screened", lambda *given: asked.append(1) or screened(*given))
    trainer.losses([("a", e) for e in toy(30, 40)])
    assert not asked
    trainer.backward([piece("a", toy(30, 40)), piece("a", toy(20))])
    assert len(asked) == 2  # once a piece, so that each sees the same alone
