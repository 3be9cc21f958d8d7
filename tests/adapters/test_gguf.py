"""A PEFT folder becomes a GGUF-LoRA file that says the same, or is refused by name."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from toys import ALL, Tiny, trainer_on
from yukjo.adapters.base_gguf import convert_base
from yukjo.adapters.gguf import Facts, convert, read_facts
from yukjo.adapters.weights import Weights
from yukjo.errors import AdapterError, ModelError

FAMILIES = ("qwen3", "llama", "gemma3")


@pytest.fixture(scope="module")
def facts(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Facts of a tiny base by family."""
    made: dict[str, Facts] = {}

    def of(family: str) -> Facts:
        if family not in made:
            file = tmp_path_factory.mktemp(family) / "base.gguf"
            convert_base(tiny(family), file, kind="F32")
            made[family] = read_facts(file)
        return made[family]

    return of


@pytest.fixture
def folder(tiny: Tiny, tmp_path: Path) -> Path:
    trainer_on(tiny("llama"), {"a": ALL}).save("a", tmp_path / "a")
    return tmp_path / "a"


def configure(folder: Path, **changes: Any) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def read(data: bytes, tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header values and tensors, as `gguf`'s own reader finds them."""
    (tmp_path / "read.gguf").write_bytes(data)
    reader = gguf.GGUFReader(tmp_path / "read.gguf")
    values = {name: f.contents() for name, f in reader.fields.items()}
    return values, {t.name: np.array(t.data) for t in reader.tensors}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_pair_stands_under_the_name_llama_cpp_knows(
    family: str, facts: Any, tiny: Tiny, tmp_path: Path
) -> None:
    trainer_on(tiny(family), {"a": ALL}).save("a", tmp_path / "a")
    values, tensors = read(convert(tmp_path / "a", facts(family)), tmp_path)
    assert values["general.type"] == "adapter"
    assert values["adapter.type"] == "lora"
    assert values["adapter.lora.alpha"] == 8
    layers = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    assert set(tensors) == {
        f"blk.{n}.{layer}.weight.lora_{side}" for n in range(3) for layer in layers for side in "ab"
    }


def test_rslora_is_written_as_the_alpha_that_gives_its_scale(
    folder: Path, facts: Any, tmp_path: Path
) -> None:
    configure(folder, use_rslora=True)
    values, _ = read(convert(folder, facts("llama")), tmp_path)
    assert values["adapter.lora.alpha"] / 4 == pytest.approx(8 / 4**0.5)


def test_only_q_and_k_of_llama_change_the_order_of_their_rows(
    folder: Path, facts: Any, tmp_path: Path
) -> None:
    _, tensors = read(convert(folder, facts("llama")), tmp_path)
    given = load_file(folder / "adapter_model.safetensors")
    plain = "base_model.model.model.layers.0.self_attn"
    for ours, theirs, heads in (
        ("attn_q", "q_proj", 4),
        ("attn_k", "k_proj", 2),
        ("attn_v", "v_proj", 0),
    ):
        b = given[f"{plain}.{theirs}.lora_B.weight"].numpy()
        found = tensors[f"blk.0.{ours}.weight.lora_b"]
        assert np.array_equal(found, b) == (heads == 0)
        if heads:  # row 1 of a head is the first of its second half
            assert np.array_equal(found[1], b[len(b) // heads // 2])
            assert np.array_equal(found[0], b[0])
        assert np.array_equal(
            tensors[f"blk.0.{ours}.weight.lora_a"], given[f"{plain}.{theirs}.lora_A.weight"].numpy()
        )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 2}}, "rank_pattern"),
        ({"alpha_pattern": {"q_proj": 2}}, "alpha_pattern"),
        ({"lora_bias": True}, "lora_bias"),
        ({"bias": "all"}, "bias=all"),
        ({"bias": "lora_only"}, "bias=lora_only"),
        ({"peft_type": "IA3"}, "peft_type=IA3"),
        ({"trainable_token_indices": [1]}, "trainable_token_indices"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
    ],
)
def test_what_the_format_cannot_say_is_refused_by_name(
    change: dict[str, Any], name: str, folder: Path, facts: Any
) -> None:
    configure(folder, **change)
    with pytest.raises(AdapterError, match=name):
        convert(folder, facts("llama"))


@pytest.mark.parametrize(
    "name",
    [
        "base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector",
        "base_model.model.model.layers.0.self_attn.z_proj.lora_A.weight",
        "base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight",
        "base_model.model.lm_head.weight",
        "model.layers.0.self_attn.q_proj.lora_A.weight",
    ],
)
def test_a_tensor_with_no_place_in_the_base_is_named(name: str, folder: Path, facts: Any) -> None:
    file = folder / "adapter_model.safetensors"
    save_file(load_file(file) | {name: torch.zeros(4, 64)}, file)
    with pytest.raises(AdapterError) as said:
        convert(folder, facts("llama"))
    assert f"`{name}`" in said.value.what


def test_a_half_or_an_odd_shape_is_named(folder: Path, facts: Any) -> None:
    file = folder / "adapter_model.safetensors"
    whole = load_file(file)
    name = "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"
    for spoilt in (
        {k: v for k, v in whole.items() if k != name},
        whole | {name: whole[name][:-1].contiguous()},
        whole | {name: whole[name].T.contiguous()},
    ):
        save_file(spoilt, file)
        with pytest.raises(AdapterError, match=r"ffn_up|up_proj"):
            convert(folder, facts("llama"))
    save_file({}, file)
    with pytest.raises(AdapterError):
        convert(folder, facts("llama"))


def test_an_adapter_of_another_family_is_refused(folder: Path, facts: Any) -> None:
    with pytest.raises(AdapterError):
        convert(folder, facts("gemma3"))


def test_a_damaged_adapter_is_an_error_for_people(folder: Path, facts: Any) -> None:
    whole = (folder / "adapter_model.safetensors").read_bytes()
    for spoilt in (b"", b"{}", whole[:7], whole[:100], whole[:-1], b"\xff" * 64):
        (folder / "adapter_model.safetensors").write_bytes(spoilt)
        with pytest.raises(AdapterError):
            convert(folder, facts("llama"))
    (folder / "adapter_model.safetensors").write_bytes(whole)
    for text in ("", "[]", '{"r": 0, "lora_alpha": 8}', '{"r": 4}', '{"r": 4, "lora_alpha": NaN}'):
        (folder / "adapter_config.json").write_text(text)
        with pytest.raises(AdapterError):
            convert(folder, facts("llama"))


def test_the_header_is_read_as_ggufs_own_reader_reads_it(tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "base.gguf"
    convert_base(tiny("gemma3"), file)
    found, reader = read_facts(file), gguf.GGUFReader(file)
    assert found.architecture == "gemma3"
    assert not found.exact
    assert found.shapes == {t.name: tuple(int(n) for n in t.shape[::-1]) for t in reader.tensors}
    for name, value in found.settings.items():
        if value is not None:
            assert reader.fields[f"gemma3.{name}"].contents() == value


def test_a_file_that_is_no_gguf_is_an_error_for_people(tmp_path: Path, tiny: Tiny) -> None:
    whole = tmp_path / "whole.gguf"
    convert_base(tiny("qwen3"), whole)
    data, file = whole.read_bytes(), tmp_path / "x.gguf"
    for spoilt in (b"", b"GGUF", data[:40], data[:2000], b"PK" + data[2:], b"GGUF" + b"\xff" * 99):
        file.write_bytes(spoilt)
        with pytest.raises(ModelError, match="GGUF"):
            read_facts(file)
    with pytest.raises(ModelError):
        read_facts(tmp_path / "missing.gguf")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_are_read_as_safetensors_reads_them(dtype: torch.dtype, tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    given = {"a": torch.randn(3, 5, generator=draw).to(dtype), "b": torch.zeros(0, 2, dtype=dtype)}
    save_file(given, tmp_path / "x.safetensors", metadata={"format": "pt"})
    found = Weights(tmp_path / "x.safetensors")
    assert set(found) == {"a", "b"}
    for name, tensor in given.items():
        assert found[name].dtype == np.float32
        assert torch.equal(torch.from_numpy(np.array(found[name])), tensor.float())


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "mamba"},
        {"attention_bias": True},
        {"query_pre_attn_scalar": 99},
        {"layer_types": ["full_attention"] * 3},
        {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}},
        {"num_hidden_layers": 2},
    ],
    ids=str,
)
def test_a_base_that_llama_cpp_would_compute_otherwise_is_refused(
    change: dict[str, Any], tiny: Tiny, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for file in tiny("gemma3").iterdir():
        (base / file.name).write_bytes(file.read_bytes())
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ModelError, match=str(base)):
        convert_base(base, tmp_path / "out" / "base.gguf")
    assert not list((tmp_path / "out").glob("*"))
