"""A PEFT folder becomes an MLX one and comes back the same, or is refused by name."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from yukjo.adapters.mlx import read_foreign, write_mlx, write_peft
from yukjo.errors import AdapterError
from yukjo.files import sha256_file

LAYERS = ("model.layers.0.self_attn.q_proj", "model.layers.2.mlp.down_proj")
VISION = "model.language_model.layers.1.self_attn.v_proj"


def peft(folder: Path, layers: tuple[str, ...] = LAYERS, **changes: Any) -> Path:
    draw = np.random.default_rng(0)
    tensors = {}
    for layer in layers:
        name = f"base_model.model.{layer}"
        tensors[f"{name}.lora_A.weight"] = draw.standard_normal((4, 6), dtype=np.float32)
        tensors[f"{name}.lora_B.weight"] = draw.standard_normal((8, 4), dtype=np.float32)
    config = {
        "peft_type": "LORA", "r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "bias": "none",
        "target_modules": ["q_proj", "down_proj"],
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    (folder / "adapter_config.json").write_text(json.dumps(config | changes))
    return folder


def mlx(folder: Path, tensors: dict[str, Any], **changes: Any) -> Path:
    given = {"rank": 4, "scale": 20.0, "dropout": 0.0}
    config = {"fine_tune_type": "lora", "num_layers": 2, "lora_parameters": given} | changes
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "adapters.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def pair(layer: str, rank: int = 4) -> dict[str, Any]:
    return {f"{layer}.lora_a": np.ones((6, rank), np.float32),
            f"{layer}.lora_b": np.ones((rank, 8), np.float32)}  # fmt: skip


def test_weights_are_turned_and_scale_and_layers_are_written_out(tmp_path: Path) -> None:
    source = peft(tmp_path / "peft", use_rslora=True)
    write_mlx(source, tmp_path / "mlx")
    given = json.loads((tmp_path / "mlx" / "adapter_config.json").read_text())
    assert given == {
        "fine_tune_type": "lora", "num_layers": -1,
        "lora_parameters": {"rank": 4, "scale": 4.0, "dropout": 0.1, "keys": sorted(LAYERS)},
    }  # fmt: skip
    ours = load_file(tmp_path / "mlx" / "adapters.safetensors")
    theirs = load_file(source / "adapter_model.safetensors")
    for layer in LAYERS:
        for half in "AB":
            turned = theirs[f"base_model.model.{layer}.lora_{half}.weight"].T
            assert np.array_equal(ours[f"{layer}.lora_{half.lower()}"], turned)


def test_what_goes_over_and_comes_back_is_the_same_to_the_bit(tmp_path: Path) -> None:
    source = peft(tmp_path / "peft", (*LAYERS, VISION))
    write_mlx(source, tmp_path / "mlx")
    assert "language_model.model.layers.1.self_attn.v_proj.lora_a" in load_file(
        tmp_path / "mlx" / "adapters.safetensors"
    )
    found = read_foreign(tmp_path / "mlx")
    write_peft(found, tmp_path / "back", base="base")
    assert (found.format, found.config.alpha, found.config.dropout) == ("mlx", 8, 0.1)
    assert set(found.config.targets) == {"q_proj", "down_proj", "v_proj"}
    assert sha256_file(tmp_path / "back" / "adapter_model.safetensors") == sha256_file(
        source / "adapter_model.safetensors"
    )


def test_mlx_lms_own_scale_becomes_the_alpha_that_means_it(tmp_path: Path) -> None:
    found = read_foreign(mlx(tmp_path / "mlx", pair(LAYERS[0])))
    assert (found.config.rank, found.config.alpha, found.config.scale) == (4, 80, 20)
    assert found.said["num_layers"] == 2


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"use_dora": True}, "use_dora"), ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 2}}, "rank_pattern"),
        ({"alpha_pattern": {"q_proj": 2}}, "alpha_pattern"), ({"bias": "all"}, "bias=all"),
        ({"peft_type": "IA3"}, "peft_type=IA3"), ({"r": 3}, "lora_A"),
    ],
)  # fmt: skip
def test_a_peft_adapter_that_is_more_than_lora_is_refused_both_ways(
    change: dict[str, Any], name: str, tmp_path: Path
) -> None:
    source = peft(tmp_path / "peft", **change)
    with pytest.raises(AdapterError, match=name):
        write_mlx(source, tmp_path / "mlx")
    with pytest.raises(AdapterError, match=name):
        read_foreign(source)
    assert not (tmp_path / "mlx").exists()


@pytest.mark.parametrize(
    ("tensors", "change", "name"),
    [
        (pair(LAYERS[0]), {"fine_tune_type": "dora"}, "fine_tune_type=dora"),
        (pair(LAYERS[0]), {"fine_tune_type": "full"}, "fine_tune_type=full"),
        (pair(LAYERS[0]) | {f"{LAYERS[0]}.m": np.ones(8, np.float32)}, {}, "q_proj.m"),
        (pair("model.embed_tokens"), {}, "embed_tokens"), (pair("lm_head"), {}, "lm_head"),
        (pair(LAYERS[0], rank=3), {}, "q_proj"), ({}, {}, "."),
        ({f"{LAYERS[0]}.lora_a": np.ones((6, 4), np.float32)}, {}, "q_proj"),
        (pair(LAYERS[0]), {"lora_parameters": {"rank": 4}}, "scale"),
        (pair(LAYERS[0]), {"lora_parameters": [1]}, "MLX"),
        (pair(LAYERS[0]), {"lora_parameters": {"rank": 4, "scale": -1.0}}, "0"),
    ],
)  # fmt: skip
def test_an_mlx_adapter_that_is_no_lora_of_ours_is_refused_by_name(
    tensors: dict[str, Any], change: dict[str, Any], name: str, tmp_path: Path
) -> None:
    with pytest.raises(AdapterError, match=name):
        read_foreign(mlx(tmp_path / "mlx", tensors, **change))


def test_a_damaged_or_missing_folder_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="PEFT"):
        read_foreign(tmp_path)
    place = mlx(tmp_path / "mlx", pair(LAYERS[0]))
    (place / "adapters.safetensors").write_bytes(b"\x08")
    with pytest.raises(AdapterError, match="MLX"):
        read_foreign(place)
