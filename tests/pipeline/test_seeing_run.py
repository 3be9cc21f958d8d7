"""The main job on a base that sees: samples about images from the check to the report."""

import json
from pathlib import Path
from typing import Any

import pytest

from seeing import draw
from toys import Tiny, Yukjo

SETTINGS = """
agents = ["review"]
[base]
model = "{base}"
dtype = "float32"
[data]
files = ["slips.jsonl"]
valid = 0.2
test = 0.4
[lora]
rank = 4
vision_layers = 9
targets = ["q_proj", "v_proj", "qkv", "proj", "linear_fc1", "linear_fc2"]
[train]
epochs = 1
batch = 4
accumulate = 1
learning_rate = 1e-2
evaluate_every = 1
checkpoint_every = 2
threads = 1
[evaluate]
cases = 3
repeats = 0
max_tokens = 8
resamples = 100
baseline_cases = 1
"""


@pytest.fixture
def slips(tiny: Tiny, tmp_path: Path) -> Path:
    """Sixteen images with two fields each."""
    folder = tmp_path / "slips"
    (folder / "images").mkdir(parents=True)
    rows = []
    for n in range(16):
        draw(folder / "images" / f"{n}.png", (16, 24), seed=n)
        rows.append({"images": [f"images/{n}.png"], "instruction": "읽어 주세요.", "id": f"s{n}",
                     "output": f"부서: {'세무과' if n % 2 else '환경과'}\n금액: {n},300원",
                     "agent_type": "review"})  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "slips.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "yukjo.toml").write_text(SETTINGS.format(base=tiny("qwen3_vl")), encoding="utf-8")
    return folder


FIELDS = {"field_accuracy", "item_accuracy", "cer", "cer_without_spaces", "anls"}


def test_a_project_of_images_is_checked_trained_measured_and_reported(
    slips: Path, yukjo: Yukjo
) -> None:
    assert yukjo("data", "check", slips / "slips.jsonl").code == 0
    said = yukjo("run", "-p", slips, "--json")
    assert said.code == 0, said.err
    document: Any = said.json()
    found = {m["name"]: m for m in document["agents"]["review"]["metrics"]}
    assert FIELDS | {"perplexity", "chrf"} <= found.keys()
    assert found["cer"]["n"] == 3
    assert found["perplexity"]["after"] != found["perplexity"]["before"]
    (run,) = [p.parent for p in (slips / "runs").glob("*/plan.json")]
    manifest = json.loads((run / "adapters" / "review" / "yukjo.json").read_text())
    assert manifest["effect"]["change"] > 0
    assert (run / "report.html").stat().st_size > 0
    assert yukjo("evaluate", "-p", slips, "--rescore", "latest").code == 0
    asked = yukjo("ask", "review", "읽어 주세요.", "--image", slips / "images" / "1.png",
                  "-p", slips, "--json")  # fmt: skip
    assert asked.code == 0, asked.err
    assert asked.json()["adapter"] == manifest["id"]

    draw(slips / "images" / "0.png", (16, 24), seed=99)  # the data file stays as it is
    for command in (["train", "--resume", run.name], ["reproduce", run.name]):
        said = yukjo(*command, "-p", slips)
        assert said.code == 2, said.err
    assert "이미지" in said.err


def test_images_for_a_base_that_sees_none_end_the_run_with_what_to_do(
    slips: Path, yukjo: Yukjo, tiny: Tiny
) -> None:
    said = yukjo("run", "-p", slips, "--set", f"base.model={tiny('qwen3')}")
    assert said.code == 2
    assert "Qwen3-VL" in said.err
