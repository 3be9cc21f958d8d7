"""The training loop: all adapters of a run, one frozen base, one step after another.

1. An adapter's step is the same alone and beside others: its own samples, denominator, gradient
   norm, schedule and noise. A pack only decides which pieces share a pass over the base.
2. An adapter is kept as it was at its best held-out loss; with nothing held out, as it ended.
3. Asked to stop, the loop finishes its step, writes a checkpoint and says so.
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
from yukjo.train.plan import AgentPlan, Plan, step_samples
from yukjo.train.schedule import warmup_cosine
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
    valid: Mapping[str, Sequence[Example]]
    folder: Path
    """Of the run: `checkpoints/`, `best/<agent>/` and `events.jsonl` are written there."""


def train(
    trainer: Trainer,
    job: Job,
    *,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    shown: Callable[[StepReport], None] = lambda _: None,
) -> Progress:
    """Train to the end of the plan; the best adapters are in `job.folder / "best"`."""
    checkpoints = Checkpoints(job.folder / "checkpoints", keep=job.config.keep)
    done = checkpoints.restore(trainer) if resume else START
    began = time.perf_counter() - done.seconds
    with Events(job.folder / "events.jsonl", upto_step=done.step if resume else None) as events:
        if done.step < job.plan.steps:
            job, guard = _under_the_line(trainer, job, done, events=events)
        while done.step < job.plan.steps:
            try:
                done = _step(
                    trainer, job, done, guard=guard, events=events, began=began, shown=shown
                )
            except OverLimit:  # no adapter has moved since `done`: updates come after all packs
                checkpoints.write(done, trainer)
                raise
            last, asked = done.step == job.plan.steps, stop()
            if last or asked or done.step % job.config.checkpoint_every == 0:
                checkpoints.write(done, trainer)
            if asked and not last:
                raise Stopped(
                    say("stopped after step {step} of {steps}", step=done.step,
                        steps=job.plan.steps),
                    where=str(job.folder),
                    fix=say("go on with --resume {run}", run=job.folder.name),
                )  # fmt: skip
    return done


def _step(
    trainer: Trainer,
    job: Job,
    done: Progress,
    *,
    guard: Guard,
    events: Events,
    began: float,
    shown: Callable[[StepReport], None],
) -> Progress:
    """One optimiser step of every adapter that has one left, and what follows from it."""
    active = [a for a in job.plan.agents if done.step < a.steps]
    sums = dict.fromkeys((a.agent for a in active), 0.0)
    step, tokens = done.step + 1, done.tokens
    for pack in _packs(active, done.step, job):
        guard.check()
        for piece, loss in zip(pack, trainer.backward(pack), strict=True):
            sums[piece.adapter] += loss / piece.denominator
        tokens += _tokens(pack)
    _refuse_divergence(sums, step)
    norms = {a.agent: _update(trainer, a, done.step, job) for a in active}
    _refuse_divergence(norms, step)
    seconds = time.perf_counter() - began
    events.write("step", step=step, losses=sums, norms=norms, tokens=tokens,
                 seconds=round(seconds, 3), memory_mb=round(trainer.resident_mb()),
                 peak_mb=round(trainer.memory_mb()))  # fmt: skip
    shown(_report(step, job.plan.steps, sums, tokens=tokens, seconds=seconds, trainer=trainer))
    looked = {a.agent for a in active if step % job.config.evaluate_every == 0 or step == a.steps}
    best = done.best | _improved(trainer, job, looked, done.best, step=step, events=events)
    return Progress(step=step, best=best, tokens=tokens, seconds=time.perf_counter() - began)


def _under_the_line(
    trainer: Trainer, job: Job, done: Progress, *, events: Events
) -> tuple[Job, Guard]:
    """The job with packs that fit in memory, and who watches that it stays so."""
    before, limit = recorded(job.folder), job.config.memory_limit_gb
    kept = before and (done.step or before.limit_gb == limit)
    asked = before.pack_tokens if before and kept else job.config.pack_tokens
    run = job.folder.name
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
            adapter=agent.agent,
            examples=tuple(chosen[i] for i in indices),
            denominator=denominator,
            noise=zlib.crc32(f"{agent.seed}/{step}/{number}".encode()),
        )
        for number, indices in enumerate(micro)
    ]


def _in_turn(pieces: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Every adapter's first piece, then every second, and so on."""
    return [piece for turn in zip_longest(*pieces) for piece in turn if piece]


def _update(trainer: Trainer, agent: AgentPlan, step: int, job: Job) -> float:
    rate = warmup_cosine(
        step, peak=job.config.learning_rate, warmup=agent.warmup, total=agent.steps
    )
    return trainer.update(agent.agent, learning_rate=rate, clip=job.config.clip)


def _refuse_divergence(figures: Mapping[str, float], step: int) -> None:
    for agent, figure in figures.items():
        if not math.isfinite(figure):
            raise RunError(
                say("the loss of `{agent}` is no longer a number", agent=agent),
                where=say("step {step}", step=step),
                fix=say("lower [train] learning_rate; the last checkpoint stands"),
            )


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


def _improved(
    trainer: Trainer,
    job: Job,
    looked: set[str],
    best: Mapping[str, Best],
    *,
    step: int,
    events: Events,
) -> dict[str, Best]:
    """The adapters of `looked` whose held-out loss is lower than ever, now saved."""
    losses = _held_out(trainer, job, looked)
    _refuse_divergence(losses, step)
    improved = {}
    for agent in sorted(looked):
        loss, known = losses.get(agent), best.get(agent)
        if loss is None or known is None or known.loss is None or loss < known.loss:
            trainer.save(agent, job.folder / "best" / agent)
            improved[agent] = Best(step=step, loss=loss)
    if losses:
        events.write("valid", step=step, losses=losses)
    return improved


def _held_out(trainer: Trainer, job: Job, agents: set[str]) -> dict[str, float]:
    """Mean loss a learned token on the held-out examples, of each agent that has some."""
    rows = [(agent, e) for agent in sorted(agents) for e in job.valid.get(agent, ())]
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for pack in packs([len(e.tokens) for _, e in rows], job.config.pack_tokens):
        chosen = [rows[i] for i in pack]
        for (agent, example), loss in zip(chosen, trainer.losses(chosen), strict=True):
            sums[agent] = sums.get(agent, 0.0) + loss
            counts[agent] = counts.get(agent, 0) + example.learned
    return {agent: sums[agent] / counts[agent] for agent in sums}
