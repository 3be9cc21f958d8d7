"""What the peers built on transformers' Trainer share: its clock, and settings equal for all."""

import time
from typing import Any

import torch
from transformers import TrainerCallback

from .task import accumulate


class Stopwatch(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Seconds at the start and after each optimiser step, and the loss of each."""

    def __init__(self) -> None:
        self.marks: list[float] = []
        self.losses: list[float] = []

    def on_train_begin(self, *_: object, **__: object) -> None:
        """Start."""
        self.marks.append(time.perf_counter())

    def on_step_end(self, *_: object, **__: object) -> None:
        """One optimiser step is done."""
        self.marks.append(time.perf_counter())

    def on_log(self, *_: object, logs: dict[str, float], **__: object) -> None:
        """Note the loss; the summary at the end has none."""
        if "loss" in logs:
            self.losses.append(float(logs["loss"]))


def settings(task: dict[str, Any]) -> dict[str, Any]:
    """Trainer's arguments, the same for every peer: the task's, and no work beside training."""
    torch.set_num_threads(task["threads"])
    return {
        "output_dir": task["scratch"],
        "num_train_epochs": 1,
        "per_device_train_batch_size": task["batch"],
        "gradient_accumulation_steps": accumulate(task),
        "learning_rate": task["learning_rate"],
        "lr_scheduler_type": "constant",
        "weight_decay": 0.0,
        "max_grad_norm": task["clip"],
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "seed": task["seed"],
        "use_cpu": True,
        "disable_tqdm": True,
    }


def lora(task: dict[str, Any]) -> dict[str, Any]:
    """PEFT's names for the task's adapter."""
    chosen = task["lora"]
    return {
        "r": chosen["rank"],
        "lora_alpha": chosen["alpha"],
        "lora_dropout": chosen["dropout"],
        "target_modules": chosen["targets"],
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }
