"""A trained adapter goes out as GGUF-LoRA or merged, proved, and a speaker takes it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from speaking import said, turn
from toys import Yukjo
from yukjo import wiring
from yukjo.config import load
from yukjo.records import Proof


@pytest.fixture
def trained(project: Path, yukjo: Yukjo) -> Path:
    settings = (project / "yukjo.toml").read_text()
    settings += "[serve]\nslots = 2\ncontext = 512\nthreads = 1\n"
    (project / "yukjo.toml").write_text(settings)
    assert yukjo("train", "-p", project).code == 0
    return project


def ids(project: Path, yukjo: Yukjo) -> dict[str, str]:
    listed: Any = yukjo("adapter", "list", "-p", project, "--json").json()
    return {a["agent"]: a["id"] for a in listed["adapters"]}


def spoilt(project: Path, adapter: str) -> None:
    """The stored adapter's scale is no longer the one it was trained with."""
    config = project / "runs" / "adapters" / adapter / "adapter_config.json"
    text = json.loads(config.read_text()) | {"use_dora": True}
    config.unlink()  # it may be linked with the run's own
    config.write_text(json.dumps(text))


def test_exported_adapters_are_proved_and_served(trained: Path, yukjo: Yukjo) -> None:
    known = ids(trained, yukjo)
    made = yukjo("adapter", "export", "--format", "gguf", "-p", trained)
    assert made.code == 0, made.err
    files = [Path(line) for line in made.out.split()]
    assert {file.parent.parent.name for file in files} == set(known.values())
    for file in files:
        assert Proof.model_validate_json(file.with_suffix(".json").read_bytes()).holds
    config = load(trained)
    speaker, tokenizer = wiring.open_speaker(config, trained)
    prompt = tokenizer.encode("도로 점검 결과를 찾아 주세요.")
    answers = set()
    for adapter in ("", *known.values()):
        if adapter:
            speaker.load(adapter, trained / "runs" / "adapters" / adapter)
        answers.add(tuple(speaker.next_logits(adapter, [prompt])[0][:9]))
        assert said(speaker, turn(adapter, prompt))[0]
    assert len(answers) == 3


def test_prove_says_its_numbers_and_leaves_with_1_where_they_do_not_hold(
    trained: Path, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = ids(trained, yukjo)["rag"]
    proved: Any = yukjo("adapter", "prove", adapter[:8], "-p", trained, "--json").json()
    (proof,) = proved["proofs"]
    assert proof["holds"] is True
    assert proof["adapter"] == adapter
    assert proof["error"] < 0.2
    shown = yukjo("adapter", "prove", adapter[:8], "-p", trained)
    assert adapter[:12] in shown.out
    assert "증명됨" in shown.out
    # A converter that mistakes the scale, as one that doesn't know rsLoRA would.
    from yukjo.adapters import gguf

    written = gguf._written
    monkeypatch.setattr(gguf, "_written", lambda t, a, scale: written(t, a, scale / 4))
    refused = yukjo("adapter", "prove", adapter[:8], "-p", trained)
    assert refused.code == 1
    assert "거부됨" in refused.out
    exported = yukjo("adapter", "export", adapter[:8], "-p", trained)
    assert exported.code == 2
    assert "KL" in exported.err
    speaker, _ = wiring.open_speaker(load(trained), trained)
    with pytest.raises(Exception, match="증명"):
        speaker.load(adapter, trained / "runs" / "adapters" / adapter)


def test_with_no_adapter_there_is_nothing_to_prove(project: Path, yukjo: Yukjo) -> None:
    for command in ("prove", "export"):
        said = yukjo("adapter", command, "-p", project)
        assert said.code == 2
        assert "rag" in said.err


def test_what_a_gguf_cannot_hold_is_refused_by_name(trained: Path, yukjo: Yukjo) -> None:
    adapter = ids(trained, yukjo)["review"]
    spoilt(trained, adapter)
    said = yukjo("adapter", "export", adapter[:8], "-p", trained)
    assert said.code == 2
    assert "use_dora" in said.err


def test_a_merged_model_answers_as_the_adapter_and_loads_anywhere(
    trained: Path, yukjo: Yukjo, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    adapter = ids(trained, yukjo)["rag"]
    out = tmp_path / "merged"
    made = yukjo(
        "adapter", "export", adapter[:8], "--format", "merged", "--out", out, "-p", trained
    )
    assert made.code == 0, made.err
    assert made.out.strip() == str(out / adapter)
    model = AutoModelForCausalLM.from_pretrained(out / adapter, dtype=torch.float32).eval()
    config = load(trained)
    torch_served = config.serve.model_copy(update={"engine": "torch"})
    speaker, tokenizer = wiring.open_speaker(
        config.model_copy(update={"serve": torch_served}), trained
    )
    speaker.load(adapter, trained / "runs" / "adapters" / adapter)
    prompt = tokenizer.encode("공원 점검 결과를 찾아 주세요.")
    with torch.no_grad():
        theirs = model(torch.tensor([prompt])).logits[0, -1].tolist()
    assert speaker.next_logits(adapter, [prompt])[0] == pytest.approx(theirs, abs=2e-3)
    assert speaker.next_logits("", [prompt])[0] != pytest.approx(theirs, abs=2e-3)
