"""The laws of the loop, on a learner small enough to read."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.config.models import AgentConfig, LoraConfig, PaceConfig, SweepConfig
from yukjo.errors import RunError
from yukjo.train.choose import chosen, line, siblings
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


# Unlike adapters and siblings

paces = st.builds(
    PaceConfig, epochs=st.sampled_from([1, 2.5, 4]), learning_rate=st.floats(0.1, 2),
    warmup=st.floats(0, 0.9), patience=st.none() | st.integers(1, 2),
)  # fmt: skip
ranks = st.integers(1, 9).map(lambda rank: LoraConfig(rank=rank))
owned = st.dictionaries(st.sampled_from(AGENTS), st.builds(AgentConfig, lora=ranks, train=paces))
sweeps = st.builds(
    SweepConfig, learning_rate=st.lists(st.floats(0.1, 2), max_size=2),
    rank=st.lists(st.integers(1, 9), max_size=2), epochs=st.lists(st.floats(0.5, 3), max_size=2),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(sizes=sizes, shape=shapes, own=owned, sweep=sweeps, patience=st.none() | st.integers(1, 2))
def test_an_adapter_of_its_own_settings_or_of_a_sweep_learns_what_it_learns_alone(
    job: MakeJob, learner: MakeLearner, *, sizes: dict[str, int], shape: dict[str, Any],
    own: dict[str, AgentConfig], sweep: SweepConfig, patience: int | None,
) -> None:  # fmt: skip
    together = job(sizes, own=own, sweep=sweep, patience=patience, **shape)
    crowd = learner(together)
    all_done = train(crowd, together)
    for one in together.plan.agents:
        alone = job({one.agent: sizes[one.agent]}, **(shape | {"patience": one.pace.patience}),
                    own={one.agent: AgentConfig(lora=one.lora, train=one.pace)})  # fmt: skip
        solo = learner(alone)
        done = train(solo, alone)
        assert solo.pieces[one.agent] == crowd.pieces[one.adapter]
        assert solo.weights[one.agent] == crowd.weights[one.adapter]
        assert kept(alone, one.agent) == kept(together, one.adapter)
        assert done.best[one.agent] == all_done.best[one.adapter]
        assert done.stopped.get(one.agent) == all_done.stopped.get(one.adapter)


def test_of_siblings_the_lowest_held_out_loss_is_chosen_and_of_equal_ones_the_first(
    job: MakeJob, learner: MakeLearner
) -> None:
    rates = (0.01, 0.5, 0.2)
    one = job({"rag": 6}, sweep=SweepConfig(learning_rate=rates))
    done = train(learner(one), one)
    losses = [done.best[a.adapter].loss or 0 for a in one.plan.agents]
    best = one.plan.agents[losses.index(min(losses))]
    assert chosen(one.plan, done) == {"rag": best}
    assert [s.chosen for s in siblings(one.plan, done)] == [a == best for a in one.plan.agents]
    assert line(siblings(one.plan, done)[1]).endswith(
        f"({done.best[one.plan.agents[1].adapter].step}단계)"
    )
    same = dict.fromkeys(done.best, done.best[best.adapter])
    assert chosen(one.plan, done.model_copy(update={"best": same})) == {"rag": one.plan.agents[0]}


def test_a_run_without_a_sweep_has_no_siblings(job: MakeJob, learner: MakeLearner) -> None:
    one = job({"rag": 3, "review": 3})
    done = train(learner(one), one)
    assert siblings(one.plan, done) == []
    assert list(chosen(one.plan, done)) == ["rag", "review"]


@pytest.mark.parametrize("spoilt", ["loss", "norm", "held-out"])
def test_a_sibling_that_diverges_is_dropped_and_the_others_go_on_as_if_alone(
    job: MakeJob, learner: MakeLearner, spoilt: str
) -> None:
    sweep = SweepConfig(learning_rate=(0.1, 9.0))
    one = job({"rag": 12}, evaluate_every=1, sweep=sweep)
    good, bad = (a.adapter for a in one.plan.agents)
    made = learner(one, spoils={bad: 2}, spoilt=spoilt)
    done = train(made, one)
    assert (done.diverged, done.best[good].step) == ({bad: 3}, 9)
    assert [(e["adapter"], e["step"]) for e in events(one, "diverged")] == [(bad, 3)]
    assert [s.chosen for s in siblings(one.plan, done)] == [True, False]
    assert line(siblings(one.plan, done)[1]).endswith("발산")
    alone = job({"rag": 12}, evaluate_every=1, learning_rate=0.1)
    assert trained(alone, learner).weights["rag"] == made.weights[good]


def test_a_run_of_which_every_sibling_diverges_stops(job: MakeJob, learner: MakeLearner) -> None:
    one = job({"rag": 12}, sweep=SweepConfig(rank=(1, 2)))
    with pytest.raises(RunError, match="rag"):
        trained(one, learner, spoils={a.adapter: n for n, a in enumerate(one.plan.agents)})


def test_a_sibling_that_diverges_in_a_step_it_takes_alone_leaves_nothing_to_show(
    job: MakeJob, learner: MakeLearner
) -> None:
    one = job({"rag": 12}, sweep=SweepConfig(epochs=(1, 3)))
    short, long = one.plan.agents
    made, shown = learner(one, spoils={long.adapter: short.steps}), list[StepReport]()
    done = train(made, one, shown=shown.append)
    assert (done.step, len(shown)) == (short.steps + 1, short.steps)
    assert chosen(one.plan, done) == {"rag": short}


# Stopping early


def looked_at(job: MakeJob, learner: MakeLearner, held_out: list[float], losses: list[float],
              *, patience: int) -> Any:  # fmt: skip
    """A run of so many steps whose losses are these."""
    one = job({"rag": len(losses)}, epochs=1, batch=1, accumulate=1, evaluate_every=1, held_out=1,
              patience=patience)  # fmt: skip
    made, left, given = learner(one), iter(held_out), iter(losses)
    made.losses = lambda _: [next(left) * one.valid["rag"][0].learned]
    made.backward = lambda pack: [next(given) * pack[0].denominator]
    return train(made, one), one


def test_an_adapter_that_memorises_stops_on_its_best_checkpoint(
    job: MakeJob, learner: MakeLearner
) -> None:
    held_out, losses = [3.0, 2.0, 2.1, 2.2, 2.3, 1.0], [3.0, 2.5, 2.0, 1.5, 1.0, 0.5]
    done, one = looked_at(job, learner, held_out, losses, patience=2)
    assert (done.step, done.stopped, done.best["rag"].step) == (4, {"rag": 4}, 2)
    (event,) = events(one, "stopped early")
    assert (event["adapter"], event["step"], event["best_step"]) == ("rag", 4, 2)
    assert (one.folder / "checkpoints" / "step-000004").is_dir()


def test_a_worse_look_counts_only_while_training_loss_is_lower_than_at_the_best(
    job: MakeJob, learner: MakeLearner
) -> None:
    held_out = [2.0, 2.1, 2.1, 2.1, 1.9, 2.0]
    done, _ = looked_at(job, learner, held_out, [3.0, 3.0, 3.5, 2.0, 3.0, 2.9], patience=2)
    assert (done.step, done.stopped, done.best["rag"].step) == (6, {}, 5)


def test_what_memorises_in_its_last_step_has_simply_ended(
    job: MakeJob, learner: MakeLearner
) -> None:
    done, one = looked_at(job, learner, [2.0, 2.1, 2.2], [3.0, 2.0, 1.0], patience=2)
    assert (done.step, done.stopped, events(one, "stopped early")) == (3, {}, [])


def test_a_new_best_forgives_the_looks_before_it(job: MakeJob, learner: MakeLearner) -> None:
    held_out = [2.0, 2.1, 1.9, 2.0, 1.8, 2.0]
    done, _ = looked_at(job, learner, held_out, [6.0, 5.0, 4.0, 3.0, 2.0, 1.0], patience=2)
    assert (done.step, done.stopped) == (6, {})


def test_one_that_stopped_early_takes_no_more_samples_and_the_others_go_on(
    job: MakeJob, learner: MakeLearner
) -> None:
    eager = AgentConfig(lora=LoraConfig(), train=PaceConfig(
        epochs=40, learning_rate=1.0, patience=1))  # fmt: skip
    one = job({"rag": 2, "review": 9}, epochs=9, evaluate_every=1, own={"rag": eager})
    made = learner(one)
    done = train(made, one)
    stopped = done.stopped["rag"]
    assert stopped < one.plan.agents[0].steps == 20
    assert len(made.updates["rag"]) == stopped
    assert len(made.updates["review"]) == one.plan.agents[1].steps > stopped
    assert "review" not in done.stopped


def test_without_patience_nothing_stops_early(job: MakeJob, learner: MakeLearner) -> None:
    one = job({"rag": 2}, epochs=40, evaluate_every=1, learning_rate=1.0)
    done = train(learner(one), one)
    assert (done.step, done.stopped) == (20, {})
