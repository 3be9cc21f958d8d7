"""The training loop: all adapters of a run, one frozen base, one step after another.

1. An adapter's step is the same alone and beside others: its own samples, denominator, gradient
   norm, schedule and noise. A pack only decides which pieces share a pass over the base.
2. An adapter is kept as it was at its best held-out loss; with nothing held out, as it ended.
3. An adapter that memorises stops early where it was asked to, and in a sweep one that diverges
   is dropped; the others go on.
4. Asked to stop, the loop finishes its step, writes a checkpoint and says so.
"""

import math
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from yukjo.config.models import TrainConfig
from yukjo.data.pack import packs
from yukjo.errors import RunError
from yukjo.ports import Piece, Trainer
from yukjo.records import Example
from yukjo.train.checkpoints import START, Best, Checkpoints, Progress
from yukjo.train.events import Events
from yukjo.train.memory import Guard, OverLimit, agree, record, recorded
from yukjo.train.patience import Looks
from yukjo.train.plan import AgentPlan, Plan, step_samples
from yukjo.train.schedule import learning_rate
from yukjo.train.sessions import session
from yukjo.words import say


class Stopped(RunError):
    """The run was asked to stop and can be resumed."""

    exit_code = 130  # as a shell has it for Ctrl-C


@dataclass(frozen=True, slots=True)
class StepReport:
    """What a progress display shows after a step."""

    step: int
    steps: int
    losses: Mapping[str, float]
    """Mean loss in nats a learned token, of each adapter that took the step."""
    tokens_per_s: float
    memory_mb: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Job:
    """All a training run needs beside its trainer."""

    plan: Plan
    config: TrainConfig
    examples: Mapping[str, Sequence[Example]]
    """By agent, as `valid`; siblings in a sweep share them."""
    valid: Mapping[str, Sequence[Example]]
    folder: Path
    """Of the run: `checkpoints/`, `best/<adapter>/` and `events.jsonl` are written there."""
    run: str = ""
    """What a stopped run is gone on with by, where that isn't the name of its folder."""


def train(
    trainer: Trainer,
    job: Job,
    *,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    shown: Callable[[StepReport], None] = lambda _: None,
    said: Callable[[str], None] = lambda _: None,
) -> Progress:
    """Train to the end of the plan; the best adapters are in `job.folder / "best"`."""
    checkpoints = Checkpoints(job.folder, keep=job.config.keep)
    done = checkpoints.restore(trainer, said=said) if resume else START
    began = time.perf_counter() - done.seconds
    with (
        Events(job.folder / "events.jsonl", upto_step=done.step if resume else None) as events,
        session(events, resumed=done, steps=job.plan.steps, stops=(Stopped, OverLimit)),
    ):
        if _left(job.plan, done):
            job, guard = _under_the_line(trainer, job, done, events=events)
        while _left(job.plan, done):
            try:
                done = _step(trainer, job, done, guard=guard, events=events, began=began,
                             shown=shown, checkpoints=checkpoints)  # fmt: skip
            except OverLimit:  # no adapter has moved since `done`: updates come after all packs
                checkpoints.write(done, trainer)
                raise
            last, asked = not _left(job.plan, done), stop()
            if last or asked or done.step % job.config.checkpoint_every == 0:
                events.settle()
                checkpoints.write(done, trainer)
            if asked and not last:
                raise Stopped(
                    say("stopped after step {step} of {steps}", step=done.step,
                        steps=job.plan.steps),
                    where=str(job.folder),
                    fix=say("go on with --resume {run}", run=job.run or job.folder.name),
                )  # fmt: skip
    return done


def _left(made: Plan, done: Progress) -> list[AgentPlan]:
    """The adapters that have a step left."""
    over = done.stopped.keys() | done.diverged
    return [a for a in made.agents if done.step < a.steps and a.adapter not in over]


def _step(
    trainer: Trainer,
    job: Job,
    done: Progress,
    *,
    guard: Guard,
    events: Events,
    began: float,
    shown: Callable[[StepReport], None],
    checkpoints: Checkpoints,
) -> Progress:
    """One optimiser step of every adapter that has one left, and what follows from it."""
    step, active = done.step + 1, _left(job.plan, done)
    losses, tokens = _backward(trainer, job, active, step=done.step, guard=guard)
    diverged = _diverged(job.plan, done.diverged, losses, step=step)
    rates = {a.adapter: learning_rate(a.pace, done.step, warmup=a.warmup, total=a.steps)
             for a in active if a.adapter not in diverged}  # fmt: skip
    norms = {a: trainer.update(a, learning_rate=r, clip=job.config.clip) for a, r in rates.items()}
    diverged = _diverged(job.plan, diverged, norms, step=step)
    losses, norms = _without(diverged, losses), _without(diverged, norms)
    tokens, seconds = done.tokens + tokens, time.perf_counter() - began
    events.write("step", step=step, losses=losses, norms=norms, rates=rates, tokens=tokens,
                 seconds=round(seconds, 3), memory_mb=round(trainer.resident_mb()),
                 peak_mb=round(trainer.memory_mb()))  # fmt: skip
    if losses:  # a sibling that took the step alone may have diverged in it
        shown(_report(step, job.plan.steps, losses, tokens=tokens, seconds=seconds,
                      trainer=trainer))  # fmt: skip
    looks = {name: done.looks.get(name, Looks()).step(loss) for name, loss in losses.items()}
    now = Progress(step=step, best=done.best, looks=done.looks | looks, stopped=done.stopped,
                   diverged=diverged, tokens=tokens, seconds=seconds)  # fmt: skip
    due = [a for a in active if step % job.config.evaluate_every == 0 or step == a.steps]
    now = _look(trainer, job, [a for a in due if a.adapter not in diverged], now, events=events,
                checkpoints=checkpoints)  # fmt: skip
    for adapter in sorted(now.diverged.keys() - done.diverged):
        events.write("diverged", step=step, adapter=adapter)
    return now.model_copy(update={"seconds": time.perf_counter() - began})


def _backward(
    trainer: Trainer, job: Job, active: Sequence[AgentPlan], *, step: int, guard: Guard
) -> tuple[dict[str, float], int]:
    """Gather the gradients of a step; the loss of each adapter, and the tokens passed through."""
    sums, tokens = dict.fromkeys((a.adapter for a in active), 0.0), 0
    for pack in _packs(active, step, job):
        guard.check()
        for piece, loss in zip(pack, trainer.backward(pack), strict=True):
            sums[piece.adapter] += loss / piece.denominator
        tokens += _tokens(pack)
    return sums, tokens


def _under_the_line(
    trainer: Trainer, job: Job, done: Progress, *, events: Events
) -> tuple[Job, Guard]:
    """The job with packs that fit in memory, and who watches that it stays so."""
    before, limit = recorded(job.folder), job.config.memory_limit_gb
    kept = before and (done.step or before.limit_gb == limit)
    asked = before.pack_tokens if before and kept else job.config.pack_tokens
    run = job.run or job.folder.name
    agreed = agree(trainer, lambda t: largest(job, t), limit_gb=limit, asked=asked, run=run)
    if not before or (before.limit_gb, before.pack_tokens) != (limit, agreed.pack_tokens):
        events.write("memory", step=done.step, **agreed.model_dump(mode="json"))
        record(agreed, job.folder)
    return _with_packs_of(job, agreed.pack_tokens), Guard(trainer, agreed, run=run)


def largest(job: Job, pack_tokens: int) -> list[list[Piece]]:
    """The packs of most tokens and of the longest sample."""
    shaped = _with_packs_of(job, pack_tokens)
    active = [[a for a in job.plan.agents if step < a.steps] for step in range(job.plan.steps)]
    every = [pack for step, own in enumerate(active) for pack in _packs(own, step, shaped)]
    found = [max(every, key=size) for size in (_tokens, _longest)]
    return [pack for i, pack in enumerate(found) if pack not in found[:i]]


def _with_packs_of(job: Job, pack_tokens: int) -> Job:
    return replace(job, config=job.config.model_copy(update={"pack_tokens": pack_tokens}))


def _packs(active: Sequence[AgentPlan], step: int, job: Job) -> list[list[Piece]]:
    """What a step takes over the base, pass by pass."""
    pieces = _in_turn([_pieces(agent, step, job) for agent in active])
    # Two pieces of one adapter in a pack would sum its gradients in another order than alone.
    owners = [piece.adapter for piece in pieces]
    made = packs([_tokens([piece]) for piece in pieces], job.config.pack_tokens, owners=owners)
    return [[pieces[i] for i in pack] for pack in made]


def _tokens(pack: Sequence[Piece]) -> int:
    return sum(len(e.tokens) for piece in pack for e in piece.examples)


def _longest(pack: Sequence[Piece]) -> int:
    return max(len(e.tokens) for piece in pack for e in piece.examples)


def _pieces(agent: AgentPlan, step: int, job: Job) -> list[Piece]:
    """The micro-batches of an adapter's step, in order; they depend on its own samples alone.

    At most `batch` samples and, but for a longer sample, `pack_tokens` tokens each.
    """
    own = job.examples[agent.agent]
    size = job.config.batch * job.config.accumulate
    chosen = [own[i] for i in step_samples(agent, step, size=size)]
    denominator = sum(e.learned for e in chosen)
    micro = packs([len(e.tokens) for e in chosen], job.config.pack_tokens, most=job.config.batch)
    return [
        Piece(
            adapter=agent.adapter,
            examples=tuple(chosen[i] for i in indices),
            denominator=denominator,
            noise=zlib.crc32(f"{agent.seed}/{step}/{number}".encode()),
        )
        for number, indices in enumerate(micro)
    ]


def _in_turn(pieces: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Every adapter's first piece, then every second, and so on."""
    return [piece for turn in zip_longest(*pieces) for piece in turn if piece]


def _diverged(
    made: Plan, before: Mapping[str, int], figures: Mapping[str, float], *, step: int
) -> dict[str, int]:
    """`before` and the adapters whose figure is no number; RunError where an agent has no other."""
    lost = dict(before) | {a: step for a, figure in figures.items() if not math.isfinite(figure)}
    sound = {a.agent for a in made.agents if a.adapter not in lost}
    gone = [a.agent for a in made.agents if a.agent not in sound]
    if gone:
        raise RunError(
            say("the loss of `{agent}` is no longer a number", agent=gone[0]),
            where=say("step {step}", step=step),
            fix=say("lower [train] learning_rate; the last checkpoint stands"),
        )
    return lost


def _without(diverged: Mapping[str, int], figures: Mapping[str, float]) -> dict[str, float]:
    return {adapter: figure for adapter, figure in figures.items() if adapter not in diverged}


def _report(
    step: int,
    steps: int,
    losses: Mapping[str, float],
    *,
    tokens: int,
    seconds: float,
    trainer: Trainer,
) -> StepReport:
    return StepReport(
        step=step,
        steps=steps,
        losses=losses,
        tokens_per_s=tokens / seconds,
        memory_mb=trainer.memory_mb(),
        seconds_left=seconds / step * (steps - step),
    )


def _look(
    trainer: Trainer,
    job: Job,
    looked: Sequence[AgentPlan],
    done: Progress,
    *,
    events: Events,
    checkpoints: Checkpoints,
) -> Progress:
    """Look at held-out loss: save what is better than ever, stop what memorises."""
    losses = _held_out(trainer, job, looked)
    diverged = _diverged(job.plan, done.diverged, losses, step=done.step)
    losses = _without(diverged, losses)
    if losses:
        events.write("valid", step=done.step, losses=losses)
    best, looks, stopped = dict(done.best), dict(done.looks), dict(done.stopped)
    for agent in (a for a in looked if a.adapter not in diverged):
        name, loss = agent.adapter, losses.get(agent.adapter)
        better = _better(loss, done.best.get(name))
        looks[name] = done.looks[name].look(best=better)
        if better:
            checkpoints.save_best(name, trainer)
            best[name] = Best(step=done.step, loss=loss)
        elif looks[name].bad >= (agent.pace.patience or math.inf) and done.step < agent.steps:
            stopped[name] = done.step
            events.write("stopped early", step=done.step, adapter=name, best_step=best[name].step)
    update = {"best": best, "looks": looks, "stopped": stopped, "diverged": diverged}
    return done.model_copy(update=update)


def _better(loss: float | None, known: Best | None) -> bool:
    """Whether a held-out loss is the lowest so far; with nothing held out the last is the best."""
    return loss is None or known is None or known.loss is None or loss < known.loss


def _held_out(trainer: Trainer, job: Job, looked: Sequence[AgentPlan]) -> dict[str, float]:
    """Mean loss a learned token on the held-out examples, of each adapter that has some."""
    rows = [(a.adapter, e) for a in looked for e in job.valid.get(a.agent, ())]
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for pack in packs([len(e.tokens) for _, e in rows], job.config.pack_tokens):
        chosen = [rows[i] for i in pack]
        for (adapter, example), loss in zip(chosen, trainer.losses(chosen), strict=True):
            sums[adapter] = sums.get(adapter, 0.0) + loss
            counts[adapter] = counts.get(adapter, 0) + example.learned
    return {adapter: sums[adapter] / counts[adapter] for adapter in sums}
