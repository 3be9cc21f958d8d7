"""Norms and gated MLPs as one autograd node each, wherever a probe confirms the formula.

A model's own modules keep several fp32 copies of their input for the way back; these keep one.
What a probe does not confirm stays the model's own module: slower, never wrong.
"""

from collections.abc import Callable
from copy import copy
from types import MethodType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import unset_fake_temporarily
from torch.nn.functional import gelu, silu

from yukjo.backends.torch.lora import LoraLinear

_GATES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "silu": (silu, torch.ops.aten.silu_backward),
    "gelu": (gelu, torch.ops.aten.gelu_backward),
    "gelu_tanh": (
        lambda x: gelu(x, approximate="tanh"),
        lambda grad, x: torch.ops.aten.gelu_backward(grad, x, approximate="tanh"),
    ),
}


class RmsNorm(nn.Module):
    """`x / sqrt(mean(x^2) + eps) * factor`, out in `dtype` (arXiv:1910.07467)."""

    def __init__(self, factor: Tensor, eps: float, dtype: torch.dtype) -> None:
        super().__init__()
        self.factor = nn.Parameter(factor, requires_grad=False)
        self.eps, self.dtype = eps, dtype

    def forward(self, x: Tensor) -> Tensor:
        """X [..., D] -> [..., D]."""
        out: Tensor = _RmsNorm.apply(x, self.factor, self.eps, self.dtype)  # type: ignore[no-untyped-call]
        return out


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
        length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        shrink = length.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, shrink)
        ctx.factor = factor
        return (x * shrink).mul_(factor).to(dtype)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        x, shrink = ctx.saved_tensors
        grad, normed = upstream[0] * ctx.factor, x * shrink
        along = (grad * normed).mean(-1, keepdim=True)
        return grad.sub_(normed.mul_(along)).mul_(shrink).to(x.dtype), None, None, None


class _Gated(torch.autograd.Function):
    """`activation(gate) * up`; all but the product is kept: Gemma's activation is dear."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor, name: str) -> Tensor:
        ctx.name = name
        opened = _GATES[name][0](gate)
        ctx.save_for_backward(gate, up, opened)
        return opened * up

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, None]:
        gate, up, opened = ctx.saved_tensors
        return _GATES[ctx.name][1](upstream[0] * up, gate), upstream[0] * opened, None


def fuse(model: nn.Module, *, dtype: torch.dtype) -> None:
    """Put ours in the place of every norm and gated MLP of `model` that a probe confirms."""
    for name, module in list(model.named_modules()):
        if (norm := _as_norm(module, dtype)) is not None:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, norm)
        elif (gate := _gate_of(module)) is not None:
            module.forward = MethodType(_forward(gate), module)


def _as_norm(module: nn.Module, dtype: torch.dtype) -> RmsNorm | None:
    """`module` as ours, if it computes the same."""
    weight, eps = getattr(module, "weight", None), _eps(module)
    if "Norm" not in type(module).__name__ or not isinstance(weight, Tensor) or not eps:
        return None
    with unset_fake_temporarily():  # a formula is probed with numbers, even on a hollow base
        draw = torch.Generator().manual_seed(0)
        factor, x = torch.randn(8, generator=draw), torch.randn(3, 8, generator=draw)
        found = _probed(module, x, weight=nn.Parameter(factor))
        added = [n for n in (0, 1) if found is not None and _same(
            RmsNorm(n + factor, eps, torch.float32)(x), found)]  # fmt: skip
    # Gemma stores the factor less one.
    return RmsNorm(added[0] + weight.data.float(), eps, dtype) if added else None


def _eps(module: nn.Module) -> float | None:
    return getattr(module, "eps", getattr(module, "variance_epsilon", None))


def _gate_of(module: nn.Module) -> str | None:
    """The name of a gated MLP's activation, if `module` is one: down(act(gate(x)) * up(x))."""
    names = ("gate_proj", "up_proj", "down_proj")
    if not all(isinstance(getattr(module, name, None), LoraLinear) for name in names):
        return None
    with unset_fake_temporarily():
        torch_state = torch.random.get_rng_state()
        torch.manual_seed(0)
        parts = {n: nn.Linear(*((16, 8) if n == "down_proj" else (8, 16))) for n in names}
        x = torch.randn(1, 4, 8)
        torch.random.set_rng_state(torch_state)
        found = _probed(module, x, **parts)
        toy = SimpleNamespace(**parts)
        gates = [g for g in _GATES if found is not None and _same(_forward(g)(toy, x), found)]
    return gates[0] if gates else None


@torch.no_grad()
def _probed(module: nn.Module, x: Tensor, **parts: nn.Module | nn.Parameter) -> Tensor | None:
    """What `module` makes of `x` with small parts in the place of its own; None if it can't."""
    toy = copy(module)
    toy._parameters, toy._modules = dict(module._parameters), dict(module._modules)  # noqa: SLF001 - a copy that shares neither
    for name, part in parts.items():
        setattr(toy, name, part)
    try:
        out = type(module).forward(toy, x)
    except (RuntimeError, ValueError, TypeError, AttributeError):  # it wants more than these
        return None
    return out if isinstance(out, Tensor) else None


def _same(ours: Tensor, theirs: Tensor) -> bool:
    return torch.allclose(ours, theirs.float(), rtol=1e-5, atol=1e-6)


def _forward(gate: str) -> Callable[[Any, Tensor], Tensor]:
    def forward(self: Any, x: Tensor) -> Tensor:
        gated = _Gated.apply(self.gate_proj(x), self.up_proj(x), gate)  # type: ignore[no-untyped-call]
        out: Tensor = self.down_proj(gated)
        return out

    return forward
