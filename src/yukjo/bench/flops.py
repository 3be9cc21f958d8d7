"""The floating point operations a training step can't do without: 2 a multiply-add.

For every micro-batch with T input positions, of which R predict a learned token:

    frozen linear (in x out)   forward 2 T in out, input gradient 2 T in out; no weight gradient
    LoRA on it (rank r)        forward 2 T r (in + out), gradients of A, B and of the inner row
                               2 T r (in + 2 out), of the input 2 T r in
    attention                  2 matmuls forward and 4 backward, 2 heads D each for every pair of
                               positions that is visible (causal, within the layer's window)
    head (D x V)               forward 2 R D V; nothing for the input gradient, which a few
                               thousand words of the vocabulary decide

It is strict, so that the share it gives is never flattered:

- T counts the prefix that all samples of the micro-batch share once, and never a sample's last
  token, which predicts nothing.
- In the last layer, queries, output projection and MLP count at the R positions only.
- The gradient of an input counts only where an adapter lies below it.
- Norms, activations, softmax, embedding, optimiser and recomputation count as nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from yukjo.bench.task import Row, Task
from yukjo.config.models import LoraConfig

_ATTENTION = ("q_proj", "k_proj", "v_proj")
_MLP = ("gate_proj", "up_proj")


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder that decide its work."""

    hidden: int
    inner: int
    heads: int
    key_heads: int
    head: int
    vocabulary: int
    windows: tuple[int | None, ...]
    """Of each layer; None sees all that came before."""

    def linear(self, name: str) -> tuple[int, int]:
        """(in, out) of a linear layer of the decoder."""
        queries, keys = self.heads * self.head, self.key_heads * self.head
        return {
            "q_proj": (self.hidden, queries), "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys), "o_proj": (queries, self.hidden),
            "gate_proj": (self.hidden, self.inner), "up_proj": (self.hidden, self.inner),
            "down_proj": (self.inner, self.hidden),
        }[name]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Positions:
    """A micro-batch: where its input positions stand in their samples, shared ones once."""

    depths: tuple[int, ...]
    """How many positions precede each."""
    learned: tuple[int, ...]
    """Depths of those that predict a learned token."""


def shape_of(folder: Path) -> Shape:
    """Sizes from a model folder's `config.json`: Qwen3, Llama, Gemma 2 and 3 (text)."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    layers, heads = config["num_hidden_layers"], config["num_attention_heads"]
    kinds = config.get("layer_types") or ["full_attention"] * layers
    window = config.get("sliding_window")
    return Shape(
        hidden=config["hidden_size"],
        inner=config["intermediate_size"],
        heads=heads,
        key_heads=config.get("num_key_value_heads") or heads,
        head=config.get("head_dim") or config["hidden_size"] // heads,
        vocabulary=config["vocab_size"],
        windows=tuple(window if kind == "sliding_attention" else None for kind in kinds),
    )


def task_flops(task: Task) -> float:
    """Of the counted steps of `task`."""
    shape = shape_of(Path(task.model))
    return sum(
        flops(shape, positions(rows), task.lora)
        for step in task.counted
        for rows in (step[i : i + task.batch] for i in range(0, len(step), task.batch))
    )


def positions(rows: Sequence[Row]) -> Positions:
    """The input positions of a micro-batch.

    >>> a, b = Row(tokens=(1, 2, 3), learn=(0, 0, 1)), Row(tokens=(1, 4, 5), learn=(0, 1, 1))
    >>> positions([a, b])
    Positions(depths=(0, 1, 1), learned=(1, 0, 1))
    """
    inputs = [row.tokens[:-1] for row in rows]
    same = takewhile(lambda column: len(set(column)) == 1, zip(*inputs, strict=False))
    shared = sum(1 for _ in same)
    depths = [*range(shared)]
    for row in inputs:
        depths += range(shared, len(row))
    learned = [place - 1 for row in rows for place, yes in enumerate(row.learn) if yes]
    return Positions(tuple(depths), tuple(learned))


def flops(shape: Shape, at: Positions, lora: LoraConfig) -> float:
    """Of one micro-batch, forward and backward."""
    total = 2.0 * len(at.learned) * shape.hidden * shape.vocabulary
    last = len(shape.windows) - 1
    for number, window in enumerate(shape.windows):
        queries = at.learned if number == last else at.depths
        total += _linears(shape, lora, first=number == 0, every=len(at.depths), few=len(queries))
        total += _attention(shape, lora, queries, window=window, first=number == 0)
    return total


def _linears(shape: Shape, lora: LoraConfig, *, first: bool, every: int, few: int) -> float:
    """Of a layer's seven linears; keys and values at `every` position, the rest at a `few`."""
    total = 0.0
    below = not first  # whether an adapter lies below, so that an input needs its gradient
    for group in (_ATTENTION, ("o_proj",), _MLP, ("down_proj",)):
        for name in group:
            into, out = shape.linear(name)
            rows = every if name in ("k_proj", "v_proj") else few
            total += 2.0 * rows * into * out * (1 + below)
            if name in lora.targets:
                total += 2.0 * rows * lora.rank * (2 * into + 3 * out + below * into)
        below = below or any(name in lora.targets for name in group)
    return total


def _attention(
    shape: Shape, lora: LoraConfig, queries: Sequence[int], *, window: int | None, first: bool
) -> float:
    """Of a layer's attention: 2 matmuls forward, and backward those that a gradient needs."""
    pairs = sum(min(depth + 1, window or depth + 1) for depth in queries)
    q, k, v = (not first or name in lora.targets for name in _ATTENTION)
    backward = v + (q or k) + q + k
    return 2.0 * pairs * shape.heads * shape.head * (2 + backward)
