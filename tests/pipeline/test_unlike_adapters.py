"""Agents of their own settings, sweeps, early stopping and advice, as a user calls them."""

import json
from pathlib import Path
from typing import Any

import pytest

from toys import Said, Yukjo
from yukjo.words import speak

OWN = """
[agent.rag.lora]
rank = 3
targets = ["k_proj", "up_proj"]
[agent.rag.train]
learning_rate = 3e-3
epochs = 2
"""
SWEEP = ("--sweep", "lr=1e-3,1e-1", "--sweep", "rank=2,4")


def manifests(project: Path) -> dict[str, dict[str, Any]]:
    """The adapters of the newest run by agent."""
    run = max((project / "runs").glob("*/plan.json")).parent
    made = [json.loads(f.read_text()) for f in (run / "adapters").glob("*/yukjo.json")]
    return {one["agent"]: one for one in made}


def record(project: Path, yukjo: Yukjo) -> Any:
    """The body of the newest entry of a run."""
    lines = yukjo("ledger", "export", "--format", "jsonl", "-p", project).out.splitlines()
    return [e["body"] for e in map(json.loads, lines) if e["kind"] in {"run", "train"}][-1]


def trained(yukjo: Yukjo, project: Path, *arguments: str) -> Said:
    said = yukjo("--lang", "en", "train", "-p", project, *arguments)
    speak("ko")  # a process of its own would
    assert said.code == 0, said.err
    return said


def test_an_agent_of_its_own_settings_is_the_same_file_alone_and_beside_others(
    project: Path, yukjo: Yukjo
) -> None:
    with (project / "yukjo.toml").open("a", encoding="utf-8") as file:
        file.write(OWN)
    trained(yukjo, project)
    both = manifests(project)
    assert both["rag"]["recipe"]["lora"]["rank"] == 3
    assert both["rag"]["recipe"]["train"]["epochs"] == 2
    assert both["rag"]["recipe"]["train"]["pack_tokens"] == 2048
    assert both["review"]["recipe"]["lora"]["rank"] == 4
    assert both["rag"]["steps"] > both["review"]["steps"]
    for agent, one in both.items():
        trained(yukjo, project, "--agent", agent)
        assert manifests(project)[agent]["id"] == one["id"]


def test_the_chosen_sibling_is_kept_as_the_agents_adapter_and_is_what_it_is_alone(
    project: Path, yukjo: Yukjo
) -> None:
    said = trained(yukjo, project, *SWEEP)
    rows = record(project, yukjo)["sweep"]
    assert len(rows) == 8
    for agent, manifest in manifests(project).items():
        own = [row for row in rows if row["agent"] == agent]
        (winner,) = [row for row in own if row["chosen"]]
        assert winner["valid_loss"] == min(row["valid_loss"] for row in own)
        assert manifest["recipe"]["sweep"] == winner["setting"]
        assert manifest["recipe"]["lora"]["rank"] == winner["setting"]["rank"]
        assert manifest["recipe"]["train"]["learning_rate"] == winner["setting"]["learning_rate"]
        assert (manifest["valid_loss"], manifest["best_step"]) == (
            winner["valid_loss"], winner["best_step"],
        )  # fmt: skip
        for row in own:
            setting = ",".join(f"{name}={value}" for name, value in row["setting"].items())
            (line,) = [x for x in said.err.splitlines() if f"{agent}  {setting}" in x]
            assert f"{row['valid_loss']:.4f} at step {row['best_step']}" in line
            assert line.startswith("*") == row["chosen"]
        rank = f"lora.rank={winner['setting']['rank']}"
        rate = f"agent.{agent}.train.learning_rate={winner['setting']['learning_rate']}"
        trained(yukjo, project, "--agent", agent, "--set", rank, "--set", rate)
        assert manifests(project)[agent]["id"] == manifest["id"]


def test_a_sweep_goes_on_with_the_same_sweep_and_no_other(project: Path, yukjo: Yukjo) -> None:
    trained(yukjo, project, *SWEEP)
    kept = manifests(project)
    trained(yukjo, project, *SWEEP, "--resume", "latest")
    assert manifests(project) == kept
    other = yukjo("train", "-p", project, *SWEEP[:2], "--resume", "latest")
    assert other.code == 2
    assert "다른 설정" in other.err


def test_the_main_job_measures_what_its_sweep_chose(project: Path, yukjo: Yukjo) -> None:
    assert yukjo("run", "-p", project, "--agent", "rag", *SWEEP[:2]).code == 2  # no such option
    assert yukjo("run", "-p", project, *SWEEP[:2]).code == 0
    shown = record(project, yukjo)
    assert set(shown["agents"]) == {"rag", "review", "all"}
    assert [row["chosen"] for row in shown["sweep"]].count(True) == 2


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--sweep", "lr=1e-3", "--set", "data.valid=0"], "rag"),
        (["--sweep", "lrr=1e-3"], "lrr"),
        (["--sweep", "lr=high"], "lr=high"),
        (["--set", "agent.rga.lora.rank=3"], "`rag`"),
        (["--set", "agent.rag.train.pack_tokens=3"], "[train]"),
        (["--set", "agent.rag.lora.targets=['q']"], "q_proj"),
    ],
    ids=str,
)
def test_what_cannot_be_ends_with_2_before_anything_is_trained(
    arguments: list[str], word: str, project: Path, yukjo: Yukjo
) -> None:
    said = yukjo("train", "-p", project, *arguments)
    assert said.code == 2
    assert word in said.err
    assert "방법:" in said.err
    assert list((project / "runs").glob("*/events.jsonl")) == []


def test_what_is_doubtful_is_said_at_the_start_and_kept_in_the_record(
    project: Path, yukjo: Yukjo
) -> None:
    said = trained(yukjo, project, "--set", "agent.rag.train.learning_rate=1")
    warnings = record(project, yukjo)["train"]["warnings"]
    assert any(w.startswith("rag: learning rate 1 is outside") for w in warnings)
    assert any(w.startswith("rank 4 is outside") for w in warnings)
    assert all(warning in said.err for warning in warnings)


def test_a_run_goes_on_in_another_language(project: Path, yukjo: Yukjo) -> None:
    trained(yukjo, project)
    assert yukjo("--lang", "ko", "train", "-p", project, "--resume", "latest").code == 0


def test_an_adapter_that_stops_early_says_so_and_its_record_and_manifest_too(
    project: Path, yukjo: Yukjo
) -> None:
    eager = ("--set", "agent.rag.train.epochs=60", "--set", "agent.rag.train.learning_rate=0.1",
             "--set", "agent.rag.train.patience=2")  # fmt: skip
    said = trained(yukjo, project, *eager)
    (stopped,) = record(project, yukjo)["train"]["stopped_early"].items()
    made = manifests(project)["rag"]
    assert stopped == ("rag", made["steps"])
    assert made["best_step"] < made["steps"]
    assert f"stopped early after step {made['steps']}" in said.err
    trained(yukjo, project, "--agent", "rag", *eager)
    assert manifests(project)["rag"]["id"] == made["id"]
