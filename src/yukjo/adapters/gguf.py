"""A PEFT adapter as llama.cpp's GGUF-LoRA file. Needs `gguf` and numpy, and no base in memory.

1. What the format can't say is refused by name: a converter that leaves it out answers with
   another adapter than was trained, without a word.
2. llama.cpp scales by `alpha / rank` only: rsLoRA's `alpha / sqrt(rank)` is written as
   `alpha * sqrt(rank)`.
3. Llama's q and k weights stand in another order of rows in a GGUF; so does their B.
"""

import math
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from yukjo.adapters import peft
from yukjo.adapters.weights import Array
from yukjo.errors import AdapterError, ModelError
from yukjo.words import say

_PERMUTED = frozenset({"llama"})
"""Architectures whose q and k rows a GGUF keeps in RoPE's interleaved order."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a base GGUF an adapter must fit."""

    architecture: str
    settings: Mapping[str, Any]
    """Values of its header, the architecture's prefix left out; lists of texts are skipped."""
    shapes: Mapping[str, tuple[int, ...]]
    """Tensor -> (out, in)."""
    types: frozenset[int]
    """GGML type numbers of its tensors."""

    @property
    def exact(self) -> bool:
        """Whether its weights are F32 or F16; a matmul with others rounds its inputs coarsely."""
        return self.types <= {0, 1}


def read_facts(file: Path) -> Facts:
    """Read the header of a GGUF, in a fraction of a second; ModelError where it isn't one."""
    try:
        with file.open("rb") as stream:
            return _facts(stream)
    except (OSError, ValueError, KeyError, struct.error, RecursionError) as fault:
        raise ModelError(
            say("not a GGUF file: {fault}", fault=fault),
            where=str(file),
            fix=say("name the base's GGUF in [serve] gguf"),
        ) from fault


def control_tokens(file: Path) -> frozenset[int]:
    """Ids of the tokens that the GGUF marks as control tokens.

    llama.cpp itself counts `</s>` among them, whatever the file says.
    """
    with file.open("rb") as stream:
        values, _ = _header(stream)
    kinds = values.get("tokenizer.ggml.token_type", np.empty(0))
    return frozenset(np.flatnonzero(kinds == _CONTROL).tolist())


def convert(folder: Path, facts: Facts) -> bytes:
    """The adapter in `folder` as a GGUF-LoRA file for the base with these facts."""
    config, tensors = peft.read(folder)
    _refuse_unsupported(config, folder)
    scaled = config["lora_alpha"] * (math.sqrt(config["r"]) if config.get("use_rslora") else 1.0)
    return _written(_mapped(tensors, config["r"], facts, folder), facts.architecture, scaled)


def interleaved(rows: Array, heads: int) -> Array:
    """Rows of a rotated weight, halves of each head interleaved: (h, 2, d/2) -> (h, d/2, 2)."""
    halves = rows.reshape(heads, 2, len(rows) // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def name_map(architecture: str, layers: int) -> Any:
    """`gguf`'s map of Hugging Face names for an architecture; None where it has none."""
    import gguf

    known = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
    return gguf.get_tensor_name_map(known[architecture], layers) if architecture in known else None


def _refuse_unsupported(config: Mapping[str, Any], folder: Path) -> None:
    if found := peft.beyond_lora(config):
        raise AdapterError(
            say("a GGUF can't hold what this adapter uses: {what}", what=", ".join(found)),
            where=str(folder),
            fix=say('serve it with [serve] engine = "torch", or train a plain LoRA adapter'),
        )  # fmt: skip


def _mapped(
    tensors: Mapping[str, Array], rank: int, facts: Facts, folder: Path
) -> dict[str, Array]:
    """GGUF name -> tensor, each checked against the base, A and B of every layer."""
    names = name_map(facts.architecture, facts.settings["block_count"])
    made: dict[str, Array] = {}
    for name, tensor in sorted(tensors.items()):
        match = peft.NAME.fullmatch(name)
        layer = names and match and names.get_name(_plain(match[1]))
        shape = facts.shapes.get(f"{layer}.weight", (0, 0))
        half = match[2] if match else "-"
        wanted = (rank, shape[-1]) if half == "A" else (shape[0], rank)
        if not layer or tensor.shape != wanted:
            raise _mismatch(name, folder)
        made[f"{layer}.weight.lora_{half.lower()}"] = (
            tensor if half == "A" else _ordered(tensor, layer, facts)
        )
    lone = {name[:-1] for name in made if not {name[:-1] + "a", name[:-1] + "b"} <= made.keys()}
    if lone or not made:
        raise _mismatch(next(iter(lone), "-"), folder)
    return made


def _plain(name: str) -> str:
    """A layer's name without the wrapper of a model that also sees images."""
    return name.replace("model.language_model.", "model.").replace(
        "language_model.model.", "model."
    )


def _ordered(b: Array, layer: str, facts: Facts) -> Array:
    heads = facts.settings["attention.head_count"]
    counts = {"attn_q": heads, "attn_k": facts.settings.get("attention.head_count_kv", heads)}
    count = counts.get(layer.rpartition(".")[2])
    return interleaved(b, count) if count and facts.architecture in _PERMUTED else b


def _written(tensors: Mapping[str, Array], architecture: str, alpha: float) -> bytes:
    import gguf

    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "adapter.gguf"
        writer = gguf.GGUFWriter(file, architecture)
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", float(alpha))
        for name, tensor in tensors.items():
            # fp32: trained B's are small, and fp16 loses what is below 6e-5.
            writer.add_tensor(name, np.ascontiguousarray(tensor))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return file.read_bytes()


def _mismatch(name: str, folder: Path) -> AdapterError:
    return AdapterError(
        say("the adapter doesn't fit this GGUF at `{name}`", name=name),
        where=str(folder),
        fix=say("name the GGUF of the base it was trained on (yukjo.json names it)"),
    )


# The header. `gguf`'s own reader makes an object of each word: half a minute at 262,144 of them.

_SINGLE = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q",
           11: "<q", 12: "<d"}  # fmt: skip
_STRING, _LIST = 8, 9
_CONTROL = 3


def _facts(stream: BinaryIO) -> Facts:
    found, count = _header(stream)
    shapes, types = {}, set()
    for _ in range(count):
        name = _text(stream)
        axes = [_number(stream, "<Q") for _ in range(_number(stream, "<I"))]
        shapes[name] = tuple(reversed(axes))
        types.add(_number(stream, "<I"))
        stream.seek(8, 1)
    architecture = found["general.architecture"]
    prefix = f"{architecture}."
    settings = {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)}
    return Facts(architecture, settings, shapes, frozenset(types))


def _header(stream: BinaryIO) -> tuple[dict[str, Any], int]:
    """Its values by name, lists of texts left out, and how many tensors are described next."""
    if stream.read(4) != b"GGUF" or not 2 <= _number(stream, "<I") <= 3:  # noqa: PLR2004 - versions
        raise ValueError("GGUF")
    tensors, pairs = _number(stream, "<Q"), _number(stream, "<Q")
    return {_text(stream): _value(stream, _number(stream, "<I")) for _ in range(pairs)}, tensors


def _number(stream: BinaryIO, form: str) -> Any:
    (value,) = struct.unpack(form, stream.read(struct.calcsize(form)))
    return value


def _text(stream: BinaryIO) -> str:
    return stream.read(_number(stream, "<Q")).decode()


def _value(stream: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(stream)
    if kind != _LIST:
        return _number(stream, _SINGLE[kind])
    inner, count = _number(stream, "<I"), _number(stream, "<Q")
    if inner in _SINGLE:
        data = stream.read(struct.calcsize(_SINGLE[inner]) * count)
        return np.frombuffer(data, dtype=_SINGLE[inner], count=count)
    for _ in range(count):
        _value(stream, inner)
    return None
