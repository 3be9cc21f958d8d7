"""The worker process: it dies, grows too large, is given nonsense; the run stays whole."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toys import ALL, Tiny, piece, toy
from yukjo import machine
from yukjo.backends.mlx.trainer import MlxTrainer
from yukjo.backends.mlx.worker import OverLine, Worker
from yukjo.errors import ModelError, RunError
from yukjo.files import sha256_file

pytestmark = pytest.mark.mlx

Fresh = Callable[[str], MlxTrainer]


def step(trainer: MlxTrainer, number: int) -> None:
    trainer.backward([piece("a", toy(30, 20, seed=number))])
    trainer.update("a", learning_rate=1e-2, clip=1.0)


def test_killed_between_two_steps_it_goes_on_from_its_state_to_the_same_bits(
    fresh: Fresh, tmp_path: Path
) -> None:
    whole, first, second = (fresh("qwen3") for _ in range(3))
    for trainer in (whole, first, second):
        trainer.add("a", ALL, seed=5, weight_decay=0.1)
    for number in range(4):
        step(whole, number)
    for number in range(2):
        step(first, number)
    first.save_state(tmp_path / "state")
    os.kill(first.worker.pid, signal.SIGKILL)
    with pytest.raises(RunError, match="SIGKILL") as gone:
        step(first, 2)
    assert "--resume" in gone.value.fix
    second.load_state(tmp_path / "state")
    for number in range(2, 4):
        step(second, number)
    for name, trainer in (("whole", whole), ("second", second)):
        trainer.save("a", tmp_path / name)
        trainer.save_state(tmp_path / f"{name}.state")
    for file in ("{}/adapter_model.safetensors", "{}.state"):
        one, other = (sha256_file(tmp_path / file.format(name)) for name in ("whole", "second"))
        assert one == other


def test_a_state_that_is_none_is_a_value_error_and_changes_nothing(
    fresh: Fresh, tmp_path: Path
) -> None:
    trainer = fresh("llama")
    trainer.add("a", ALL, seed=0, weight_decay=0.0)
    trainer.save_state(tmp_path / "state")
    data = (tmp_path / "state").read_bytes()
    before = trainer.losses([("a", toy(20)[0])])
    (tmp_path / "cut").write_bytes(data[: len(data) // 2])
    for broken in ("cut", "missing"):
        with pytest.raises(ValueError, match="Error"):
            trainer.load_state(tmp_path / broken)
    trainer.add("b", ALL, seed=0, weight_decay=0.0)
    with pytest.raises(ValueError, match="b/step"):
        trainer.load_state(tmp_path / "state")
    assert trainer.losses([("a", toy(20)[0])]) == before


def test_above_the_line_it_is_ended_and_the_error_names_both_figures(tiny: Tiny) -> None:
    worker = Worker(tiny("llama"), dtype="float32", limit_mb=1e9)
    assert worker.resident_mb() > 50
    worker.limit_mb = machine.resident_mb() + worker.resident_mb() + 150
    worker.ask("hold", mb=20)
    with pytest.raises(OverLine, match="GiB") as over:
        worker.ask("hold", mb=3000)
    assert over.value.exit_code == 1
    assert f"{worker.limit_mb / 1024:.3g}" in over.value.where
    with pytest.raises(RunError, match="SIGKILL"):
        worker.ask("peak")
    worker.close()


def test_its_memory_is_told_from_outside_and_a_trial_measures_what_a_pass_adds(
    fresh: Fresh,
) -> None:
    trainer = fresh("qwen3")
    trainer.add("a", ALL, seed=0, weight_decay=0.0)
    small, large = [piece("a", toy(20))], [piece("a", toy(*[200] * 12))]
    told = [trainer.forecast(pack) for pack in (small, large)]
    tried = [trainer.probe(pack) for pack in (small, large)]
    assert told[0].expected_mb < told[1].expected_mb
    assert told[1].low_mb < told[1].expected_mb < told[1].high_mb
    assert tried[1].pass_mb > tried[0].pass_mb + 10
    assert trainer.resident_mb() > machine.resident_mb() + 50
    assert trainer.memory_mb() >= trainer.resident_mb() - 5
    before = trainer.losses([("a", toy(20)[0])])
    assert trainer.update("a", learning_rate=1.0, clip=1.0) == 0  # the trial left no gradient
    assert trainer.losses([("a", toy(20)[0])]) == before
    trainer.give_back()


def test_a_base_mlx_cannot_read_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Worker(tmp_path, dtype="float32", limit_mb=20_000)
    (tmp_path / "config.json").write_text('{"model_type": "no such"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError):
        Worker(tmp_path, dtype="float32", limit_mb=20_000)


def test_a_bug_in_it_ends_with_its_last_words(fresh: Fresh) -> None:
    trainer: Any = fresh("llama")
    with pytest.raises(RunError, match="KeyError"):
        trainer.worker.ask("no such thing")


def test_it_leaves_when_its_run_does(tiny: Tiny) -> None:
    worker = Worker(tiny("llama"), dtype="float32", limit_mb=20_000)
    pid = worker.pid
    del worker
    assert machine.resident_mb_of(pid) is None
