"""Make the embedded reader from nothing: seeded, counted in steps, on one thread.

    python examples/chain/make_base.py --out examples/chain/base

Phase 1 trains the vision tower alone: of each cell of a picture it says which characters lie
there. Phase 2 trains the whole model to answer with the analysis of a slip; the tower's task goes
on beside it. Half of the slips are clean, half copied; none is degraded. The same seed gives the
same weights on the same machine.
"""

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import reader
import slips
from score import figures, fresh

BATCH = 32
SLOTS = 4
"""Most characters told of one cell."""
MUON = 2
"""Its learning rate, in those of AdamW beside it."""
CELL_WEIGHT = 0.5
"""Of the tower's task in phase 2."""


def main() -> None:
    """Train, save, and say on the choosing seeds what came of it."""
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    with (asked.out / "log.jsonl").open("w", encoding="utf-8") as log:
        model, tok = train(asked.seed, (asked.tower_steps, asked.reading_steps), log)
        reader.save(model, tok, asked.out)
        model, tok = reader.load(asked.out)
        drawn = fresh("valid", "clean", asked.slips)
        read = reader.read(model, tok, [slip.picture for slip in drawn])
        report(
            log, clean=figures([slip.facts for slip in drawn], [slips.parse(one) for one in read])
        )


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tower-steps", type=int, default=1000)
    parser.add_argument("--reading-steps", type=int, default=1600)
    parser.add_argument("--slips", type=int, default=200, help="slips read at the end")
    return parser.parse_args()


def report(log: Any, **figures: object) -> None:
    """A line of the log, and of stderr."""
    line = json.dumps(figures, ensure_ascii=False)
    log.write(line + "\n")
    log.flush()
    print(line, file=sys.stderr)


def train(seed: int, steps: tuple[int, int], log: Any) -> tuple[nn.Module, Any]:
    """A model trained for so many steps of each phase, and its tokenizer."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True)
    tok = reader.tokenizer()
    work = Work(reader.quick(reader.fresh(tok)).train(), tok, random.Random(seed))
    began, first = time.process_time(), slips.SEEDS["pretrain"].start + seed * sum(steps) * BATCH
    for step in range(sum(steps)):
        tower_only = step < steps[0]
        rate = (pace(step, steps[0], peak=4e-3, floor=0.3) if tower_only
                else pace(step - steps[0], steps[1], peak=2e-3, floor=0.02))  # fmt: skip
        drawn = [
            slips.draw(first + step * BATCH + place, "copied" if place % 2 else "clean")
            for place in range(BATCH)
        ]
        losses = work.step(drawn, rate, tower_only=tower_only)
        if (step + 1) % 50 == 0 or step + 1 == sum(steps):
            minutes = (time.process_time() - began) / 60
            report(log, step=step + 1, rate=round(rate, 6), **losses, cpu_minutes=round(minutes, 2))
    return work.model, tok


def pace(step: int, steps: int, *, peak: float, floor: float, warmup: int = 40) -> float:
    """Learning rate: a climb of `warmup` steps, then half a cosine down to `floor` of the peak."""
    fall = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * step / steps))
    return peak * min(1, (step + 1) / warmup) * fall


class Work:
    """The model in training: its optimiser, and the tower's own head, which is thrown away."""

    def __init__(self, model: Any, tok: Any, dice: random.Random) -> None:
        self.model, self.tok, self.dice = model, tok, dice
        self.inner = model.config.text_config.hidden_size
        self.head = nn.Linear(self.inner, SLOTS * self.inner)
        self.numbers = [*model.parameters(), *self.head.parameters()]
        # Muon's orthogonal steps suit the inner matrices; the rest has no two sides to even out.
        inner = {id(layer.weight) for name, layer in model.model.named_modules()
                 if isinstance(layer, nn.Linear)}  # fmt: skip
        matrices = [one for one in self.numbers if id(one) in inner]
        others = [one for one in self.numbers if id(one) not in inner]
        self.optimisers = (
            torch.optim.Muon(matrices, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.02),
        )
        self.seen: Tensor = torch.empty(0)
        model.model.visual.register_forward_hook(self._see)

    def _see(self, _: object, __: object, out: Any) -> None:
        self.seen = out.pooler_output

    def step(
        self, drawn: Sequence[slips.Slip], rate: float, *, tower_only: bool
    ) -> dict[str, float]:
        """One step of the optimiser; the losses in nats, and the share of characters seen right."""
        for optimiser, times in zip(self.optimisers, (MUON, 1), strict=True):
            optimiser.param_groups[0]["lr"] = rate * times
            optimiser.zero_grad()
        batch, labels = self.batch(drawn)
        answer = torch.zeros(())
        with torch.autocast("cpu", torch.bfloat16):
            if tower_only:
                self.model.model.visual(batch["pixel_values"], grid_thw=batch["image_grid_thw"])
            else:
                logits = self.model(**batch).logits[:, :-1].float()
                answer = nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
            seen = self.head(self.seen).view(-1, self.inner) @ self.model.lm_head.weight.T
        truth = torch.tensor([cell for slip in drawn for cell in self.cells(slip)]).flatten()
        # Tied embeddings are small at birth: the scale makes the first logits of the order of 1.
        tower = nn.functional.cross_entropy(seen.float() * (4 * self.inner**-0.5), truth)
        (tower if tower_only else answer + CELL_WEIGHT * tower).backward()
        nn.utils.clip_grad_norm_(self.numbers, 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        ink = truth != self.tok.convert_tokens_to_ids(" ")
        right = (seen.argmax(-1) == truth)[ink].float().mean()
        losses = {"answer": answer, "tower": tower, "right": right}
        return {name: round(value.item(), 4) for name, value in losses.items()}

    def batch(self, drawn: Sequence[slips.Slip]) -> tuple[reader.Batch, Tensor]:
        """The slips as the model takes them, and what it should answer: -100 where nothing."""
        asked = reader.prompt(self.tok, self.dice.choice(reader.SYSTEMS),
                              self.dice.choice(reader.INSTRUCTIONS))  # fmt: skip
        answers = [
            self.tok.encode(slips.analysis(slip.facts) + "<|im_end|>", add_special_tokens=False)
            for slip in drawn
        ]
        batch = reader.inputs(self.tok, [asked + answer for answer in answers],
                              [slip.picture for slip in drawn])  # fmt: skip
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        labels[:, : len(asked)] = -100
        return batch, labels

    def cells(self, slip: slips.Slip) -> list[list[int]]:
        """Tokens of the characters whose middle lies in each cell, [cells][SLOTS], spaces after."""
        across, down = slips.WIDTH // reader.CELL, slips.HEIGHT // reader.CELL
        found: list[list[int]] = [[] for _ in range(reader.CELLS)]
        for glyph in sorted(slip.glyphs, key=lambda glyph: (glyph.line, glyph.x)):
            column = min(across - 1, max(0, int(glyph.x // reader.CELL)))
            row = min(down - 1, max(0, int(glyph.y // reader.CELL)))
            found[row * across + column].append(self.tok.convert_tokens_to_ids(glyph.character))
        space = self.tok.convert_tokens_to_ids(" ")
        return [[*cell, *[space] * SLOTS][:SLOTS] for cell in found]


if __name__ == "__main__":
    main()
