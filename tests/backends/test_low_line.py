"""A real run under a line that its packs don't fit under."""

from dataclasses import replace
from pathlib import Path

import pytest

from toys import ALL, Tiny, toy
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config.models import TrainConfig
from yukjo.train.events import read
from yukjo.train.loop import Job, largest, train
from yukjo.train.memory import recorded
from yukjo.train.plan import plan

CONFIG = TrainConfig(epochs=3, batch=8, accumulate=1, learning_rate=1e-2, pack_tokens=3200)
DATA = {"a": toy(*[400] * 8)}


def fresh(base: Base, job: Job) -> TorchTrainer:
    trainer = TorchTrainer(base, name="tiny")
    trainer.add("a", ALL, seed=job.plan.agents[0].seed, weight_decay=0.0)
    return trainer


def losses(job: Job) -> list[float]:
    return [e["losses"]["a"] for e in read(job.folder / "events.jsonl") if e["event"] == "step"]


def test_it_shrinks_its_packs_stays_below_and_loses_the_same(tiny: Tiny, tmp_path: Path) -> None:
    base = Base(tiny("qwen3"), dtype="float32")
    wide = Job(plan(DATA, train=CONFIG, lora=ALL, seed=0), CONFIG, DATA, {}, tmp_path / "wide")
    train(fresh(base, wide), wide)
    trainer = fresh(base, wide)
    most, least = (
        max(trainer.forecast(pack).expected_mb for pack in largest(wide, tokens))
        for tokens in (3200, 400)
    )
    line = (most + least) / 2
    config = CONFIG.model_copy(update={"memory_limit_gb": line / 1024})
    narrow = replace(wide, config=config, folder=tmp_path / "narrow")
    train(trainer, narrow)
    agreed = recorded(narrow.folder)
    assert agreed is not None
    assert agreed.pack_tokens < 3200
    assert trainer.memory_mb() <= line
    assert losses(narrow) == pytest.approx(losses(wide), rel=1e-4)
