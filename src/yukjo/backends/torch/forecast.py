"""Predict the peak memory of training by counting, without computing.

A pass over the actual pack is run on tensors that have shapes and no contents (torch's fake
tensors); every allocation and release of its forward and backward is added up. So whatever the
passes come to be, the forecast follows. Weights, adapters, gradients and moments are counted by
their sizes; only the process itself is measured, and three figures are fitted:
`python bench/memory.py` fits them again.
"""

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import AutoConfig

from yukjo import machine
from yukjo.backends.torch.base import Base, auto_class
from yukjo.backends.torch.lora import Lora
from yukjo.records import Forecast

HOLES = 1.4
"""What a pass takes of the heap for each byte it holds at its peak: the packs before it left holes
of other sizes, which glibc keeps."""
TIDY = 1.15
"""The same for a pass alone, in a heap that was just trimmed."""
LIBRARIES = 75.0
"""MiB of compiled matmul kernels that oneDNN and torch come to keep (`wiring` says how many)."""

SHAPES = FakeTensorMode(allow_non_fake_inputs=True)
"""Inside it a tensor is made with a shape and no contents."""

_MIB = 2**20


def forecast(
    base: Base, adapters: Mapping[str, Lora], loss: Callable[[], Tensor], *, held_mb: float
) -> Forecast:
    """Peak of training `adapters` if no pass is larger than that of `loss`.

    `held_mb` is what adapters, gradients and moments hold in this process already.
    """
    weights = size_mb(base.weights())
    trained = [p for lora in adapters.values() for p in lora.parameters()]
    own = size_mb(trained)
    counted = count_pass_mb(loss, trained)
    written = written_mb(own)
    parts = {
        "process": machine.resident_mb() - _here_mb(base, weights) - held_mb,
        "weights": weights,
        "adapters": own,
        "gradients": own,
        "optimiser": 2 * own,  # AdamW's two moments
        "libraries": LIBRARIES,
        "pass": max(HOLES * counted, written),
    }
    expected = sum(parts.values())
    doubt = parts["pass"] - max(TIDY * counted, written)
    return Forecast(
        low_mb=expected - doubt - LIBRARIES,
        expected_mb=expected,
        high_mb=expected + doubt + (base.eyes.room_mb if base.eyes else 0.0),
        parts=parts,
    )


def hollow(folder: Path, dtype: torch.dtype) -> Any:
    """The model of a Hugging Face folder without its weights: shapes only, in a second or two."""
    with SHAPES:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model = auto_class(folder).from_config(config, dtype=dtype)
    return model.eval().requires_grad_(requires_grad=False)


def size_mb(tensors: Iterable[Tensor]) -> float:
    """Size of tensors in MiB; those that share their contents count once."""
    storages = {t.untyped_storage()._cdata: t.untyped_storage().nbytes() for t in tensors}  # noqa: SLF001 - the storage's identity
    return sum(storages.values()) / _MIB


def written_mb(adapters_mb: float) -> float:
    """What writing a checkpoint takes: adapters and two moments, in two copies."""
    return 2 * 3 * adapters_mb


def count_pass_mb(loss: Callable[[], Tensor], parameters: Sequence[Tensor]) -> float:
    """MiB that `loss()` and its gradient take at their peak beyond what stood before."""
    tally = _Tally()
    with SHAPES, tally:
        # Not `backward`: it would leave empty gradients on the adapters.
        torch.autograd.grad(loss(), parameters, allow_unused=True)
    return tally.peak / _MIB


class _Tally(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storages that operations make, and takes away those that are let go."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        out = func(*args, **(kwargs or {}))
        shares = any(result.alias_info is not None for result in func._schema.returns)  # noqa: SLF001 - torch's way to tell a view
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._see(tensor.untyped_storage(), made=not shares)
        return out

    def _see(self, storage: Any, *, made: bool) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        if made:
            size = storage.nbytes()
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._let_go, size)

    def _let_go(self, size: int) -> None:
        self.now -= size


def _here_mb(base: Base, weights: float) -> float:
    """What of the weights is resident: none of a hollow base, all that isn't mapped and unread."""
    if isinstance(next(base.weights()), FakeTensor):
        return 0.0
    size, held = machine.mapped_mb(".safetensors")
    return max(0.0, weights - size) + held
