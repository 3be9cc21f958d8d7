"""The memory contract, on a learner whose memory is 10 MiB and 1 MiB a token of a pass."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from yukjo.train.events import read
from yukjo.train.loop import Job, StepReport, train
from yukjo.train.memory import OverLimit, line, recorded

MakeJob = Callable[..., Job]
MakeLearner = Callable[..., Any]

SHAPE = {"epochs": 2, "batch": 4, "accumulate": 1, "pack_tokens": 64}
GIB = 1024


def under(job: Job, mb: float) -> Job:
    """The same run under another line."""
    config = job.config.model_copy(update={"memory_limit_gb": mb / GIB})
    return replace(job, config=config)


def memory_events(job: Job) -> list[dict[str, Any]]:
    return [e for e in read(job.folder / "events.jsonl") if e["event"] == "memory"]


# Before the first step


def test_the_largest_pack_is_forecast_and_tried_before_the_first_step(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = job({"rag": 9, "review": 5}, **SHAPE)
    made = learner(one)
    train(made, one)
    (agreed,) = memory_events(one)
    most = max(sum(len(e.tokens) for p in pack for e in p.examples) for pack in made.packs)
    assert agreed["forecast"]["expected_mb"] == 10 + most
    assert agreed["probe"] == {"resting_mb": 10, "pass_mb": most}
    assert agreed["pack_tokens"] == 64
    steps = [e for e in read(one.folder / "events.jsonl") if e["event"] == "step"]
    assert max(e["peak_mb"] for e in steps) == 10 + most
    assert {e["memory_mb"] for e in steps} == {10}


def test_under_a_low_line_packs_shrink_and_the_steps_stay_the_same(
    job: MakeJob, learner: MakeLearner
) -> None:
    wide, narrow = job({"rag": 9, "review": 5}, **SHAPE), job({"rag": 9, "review": 5}, **SHAPE)
    narrow = under(narrow, 30)
    free, held = learner(wide), learner(narrow)
    train(free, wide)
    train(held, narrow)
    assert free.highest > 30 >= held.highest
    assert recorded(narrow.folder).pack_tokens == 16  # type: ignore[union-attr]
    denominators = [{d for _, d, _ in made.pieces["rag"]} for made in (free, held)]
    assert denominators[0] == denominators[1]
    assert len(held.packs) > len(free.packs)


def test_where_not_even_one_sample_fits_the_run_is_refused_with_both_figures(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = under(job({"rag": 9}, **SHAPE), 12)
    made = learner(one)
    with pytest.raises(OverLimit) as refused:
        train(made, one)
    assert made.packs == []
    assert refused.value.exit_code == 1
    assert "memory_limit_gb" in refused.value.where
    assert f"--resume {one.folder.name}" in refused.value.fix
    train(made, under(one, 100), resume=True)
    assert len(made.updates["rag"]) == one.plan.steps


def test_the_machine_draws_the_line_where_it_has_less(job: MakeJob, learner: MakeLearner) -> None:
    assert line(1, held=100, available=200) == (300, "machine")
    assert line(1, held=100, available=2000) == (1024, "limit")
    one = job({"rag": 9}, **SHAPE)
    made = learner(one)
    made.available = 3
    with pytest.raises(OverLimit) as refused:
        train(made, one)
    assert "컴퓨터" in refused.value.where


# During the run


def test_a_run_whose_memory_grows_ends_resumable_before_it_crosses_the_line(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = under(job({"rag": 9, "review": 5}, **SHAPE), 80)
    made = learner(one)

    def grow(report: StepReport) -> None:
        made.ballast = 15.0 * report.step

    with pytest.raises(OverLimit) as stopped:
        train(made, one, shown=grow)
    assert stopped.value.exit_code == 1
    assert made.highest <= 80
    left = sorted(p.name for p in (one.folder / "checkpoints").iterdir())
    assert left[-1] != "step-000000"
    again = learner(one)
    train(again, under(one, 200), resume=True)
    whole = replace(one, folder=one.folder.with_name("whole"))
    straight = learner(whole)
    train(straight, under(whole, 200))
    assert again.weights == straight.weights


def test_a_step_that_is_given_up_in_its_middle_leaves_no_trace(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = under(job({"rag": 9, "review": 5}, **(SHAPE | {"pack_tokens": 10})), 100)
    made = learner(one)
    backward = made.backward

    def leak(pack: Any) -> Any:
        made.ballast = 95.0 if len(made.packs) == 2 else 0.0
        return backward(pack)

    made.backward = leak
    with pytest.raises(OverLimit):
        train(made, one)
    again = learner(one)
    train(again, one, resume=True)
    whole = replace(one, folder=one.folder.with_name("straight"))
    straight = learner(whole)
    train(straight, whole)
    assert again.weights == straight.weights


# Going on


def test_a_run_that_took_steps_keeps_its_packs_under_a_higher_line(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = under(job({"rag": 9, "review": 5}, **SHAPE), 30)
    made = learner(one)
    with pytest.raises(Exception, match="멈췄"):
        train(made, one, stop=lambda: True)
    again = learner(one)
    train(again, under(one, 1000), resume=True)
    assert recorded(one.folder).pack_tokens == 16  # type: ignore[union-attr]
    assert [e["limit_gb"] * GIB for e in memory_events(one)] == [30, 1000]
    whole = under(replace(one, folder=one.folder.with_name("unbroken")), 30)
    straight = learner(whole)
    train(straight, whole)
    assert again.weights == straight.weights


def test_a_lower_line_shrinks_the_packs_of_a_run_that_goes_on_and_says_so(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = job({"rag": 9, "review": 5}, **SHAPE)
    with pytest.raises(Exception, match="멈췄"):
        train(learner(one), one, stop=lambda: True)
    again = learner(one)
    train(again, under(one, 30), resume=True)
    assert [e["pack_tokens"] for e in memory_events(one)] == [64, 16]
    assert again.highest <= 30
