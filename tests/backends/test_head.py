"""Blocked cross entropy against torch's, in double precision."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from yukjo.backends.torch.head import Head, token_losses


@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize(("rows", "vocabulary"), [(1, 7), (5, 4096), (70, 9000)])
def test_losses_and_gradients_are_those_of_cross_entropy(
    rows: int, vocabulary: int, softcap: float | None
) -> None:
    torch.manual_seed(rows)
    hidden = (torch.randn(rows, 16) * 3).requires_grad_()
    weight, targets = torch.randn(vocabulary, 16), torch.randint(0, vocabulary, (rows,))
    losses = token_losses(hidden, targets, Head(weight, softcap))
    exact = hidden.detach().double().requires_grad_()
    logits = exact @ weight.double().T
    if softcap:
        logits = torch.tanh(logits / softcap) * softcap
    expected = cross_entropy(logits, targets, reduction="none")
    assert torch.allclose(losses.double(), expected, rtol=1e-5, atol=1e-5)
    upstream = torch.rand(rows)
    losses.backward(upstream)
    expected.backward(upstream.double())
    assert hidden.grad is not None
    assert exact.grad is not None
    assert torch.allclose(hidden.grad.double(), exact.grad, rtol=1e-4, atol=1e-5)


def test_huge_logits_neither_overflow_nor_vanish() -> None:
    hidden, weight = torch.tensor([[1000.0, 0.0]]), torch.tensor([[1.0, 0], [-1.0, 0], [0.9, 0]])
    losses = [float(token_losses(hidden, torch.tensor([t]), Head(weight, None))) for t in range(3)]
    assert losses == pytest.approx([0.0, 2000.0, 100.0])


def test_a_rows_bits_do_not_depend_on_the_rows_beside_it() -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(40, 32), torch.randn(5000, 32)
    targets = torch.randint(0, 5000, (40,))
    together = token_losses(hidden, targets, Head(weight, None))
    alone = [
        token_losses(hidden[i : i + 1], targets[i : i + 1], Head(weight, None)) for i in (0, 39)
    ]
    assert torch.equal(together[[0, 39]], torch.cat(alone))


def test_a_row_that_is_sure_of_its_target_never_costs_less_than_nothing() -> None:
    torch.manual_seed(0)
    weight, targets = torch.randn(300, 64).bfloat16(), torch.arange(300)
    hidden = (weight * 0.7).bfloat16()  # logits of about 45, where bfloat16 rounds by an eighth
    losses = token_losses(hidden, targets, Head(weight, None))
    assert losses.min() >= 0
    assert losses.mean() < 0.1
