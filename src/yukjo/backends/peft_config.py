"""`adapter_config.json` of a PEFT adapter, as both leaves write and read it.

What we don't compute (rank and alpha patterns, saved modules) is refused by name: loading it in
part would answer with another adapter than was trained.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yukjo.config.models import LoraConfig
from yukjo.errors import AdapterError
from yukjo.files import write_whole
from yukjo.words import say

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
_UNSUPPORTED = (
    "rank_pattern", "alpha_pattern", "modules_to_save", "trainable_token_indices", "lora_bias",
    "fan_in_fan_out",
)  # fmt: skip


def write(config: LoraConfig, folder: Path, *, base: str, targets: Sequence[str] = ()) -> None:
    """Write it to `folder`; `base` is the name PEFT shows for the base.

    `targets` stand in for the configured ones, where other layers are called the same.
    """
    made = config.as_peft(base, targets)
    write_whole(folder / CONFIG, json.dumps(made, indent=2, sort_keys=True) + "\n")


def read(folder: Path) -> LoraConfig:
    """The settings of the adapter in `folder`; AdapterError where we don't compute such."""
    try:
        asked = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        config = LoraConfig(
            rank=asked["r"],
            alpha=asked["lora_alpha"],
            dropout=asked.get("lora_dropout", 0.0),
            targets=tuple(asked["target_modules"]),
            use_rslora=asked.get("use_rslora", False),
            use_dora=asked.get("use_dora", False),
        )
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise no_adapter(fault, folder) from fault
    _refuse_unsupported(asked, folder)
    return config


def no_adapter(fault: Exception, folder: Path) -> AdapterError:
    """The error for a folder that holds no PEFT adapter that can be read."""
    return AdapterError(
        say("not a PEFT adapter: {fault}", fault=fault),
        where=str(folder),
        fix=say("name a folder with adapter_config.json and adapter_model.safetensors"),
    )


def mismatch(name: str, folder: Path) -> AdapterError:
    """The error for an adapter that has another layer `name` than the base."""
    return AdapterError(
        say("the adapter doesn't fit this base at `{name}`", name=name),
        where=str(folder),
        fix=say("use it with the base it was trained on (yukjo.json names it)"),
    )


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
