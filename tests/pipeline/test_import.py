"""An adapter trained elsewhere is taken in, said to be so, and answers as one of ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from toys import SOME, Tiny, Yukjo, trainer_on
from yukjo.adapters.mlx import write_mlx


@pytest.fixture
def foreign(tiny: Tiny, tmp_path: Path) -> Path:
    """An MLX folder of an adapter that acts."""
    trainer_on(tiny("qwen3"), {"a": SOME}).save("a", tmp_path / "peft")
    write_mlx(tmp_path / "peft", tmp_path / "mlx")
    return tmp_path / "mlx"


def take_in(yukjo: Yukjo, project: Path, folder: Path, agent: str = "rag") -> Any:
    return yukjo("adapter", "import", folder, "--agent", agent, "-p", project)


def test_it_is_kept_with_a_manifest_that_says_where_it_is_from_and_answers(
    project: Path, foreign: Path, yukjo: Yukjo
) -> None:
    said = take_in(yukjo, project, foreign)
    assert said.code == 0, said.err
    shown = json.loads(yukjo("adapter", "show", said.out[:8], "-p", project).out)
    assert shown["id"] == said.out.strip()
    assert shown["recipe"]["imported"]["format"] == "mlx"
    assert shown["recipe"]["lora"]["alpha"] == SOME.alpha
    assert (shown["data"], shown["steps"], shown["valid_loss"]) == ([], 0, None)
    assert shown["effect"]["change"] > 0
    asked = [yukjo("ask", "rag", "도로 점검 결과는?", "-p", project, *more).out
             for more in ([], ["--bare"])]  # fmt: skip
    assert asked[0] != asked[1]
    again = take_in(yukjo, project, foreign, agent="review")
    assert again.code == 2
    assert "rag" in again.err


def test_what_does_not_fit_the_base_or_does_nothing_is_not_kept(
    project: Path, tiny: Tiny, tmp_path: Path, yukjo: Yukjo
) -> None:
    trainer = trainer_on(tiny("llama"), {"a": SOME})
    trainer.save("a", tmp_path / "other")
    idle = trainer_on(tiny("qwen3"), {})
    idle.add("a", SOME, seed=0, weight_decay=0.0)
    idle.save("a", tmp_path / "idle")
    for folder in ("other", "idle", "missing"):
        assert take_in(yukjo, project, tmp_path / folder).code == 2
    assert take_in(yukjo, project, tmp_path / "idle", agent="nobody").code == 2
    listed: Any = yukjo("adapter", "list", "-p", project, "--json").json()
    assert listed["adapters"] == []


def test_without_mlx_an_export_says_that_nothing_was_proved(
    project: Path, foreign: Path, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yukjo import wiring

    monkeypatch.setattr(wiring, "has_mlx", lambda: False)  # where it is installed, too
    take_in(yukjo, project, foreign)
    made = yukjo("adapter", "export", "--format", "mlx", "-p", project)
    assert made.code == 0, made.err
    assert "증명하지 못했습니다" in made.err
    folder = Path(made.out.strip())
    assert (folder / "adapters.safetensors").read_bytes() == (
        foreign / "adapters.safetensors"
    ).read_bytes()
