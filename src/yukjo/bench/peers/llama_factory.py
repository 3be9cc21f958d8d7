"""LLaMA-Factory on rows it would have tokenised itself: bf16, in the form of its neat packing.

A row is one micro-batch; its attention mask numbers the samples, which its collator turns into a
block diagonal. Recomputing activations is off.
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict

from .task import answer, read_task, rows
from .trainer import Stopwatch, settings


def main() -> None:
    """Train on the task."""
    # It imports torchaudio at once, for sound; to train on text the name is enough.
    sys.modules["torchaudio"] = module_from_spec(ModuleSpec("torchaudio", None))
    from llamafactory.train.tuner import run_exp

    task, watch = read_task(), Stopwatch()
    place = Path(task["scratch"]) / "tokenised"
    DatasetDict({"train": Dataset.from_list(_packed(task))}).save_to_disk(place)
    chosen = task["lora"]
    own = settings(task) | {"per_device_train_batch_size": 1, "output_dir": f"{place}-out"}
    run_exp(
        own
        | {
            "stage": "sft",
            "do_train": True,
            "model_name_or_path": task["model"],
            "dataset": "task",  # a name it asks for; the tokenised rows stand in for it
            "tokenized_path": str(place),
            "template": "default",
            "finetuning_type": "lora",
            "lora_rank": chosen["rank"],
            "lora_alpha": int(chosen["alpha"]),
            "lora_dropout": chosen["dropout"],
            "lora_target": ",".join(chosen["targets"]),
            "neat_packing": True,
            "cutoff_len": 1 << 14,
            "disable_gradient_checkpointing": True,
            "disable_shuffling": True,
            "bf16": True,
        },
        [watch],
    )
    answer(watch.marks, watch.losses, packages=("torch", "transformers", "peft", "llamafactory"))


def _packed(task: dict[str, Any]) -> list[dict[str, list[int]]]:
    """One row a micro-batch, padded to the multiple of 8 that its collator pads to."""
    steps, size = task["steps"], task["batch"]
    return [
        _row(rows(step[start : start + size]))
        for step in steps
        for start in range(0, len(step), size)
    ]


def _row(parts: list[dict[str, list[int]]]) -> dict[str, list[int]]:
    lengths = [len(part["input_ids"]) for part in parts]
    extra = -sum(lengths) % 8
    return {
        "input_ids": [t for part in parts for t in part["input_ids"]] + [0] * extra,
        "labels": [t for part in parts for t in part["labels"]] + [-100] * extra,
        "attention_mask": [n for n, size in enumerate(lengths, 1) for _ in range(size)]
        + [0] * extra,
        "position_ids": [place for size in lengths for place in range(size)] + [0] * extra,
    }


if __name__ == "__main__":
    main()
