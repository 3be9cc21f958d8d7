"""PEFT adapters as MLX has them, and back. Needs numpy and safetensors; MLX itself isn't needed.

An MLX adapter is `adapters.safetensors` (`<layer>.lora_a` [in, rank], `<layer>.lora_b` [rank,
out]: the transpose of PEFT's) and `adapter_config.json` with rank, scale and the layers' names.

1. What a format can't say is refused by name, never left out.
2. mlx-lm's own default scale is 20 and its default reach the last 16 layers: both are written out.
3. Layers are named in full, so that an adapter of some layers stays one of these layers.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from yukjo.adapters import peft
from yukjo.adapters.store import WEIGHTS
from yukjo.adapters.weights import Array, Weights
from yukjo.config.models import LoraConfig
from yukjo.errors import AdapterError
from yukjo.files import sha256_file, write_whole
from yukjo.layer_names import in_mlx, in_transformers
from yukjo.words import say

MLX_WEIGHTS = "adapters.safetensors"
_MLX_NAME = re.compile(r"(.+)\.lora_([ab])")
_OTHERWISE = ("embed_tokens", "lm_head")
"""What PEFT keeps in another form."""


class Foreign(NamedTuple):
    """An adapter from elsewhere, in PEFT's names and shapes."""

    format: str
    """mlx or peft."""
    config: LoraConfig
    tensors: dict[str, Array]
    said: dict[str, Any]
    """Its own configuration, as it came."""
    sha256: str
    """Of the file its weights came in."""


def write_mlx(source: Path, out: Path) -> None:
    """Write the PEFT adapter in `source` to the folder `out` as MLX loads it."""
    from safetensors.numpy import save

    _, config, tensors, *_ = read_foreign(source)
    made = {}
    for name, tensor in tensors.items():
        layer, half = _named(name, source)
        made[f"{in_mlx(layer)}.lora_{half.lower()}"] = np.ascontiguousarray(tensor.T)
    document = {
        "fine_tune_type": "lora",
        "num_layers": -1,  # all: the names below say which
        "lora_parameters": {
            "rank": config.rank,
            "scale": config.scale,
            "dropout": config.dropout,
            "keys": sorted({name.rpartition(".")[0] for name in made}),
        },
    }
    write_whole(out / MLX_WEIGHTS, save(made, metadata={"format": "mlx"}))
    write_whole(out / peft.CONFIG, json.dumps(document, indent=2) + "\n")


def read_foreign(folder: Path) -> Foreign:
    """The MLX or PEFT adapter in `folder`; AdapterError for what a LoRA of ours can't be."""
    found = _read_mlx(folder) if (folder / MLX_WEIGHTS).is_file() else _read_peft(folder)
    _refuse_halves(found, folder)
    return found


def write_peft(found: Foreign, folder: Path, *, base: str) -> None:
    """Write it to `folder` as our own training would have; `base` is the base's name."""
    from safetensors.numpy import save

    document = found.config.as_peft(base)
    write_whole(folder / WEIGHTS, save(found.tensors, metadata={"format": "pt"}))
    write_whole(folder / peft.CONFIG, json.dumps(document, indent=2, sort_keys=True) + "\n")


def _read_peft(folder: Path) -> Foreign:
    said, tensors = peft.read(folder)
    if beyond := peft.beyond_lora(said):
        raise _refused(beyond, folder)
    layers = {_named(name, folder)[0] for name in tensors}
    config = _config(
        folder, layers, rank=said["r"], alpha=said["lora_alpha"],
        dropout=said.get("lora_dropout", 0.0), use_rslora=said.get("use_rslora", False),
    )  # fmt: skip
    whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return Foreign("peft", config, whole, said, sha256_file(folder / WEIGHTS))


def _read_mlx(folder: Path) -> Foreign:
    try:
        said = json.loads((folder / peft.CONFIG).read_text(encoding="utf-8"))
        tensors, given = dict(Weights(folder / MLX_WEIGHTS)), said["lora_parameters"]
        rank, scale, dropout = given["rank"], given["scale"], given.get("dropout", 0.0)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise AdapterError(
            say("not an MLX adapter: {fault}", fault=fault),
            where=str(folder),
            fix=say("name a folder with adapter_config.json and adapters.safetensors"),
        ) from fault
    if (kind := said.get("fine_tune_type", "lora")) != "lora":
        raise _refused([f"fine_tune_type={kind}"], folder)
    made, layers = {}, set()
    for name, tensor in tensors.items():
        match = _MLX_NAME.fullmatch(name)
        if not match or match[1].endswith(_OTHERWISE):
            raise _refused([name], folder)
        layer = in_transformers(match[1])
        layers.add(layer)
        key = f"base_model.model.{layer}.lora_{match[2].upper()}.weight"
        made[key] = np.ascontiguousarray(tensor.T)
    config = _config(folder, layers, rank=rank, alpha=scale * rank, dropout=dropout)
    return Foreign("mlx", config, made, said, sha256_file(folder / MLX_WEIGHTS))


def _named(name: str, folder: Path) -> tuple[str, str]:
    """The layer of one of PEFT's tensors, and which half of the update it is."""
    match = peft.NAME.fullmatch(name)
    if not match or match[1].endswith(_OTHERWISE):
        raise _refused([name], folder)
    return match[1], match[2]


def _config(folder: Path, layers: set[str], **said: Any) -> LoraConfig:  # noqa: ANN401 - as found
    targets = tuple(sorted({layer.rpartition(".")[2] for layer in layers}))
    try:
        return LoraConfig(targets=targets, **said)
    except ValidationError as fault:
        raise _refused([fault.errors()[0]["msg"]], folder) from None


def _refuse_halves(found: Foreign, folder: Path) -> None:
    """AdapterError unless every layer has A [rank, in] and B [out, rank]."""
    rank, halves = found.config.rank, dict[str, set[str]]()
    for name, tensor in found.tensors.items():
        layer, half = _named(name, folder)
        if tensor.ndim != 2 or tensor.shape[half == "B"] != rank:  # noqa: PLR2004 - a matrix
            raise _refused([f"{name} {tensor.shape}"], folder)
        halves.setdefault(layer, set()).add(half)
    lone = [layer for layer, own in halves.items() if own != {"A", "B"}]
    if lone or not halves:
        raise _refused(lone or ["-"], folder)


def _refused(what: list[str], folder: Path) -> AdapterError:
    return AdapterError(
        say("this adapter is more than plain LoRA: {what}", what=", ".join(what)),
        where=str(folder),
        fix=say("train a plain LoRA adapter without it"),
    )
