"""The main job as a user runs it, on a tiny model: every file, record and refusal."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from toys import Yukjo
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.train import events


def run_folder(project: Path) -> Path:
    (found,) = [p.parent for p in (project / "runs").glob("*/plan.json")]
    return found


def test_one_command_leaves_adapters_answers_a_record_and_a_report(
    project: Path, yukjo: Yukjo
) -> None:
    said = yukjo("run", "-p", project, "--json")
    assert said.code == 0, said.err
    document: dict[str, Any] = said.json()
    assert set(document["agents"]) == {"rag", "review", "all"}
    names = {metric["name"] for metric in document["agents"]["all"]["metrics"]}
    assert {"perplexity", "chrf", "conformance", "failure_rate", "consistency", "seconds"} <= names
    run = run_folder(project)
    for made in ("answers.jsonl", "report.html", "events.jsonl", "before.json"):
        assert (run / made).stat().st_size > 0
    assert {p.name for p in (run / "adapters").iterdir()} == {"rag", "review"}
    listed: Any = yukjo("ledger", "list", "-p", project, "--json").json()["entries"]
    assert [(e["kind"], e["run"]) for e in listed] == [
        (kind, run.name) for kind in ("seal", "run", "verdict")
    ]
    assert yukjo("ledger", "verify", "-p", project).code == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "src=" not in page


def test_an_adapter_of_a_run_loads_with_peft_and_gives_the_same_logits(
    project: Path, yukjo: Yukjo
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    assert yukjo("train", "-p", project, "--agent", "rag").code == 0
    place = run_folder(project) / "adapters" / "rag"
    manifest = json.loads((place / "yukjo.json").read_text())
    base = Path(_base(project))
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), place
    ).eval()
    engine = TorchEngine(Base(base, dtype="float32"), HfTokenizer(base), batch=1)
    engine.load(manifest["id"], place)
    prompt = list(range(3, 90))
    with torch.no_grad():
        theirs = model(torch.tensor([prompt])).logits[0, -1].tolist()
        bare = model.base_model.disable_adapter_layers
        bare()
        without = model(torch.tensor([prompt])).logits[0, -1].tolist()
    (ours,) = engine.next_logits(manifest["id"], [prompt])
    assert ours == pytest.approx(theirs, abs=2e-4)
    assert ours != pytest.approx(without, abs=2e-4)


def test_same_data_and_seed_make_the_same_adapters_and_another_seed_others(
    project: Path, yukjo: Yukjo
) -> None:
    ids = []
    for seed in (0, 0, 1):
        assert yukjo("train", "-p", project, "--seed", seed).code == 0
        adapters: Any = yukjo("adapter", "list", "-p", project, "--json").json()["adapters"]
        ids.append({a["id"] for a in adapters})
    assert ids[0] == ids[1]
    assert len(ids[2]) == 2 * len(ids[0])


def test_kept_answers_scored_again_are_the_same_and_a_changed_one_is_seen(
    project: Path, yukjo: Yukjo
) -> None:
    assert yukjo("run", "-p", project).code == 0
    assert yukjo("evaluate", "-p", project, "--rescore", "latest").code == 0
    answers = run_folder(project) / "answers.jsonl"
    rows = [json.loads(row) for row in answers.read_text(encoding="utf-8").splitlines()]
    rows[-1]["text"] += " 고침"
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert yukjo("evaluate", "-p", project, "--rescore", "latest").code == 1


def test_kept_adapters_can_be_measured_and_asked_later(project: Path, yukjo: Yukjo) -> None:
    assert yukjo("train", "-p", project).code == 0
    measured: Any = yukjo("evaluate", "-p", project, "--json").json()
    assert measured["agents"]["rag"]["metrics"][0]["name"] == "perplexity"
    asked: Any = yukjo("ask", "rag", "도로 점검 결과는?", "-p", project, "--json").json()
    bare: Any = yukjo("ask", "rag", "도로 점검 결과는?", "-p", project, "--json", "--bare").json()
    assert asked["adapter"]
    assert bare["adapter"] == ""
    assert yukjo("ask", "citizen_support", "여권?", "-p", project).code == 2  # none is trained
    assert yukjo("ask", "reveiw", "?", "-p", project).code == 2


def test_an_adapter_of_another_base_is_refused_by_hash(
    project: Path, yukjo: Yukjo, tiny: Any
) -> None:
    assert yukjo("train", "-p", project).code == 0
    other = yukjo("evaluate", "-p", project, "--set", f"base.model={tiny('llama')}")
    assert other.code == 2
    assert "다른 베이스" in other.err


def test_bad_data_ends_with_1_and_names_the_line(project: Path, yukjo: Yukjo) -> None:
    with (project / "data.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"instruction": "?"}\n')
    said = yukjo("run", "-p", project)
    assert said.code == 1
    assert "data.jsonl:25 missing-field" in said.err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--set", "train.epohcs=1"], "epochs"),
        (["--set", "base.model=no/where"], "base"),
        (["--set", "agents=['ragg']"], "rag"),
        (["--set", "lora.targets=['q']"], "q_proj"),
        (["--set", "data.files=['no.jsonl']"], "no.jsonl"),
        (["--set", "data.test=0.9"], "0.9"),
        (["--resume", "nothing"], "nothing"),
    ],
)
def test_wrong_use_ends_with_2_and_says_where_and_what_to_do(
    arguments: list[str], word: str, project: Path, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = yukjo("run", "-p", project, *arguments)
    assert said.code == 2
    assert "Traceback" not in said.err
    assert "위치:" in said.err
    assert "방법:" in said.err
    assert word in said.err


def test_a_run_resumed_with_other_settings_is_refused(project: Path, yukjo: Yukjo) -> None:
    assert yukjo("run", "-p", project).code == 0
    said = yukjo("run", "-p", project, "--resume", "latest", "--set", "train.epochs=2")
    assert said.code == 2
    assert "다른 설정" in said.err


def test_a_recorded_run_that_is_resumed_is_neither_measured_nor_recorded_again(
    project: Path, yukjo: Yukjo
) -> None:
    assert yukjo("run", "-p", project).code == 0
    run = run_folder(project)
    answers = (run / "answers.jsonl").read_bytes()
    (run / "report.html").unlink()
    assert yukjo("run", "-p", project, "--resume", "latest").code == 0
    assert (run / "answers.jsonl").read_bytes() == answers  # their hash is in the ledger
    assert (run / "report.html").exists()
    listed: Any = yukjo("ledger", "list", "-p", project, "--json").json()["entries"]
    assert [e["kind"] for e in listed] == ["seal", "run", "verdict"]


def test_ctrl_c_leaves_a_run_that_goes_on_to_the_same_adapters(project: Path, yukjo: Yukjo) -> None:
    longer = ("-p", str(project), "--set", "train.epochs=12")
    with subprocess.Popen(
        [sys.executable, "-m", "yukjo", "train", *longer],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        _wait_for_step(project, 2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    run = run_folder(project)
    done = len([e for e in events.read(run / "events.jsonl") if e["event"] == "step"])
    assert yukjo("train", *longer, "--resume", run.name).code == 0
    steps = [e["step"] for e in events.read(run / "events.jsonl") if e["event"] == "step"]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) > done
    resumed: Any = yukjo("adapter", "list", "-p", project, "--json").json()["adapters"]
    assert yukjo("train", *longer).code == 0
    both: Any = yukjo("adapter", "list", "-p", project, "--json").json()["adapters"]
    assert {a["id"] for a in both} == {a["id"] for a in resumed}


def _wait_for_step(project: Path, step: int) -> None:
    for _ in range(600):
        found = [e for f in (project / "runs").glob("*/events.jsonl") for e in events.read(f)]
        if any(e["event"] == "step" and e["step"] >= step for e in found):
            return
        time.sleep(0.05)
    pytest.fail("the run never took a step")


def _base(project: Path) -> str:
    import tomllib

    settings = tomllib.loads((project / "yukjo.toml").read_text(encoding="utf-8"))
    return str(settings["base"]["model"])
