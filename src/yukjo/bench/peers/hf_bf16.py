"""Trainer and PEFT with what costs nothing to turn on: bf16 weights, samples grouped by length.

Lengths are grouped within an optimiser step, so that every system's steps hold the same samples.
The adapter stays fp32, as PEFT makes it.
"""

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainingArguments,
)

from .task import answer, read_task, rows, sorted_steps
from .trainer import Stopwatch, lora, settings


def main() -> None:
    """Train on the task."""
    task, watch = read_task(), Stopwatch()
    model = AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.bfloat16)
    torch.manual_seed(task["seed"])
    trainer = Trainer(
        model=get_peft_model(model, LoraConfig(**lora(task))),
        args=TrainingArguments(train_sampling_strategy="sequential", **settings(task)),
        train_dataset=rows(sorted_steps(task)),
        data_collator=DataCollatorForSeq2Seq(AutoTokenizer.from_pretrained(task["model"])),
        callbacks=[watch],
    )
    trainer.train()
    answer(watch.marks, watch.losses, packages=("torch", "transformers", "peft"))


if __name__ == "__main__":
    main()
