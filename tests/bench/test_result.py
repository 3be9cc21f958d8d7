"""Medians and ratios from rounds that can be checked in the head."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from yukjo.bench.result import bench, figures
from yukjo.bench.rounds import Race
from yukjo.bench.table import markdown, table
from yukjo.bench.task import Outcome, Task
from yukjo.words import speak

MACHINE = {"processor": "abacus", "cores": 1, "memory_gb": 1.0}


def outcome(*seconds: float, memory: float = 100.0, loss: float = 1.0) -> Outcome:
    """The warm-up takes 1,000 s, so that counting it would show."""
    losses = (9.0, *(loss for _ in seconds))
    return Outcome(
        seconds=(1000.0, *seconds), losses=losses, peak_memory_mb=memory, versions={"torch": "2"}
    )


def race(**outcomes: list[Outcome]) -> Race:
    names = {"ours": "yukjo", "seed": "seed script", "hf": "hf bf16", "trl": "trl packed",
             "tiny": "yukjo (tiny)", "mlx": "mlx-lm (tiny)"}  # fmt: skip
    return Race({names[key]: rounds for key, rounds in outcomes.items()}, [100.0, 200.0, 300.0])


def made(done: Race, task: Task) -> Any:
    return bench(done, {False: task, True: task}, minimal_flops=1e12, machine=MACHINE)


def test_speed_is_tokens_of_the_counted_steps_over_the_median(task: Callable[..., Task]) -> None:
    """Two counted steps of 11 tokens, 5 learned."""
    found = figures("x", [outcome(1, 1), outcome(2, 2), outcome(5, 5)], task(), own=())
    assert (found.tokens_per_s, found.learned_tokens_per_s) == (22 / 4, 10 / 4)
    assert (found.tokens_per_s_low, found.tokens_per_s_high) == (22 / 10, 22 / 2)
    assert (found.loss, found.losses, found.rounds) == (1.0, (9.0, 1.0, 1.0), 3)


def test_ratios_are_paired_by_round(task: Callable[..., Task]) -> None:
    """The machine was ten times slower in the second round, for both; a ratio doesn't see it."""
    done = race(
        ours=[outcome(1, memory=20), outcome(10, memory=20), outcome(1, memory=30)],
        seed=[outcome(6), outcome(60), outcome(9)],
        hf=[outcome(4), outcome(40), outcome(4)],
        trl=[outcome(3), outcome(30), outcome(3)],
    )
    found = made(done, task())
    assert found.ratio_seed_script == 6
    assert (found.best_peer, found.ratio_best_peer) == ("trl packed", 3)
    assert found.memory_ratio == pytest.approx(0.2)


def test_the_share_of_the_ceiling_is_taken_in_the_same_round(task: Callable[..., Task]) -> None:
    """1,000 GFLOP in 20, 10 and 5 s are 50, 100 and 200 GFLOP/s."""
    found = made(race(ours=[outcome(20), outcome(10), outcome(5)]), task())
    assert found.ceiling_gflops == 200
    assert found.ceiling_share == pytest.approx(0.5)


def test_the_pair_on_the_tiny_model_stands_apart(task: Callable[..., Task]) -> None:
    found = made(race(ours=[outcome(1)], tiny=[outcome(2)], mlx=[outcome(8)]), task())
    assert [s.name for s in found.systems] == ["yukjo"]
    assert [(s.name, s.ratio) for s in found.tiny] == [("yukjo (tiny)", None), ("mlx-lm (tiny)", 4)]
    assert found.ratio_best_peer is None


def test_what_is_missing_is_none_and_not_made_up(task: Callable[..., Task]) -> None:
    done = race(hf=[outcome(1)])
    done.left_out["yukjo"] = "it fell"
    found = made(done, task())
    assert (found.ratio_seed_script, found.memory_ratio, found.ceiling_share) == (None, None, None)
    assert found.left_out[0].reason == "it fell"
    assert "it fell" in markdown(found)


def test_markdown_has_a_row_a_system_of_as_many_cells(task: Callable[..., Task]) -> None:
    text = markdown(made(race(ours=[outcome(1)], seed=[outcome(6)]), task()))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert "| 6.00 |" in lines[3]


def test_the_table_fits_eighty_columns_and_cuts_nothing(task: Callable[..., Task]) -> None:
    done = race(ours=[outcome(0.01)], seed=[outcome(0.06)], mlx=[outcome(0.05)], tiny=[outcome(1)])
    for language in ("ko", "en"):
        speak(language)
        shown = io.StringIO()
        console = Console(width=80, file=shown)
        console.print(table(made(done, task())))
        assert "…" not in shown.getvalue()
