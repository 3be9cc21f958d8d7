"""From rounds to figures: medians, and ratios paired by round.

A ratio is the median over rounds of what stood side by side in the same round: a machine that is
slower in one round is slower for both.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from yukjo.bench.rounds import Race
from yukjo.bench.systems import OURS, SEED, TOY
from yukjo.bench.task import WARM, Outcome, Task
from yukjo.records import Frozen

OURS_TINY = OURS + TOY


class SystemFigures(Frozen):
    """One system over all rounds: medians, and the range of its speed."""

    name: str
    tokens_per_s: float
    """All tokens of the samples; padding doesn't count."""
    tokens_per_s_low: float
    tokens_per_s_high: float
    learned_tokens_per_s: float
    peak_memory_mb: float
    loss: float
    """Nats a learned token, of the last step: all systems have seen the same samples."""
    losses: tuple[float, ...]
    rounds: int
    ratio: float | None
    """How many times as fast Yukjo was; None for Yukjo itself, or where it fell."""
    versions: dict[str, str]


class LeftOut(Frozen):
    """A system without figures, and why."""

    name: str
    reason: str


class Bench(Frozen):
    """The outcome of `yukjo bench train`; None where a side of a ratio is missing."""

    machine: dict[str, Any]
    task: dict[str, Any]
    ceiling_gflops: float
    systems: tuple[SystemFigures, ...]
    ratio_seed_script: float | None
    ratio_best_peer: float | None
    best_peer: str | None
    """The fastest peer beside the seed's script."""
    ceiling_share: float | None
    """Minimal FLOPs of the counted steps, a second, over the ceiling of the same round."""
    memory_ratio: float | None
    tiny: tuple[SystemFigures, ...]
    """Yukjo and mlx-lm on the tiny model; empty where that wasn't asked for."""
    left_out: tuple[LeftOut, ...]


def bench(
    done: Race, tasks: Mapping[bool, Task], *, minimal_flops: float, machine: dict[str, Any]
) -> Bench:
    """All figures of a race."""
    systems = _all_figures(done, tasks[False], ours=OURS)
    tiny = _all_figures(done, tasks[True], ours=OURS_TINY) if True in tasks else {}
    own, seed = systems.get(OURS), systems.get(SEED)
    peers = [s for s in systems.values() if s.name not in (OURS, SEED)]
    best = max(peers, key=lambda s: s.tokens_per_s, default=None)
    return Bench(
        machine=machine,
        task=described(tasks[False]),
        ceiling_gflops=median(done.ceilings),
        systems=tuple(systems.values()),
        ratio_seed_script=seed and seed.ratio,
        ratio_best_peer=best and best.ratio,
        best_peer=best and best.name,
        ceiling_share=_share(done, minimal_flops),
        memory_ratio=own.peak_memory_mb / seed.peak_memory_mb if own and seed else None,
        tiny=tuple(tiny.values()),
        left_out=tuple(LeftOut(name=n, reason=r) for n, r in done.left_out.items()),
    )


def _all_figures(done: Race, task: Task, *, ours: str) -> dict[str, SystemFigures]:
    """Of the systems on one model, those beside `ours`."""
    own = done.outcomes.get(ours, ())
    return {
        name: figures(name, outcomes, task, own=() if name == ours else own)
        for name, outcomes in done.outcomes.items()
        if name.endswith(TOY) == ours.endswith(TOY)
    }


def figures(
    name: str, outcomes: Sequence[Outcome], task: Task, *, own: Sequence[Outcome]
) -> SystemFigures:
    """Medians over the rounds of one system; `own` are Yukjo's in the same rounds."""
    rows = [row for step in task.counted for row in step]
    tokens, learned = sum(len(r.tokens) for r in rows), sum(r.learned for r in rows)
    seconds = [counted(outcome) for outcome in outcomes]
    return SystemFigures(
        name=name,
        tokens_per_s=tokens / median(seconds),
        tokens_per_s_low=tokens / max(seconds),
        tokens_per_s_high=tokens / min(seconds),
        learned_tokens_per_s=learned / median(seconds),
        peak_memory_mb=median(o.peak_memory_mb for o in outcomes),
        loss=median(o.losses[-1] for o in outcomes),
        losses=tuple(median(step) for step in zip(*(o.losses for o in outcomes), strict=True)),
        rounds=len(outcomes),
        ratio=_faster(own, outcomes),
        versions=outcomes[-1].versions,
    )


def counted(outcome: Outcome) -> float:
    """Seconds of the steps that count."""
    return sum(outcome.seconds[WARM:])


def described(task: Task) -> dict[str, Any]:
    """The task without its tokens."""
    shown = task.model_dump(mode="json", exclude={"steps", "scratch"})
    return shown | {
        "samples_a_step": len(task.steps[0]),
        "counted_steps": len(task.counted),
        "tokens": sum(len(row.tokens) for step in task.counted for row in step),
        "learned_tokens": sum(row.learned for step in task.counted for row in step),
    }


def _share(done: Race, minimal_flops: float) -> float | None:
    rounds = zip(done.outcomes.get(OURS, ()), done.ceilings, strict=False)
    shares = [minimal_flops / counted(outcome) / (top * 1e9) for outcome, top in rounds]
    return median(shares) if shares else None


def _faster(own: Sequence[Outcome], theirs: Sequence[Outcome]) -> float | None:
    """The median over the rounds of both; a system that fell has no later round."""
    pairs = zip(own, theirs, strict=False)
    ratios = [counted(their) / counted(our) for our, their in pairs]
    return median(ratios) if ratios else None
