"""A training step on images: ours beside transformers + PEFT, interleaved, on one thread.

    python bench/vision.py [--size 128x64] [--vision-layers 9] [--samples 32] [--rounds 5]

A Qwen3-VL of 1.4 M random weights, float32, LoRA of rank 16 on all linear layers; samples of one
image and 41 learned letters. Both sides take the same adapter and samples, and print their loss.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import torch

import seeing
from conftest import _make_tokenizer
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.ports import Piece
from yukjo.records import Example

TEXT = {
    "hidden_size": 128, "intermediate_size": 336, "num_attention_heads": 4,
    "num_key_value_heads": 4, "head_dim": 32,
}  # fmt: skip
VISION = {
    "hidden_size": 96, "intermediate_size": 288, "num_heads": 3, "patch_size": 8,
    "out_hidden_size": 128, "num_position_embeddings": 256, "deepstack_visual_indexes": [0],
    "initializer_range": 0.02,
}  # fmt: skip


def main() -> None:
    """Print CPU milliseconds a step of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="128x64", help="pixels of an image")
    parser.add_argument("--vision-layers", type=int, default=9)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    width, height = map(int, asked.size.split("x"))
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        seeing.make_model("qwen3_vl", base, mark=263, text=TEXT, vision=VISION, patch=8)
        _make_tokenizer(base, template=seeing.CHATML, control=seeing.CONTROL)
        images = [seeing.draw(base / f"{n}.png", (width, height), seed=n)
                  for n in range(asked.samples)]  # fmt: skip
        examples = tuple(seeing.shown(base, [image], answer="x" * 40) for image in images)
        systems = {
            "yukjo": ours(base, examples, asked.vision_layers),
            "transformers + PEFT": theirs(base, examples),
        }
        times: dict[str, list[float]] = {name: [] for name in systems}
        for turn in range(asked.rounds + 1):
            for name, step in systems.items():
                began = time.process_time()
                loss = step()
                if turn:  # the first pays for what comes once
                    times[name].append(time.process_time() - began)
                else:
                    print(f"{name}: loss {loss:.5f}")
    medians = {name: statistics.median(own) for name, own in times.items()}
    for name, median in medians.items():
        print(f"{name}: {1000 * median:.0f} ms of CPU a step")
    print(f"ratio: {medians['transformers + PEFT'] / medians['yukjo']:.2f}")


def ours(base: Path, examples: tuple[Example, ...], vision_layers: int) -> Callable[[], float]:
    """One gradient by the trainer; the adapter is left in `base` for the other side."""
    trainer = TorchTrainer(Base(base, dtype="float32"), name="tiny")
    lora = seeing.on_all("qwen3_vl", vision_layers, rank=16, alpha=32)
    trainer.add("a", lora, seed=0, weight_decay=0.0)
    trainer.save("a", base / "adapter")
    learned = sum(e.learned for e in examples)

    def step() -> float:
        (loss,) = trainer.backward([Piece("a", examples, learned, noise=0)])
        trainer._forget_gradients()  # noqa: SLF001 - the optimiser is no part of it
        return loss / learned

    return step


def theirs(base: Path, examples: tuple[Example, ...]) -> Callable[[], float]:
    """The same by the stock model in one padded batch; nothing is padded here."""
    model = seeing.stock_model(base, base / "adapter", trained=True)
    parts = [seeing.stock_inputs(base, example) for example in examples]
    inputs = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    learn = torch.tensor([e.learn for e in examples])
    labels = inputs["input_ids"].masked_fill(~learn, -100)

    def step() -> float:
        model.zero_grad()
        loss = model(**inputs, labels=labels, use_cache=False).loss
        loss.backward()
        return loss.item()

    return step


if __name__ == "__main__":
    main()
