"""An adapter as PEFT files, read and written without PEFT.

`adapter_model.safetensors` holds `base_model.model.<layer>.lora_A|B.weight`; `adapter_config.json`
says rank, alpha, targets and variant; DoRA adds `lora_magnitude_vector`.
"""

from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from yukjo.backends import peft_config
from yukjo.backends.peft_config import mismatch
from yukjo.backends.torch.lora import Lora, LoraLinear, Pair
from yukjo.config.models import LoraConfig
from yukjo.files import write_whole

_KEYS = ("lora_A.weight", "lora_B.weight", "lora_magnitude_vector")


def write(lora: Lora, folder: Path, *, base: str, layers: Sequence[LoraLinear]) -> None:
    """Write `lora` to `folder`; `base` is the name PEFT shows for the base, `layers` all it has."""
    tensors = {
        f"base_model.model.{name}.{key}": tensor.detach().cpu().contiguous()
        for name, pair in lora.pairs.items()
        for key, tensor in zip(_KEYS, pair.parameters(), strict=False)
    }
    write_whole(folder / peft_config.WEIGHTS, save(tensors, metadata={"format": "pt"}))
    peft_config.write(lora.config, folder, base=base, targets=_targets(lora, layers))


def _targets(lora: Lora, layers: Sequence[LoraLinear]) -> list[str]:
    """What the adapter is on: short names, or whole ones where others are called the same.

    A tower's names always are whole: its patch embedding is a `proj`, too, and no linear layer.
    """
    others = {layer.called for layer in layers if layer.name not in lora.pairs or layer.level}
    return sorted(lora.config.targets if others.isdisjoint(lora.config.targets) else lora.pairs)


def read(folder: Path, layers: list[LoraLinear]) -> Lora:
    """The adapter in `folder`, checked against the layers of this base."""
    config = peft_config.read(folder)
    try:
        tensors = load((folder / peft_config.WEIGHTS).read_bytes())
    except (OSError, ValueError, SafetensorError) as fault:
        raise peft_config.no_adapter(fault, folder) from fault
    return Lora(config, _paired(tensors, layers, config, folder))


def _paired(
    tensors: dict[str, Tensor], layers: list[LoraLinear], config: LoraConfig, folder: Path
) -> dict[str, Pair]:
    """Layer -> its pair; every tensor must have its place, with the shape the base asks for."""
    left, pairs = dict(tensors), {}
    for layer in layers:
        found = [left.pop(f"base_model.model.{layer.name}.{key}", None) for key in _KEYS]
        if not any(tensor is not None for tensor in found):
            continue
        shapes: list[tuple[int, ...] | None] = [
            (config.rank, layer.in_features),
            (layer.out_features, config.rank),
            (layer.out_features,) if config.use_dora else None,
        ]
        if [None if tensor is None else tuple(tensor.shape) for tensor in found] != shapes:
            raise mismatch(layer.name, folder)
        device = layer.frozen.device
        a, b, magnitude = (None if t is None else t.float().to(device) for t in found)
        assert a is not None
        assert b is not None
        pairs[layer.name] = Pair(a, b, magnitude)
    if left or not pairs:
        raise mismatch(next(iter(left), "-"), folder)
    return pairs
