"""A PEFT adapter's files as they stand, for converters: numpy, and no base in memory."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yukjo.adapters.store import WEIGHTS
from yukjo.adapters.weights import Array, Weights
from yukjo.errors import AdapterError
from yukjo.words import say

CONFIG = "adapter_config.json"
NAME = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
"""Of a tensor: its layer, and which half of the update it is."""
_UNSUPPORTED = (
    "use_dora", "modules_to_save", "rank_pattern", "alpha_pattern", "lora_bias",
    "trainable_token_indices", "target_parameters", "fan_in_fan_out", "layer_replication",
    "use_qalora", "alora_invocation_tokens",
)  # fmt: skip


def read(folder: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Its configuration and tensors; AdapterError where they can't be read."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        tensors = dict(Weights(folder / WEIGHTS))
        if config["r"] < 1 or not math.isfinite(config["lora_alpha"]):
            raise ValueError(config["r"])  # noqa: TRY301 - one border
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise AdapterError(
            say("not a PEFT adapter: {fault}", fault=fault),
            where=str(folder),
            fix=say("name a folder with adapter_config.json and adapter_model.safetensors"),
        ) from fault
    return config, tensors


def beyond_lora(config: Mapping[str, Any]) -> list[str]:
    """What of a configuration plain LoRA doesn't have: a converter would leave it out unsaid."""
    found = [key for key in _UNSUPPORTED if config.get(key)]
    found += [f"bias={config['bias']}"] if config.get("bias", "none") != "none" else []
    found += [] if config.get("peft_type") == "LORA" else [f"peft_type={config.get('peft_type')}"]
    return found
