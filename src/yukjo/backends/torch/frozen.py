"""A frozen linear weight: as it is, or in four bits.

One copy serves both directions; it is never trained, so nothing is kept for its gradient. Four
bits are NF4 (Dettmers et al. 2023, arXiv:2305.14314) as `bitsandbytes` holds them, made dense
for each product and forgotten again.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from yukjo.errors import ModelError
from yukjo.words import say


class Frozen:
    """Weight [out, in] and bias of a linear layer."""

    def __init__(self, module: nn.Linear, device: torch.device) -> None:
        self.weight: Tensor = module.weight.data.to(device)
        self.bias: Tensor | None = None if module.bias is None else module.bias.data.to(device)
        self.shape = (module.out_features, module.in_features)
        self.dtype = self.weight.dtype

    @property
    def device(self) -> torch.device:
        """Where it lives."""
        return self.weight.device

    def dense(self) -> Tensor:
        """The weight [out, in] in the type it computes in."""
        return self.weight

    def forward(self, rows: Tensor) -> Tensor:
        """Rows [R, in] -> [R, out]."""
        return linear(rows, self.dense(), self.bias)

    def backward(self, grad: Tensor) -> Tensor:
        """Gradient [R, out] -> gradient of the rows [R, in]."""
        return grad @ self.dense()


class FourBit(Frozen):
    """The same in NF4, a quarter of the memory."""

    def __init__(self, module: nn.Linear, device: torch.device) -> None:
        super().__init__(module, device)
        self._library = _bitsandbytes()
        # In float32 whatever the type: the library's processor code knows no other everywhere.
        self.weight, self._state = self._library.quantize_4bit(
            self.weight.float().contiguous(), quant_type="nf4", compress_statistics=True
        )

    def dense(self) -> Tensor:
        """The weight, dequantised."""
        whole: Tensor = self._library.dequantize_4bit(self.weight, self._state)
        return whole.view(self.shape).to(self.dtype)


def _bitsandbytes() -> Any:
    try:
        from bitsandbytes import functional
    except ImportError:
        raise ModelError(
            say("bitsandbytes isn't installed"),
            where="yukjo.toml [base] load_in_4bit",
            fix="pip install 'yukjo[qlora]'",
        ) from None
    return functional
