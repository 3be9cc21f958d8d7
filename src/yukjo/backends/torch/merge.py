"""An adapter added into its base's weights: a Hugging Face folder that any tool can load."""

import shutil
import tempfile
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.lora import Lora, LoraLinear, weight_length
from yukjo.errors import AdapterError
from yukjo.files import move_whole
from yukjo.words import say


def merge(engine: TorchEngine, adapter: str, base: Path, out: Path) -> None:
    """Write the folder `base` to `out` with a loaded adapter in its weights, whole or not at all.

    Weights keep the type they have in `base`: bfloat16 rounds away what is small beside them.
    """
    lora = engine.lora(adapter)
    assert lora
    left = {
        f"{layer.name}.weight": layer for layer in engine.base.layers if layer.name in lora.pairs
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        made = Path(scratch) / "merged"
        shutil.copytree(base, made, ignore=shutil.ignore_patterns("*.safetensors"))
        for file in sorted(base.glob("*.safetensors")):
            tensors = load_file(file)
            for name in tensors.keys() & left.keys():
                tensors[name] = _merged(left.pop(name), lora).to(tensors[name].dtype).contiguous()
            save_file(tensors, made / file.name, metadata={"format": "pt"})
        if left:
            raise AdapterError(
                say("the adapter doesn't fit this base at `{name}`", name=next(iter(left))),
                where=str(base),
                fix=say("use it with the base it was trained on (yukjo.json names it)"),
            )
        move_whole(made, out)


def _merged(layer: LoraLinear, lora: Lora) -> Tensor:
    """W + scale B A in fp32, or with DoRA its rows at their learned length."""
    pair, scale = lora.pairs[layer.name], lora.config.scale
    a, b = pair.a.float(), pair.b.float()
    whole = layer.frozen.dense().float().addmm(b, a, alpha=scale)
    if pair.magnitude is not None:
        whole *= (pair.magnitude / weight_length(layer.frozen, a, b, scale))[:, None]
    return whole
