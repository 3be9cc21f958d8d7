"""A small project on a tiny model, and the command line as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from toys import Tiny

SETTINGS = """
agents = ["rag", "review"]
[base]
model = "{base}"
dtype = "float32"
[data]
files = ["data.jsonl"]
valid = 0.2
test = 0.3
[lora]
rank = 4
[train]
epochs = 1
batch = 2
accumulate = 2
learning_rate = 1e-2
evaluate_every = 2
checkpoint_every = 1
threads = 1
[evaluate]
cases = 2
repeats = 2
max_tokens = 8
resamples = 200
baseline_cases = 2
"""
WORDS = ("도로", "하천", "공원", "시장", "학교", "마을", "버스", "체육관", "도서관", "주차장",
         "보건소", "어린이집")  # fmt: skip


@pytest.fixture
def project(project_in: Callable[[Path], Path], tmp_path: Path) -> Path:
    """24 short samples of two agents on a tiny Qwen3."""
    return project_in(tmp_path)


@pytest.fixture(scope="session")
def project_in(tiny: Tiny) -> Callable[[Path], Path]:
    """Makes such a project in a folder of the test's."""
    return lambda place: _made(place, tiny("qwen3"))


def _made(place: Path, base: Path) -> Path:
    folder = place / "project"
    folder.mkdir()
    (folder / "yukjo.toml").write_text(SETTINGS.format(base=base), encoding="utf-8")
    rows = [
        {"id": f"{agent}-{n}", "instruction": f"{word} 점검 결과를 {ask}", "agent_type": agent,
         "input": f"『{word} 점검표』 {n}쪽", "output": f"{word}은(는) {n}건을 고쳤습니다.",
         "license": "CC0-1.0"}
        for agent, ask in (("rag", "찾아 주세요."), ("review", "검토해 주세요."))
        for n, word in enumerate(WORDS, 1)
    ]  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
