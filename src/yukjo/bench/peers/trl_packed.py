"""TRL's SFTTrainer without padding, loss on completions only, bf16.

Its packing (`packing=True`) sorts samples over the whole set, so steps would hold other samples
than everyone else's: `padding_free` lays the same micro-batch into one row and uses the same
attention. Recomputing activations, its default, is off: it only costs time here.
"""

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from .task import answer, read_task
from .trainer import Stopwatch, lora, settings


def main() -> None:
    """Train on the task."""
    task, watch = read_task(), Stopwatch()
    samples = [s for step in task["steps"] for s in step]
    data = Dataset.from_list(
        [{"input_ids": s["tokens"], "completion_mask": list(map(int, s["learn"]))} for s in samples]
    )
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.bfloat16),
        args=SFTConfig(
            padding_free=True,
            max_length=None,
            completion_only_loss=True,
            gradient_checkpointing=False,
            bf16=False,  # the weights are; autocast on top only costs
            train_sampling_strategy="sequential",
            **settings(task),
        ),
        train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(task["model"]),
        peft_config=LoraConfig(**lora(task)),
        callbacks=[watch],
    )
    trainer.train()
    answer(watch.marks, watch.losses, packages=("torch", "transformers", "peft", "trl"))


if __name__ == "__main__":
    main()
