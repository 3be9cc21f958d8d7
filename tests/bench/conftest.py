"""A task that can be read by eye, on a tiny model."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from toys import Tiny
from yukjo.bench.task import Row, Task
from yukjo.config.models import LoraConfig

SETTINGS = """
agents = ["rag"]
[base]
model = "{base}"
dtype = "float32"
[data]
files = ["data.jsonl"]
valid = 0.0
test = 0.0
"""


def row(*tokens: int, learned: int) -> Row:
    """A sample whose last tokens are learned."""
    places = range(len(tokens))
    return Row(tokens=tokens, learn=tuple(p >= len(tokens) - learned for p in places))


@pytest.fixture
def task(tiny: Tiny, tmp_path: Path) -> Callable[..., Task]:
    """A task of two samples a step on a tiny Llama, with changes."""

    def make(**changes: object) -> Task:
        steps = tuple(
            (row(1, 2, 3, n, 5, learned=2), row(1, 2, n, 7, 8, 9, learned=3)) for n in (10, 20, 30)
        )
        made = Task(
            model=str(tiny("llama")), dtype="float32", agent="rag", steps=steps, batch=2,
            lora=LoraConfig(rank=4, alpha=8), learning_rate=1e-2, threads=1,
            scratch=str(tmp_path / "work"),
        )  # fmt: skip
        return made.model_copy(update=changes)

    return make


@pytest.fixture
def project(tiny: Tiny, tmp_path: Path) -> Path:
    """Twelve short samples of one agent on a tiny Llama."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "yukjo.toml").write_text(SETTINGS.format(base=tiny("llama")), encoding="utf-8")
    rows = [
        {"id": f"rag-{n}", "instruction": f"{n}번 점검표를 찾아 주세요.", "agent_type": "rag",
         "output": f"{n}번 점검표는 {n * 7}쪽에 있습니다.", "license": "CC0-1.0"}
        for n in range(1, 13)
    ]  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
