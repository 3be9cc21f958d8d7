"""The laws of the loop, on a learner small enough to read."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.errors import RunError
from yukjo.train.events import read
from yukjo.train.loop import Job, StepReport, train
from yukjo.train.plan import step_samples

MakeJob = Callable[..., Job]
MakeLearner = Callable[..., Any]

AGENTS = ("rag", "review", "data_analysis")
sizes = st.dictionaries(st.sampled_from(AGENTS), st.integers(1, 7), min_size=1)
shapes = st.fixed_dictionaries({
    "batch": st.integers(1, 3), "accumulate": st.integers(1, 3), "epochs": st.integers(1, 2),
    "pack_tokens": st.integers(1, 60), "evaluate_every": st.integers(1, 4),
    "held_out": st.integers(0, 3), "seed": st.integers(0, 9),
})  # fmt: skip


def trained(job: Job, learner: MakeLearner, **how: Any) -> Any:
    made = learner(job, **how)
    train(made, job)
    return made


def events(job: Job, kind: str) -> list[dict[str, Any]]:
    return [e for e in read(job.folder / "events.jsonl") if e["event"] == kind]


def kept(job: Job, agent: str) -> list[float]:
    weights: list[float] = json.loads((job.folder / "best" / agent / "weights.json").read_text())
    return weights


# An adapter's step


def test_a_step_is_its_micro_batches_in_order_then_one_update(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = job({"rag": 4}, epochs=1, batch=1, accumulate=4, warmup=0, clip=0.7)
    made = trained(one, learner)
    order = step_samples(one.plan.agents[0], 0, size=4)
    assert [names for names, _, _ in made.pieces["rag"]] == [[f"rag-train-{i}"] for i in order]
    assert made.updates["rag"] == [(0.5, 0.7)]


def test_every_micro_batch_of_a_step_divides_by_the_learned_tokens_of_the_whole_step(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = job({"rag": 4}, epochs=1, batch=1, accumulate=4)
    total = sum(e.learned for e in one.examples["rag"])
    denominators = [d for _, d, _ in trained(one, learner).pieces["rag"]]
    assert denominators == [total] * 4


def test_micro_batches_of_several_adapters_take_turns_and_no_pack_holds_one_twice(
    job: MakeJob, learner: MakeLearner
) -> None:
    two = job({"rag": 2, "review": 2}, epochs=1, batch=1, accumulate=2, pack_tokens=10**6)
    packs = trained(two, learner).packs
    assert [[piece.adapter for piece in pack] for pack in packs] == [["rag", "review"]] * 2


def test_no_two_pieces_of_a_run_share_their_noise(job: MakeJob, learner: MakeLearner) -> None:
    made = trained(job({"rag": 5, "review": 5}), learner)
    noise = [n for pieces in made.pieces.values() for _, _, n in pieces]
    assert len(set(noise)) == len(noise)


def test_the_reported_loss_is_the_mean_over_the_learned_tokens_of_the_step(
    job: MakeJob, learner: MakeLearner
) -> None:
    finely = job({"rag": 6}, epochs=1, batch=1, accumulate=6)
    at_once = job({"rag": 6}, epochs=1, batch=6, accumulate=1)
    for one in (finely, at_once):
        trained(one, learner)
    a, b = ([e["losses"]["rag"] for e in events(one, "step")] for one in (finely, at_once))
    assert a == pytest.approx(b)


@settings(max_examples=60, deadline=None)
@given(sizes=sizes, shape=shapes)
def test_an_adapter_learns_the_same_alone_and_beside_others(
    job: MakeJob, learner: MakeLearner, sizes: dict[str, int], shape: dict[str, Any]
) -> None:
    together = job(sizes, **shape)
    crowd = trained(together, learner)
    for agent, size in sizes.items():
        alone = job({agent: size}, **shape)
        solo = trained(alone, learner)
        assert solo.pieces[agent] == crowd.pieces[agent]
        assert solo.updates[agent] == crowd.updates[agent]
        assert solo.weights[agent] == crowd.weights[agent]
        assert kept(alone, agent) == kept(together, agent)


@settings(max_examples=60, deadline=None)
@given(sizes=sizes, shape=shapes)
def test_each_epoch_sees_every_sample_once_before_any_twice(
    job: MakeJob, learner: MakeLearner, sizes: dict[str, int], shape: dict[str, Any]
) -> None:
    made = trained(job(sizes, **shape), learner)
    for agent, size in sizes.items():
        seen = [name for names, _, _ in made.pieces[agent] for name in names]
        for start in range(0, len(seen), size):
            epoch = seen[start : start + size]
            assert len(set(epoch)) == len(epoch)
        assert len(seen) >= size * shape["epochs"]


@settings(max_examples=60, deadline=None)
@given(sizes=sizes, shape=shapes)
def test_a_pack_holds_its_tokens_unless_a_single_piece_is_larger(
    job: MakeJob, learner: MakeLearner, sizes: dict[str, int], shape: dict[str, Any]
) -> None:
    made = trained(job(sizes, **shape), learner)
    training = [[sum(len(e.tokens) for e in p.examples) for p in pack] for pack in made.packs]
    looking = [[len(e.tokens) for _, e in pack] for pack in made.looks]
    for pack in training + looking:
        assert len(pack) == 1 or sum(pack) <= shape["pack_tokens"]


@settings(max_examples=60, deadline=None)
@given(sizes=sizes, shape=shapes)
def test_an_adapter_with_fewer_steps_finishes_early_and_is_looked_at_when_it_does(
    job: MakeJob, learner: MakeLearner, sizes: dict[str, int], shape: dict[str, Any]
) -> None:
    one = job(sizes, **shape)
    made = trained(one, learner)
    steps = events(one, "step")
    assert [e["step"] for e in steps] == list(range(1, one.plan.steps + 1))
    for agent in one.plan.agents:
        assert len(made.updates[agent.agent]) == agent.steps
        assert [agent.agent in e["losses"] for e in steps] == [
            e["step"] <= agent.steps for e in steps
        ]
        looks = [e["step"] for e in events(one, "valid") if agent.agent in e["losses"]]
        every = shape["evaluate_every"]
        due = [s for s in range(1, agent.steps + 1) if s % every == 0 or s == agent.steps]
        assert looks == (due if shape["held_out"] else [])


# What is kept


@settings(max_examples=60, deadline=None)
@given(sizes=sizes, shape=shapes)
def test_the_adapter_at_its_lowest_held_out_loss_is_kept(
    job: MakeJob, learner: MakeLearner, sizes: dict[str, int], shape: dict[str, Any]
) -> None:
    one = job(sizes, **(shape | {"held_out": 2, "learning_rate": 3.0}))
    made = learner(one)
    done = train(made, one)
    for agent in sizes:
        looks = [(e["losses"][agent], e["step"]) for e in events(one, "valid")
                 if agent in e["losses"]]  # fmt: skip
        assert (done.best[agent].loss, done.best[agent].step) == min(looks)
        judge = learner(one)
        judge.weights[agent] = kept(one, agent)
        rows = [(agent, e) for e in one.valid[agent]]
        mean = sum(judge.losses(rows)) / sum(e.learned for _, e in rows)
        assert mean == pytest.approx(min(looks)[0])


@settings(max_examples=60, deadline=None)
@given(losses=st.lists(st.sampled_from([1.0, 1.0001, 2.0, 0.9999]), min_size=5, max_size=5))
def test_of_two_equal_losses_the_earlier_is_kept(
    job: MakeJob, learner: MakeLearner, losses: list[float]
) -> None:
    one = job({"rag": 5}, epochs=1, batch=1, accumulate=1, evaluate_every=1, held_out=1)
    made, left = learner(one), iter(losses)
    count = one.valid["rag"][0].learned
    made.losses = lambda _: [next(left) * count]
    best = train(made, one).best["rag"]
    assert best.step == losses.index(min(losses)) + 1
    assert best.loss == pytest.approx(min(losses))


def test_a_run_that_overfits_keeps_an_earlier_adapter(job: MakeJob, learner: MakeLearner) -> None:
    one = job({"rag": 2}, epochs=40, evaluate_every=1, learning_rate=1.0)
    made = trained(one, learner)
    assert kept(one, "rag") != made.weights["rag"]


@settings(max_examples=30, deadline=None)
@given(sizes=sizes, shape=shapes)
def test_with_nothing_held_out_the_last_is_kept(
    job: MakeJob, learner: MakeLearner, sizes: dict[str, int], shape: dict[str, Any]
) -> None:
    one = job(sizes, **(shape | {"held_out": 0}))
    made = learner(one)
    done = train(made, one)
    for agent in one.plan.agents:
        assert kept(one, agent.agent) == made.weights[agent.agent]
        best = done.best[agent.agent]
        assert (best.step, best.loss) == (agent.steps, None)


def test_an_agent_with_nothing_held_out_keeps_its_last_beside_one_that_has(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = job({"rag": 4, "review": 4}, epochs=3)
    del one.valid["rag"]  # type: ignore[attr-defined]
    made = learner(one)
    done = train(made, one)
    assert kept(one, "rag") == made.weights["rag"]
    assert done.best["rag"].loss is None
    assert done.best["review"].loss is not None


# What stops it


@pytest.mark.parametrize("spoilt", ["loss", "norm", "held-out"])
@pytest.mark.parametrize("step", [0, 3, 5])
def test_a_figure_that_is_no_number_stops_the_run_and_the_last_checkpoint_stands(
    job: MakeJob, learner: MakeLearner, spoilt: str, step: int
) -> None:
    one = job({"rag": 12, "review": 12}, epochs=2, evaluate_every=1, checkpoint_every=2)
    with pytest.raises(RunError, match="review") as fault:
        trained(one, learner, spoils={"review": step}, spoilt=spoilt)
    assert str(step + 1) in fault.value.where
    places = sorted(p.name for p in (one.folder / "checkpoints").glob("*"))
    assert places == [f"step-{s:06d}" for s in range(2, step + 1, 2)]
    assert all(e["losses"]["review"] < 9 for e in events(one, "step"))


def test_a_run_that_fell_to_a_figure_that_is_no_number_can_go_on(
    job: MakeJob, learner: MakeLearner
) -> None:
    whole, broken = (job({"rag": 12}, epochs=2, checkpoint_every=2) for _ in range(2))
    with pytest.raises(RunError):
        trained(broken, learner, spoils={"rag": 3})
    mended = learner(broken)
    train(mended, broken, resume=True)
    assert mended.weights == trained(whole, learner).weights


# What is shown


def test_each_step_is_shown_as_it_happens(job: MakeJob, learner: MakeLearner) -> None:
    one = job({"rag": 8}, epochs=1)
    shown: list[StepReport] = []
    train(learner(one), one, shown=shown.append)
    assert [(r.step, r.steps) for r in shown] == [(1, 2), (2, 2)]
    assert [dict(r.losses) for r in shown] == [e["losses"] for e in events(one, "step")]
    assert shown[-1].seconds_left == 0
    assert all(r.tokens_per_s > 0 and r.memory_mb > 0 for r in shown)


def test_tokens_are_counted_over_all_adapters(job: MakeJob, learner: MakeLearner) -> None:
    one = job({"rag": 4, "review": 4}, epochs=1)
    done = train(learner(one), one)
    assert done.tokens == sum(len(e.tokens) for own in one.examples.values() for e in own)
    assert events(one, "step")[-1]["tokens"] == done.tokens
