"""The minimal work of a step, counted by hand for a decoder of two layers."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from yukjo.bench.flops import Positions, Shape, flops, positions, shape_of
from yukjo.bench.task import Row
from yukjo.config.models import LoraConfig

QV = LoraConfig(rank=2, targets=("q_proj", "v_proj"))
TOY = Shape(hidden=4, inner=8, heads=2, key_heads=1, head=2, vocabulary=10, windows=(None, None))


def row(tokens: str, learned: int) -> Row:
    learn = tuple(place >= len(tokens) - learned for place in range(len(tokens)))
    return Row(tokens=tuple(map(ord, tokens)), learn=learn)


def test_a_shared_prefix_counts_once_and_a_last_token_never() -> None:
    at = positions([row("abcxy", 2), row("abcz!?", 1)])
    assert at.depths == (0, 1, 2, 3, 3, 4)  # abc once, x, then z and !
    assert at.learned == (2, 3, 4)  # c predicts x, x predicts y, ! predicts ?


def test_one_sample_shares_nothing_with_itself() -> None:
    assert positions([row("abc", 1)]) == Positions(depths=(0, 1), learned=(1,))


def test_the_work_of_a_toy_is_what_pencil_and_paper_say() -> None:
    """Three positions, the last of which predicts the one learned token."""
    at = Positions(depths=(0, 1, 2), learned=(2,))
    attention, mlp = 4 * 4 + 2 * 4 * 2, 3 * 4 * 8  # q 16, k and v 8 each; three matrices of 32
    head = 2 * 4 * 10
    # First layer, three rows: nothing lies below q, k and v, so they have no input gradient.
    first = 2 * 3 * attention + 2 * 3 * (16 + mlp) * 2
    first += 2 * 3 * 2 * ((2 * 4 + 3 * 4) + (2 * 4 + 3 * 2))  # LoRA on q and v
    first += 2 * (1 + 2 + 3) * 4 * (2 + 3)  # scores, values; dV, dP, dQ: keys have no adapter
    # Last layer: k and v at three rows, all else at one, everything with an input gradient.
    last = 2 * 2 * (3 * 16 + 16 + 16 + mlp)
    last += 2 * 2 * (1 * (3 * 4 + 3 * 4) + 3 * (3 * 4 + 3 * 2))
    last += 2 * 3 * 4 * (2 + 4)
    assert flops(TOY, at, QV) == head + first + last


def test_a_window_hides_what_is_too_far() -> None:
    windowed = Shape(hidden=4, inner=8, heads=2, key_heads=1, head=2, vocabulary=10,
                     windows=(2, None))  # fmt: skip
    at = Positions(depths=(0, 1, 2), learned=(2,))
    assert flops(TOY, at, QV) - flops(windowed, at, QV) == 2 * 1 * 4 * 5


def test_an_adapter_on_the_last_matrix_alone_needs_no_gradient_below_it() -> None:
    at = Positions(depths=(0,), learned=(0,))
    one = Shape(hidden=4, inner=8, heads=2, key_heads=1, head=2, vocabulary=10, windows=(None,))
    down = LoraConfig(rank=2, targets=("down_proj",))
    linears = 2 * (16 + 8 + 8 + 16 + 3 * 32)
    assert flops(one, at, down) == 80 + linears + 2 * 2 * (2 * 8 + 3 * 4) + 2 * 1 * 4 * 2


@pytest.mark.parametrize("kind", ["qwen3", "llama", "gemma2", "gemma3"])
def test_sizes_are_read_from_real_configurations(kind: str, tiny: object) -> None:
    assert callable(tiny)
    folder: Path = tiny(kind)
    shape = shape_of(folder)
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="pt") as weights:
        for name in ("q_proj", "k_proj", "o_proj"):
            full = f"model.layers.0.self_attn.{name}.weight"
            out, into = weights.get_slice(full).get_shape()
            assert shape.linear(name) == (into, out)
    config = json.loads((folder / "config.json").read_text())
    assert len(shape.windows) == config["num_hidden_layers"]
    assert (48 in shape.windows) == kind.startswith("gemma")


def test_a_row_survives_json() -> None:
    kept = TypeAdapter(Row)
    assert kept.validate_json(kept.dump_json(row("ab", 1))) == row("ab", 1)
