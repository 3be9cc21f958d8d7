"""Read safetensors as fp32 numpy arrays, bfloat16 included, without torch.

The format: eight bytes of length, a JSON header with each tensor's type, shape and place, bytes.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}


class Weights(Mapping[str, Array]):
    """The tensors of one file by name, read when asked for. ValueError where it isn't one."""

    def __init__(self, file: Path) -> None:
        self._bytes = np.memmap(file, dtype=np.uint8, mode="r")
        length = int.from_bytes(self._bytes[:8].tobytes(), "little")
        if not 0 < length <= len(self._bytes) - 8:
            raise ValueError(file.name)
        header = json.loads(self._bytes[8 : 8 + length].tobytes())
        self._places: dict[str, Any] = {k: v for k, v in header.items() if k != "__metadata__"}
        self._start = 8 + length

    def __getitem__(self, name: str) -> Array:
        place = self._places[name]
        first, last = place["data_offsets"]
        raw = self._bytes[self._start + first : self._start + last]
        # A file cut short ends early: reshape then raises ValueError.
        read = raw.view(_TYPES[place["dtype"]]).reshape(place["shape"])
        if place["dtype"] == "BF16":  # the upper half of an fp32
            read = (read.astype(np.uint32) << 16).view(np.float32)
        return read.astype(np.float32, copy=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
