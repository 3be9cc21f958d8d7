"""Tensors kept by name, up to a number of MiB.

What comes when the room is full is not kept: epochs come round in other orders, and to drop the
oldest for the newest would keep as few and copy more.
"""

from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

_MIB = 2**20


class Kept:
    """Up to `most_mb` MiB of tensors."""

    def __init__(self, most_mb: float) -> None:
        self._room = int(most_mb * _MIB)
        self._held: dict[str, tuple[Tensor, ...]] = {}

    @property
    def room_mb(self) -> float:
        """MiB that may still be kept."""
        return self._room / _MIB

    def get(self, name: str) -> tuple[Tensor, ...] | None:
        """What is kept under `name`."""
        return self._held.get(name)

    def put(self, name: str, *tensors: Tensor) -> None:
        """Keep them if there is room; a forecast's tensors have no contents to keep."""
        size = sum(tensor.untyped_storage().nbytes() for tensor in tensors)
        if size <= self._room and not any(isinstance(t, FakeTensor) for t in tensors):
            self._held[name] = tensors
            self._room -= size
