"""Yukjo's side of a round, as `python -m yukjo.bench.own TASK`: the loop that users run.

It reads and answers as the peers do. Nothing here is faster than `yukjo train`.
"""

import time
from pathlib import Path

from yukjo.bench.peers.task import answer
from yukjo.bench.task import Row, Task
from yukjo.config import BaseConfig, TrainConfig, YukjoConfig
from yukjo.records import Example
from yukjo.train.loop import Job, StepReport, train
from yukjo.train.plan import Plan, plan, step_samples

_NEVER = 10**9


def main(file: Path) -> None:
    """Train on the task in `file` and print the outcome."""
    from yukjo import wiring

    task = Task.model_validate_json(file.read_bytes())
    config = settings(task)
    trainer = wiring.open_parts(config, file.parent).trainer
    planned, examples = lay_out(task, config)
    trainer.add(task.agent, config.lora, seed=task.seed, weight_decay=config.train.weight_decay)
    job = Job(planned, config.train, {task.agent: examples}, {}, Path(task.scratch) / "run")
    marks: list[float] = []
    losses: list[float] = []

    def mark(report: StepReport) -> None:
        marks.append(time.perf_counter())
        losses.append(report.losses[task.agent])

    marks.append(time.perf_counter())
    train(trainer, job, shown=mark)
    answer(marks, losses, packages=("torch", "transformers"))


def settings(task: Task) -> YukjoConfig:
    """The task's numbers as a project's settings; all else is the default."""
    return YukjoConfig(
        base=BaseConfig.model_validate({"model": task.model, "dtype": task.dtype}),
        lora=task.lora,
        train=TrainConfig(
            epochs=1,
            batch=task.batch,
            accumulate=len(task.steps[0]) // task.batch,
            learning_rate=task.learning_rate,
            warmup=0,
            schedule="constant",
            clip=task.clip,
            threads=task.threads,
            evaluate_every=_NEVER,
            checkpoint_every=_NEVER,
        ),
    )


def lay_out(task: Task, config: YukjoConfig) -> tuple[Plan, tuple[Example, ...]]:
    """The plan, and the samples where the loop will look for them.

    The loop shuffles by the plan's seed: every sample is put where that order finds it in turn.
    """
    rows = [row for step in task.steps for row in step]
    laid = [_example(task.agent, row, n) for n, row in enumerate(rows)]
    made = plan({task.agent: laid}, train=config.train, lora=config.lora, seed=task.seed)
    order = step_samples(made.agents[0], 0, size=len(rows))
    for example, place in zip([*laid], order, strict=True):
        laid[place] = example
    return made, tuple(laid)


def _example(agent: str, row: Row, number: int) -> Example:
    return Example(agent, f"{number}", f"{number}", row.tokens, row.learn)


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]))
