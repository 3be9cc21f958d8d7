"""An adapter as PEFT files, read and written without PEFT.

`adapter_model.safetensors` holds `base_model.model.<layer>.lora_A|B.weight`; `adapter_config.json`
says rank, alpha, targets and variant; DoRA adds `lora_magnitude_vector`. What we don't compute
(rank and alpha patterns, saved modules) is refused by name: loading it in part would answer with
another adapter than was trained.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from yukjo.backends.torch.lora import Lora, LoraLinear, Pair
from yukjo.config.models import LoraConfig
from yukjo.errors import AdapterError
from yukjo.files import write_whole
from yukjo.words import say

_KEYS = ("lora_A.weight", "lora_B.weight", "lora_magnitude_vector")
_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"
_UNSUPPORTED = (
    "rank_pattern", "alpha_pattern", "modules_to_save", "trainable_token_indices", "lora_bias",
    "fan_in_fan_out",
)  # fmt: skip


def write(lora: Lora, folder: Path, *, base: str, layers: Sequence[LoraLinear]) -> None:
    """Write `lora` to `folder`; `base` is the name PEFT shows for the base, `layers` all it has."""
    tensors = {
        f"base_model.model.{name}.{key}": tensor.detach().cpu().contiguous()
        for name, pair in lora.pairs.items()
        for key, tensor in zip(_KEYS, pair.parameters(), strict=False)
    }
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": lora.config.rank,
        "lora_alpha": lora.config.alpha,
        "lora_dropout": lora.config.dropout,
        "target_modules": _targets(lora, layers),
        "bias": "none",
        "use_rslora": lora.config.use_rslora,
        "use_dora": lora.config.use_dora,
        "inference_mode": True,
    }
    write_whole(folder / _WEIGHTS, save(tensors, metadata={"format": "pt"}))
    write_whole(folder / _CONFIG, json.dumps(config, indent=2, sort_keys=True) + "\n")


def _targets(lora: Lora, layers: Sequence[LoraLinear]) -> list[str]:
    """What the adapter is on: short names, or whole ones where others are called the same.

    A tower's names always are whole: its patch embedding is a `proj`, too, and no linear layer.
    """
    others = {layer.called for layer in layers if layer.name not in lora.pairs or layer.level}
    return sorted(lora.config.targets if others.isdisjoint(lora.config.targets) else lora.pairs)


def read(folder: Path, layers: list[LoraLinear]) -> Lora:
    """The adapter in `folder`, checked against the layers of this base."""
    try:
        asked = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        tensors = load((folder / _WEIGHTS).read_bytes())
        config = LoraConfig(
            rank=asked["r"],
            alpha=asked["lora_alpha"],
            dropout=asked.get("lora_dropout", 0.0),
            targets=tuple(asked["target_modules"]),
            use_rslora=asked.get("use_rslora", False),
            use_dora=asked.get("use_dora", False),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as fault:
        raise AdapterError(
            say("not a PEFT adapter: {fault}", fault=fault),
            where=str(folder),
            fix=say("name a folder with adapter_config.json and adapter_model.safetensors"),
        ) from fault
    _refuse_unsupported(asked, folder)
    return Lora(config, _paired(tensors, layers, config, folder))


def _refuse_unsupported(asked: dict[str, Any], folder: Path) -> None:
    present = [key for key in _UNSUPPORTED if asked.get(key)]
    if present or asked.get("bias", "none") != "none" or asked.get("peft_type") != "LORA":
        raise AdapterError(
            say(
                "this adapter uses what isn't supported: {what}", what=", ".join(present) or "bias"
            ),
            where=str(folder),
            fix=say("train a plain LoRA adapter without it"),
        )


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
            raise _mismatch(layer.name, folder)
        device = layer.frozen.device
        a, b, magnitude = (None if t is None else t.float().to(device) for t in found)
        assert a is not None
        assert b is not None
        pairs[layer.name] = Pair(a, b, magnitude)
    if left or not pairs:
        raise _mismatch(next(iter(left), "-"), folder)
    return pairs


def _mismatch(name: str, folder: Path) -> AdapterError:
    return AdapterError(
        say("the adapter doesn't fit this base at `{name}`", name=name),
        where=str(folder),
        fix=say("use it with the base it was trained on (yukjo.json names it)"),
    )
