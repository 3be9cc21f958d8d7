"""A whole project on MLX: run, killed in the middle and gone on with, adapters out and in."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from toys import Yukjo
from yukjo.files import sha256_file
from yukjo.train import events

pytestmark = pytest.mark.mlx

MLX = ("--set", "train.backend=mlx")


@pytest.fixture(autouse=True)
def _no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_DISABLE_COMPILE", "1")


def listed(project: Path, yukjo: Yukjo) -> dict[str, str]:
    found: Any = yukjo("adapter", "list", "-p", project, "--json").json()
    return {a["agent"]: a["id"] for a in found["adapters"]}


def step_losses(run: Path) -> list[dict[str, float]]:
    return [e["losses"] for e in events.read(run / "events.jsonl") if e["event"] == "step"]


def test_the_main_job_trains_what_torch_trains_says_who_did_and_can_be_reproduced(
    project: Path, yukjo: Yukjo
) -> None:
    said = yukjo("run", "-p", project, *MLX, "--json")
    assert said.code in {0, 1}, said.err  # 1 is the gate's no
    assert yukjo("train", "-p", project, "--set", "project.runs=torch").code == 0
    ours, theirs = (step_losses(next((project / d).glob("2*"))) for d in ("runs", "torch"))
    assert len(ours) == len(theirs) > 1
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, rel=2e-4)
    (manifest, *_) = [json.loads(f.read_text()) for f in (project / "runs").glob("adapters/*/y*n")]
    assert manifest["versions"]["backend"] == "mlx"
    assert manifest["versions"]["mlx-lm"]
    entry: Any = said.json()
    assert {m["name"] for a in entry["agents"].values() for m in a["metrics"]} >= {"perplexity"}
    again = yukjo("reproduce", entry["run"], "-p", project)
    assert again.code == 0, again.out + again.err


def test_a_run_whose_worker_is_killed_goes_on_to_the_same_bits(project: Path, yukjo: Yukjo) -> None:
    slow = (*MLX, "--set", "train.checkpoint_every=1", "--set", "train.max_steps=6",
            "--set", "train.batch=1", "--set", "train.accumulate=2")  # fmt: skip
    assert yukjo("train", "-p", project, *slow, "--set", "project.runs=whole").code == 0
    command = [sys.executable, "-m", "yukjo", "train", "-p", str(project), *slow,
               "--set", "project.runs=struck"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        while not any((project / "struck").glob("*/checkpoints/step-*")):
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(worker_of(process.pid), signal.SIGKILL)
        _, words = process.communicate()
    assert process.returncode == 2, words.decode()
    assert "SIGKILL" in words.decode()
    done = yukjo(
        "train", "-p", project, *slow, "--set", "project.runs=struck", "--resume", "latest"
    )
    assert done.code == 0, done.err
    whole, struck = (
        {f.parent.name: sha256_file(f)
         for f in (project / d).glob("2*/adapters/*/adapter_model.safetensors")}
        for d in ("whole", "struck")
    )  # fmt: skip
    assert len(whole) == 2
    assert struck == whole


def worker_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    (worker,) = [c for c in children if b"mlx.inside" in Path(f"/proc/{c}/cmdline").read_bytes()]
    return int(worker)


def test_adapters_go_out_proved_and_what_goes_out_can_come_in(
    project: Path, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert yukjo("train", "-p", project).code == 0
    ids = listed(project, yukjo)
    made = yukjo("adapter", "export", "--format", "mlx", "-p", project)
    assert made.code == 0, made.err
    folders = [Path(line) for line in made.out.split()]
    assert {folder.name for folder in folders} == set(ids.values())
    assert made.err.count("증명됨") == 2
    folder = project / "runs" / "mlx" / ids["rag"]
    came = yukjo("adapter", "import", folder, "--agent", "review", "-p", project, *MLX,
                 "--set", "project.runs=other")  # fmt: skip
    assert came.code == 0, came.err
    assert came.out.strip() == ids["rag"]  # the same numbers are the same adapter
    # A converter that mistakes the scale, as one that takes alpha for it would.
    from yukjo.adapters import mlx

    read = mlx._config
    monkeypatch.setattr(mlx, "_config", lambda *a, **k: read(*a, **k | {"alpha": k["alpha"] * 4}))
    refused = yukjo("adapter", "export", ids["rag"][:8], "--format", "mlx", "-p", project)
    assert refused.code == 2
    assert "1e-04" in refused.err
    assert not (project / "runs" / "mlx" / ids["rag"]).exists()
