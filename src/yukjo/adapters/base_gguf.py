"""A Hugging Face folder as a GGUF for llama.cpp: Llama, Qwen3 and Gemma 3, `gguf` and numpy only.

Our tokenizer stays the folder's own; the vocabulary is written so that llama.cpp knows each
token's bytes, which a JSON grammar needs. What isn't understood is refused by name.
"""

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from yukjo.adapters.gguf import interleaved, name_map
from yukjo.adapters.weights import Array, Weights
from yukjo.errors import ModelError
from yukjo.words import say

Kind = Literal["F32", "F16", "Q8_0"]
_ARCHITECTURES = {
    "llama": "llama", "qwen3": "qwen3", "gemma3_text": "gemma3", "gemma3": "gemma3",
}  # fmt: skip
_BLOCK = 32
"""Weights that share a scale in Q8_0."""
_GLOBAL_EVERY, _LOCAL_THETA = 6, 10_000.0
"""Of Gemma 3: each sixth layer sees the whole context; the others turn positions by this base."""
_NORMAL, _CONTROL, _USER, _UNUSED, _BYTE = 1, 3, 4, 5, 6


def convert_base(folder: Path, file: Path, *, kind: Kind = "Q8_0") -> None:
    """Write the model of `folder` to `file`, whole or not at all.

    Q8_0 takes a quarter of fp32's memory and is all but exact; norms stay fp32.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = config.get("text_config", config) | {"model_type": config["model_type"]}
        _refuse_unknown(config)
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as scratch:
            made = Path(scratch) / "base.gguf"
            _write(folder, config, made, kind)
            made.replace(file)
    except (OSError, ValueError, KeyError) as fault:
        raise ModelError(
            say("the base can't be written as GGUF: {fault}", fault=fault),
            where=str(folder),
            fix=say("name its GGUF in [serve] gguf"),
        ) from fault


def _refuse_unknown(config: Mapping[str, Any]) -> None:
    """ValueError for what would be computed otherwise in llama.cpp than in transformers."""
    if config["model_type"] not in _ARCHITECTURES:
        raise ValueError(f"model_type {config['model_type']}")
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    if config.get("query_pre_attn_scalar", head) != head:
        raise ValueError("query_pre_attn_scalar")
    for name in ("attention_bias", "mlp_bias", "attn_logit_softcapping", "use_sliding_window"):
        if config.get(name):
            raise ValueError(name)
    if config["model_type"].startswith("gemma"):
        _refuse_unknown_windows(config)


def _refuse_unknown_windows(config: Mapping[str, Any]) -> None:
    """ValueError where Gemma 3's local layers aren't those that llama.cpp takes for granted."""
    every = ["full" if layer % _GLOBAL_EVERY == 0 else "sliding"
             for layer in range(1, config["num_hidden_layers"] + 1)]  # fmt: skip
    if config.get("layer_types", [f"{kind}_attention" for kind in every]) != [
        f"{kind}_attention" for kind in every
    ]:
        raise ValueError("layer_types")
    local = (config.get("rope_parameters") or {}).get("sliding_attention", {})
    theta = local.get("rope_theta", config.get("rope_local_base_freq", _LOCAL_THETA))
    if theta != _LOCAL_THETA or local.get("rope_type", "default") != "default":
        raise ValueError("rope_parameters.sliding_attention")


def _write(folder: Path, config: Mapping[str, Any], file: Path, kind: Kind) -> None:
    import gguf

    writer = gguf.GGUFWriter(file, _ARCHITECTURES[config["model_type"]], use_temp_file=True)
    _write_settings(writer, config)
    _write_vocabulary(writer, folder, config)
    wanted = gguf.GGMLQuantizationType[kind]
    for name, tensor in _tensors(folder, config):
        fits = tensor.ndim > 1 and (kind != "Q8_0" or tensor.shape[-1] % _BLOCK == 0)
        stored = wanted if fits else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(tensor, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_settings(writer: Any, config: Mapping[str, Any]) -> None:
    heads, width = config["num_attention_heads"], config["hidden_size"]
    head = config.get("head_dim") or width // heads
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_rope_freq_base(_rope(config)["rope_theta"])
    if config["model_type"].startswith("gemma"):
        writer.add_sliding_window(config["sliding_window"])
        if cap := config.get("final_logit_softcapping"):
            writer.add_final_logit_softcapping(cap)
    kind = _rope(config).get("rope_type", "default")
    if kind == "linear":
        import gguf

        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(_rope(config)["factor"])
    elif kind not in {"default", "llama3"}:
        raise ValueError(f"rope_type {kind}")


def _rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """How positions turn, over transformers' spellings; of Gemma 3 that of its global layers."""
    given = config.get("rope_parameters") or config.get("rope_scaling") or {}
    given = given.get("full_attention", given)
    rope: dict[str, Any] = {"rope_theta": config.get("rope_theta", 10_000.0)} | given
    return rope


def _tensors(folder: Path, config: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """GGUF name and tensor, as llama.cpp wants it, of all that the text model holds."""
    architecture = _ARCHITECTURES[config["model_type"]]
    names = name_map(architecture, config["num_hidden_layers"])
    counts = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    files = sorted(folder.glob("*.safetensors"))
    for weights in map(Weights, files):
        for name in weights:
            plain = name.replace("model.language_model.", "model.").removeprefix("language_model.")
            if plain.startswith(("model.vision", "vision_tower.", "multi_modal_projector.")):
                continue
            if plain == "lm_head.weight" and config.get("tie_word_embeddings"):
                continue
            tensor, known = weights[name], names.get_name(plain, (".weight",))
            if known is None:
                raise ValueError(name)
            kind = known.rpartition(".")[0].rpartition(".")[2]
            if architecture == "llama" and kind in counts:
                tensor = interleaved(tensor, counts[kind])
            if architecture == "gemma3" and plain.endswith("norm.weight"):
                tensor = tensor + np.float32(1)  # its norms multiply by 1 + weight
            yield known, np.ascontiguousarray(tensor)
    if _rope(config).get("rope_type") == "llama3":
        yield "rope_freqs.weight", _stretched(config)


def _stretched(config: Mapping[str, Any]) -> Array:
    """By how much Llama 3.1 slows each frequency [head / 2] (its release's rope scaling)."""
    rope = _rope(config)
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    turns = rope["rope_theta"] ** (-np.arange(0, head, 2, dtype=np.float64) / head)
    # Whole turns of each frequency within the context it was first trained on.
    whole = rope["original_max_position_embeddings"] * turns / (2 * math.pi)
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    smooth = np.clip((whole - low) / (high - low), 0, 1)
    slowed: Array = (1 / ((1 - smooth) / rope["factor"] + smooth)).astype(np.float32)
    return slowed


def _write_vocabulary(writer: Any, folder: Path, config: Mapping[str, Any]) -> None:
    """Every token with its spelling and kind; for spelling, not for tokenising."""
    given = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    model, pieces = given["model"], bool(given["model"].get("byte_fallback"))
    tokens = {number: text for text, number in model["vocab"].items()}
    kinds = {n: _BYTE if pieces and _is_byte(text) else _NORMAL for n, text in tokens.items()}
    for added in given.get("added_tokens", ()):
        tokens[added["id"]] = added["content"]
        kinds[added["id"]] = _CONTROL if added["special"] else _USER
    every = range(config["vocab_size"])
    writer.add_tokenizer_model("llama" if pieces else "gpt2")
    writer.add_token_list([tokens.get(n, f"<unused {n}>") for n in every])
    writer.add_token_types([kinds.get(n, _UNUSED) for n in every])
    if pieces:
        writer.add_token_scores([0.0] * len(every))
    else:
        writer.add_tokenizer_pre("default")
        merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
        writer.add_token_merges(merges or [" ".join((tokens[0], tokens[1]))])
    writer.add_add_bos_token(value=False)
    for name in ("bos", "eos"):
        number = config.get(f"{name}_token_id")
        if isinstance(number, list):
            number = number[0]
        if number is not None:
            getattr(writer, f"add_{name}_token_id")(number)


def _is_byte(text: str) -> bool:
    return len(text) == len("<0x00>") and text.startswith("<0x") and text.endswith(">")
