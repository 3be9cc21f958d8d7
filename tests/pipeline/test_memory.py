"""Memory as a user meets it: doctor, a line that is too low, and going on under a higher one."""

import json
from pathlib import Path
from typing import Any

import pytest

from toys import Yukjo


def training(document: Any) -> dict[str, Any]:
    (found,) = [f for f in document["findings"] if f["name"] == "training"]
    return dict(found)


def test_doctor_tells_what_training_will_take(project: Path, yukjo: Yukjo) -> None:
    said = yukjo("doctor", "-p", project, "--json")
    assert said.code == 0, said.err
    document: Any = said.json()
    assert {"processor", "memory", "disk", "torch", "base", "training"} <= {
        f["name"] for f in document["findings"]
    }
    figures = training(document)["figures"]
    assert figures["low_mb"] < figures["expected_mb"] < figures["high_mb"]
    assert sum(figures["parts"].values()) == pytest.approx(figures["expected_mb"])
    assert "process" in yukjo("doctor", "-p", project).out


def test_doctor_leaves_with_1_where_the_line_is_too_low_or_the_project_broken(
    project: Path, yukjo: Yukjo
) -> None:
    low = yukjo("doctor", "-p", project, "--json", "--set", "train.memory_limit_gb=0.05")
    assert low.code == 1
    assert training(low.json())["level"] == "error"
    broken = yukjo("doctor", "-p", project, "--set", "lora.targets=['q']")
    assert broken.code == 1
    assert "q_proj" in broken.out


def test_doctor_looks_at_the_rest_where_torch_is_missing(
    project: Path, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    known = metadata.version

    def version(name: str) -> str:
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(metadata, "version", version)
    said = yukjo("doctor", "-p", project, "--json")
    assert said.code == 1
    document: Any = said.json()
    levels = {f["name"]: f["level"] for f in document["findings"]}
    assert levels["torch"] == "error"
    assert levels["memory"] == "ok"
    assert "training" not in levels


def test_a_run_that_would_cross_its_line_ends_with_1_and_goes_on_under_a_higher_one(
    project: Path, yukjo: Yukjo
) -> None:
    said = yukjo("train", "-p", project, "--set", "train.memory_limit_gb=0.05")
    assert said.code == 1
    assert "memory_limit_gb" in said.err
    assert "--resume" in said.err
    assert yukjo("train", "-p", project, "--resume", "latest").code == 0
    listed: Any = yukjo("ledger", "export", "--format", "jsonl", "-p", project).out
    memory = json.loads(listed.splitlines()[-1])["body"]["train"]["memory"]
    assert memory["limit_gb"] == 20
    assert memory["actual_mb"] > 0
    assert memory["error"] == pytest.approx(
        memory["forecast_mb"]["expected"] / memory["actual_mb"] - 1, abs=1e-3
    )
