"""mlx-lm's own training loop on the CPU, fp32, with the task's batches and mask.

Its batches drop incomplete ones and learn one token of padding, and its LoRA defaults aren't
PEFT's: scale is alpha / rank, every layer takes part. Its AdamW corrects no bias unless asked.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from mlx_lm import load
from mlx_lm.tuner.callbacks import TrainingCallback
from mlx_lm.tuner.trainer import TrainingArgs, train
from mlx_lm.tuner.utils import linear_to_lora_layers

from .task import accumulate, answer, read_task, sorted_steps


class Stopwatch(TrainingCallback):  # type: ignore[misc]  # mlx-lm has no types
    """Seconds at the start and after each optimiser step, and the loss of each."""

    def __init__(self) -> None:
        self.marks = [time.perf_counter()]
        self.losses: list[float] = []

    def on_train_loss_report(self, train_info: dict[str, Any]) -> None:
        """One optimiser step is done."""
        self.marks.append(time.perf_counter())
        self.losses.append(train_info["train_loss"])


def main() -> None:
    """Train on the task."""
    task = read_task()
    chosen, every = task["lora"], accumulate(task)
    mx.random.seed(task["seed"])
    model, _ = load(task["model"])
    model.freeze()
    config = {
        "rank": chosen["rank"],
        "scale": chosen["alpha"] / chosen["rank"],
        "dropout": chosen["dropout"],
        "keys": [f"self_attn.{name}" for name in chosen["targets"]],
    }
    linear_to_lora_layers(model, len(model.layers), config)
    samples = sorted_steps(task)
    arguments = TrainingArgs(
        batch_size=task["batch"],
        iters=len(samples) // task["batch"],
        steps_per_report=every,
        steps_per_save=1 << 30,
        grad_accumulation_steps=every,
        adapter_file=str(Path(task["scratch"]) / "mlx.safetensors"),
    )
    watch = Stopwatch()
    train(
        model=model,
        optimizer=optim.AdamW(
            learning_rate=task["learning_rate"], weight_decay=0.0, bias_correction=True
        ),
        train_dataset=samples,
        args=arguments,
        iterate_batches=_batches,
        training_callback=watch,
    )
    answer(watch.marks, watch.losses, packages=("mlx", "mlx-lm"))


def _batches(
    dataset: list[dict[str, Any]], batch_size: int, **_: object
) -> Iterator[tuple[mx.array, mx.array]]:
    """Batches in order, padded to the longest; (first, last) learned position of each sample."""
    for start in range(0, len(dataset), batch_size):
        part = dataset[start : start + batch_size]
        padded = np.zeros((len(part), max(len(s["tokens"]) for s in part)), np.int32)
        for row, sample in zip(padded, part, strict=True):
            row[: len(sample["tokens"])] = sample["tokens"]
        spans = [(s["learn"].index(True), len(s["tokens"]) - 1) for s in part]
        yield mx.array(padded), mx.array(spans)


if __name__ == "__main__":
    main()
