"""Which adapters are loaded: those used last, within a count and a number of bytes.

1. An adapter in use is never unloaded.
2. There are never more than `count`; bytes go over the limit only while all are in use, for how
   many an adapter takes is known when it is loaded.
3. Who makes room is the one whose last use began or ended longest ago.
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Loads(Protocol):
    """The part of a speaker that this needs."""

    def load(self, adapter: str, folder: Path) -> int:
        """Load; returns bytes."""

    def unload(self, adapter: str) -> None:
        """Free."""


@dataclass(slots=True)
class _Held:
    size: int
    users: int = 0


class AdapterCache:
    """The adapters loaded on one speaker. For one thread; "", the bare base, takes no room."""

    def __init__(self, speaker: Loads, *, count: int, limit_bytes: float) -> None:
        self._speaker = speaker
        self._count = count
        self._limit = limit_bytes
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self.loads = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def held(self) -> list[str]:
        """Loaded adapters, the one to go first at the front."""
        return list(self._held)

    @property
    def bytes(self) -> int:
        """What the loaded adapters take."""
        return sum(one.size for one in self._held.values())

    def can_take(self, adapter: str) -> bool:
        """Whether `take` would find room without unloading an adapter in use."""
        if not adapter or adapter in self._held or len(self._held) < self._count:
            return True
        return any(not one.users for one in self._held.values())

    def take(self, adapter: str, folder: Path) -> None:
        """Load the adapter unless it is there, and keep it until `give`; AdapterError as `load`."""
        if not adapter:
            return
        if adapter not in self._held:
            assert self.can_take(adapter)
            if len(self._held) >= self._count:
                self._drop_oldest()
            self._held[adapter] = _Held(self._speaker.load(adapter, folder))
            self.loads += 1
        self._held[adapter].users += 1
        self._held.move_to_end(adapter)
        self._trim()

    def give(self, adapter: str) -> None:
        """One use of the adapter is over."""
        if not adapter:
            return
        self._held[adapter].users -= 1
        self._held.move_to_end(adapter)
        self._trim()

    def _trim(self) -> None:
        while self.bytes > self._limit and any(not one.users for one in self._held.values()):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = next(name for name, one in self._held.items() if not one.users)
        del self._held[oldest]
        self._speaker.unload(oldest)
