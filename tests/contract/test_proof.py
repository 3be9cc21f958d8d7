"""What llama.cpp makes of a derived adapter, against transformers + PEFT and our own oracle."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from speaking import prompt
from yukjo.adapters.base_gguf import convert_base
from yukjo.adapters.prove import EXACT, QUANTISED, derive, numbers, prove, refuse_unproved
from yukjo.engines.llama_cpp.model import Model
from yukjo.engines.llama_cpp.speaker import LlamaCppSpeaker
from yukjo.errors import AdapterError
from yukjo.files import sha256_file
from yukjo.records import Proof

Place = Any
PROMPTS = [prompt(30), prompt(90, seed=1), prompt(130, seed=2)]


def log_shares(logits: Any) -> Any:
    rows = np.array(logits, dtype=np.float64)
    rows -= rows.max(-1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(-1, keepdims=True))


def kl(true: Any, other: Any) -> float:
    true, other = log_shares(true), log_shares(other)
    return float((np.exp(true) * (true - other)).sum(-1).mean())


def peft_logits(base: Path, adapter: Path) -> list[list[float]]:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, attn_implementation="eager"
    )
    model = PeftModel.from_pretrained(plain, adapter).eval()
    with torch.no_grad():
        return [model(torch.tensor([p])).logits[0, -1].tolist() for p in PROMPTS]


def test_on_a_base_in_f32_its_answers_are_those_of_transformers_and_peft(place: Place) -> None:
    with place.llama_cpp() as speaker:
        for adapter, folder in place.adapters.items():
            speaker.load(adapter, folder)
            found = speaker.next_logits(adapter, PROMPTS)
            true = peft_logits(place.base, folder)
            assert kl(true, found) <= 1e-5
            assert [np.argmax(row) for row in found] == [np.argmax(row) for row in true]
            assert kl(true, speaker.next_logits("", PROMPTS)) > 1e-2


def proof_of(place: Place, file: Path, adapter: str, limits: Any = EXACT) -> Proof:
    engine = place.engine()
    with place.llama_cpp() as speaker:
        speaker.load_file(adapter, file)
        return prove(
            engine, speaker, PROMPTS,
            adapter=adapter, gguf=speaker.gguf_hash, file=sha256_file(file), limits=limits,
        )  # fmt: skip


def test_a_sound_adapter_is_proved_with_room_to_spare(place: Place, tmp_path: Path) -> None:
    for adapter, folder in place.adapters.items():
        copy = copytree(folder, tmp_path / adapter)  # deriving takes a proof away
        file, limits = derive(copy, gguf=place.gguf)
        proof = proof_of(place, file, adapter, limits)
        assert limits == EXACT
        assert proof.holds, numbers(proof)
        assert proof.kl < 1e-5
        assert proof.error < 0.01


Change = Callable[[dict[str, Any], dict[str, torch.Tensor]], None]


def zero(_: Any, tensors: dict[str, torch.Tensor]) -> None:
    for name, tensor in tensors.items():
        if "lora_B" in name:
            tensor.zero_()


def half(config: dict[str, Any], _: Any) -> None:
    config["lora_alpha"] /= 2


def not_rs(config: dict[str, Any], _: Any) -> None:
    config["use_rslora"] = not config.get("use_rslora")


def without_a_layer(_: Any, tensors: dict[str, torch.Tensor]) -> None:
    for name in [n for n in tensors if ".layers.1." in n and ".q_proj." in n]:
        del tensors[name]


def swapped(_: Any, tensors: dict[str, torch.Tensor]) -> None:
    for name in [n for n in tensors if ".layers.0.self_attn.q_proj" in n]:
        other = name.replace("layers.0", "layers.2")
        tensors[name], tensors[other] = tensors[other], tensors[name]


@pytest.mark.parametrize("change", [zero, half, not_rs, without_a_layer, swapped])
def test_a_file_that_is_not_quite_the_adapter_is_refused_with_the_numbers(
    change: Change, place: Place, tmp_path: Path
) -> None:
    adapter, folder = next(iter(place.adapters.items()))
    file = changed(folder, tmp_path / "changed", change, place.gguf)
    proof = proof_of(place, file, adapter)
    assert not proof.holds
    with pytest.raises(AdapterError, match=f"{proof.error:.3f}"):
        refuse_unproved(proof)


def test_without_the_permutation_of_llama_it_is_refused(places: Any, tmp_path: Path) -> None:
    """A converter that forgets it passes on every other family."""
    place = places("llama")
    adapter, folder = next(iter(place.adapters.items()))

    def unordered(_: Any, tensors: dict[str, torch.Tensor]) -> None:
        for name, b in tensors.items():
            if name.endswith("q_proj.lora_B.weight"):
                heads = b.reshape(4, 8, 2, -1)  # so that the converter's own order undoes this
                tensors[name] = heads.transpose(1, 2).reshape(b.shape).contiguous()

    file = changed(folder, tmp_path / "changed", unordered, place.gguf)
    assert not proof_of(place, file, adapter).holds


def changed(folder: Path, to: Path, change: Change, gguf: Path) -> Path:
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    change(config, tensors)
    to.mkdir()
    save_file(tensors, to / "adapter_model.safetensors")
    (to / "adapter_config.json").write_text(json.dumps(config))
    return derive(to, gguf=gguf)[0]


def test_a_gguf_of_another_base_is_refused(place: Place, tmp_path: Path) -> None:
    """The same sizes and names, and weights that were trained otherwise."""
    other = tmp_path / "base"
    other.mkdir()
    for file in place.base.iterdir():
        if file.suffix == ".json":
            (other / file.name).write_bytes(file.read_bytes())
    tensors = load_file(place.base / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"] *= torch.rand(128, 1) + 0.5
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    convert_base(other, tmp_path / "other.gguf", kind="F32")
    adapter, folder = next(iter(place.adapters.items()))
    copy = changed(folder, tmp_path / "same", lambda *_: None, tmp_path / "other.gguf")
    engine = place.engine()
    with LlamaCppSpeaker(
        Model(tmp_path / "other.gguf"), base_hash=engine.base_hash, decode=engine.tokenizer.decode,
        slots=1, context=256, threads=1, state_mb=8,
    ) as speaker:  # fmt: skip
        speaker.load_file(adapter, copy)
        proof = prove(engine, speaker, PROMPTS, adapter=adapter, gguf="", file="", limits=EXACT)
    assert proof.kl_base > proof.most_kl
    assert not proof.holds


def test_a_base_in_q8_0_is_proved_within_the_limits_of_quantised_ones(
    place: Place, tmp_path: Path
) -> None:
    gguf = tmp_path / "base.gguf"
    convert_base(place.base, gguf)
    assert gguf.stat().st_size < 0.4 * place.gguf.stat().st_size
    engine = place.engine()
    with LlamaCppSpeaker(
        Model(gguf), base_hash=engine.base_hash, decode=engine.tokenizer.decode,
        slots=1, context=256, threads=1, state_mb=8,
    ) as speaker:  # fmt: skip
        for number, (adapter, folder) in enumerate(place.adapters.items()):
            file = changed(folder, tmp_path / str(number), lambda *_: None, gguf)
            speaker.load_file(adapter, file)
            proof = prove(
                engine, speaker, PROMPTS, adapter=adapter, gguf="", file="", limits=QUANTISED
            )
            assert proof.holds, numbers(proof)
        broken = changed(folder, tmp_path / "zero", zero, gguf)
        speaker.load_file("0", broken)
        engine.adapters["0"] = engine.adapters[adapter]
        proof = prove(engine, speaker, PROMPTS, adapter="0", gguf="", file="", limits=QUANTISED)
        assert not proof.holds
        assert proof.error == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("spoilt", ["kl", "kl_base", "error"])
def test_a_proof_with_numbers_that_are_none_does_not_hold(spoilt: str) -> None:
    sound = {
        "adapter": "a", "base_hash": "b", "gguf": "g", "file": "f", "positions": 1, "kl": 0.0,
        "kl_base": 0.0, "effect": 1.0, "error": 0.0, "most_kl": 1.0, "most_error": 1.0,
    }  # fmt: skip
    assert Proof.model_validate(sound).holds
    assert not Proof.model_validate(sound | {spoilt: float("nan")}).holds
