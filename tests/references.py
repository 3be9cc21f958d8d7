"""What transformers and PEFT make of the same adapter and samples."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.records import Example


def gradients(trainer: TorchTrainer, adapter: str) -> dict[str, torch.Tensor]:
    """Gradient of every LoRA weight, under PEFT's names."""
    found = {}
    for name, pair in trainer.adapters[adapter].pairs.items():
        for side, weight in zip("AB", (pair.a, pair.b), strict=True):
            assert weight.grad is not None
            found[f"base_model.model.{name}.lora_{side}.default.weight"] = weight.grad.clone()
    return found


def reference(
    folder: Path, adapter: Path, examples: Sequence[Example], kind: str
) -> tuple[float, dict[str, torch.Tensor]]:
    """Mean loss and gradients by transformers + PEFT, one padded batch."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    attention = "eager" if kind == "gemma2" else "sdpa"
    base = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation=attention
    )
    model = PeftModel.from_pretrained(base, adapter, is_trainable=True)
    longest = max(len(e.tokens) for e in examples)
    ids = torch.tensor([[*e.tokens, *[0] * (longest - len(e.tokens))] for e in examples])
    mask = torch.tensor([[1] * len(e.tokens) + [0] * (longest - len(e.tokens)) for e in examples])
    learn = torch.tensor([[*e.learn, *[False] * (longest - len(e.tokens))] for e in examples])
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    loss = cross_entropy(logits[:, :-1][learn[:, 1:]].double(), ids[:, 1:][learn[:, 1:]])
    loss.backward()
    return loss.item(), {n: p.grad for n, p in model.named_parameters() if p.requires_grad}


def relative_error(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    assert ours.keys() == theirs.keys()
    wrong = sum(float((ours[n] - theirs[n]).square().sum()) for n in ours)
    return (wrong / sum(float(g.square().sum()) for g in theirs.values())) ** 0.5
