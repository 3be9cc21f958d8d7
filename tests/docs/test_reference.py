"""The reference is what the code says today, and the script that writes it needs no torch."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from yukjo.config import YukjoConfig
from yukjo.data.findings import RULES

DOCS = Path(__file__).parents[2] / "docs"

WITHOUT_TORCH = """
import os, runpy, sys
sys.modules["torch"] = sys.modules["transformers"] = None
sys.argv = [sys.argv[1], "--print"]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@cache
def made() -> str:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(DOCS / "make_reference.py")],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_the_reference_on_disk_is_the_one_the_script_makes() -> None:
    stands = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert stands == made(), "run: python docs/make_reference.py"


def tables() -> list[type[BaseModel]]:
    below = (field.annotation for field in YukjoConfig.model_fields.values())
    return [YukjoConfig, *(m for m in below if isinstance(m, type) and issubclass(m, BaseModel))]


@pytest.mark.parametrize("model", tables(), ids=lambda model: model.__name__)
def test_every_setting_is_there_and_says_what_it_does(model: type[BaseModel]) -> None:
    rows = [line for line in made().splitlines() if line.startswith("| `")]
    for name, field in model.model_fields.items():
        if field.annotation not in tables():
            assert any(row.startswith(f"| `{name}` ") and not row.endswith("|  |") for row in rows)


def test_every_code_is_there_once() -> None:
    for code in RULES:
        assert made().count(f"| `{code}` |") == 1, code


def test_it_is_english_save_for_what_is_korean_by_nature() -> None:
    commands = made().partition("## Commands")[2].partition("## Exit codes")[0]
    korean = [line for line in commands.splitlines() if any("가" <= c <= "힣" for c in line)]
    assert all("Example:" in line for line in korean), korean
