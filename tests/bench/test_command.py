"""The command itself: real processes on a tiny model, in the environment the tests run in."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from toys import Tiny, Yukjo

SMALL = ("--here", "--rounds", 1, "--steps", 1, "--samples", 8)


def test_yukjo_and_two_peers_train_the_same_samples_to_the_same_loss(
    project: Path, yukjo: Yukjo, tmp_path: Path
) -> None:
    said = yukjo("bench", "train", "-p", project, *SMALL, "--json",
                 "--only", "seed-script", "--only", "hf-bf16",
                 "--markdown", tmp_path / "table.md")  # fmt: skip
    assert said.code == 0, said.err
    made: Any = said.json()
    assert made["left_out"] == []
    systems = {s["name"]: s for s in made["systems"]}
    assert set(systems) == {"yukjo", "seed script", "hf bf16"}
    # Yukjo and the seed's script are both in fp32 here; B starts at zero, so before the first
    # update even the random A don't matter.
    assert systems["yukjo"]["losses"][0] == pytest.approx(
        systems["seed script"]["losses"][0], abs=1e-3
    )
    assert systems["hf bf16"]["losses"][0] == pytest.approx(systems["yukjo"]["losses"][0], abs=0.05)
    for system in made["systems"]:
        assert system["peak_memory_mb"] > 100
        assert system["tokens_per_s"] > system["learned_tokens_per_s"] > 0
    assert made["ratio_seed_script"] > 0
    assert made["best_peer"] == "hf bf16"
    assert 0 < made["ceiling_share"] < 1
    assert made["ceiling_gflops"] > 0
    assert "| seed script |" in (tmp_path / "table.md").read_text(encoding="utf-8")


def test_a_peer_that_fails_is_shown_and_survived(project: Path, yukjo: Yukjo) -> None:
    """LLaMA-Factory isn't among the tests' packages."""
    said = yukjo("bench", "train", "-p", project, *SMALL, "--only", "llama-factory")
    assert said.code == 0, said.err
    assert re.search(r"제외: llama-factory \(ModuleNotFoundError: .*\)", said.out)
    assert "yukjo" in said.out


def test_the_answer_is_no_where_yukjo_itself_fails(
    project: Path, yukjo: Yukjo, tiny: Tiny, tmp_path: Path
) -> None:
    """The base's tokenizer and sizes are there; its weights are not."""
    broken = shutil.copytree(tiny("llama"), tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not weights")
    settings = (project / "yukjo.toml").read_text(encoding="utf-8")
    (project / "yukjo.toml").write_text(
        settings.replace(str(tiny("llama")), str(broken)), encoding="utf-8"
    )
    said = yukjo("bench", "train", "-p", project, *SMALL, "--only", "llama-factory")
    assert said.code == 1
    assert "제외: yukjo" in said.out


def test_a_system_nobody_knows_is_refused_with_those_known(project: Path, yukjo: Yukjo) -> None:
    said = yukjo("bench", "train", "-p", project, "--only", "hf-fp8")
    assert said.code == 2
    assert "hf-bf16" in said.err
