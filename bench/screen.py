"""What a screened head costs in truth and brings in speed, on the embedded base.

    .venv/bin/python bench/screen.py [--rounds 3] [--steps 30]

First the gradients: packs of `examples/gov` through the base in fp32 (the reference), in bfloat16
with the exact head, and in bfloat16 with the screened one; B is set to small random numbers, so
that every weight has a gradient. Then the loss curve: the same training twice, step by step in
turn, with nothing between them but the head.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from yukjo import pipeline, wiring
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config import LoraConfig, load
from yukjo.ports import Piece
from yukjo.records import Example

GOV = Path(__file__).parents[1] / "examples" / "gov"
BATCH = 4
A_STEP = 16
LORA = LoraConfig(rank=16, alpha=32)
LOOK_EVERY = 2


def main() -> None:
    """Print both tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--steps", type=int, default=30)
    options = asked.parse_args()
    config = load(GOV)
    folder = wiring.base_folder(config.base, GOV)
    prepared = pipeline.prepare(GOV, config, HfTokenizer(folder))
    examples = [e for own in prepared.train.values() for e in own]
    random.Random(1).shuffle(examples)  # noqa: S311 - an order that is the same each time
    base = Base(folder, dtype="bfloat16")
    base.screen()
    assert base.screened, "this processor has no 8-bit products: nothing is screened"
    gradients(folder, base, examples, rounds=options.rounds)
    curve(base, examples, [e for own in prepared.valid.values() for e in own], options.steps)


def gradients(folder: Path, base: Base, examples: Sequence[Example], *, rounds: int) -> None:
    """Error of the adapter's gradient against fp32, and speed, a line a round."""
    exact = trainer(Base(folder, dtype="float32"), moved=True)
    rounded = trainer(base, moved=True)
    print("| round | exact: error | screened: error | exact: tokens/s | screened | ratio |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for number, step in enumerate(steps(examples, rounds)):
        true, _ = gradient(exact, step)
        with exact_head(base):
            plain, slow = gradient(rounded, step)
        screened, fast = gradient(rounded, step)
        errors = [float((g - true).norm() / true.norm()) for g in (plain, screened)]
        print(f"| {number + 1} | {errors[0]:.4f} | {errors[1]:.4f} "
              f"| {slow:.0f} | {fast:.0f} | {fast / slow:.2f} |", flush=True)  # fmt: skip


def curve(base: Base, train: Sequence[Example], held: Sequence[Example], count: int) -> None:
    """Held-out loss of two trainings that differ in nothing but the head."""
    plain, screened = trainer(base), trainer(base)
    print("\n| step | exact: held-out loss | screened |\n| ---: | ---: | ---: |")
    for number, step in enumerate(steps(train, count)):
        if number % LOOK_EVERY == 0:
            print(
                f"| {number} | {loss(plain, held):.5f} | {loss(screened, held):.5f} |", flush=True
            )
        with exact_head(base):
            take(plain, step)
        take(screened, step)
    print(f"| {count} | {loss(plain, held):.5f} | {loss(screened, held):.5f} |")


def steps(examples: Sequence[Example], count: int) -> Iterator[Sequence[Example]]:
    """So many steps' samples, again from the start where they run out."""
    for number in range(count):
        yield [examples[(number * A_STEP + i) % len(examples)] for i in range(A_STEP)]


def trainer(base: Base, *, moved: bool = False) -> TorchTrainer:
    """A trainer with one fresh adapter, `moved` off its start where B is 0."""
    made = TorchTrainer(base, name="bench")
    made.add("a", LORA, seed=0, weight_decay=0.0)
    if moved:
        torch.manual_seed(0)
        for pair in made.adapters["a"].pairs.values():
            torch.nn.init.normal_(pair.b, std=0.003)
    return made


@contextmanager
def exact_head(base: Base) -> Iterator[None]:
    """The screen taken away for a while."""
    screened, base.screened = base.screened, None
    yield
    base.screened = screened


def gradient(trainer: TorchTrainer, step: Sequence[Example]) -> tuple[torch.Tensor, float]:
    """The gradient of a step, all weights in one row, and tokens a second."""
    began = time.perf_counter()
    backward(trainer, step)
    speed = sum(len(e.tokens) for e in step) / (time.perf_counter() - began)
    weights = trainer.adapters["a"].parameters()
    row = torch.cat([w.grad.flatten() for w in weights if w.grad is not None])
    trainer.optimisers["a"].zero_grad()
    return row, speed


def take(trainer: TorchTrainer, step: Sequence[Example]) -> None:
    """One optimiser step."""
    backward(trainer, step)
    trainer.update("a", learning_rate=5e-4, clip=1.0)


def backward(trainer: TorchTrainer, step: Sequence[Example]) -> None:
    """A step's micro-batches."""
    learned = sum(e.learned for e in step)
    for first in range(0, len(step), BATCH):
        trainer.backward([Piece("a", tuple(step[first : first + BATCH]), learned, noise=0)])


def loss(trainer: TorchTrainer, held: Sequence[Example]) -> float:
    """Mean held-out loss in nats a learned token."""
    total = sum(sum(trainer.losses([("a", e)])) for e in held)
    return total / sum(e.learned for e in held)


if __name__ == "__main__":
    main()
