"""A trainer that knows sizes only: what a run would take is told in seconds, without weights."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from yukjo.backends.torch.base import Base
from yukjo.backends.torch.forecast import SHAPES, hollow
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config.models import LoraConfig


class Sketch(TorchTrainer):
    """Adapters on a base without contents; made to be asked for a `forecast`."""

    def __init__(
        self,
        folder: Path,
        *,
        dtype: Literal["bfloat16", "float32"],
        recompute: bool = False,
        screen: bool = False,
    ) -> None:
        with SHAPES:
            base = Base(folder, dtype=dtype, model=hollow(folder, getattr(torch, dtype)))
            if screen:
                base.screen()
        if recompute:
            base.recompute()
        super().__init__(base, name=str(folder))

    def add(self, adapter: str, lora: LoraConfig, *, seed: int, weight_decay: float) -> int:
        """Make an adapter's shapes; AdapterError as a trainer raises it."""
        with SHAPES:
            return super().add(adapter, lora, seed=seed, weight_decay=weight_decay)

    def _standing(self) -> list[Tensor]:
        return []
