"""The script of the requirement this project grew from: Trainer and PEFT as they come, fp32.

Kept: the calls, their order, per-device batch and accumulation, padding to the longest of a
batch. Left open there and settled here in its favour: padding is by batch, not to a fixed
length; the prompt is masked, which costs it nothing and makes its loss comparable. fp32 is what
`from_pretrained` gave when it was written (transformers 4).
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

from .task import answer, read_task, rows
from .trainer import Stopwatch, lora, settings


def main() -> None:
    """Train on the task as the seed does."""
    task, watch = read_task(), Stopwatch()
    model = AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(task["model"])
    torch.manual_seed(task["seed"])
    model = get_peft_model(model, LoraConfig(**lora(task)))
    trainer = Trainer(
        model=model,
        args=TrainingArguments(train_sampling_strategy="sequential", **settings(task)),
        train_dataset=rows([s for step in task["steps"] for s in step]),
        data_collator=DataCollatorForSeq2Seq(tokenizer),
        callbacks=[watch],
    )
    trainer.train()
    answer(watch.marks, watch.losses, packages=("torch", "transformers", "peft"))


if __name__ == "__main__":
    main()
