"""Workers of MLX on the tiny models, one a family for all tests that leave it whole."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from toys import Tiny
from yukjo.backends.mlx.trainer import MlxTrainer
from yukjo.backends.mlx.worker import Worker

os.environ.setdefault("MLX_DISABLE_COMPILE", "1")

Workers = Callable[[str], Worker]


@pytest.fixture(scope="session")
def tiny(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The tiny models, two of them as MLX wants them."""
    changes = {"gemma3": _deepen, "qwen3_vl": _mark}
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind in changes and kind not in made:
            made[kind] = tmp_path_factory.mktemp("mlx") / kind
            changes[kind](tiny(kind), made[kind])
        return made.get(kind) or tiny(kind)

    return folder


def _mark(base: Path, folder: Path) -> None:
    """mlx-vlm finds images by the token before them; transformers by their own."""
    copytree(base, folder)
    config = json.loads((base / "config.json").read_text())
    config["vision_start_token_id"] = 261
    (folder / "config.json").write_text(json.dumps(config))


def _deepen(base: Path, folder: Path) -> None:
    """mlx-lm takes Gemma 3's sixth layer for a global one, and fails where there is none."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    copytree(base, folder, ignore=ignore_patterns("*.safetensors"))
    config = AutoConfig.from_pretrained(base)
    config.num_hidden_layers = 7
    config.rope_parameters["sliding_attention"]["rope_theta"] = 500.0  # not what mlx-lm supposes
    config.layer_types = ["full_attention" if n == 5 else "sliding_attention" for n in range(7)]
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def workers(tiny: Tiny) -> Iterator[Workers]:
    made: dict[str, Worker] = {}

    def worker(kind: str) -> Worker:
        if kind not in made:
            made[kind] = Worker(tiny(kind), dtype="float32", limit_mb=20_000)
        return made[kind]

    yield worker
    for one in made.values():
        one.close()


@pytest.fixture
def fresh(tiny: Tiny) -> Iterator[Callable[[str], MlxTrainer]]:
    """A trainer with a worker of its own, to be killed."""
    made: list[Worker] = []

    def trainer(kind: str) -> MlxTrainer:
        made.append(Worker(tiny(kind), dtype="float32", limit_mb=20_000))
        return MlxTrainer(made[-1], name="tiny")

    yield trainer
    for one in made:
        one.close()
