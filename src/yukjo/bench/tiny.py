"""A tiny random Qwen3 and a task for it: what mlx-lm on a CPU can be compared on."""

from pathlib import Path

from yukjo.bench.task import Row, Task

_SIZES = {
    "vocab_size": 4096, "hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64,
    "max_position_embeddings": 4096, "tie_word_embeddings": True,
}  # fmt: skip


def tiny_task(task: Task, folder: Path) -> Task:
    """`task` on the tiny model in fp32: lengths and masks stay, tokens are folded to fit.

    Model and scratch are made in `folder`.
    """
    _make_model(folder / "model", source=Path(task.model))
    return task.model_copy(
        update={
            "model": str(folder / "model"),
            "dtype": "float32",
            "steps": tuple(tuple(map(_folded, step)) for step in task.steps),
            "scratch": str(folder / "work"),
        }
    )


def _folded(row: Row) -> Row:
    """Tokens below the tiny vocabulary; of the learned stretches only the last, which mlx takes."""
    size, last = _SIZES["vocab_size"], len(row.learn) - row.learn[::-1].index(True)
    start = last
    while start and row.learn[start - 1]:
        start -= 1
    learn = tuple(start <= place < last for place in range(last))
    return Row(tokens=tuple(t % size for t in row.tokens[:last]), learn=learn)


def _make_model(folder: Path, *, source: Path) -> None:
    """Random weights, the same ones every time; a tokenizer, because loaders want one."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen3Config

    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(Qwen3Config(**_SIZES)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, local_files_only=True).save_pretrained(folder)
