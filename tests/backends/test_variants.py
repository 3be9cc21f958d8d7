"""rsLoRA, DoRA, LoRA+ and four-bit bases against PEFT and its loader."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from references import gradients, reference, relative_error
from toys import ALL, Tiny, piece, toy, trainer_on
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.frozen import FourBit, Frozen
from yukjo.backends.torch.lora import Lane, Lanes, Lora, LoraLinear, Pair, Pass
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config.models import LoraConfig
from yukjo.ports import Request

VARIANTS = {
    "rslora": ALL.model_copy(update={"use_rslora": True}),
    "dora": ALL.model_copy(update={"use_dora": True}),
    "both": ALL.model_copy(update={"use_dora": True, "use_rslora": True}),
}
KINDS = ("qwen2", "qwen3", "gemma3")


def with_moved_lengths(folder: Path, config: LoraConfig) -> TorchTrainer:
    """A trainer whose DoRA lengths are no longer those they began with."""
    trainer = trainer_on(folder, {"a": config})
    draw = torch.Generator().manual_seed(7)
    for pair in trainer.adapters["a"].pairs.values():
        if pair.magnitude is not None:
            pair.magnitude.data *= 1 + torch.rand(pair.magnitude.shape, generator=draw)
    return trainer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", VARIANTS)
def test_loss_and_gradients_are_those_of_peft(
    kind: str, name: str, tiny: Tiny, tmp_path: Path
) -> None:
    examples, config = toy(60, 33), VARIANTS[name]
    trainer = with_moved_lengths(tiny(kind), config)
    (loss,) = trainer.backward([piece("a", examples)])
    trainer.save("a", tmp_path)
    expected, theirs = reference(tiny(kind), tmp_path, examples, kind)
    ours = gradients(trainer, "a")
    for layer, pair in trainer.adapters["a"].pairs.items():
        if pair.magnitude is not None:
            assert pair.magnitude.grad is not None
            key = f"base_model.model.{layer}.lora_magnitude_vector.default.weight"
            ours[key] = pair.magnitude.grad
    assert loss / sum(e.learned for e in examples) == pytest.approx(expected, rel=1e-5)
    assert relative_error(ours, theirs) < 1e-4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", VARIANTS)
def test_an_engine_answers_with_them_as_pefts_own_loader_does(
    kind: str, name: str, tiny: Tiny, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with_moved_lengths(tiny(kind), VARIANTS[name]).save("a", tmp_path)
    base = AutoModelForCausalLM.from_pretrained(tiny(kind), dtype=torch.float32)
    model: Any = PeftModel.from_pretrained(base, tmp_path).eval()
    engine = TorchEngine(Base(tiny(kind), dtype="float32"), HfTokenizer(tiny(kind)), batch=4)
    engine.load("it", tmp_path)
    prompts = [list(e.tokens) for e in toy(40, 12, seed=5)]
    with torch.no_grad():
        theirs = [model(torch.tensor([p])).logits[0, -1].tolist() for p in prompts]
        said = [model.generate(torch.tensor([p]), max_new_tokens=8, do_sample=False)
                for p in prompts]  # fmt: skip
    for ours, expected in zip(engine.next_logits("it", prompts), theirs, strict=True):
        assert ours == pytest.approx(expected, abs=2e-4)
    # Beside the bare base in one batch: the stacked way must leave its rows alone.
    asked = [request(p, adapter) for p in prompts for adapter in ("it", "")]
    answers = engine.answer(asked)
    texts = [engine.tokenizer.decode(s[0, len(p) :].tolist()).strip()
             for s, p in zip(said, prompts, strict=True)]  # fmt: skip
    assert [a.text for a in answers[::2]] == texts
    alone = engine.answer([r for r in asked if not r.adapter])
    assert [a.text for a in answers[1::2]] == [a.text for a in alone]


def request(prompt: list[int], adapter: str) -> Request:
    return Request(case="c", agent="a", adapter=adapter, repeat=0, tokens=tuple(prompt),
                   stop=frozenset(), max_tokens=8, temperature=0.0, seed=0)  # fmt: skip


def test_doras_dropout_reaches_the_frozen_part_as_in_peft() -> None:
    """out = W x + b + (gain - 1) W drop(x) + gain scale B A drop(x)."""
    torch.manual_seed(0)
    linear = nn.Linear(6, 5)
    config = LoraConfig(rank=2, alpha=4, dropout=0.5, targets=("x",), use_dora=True)
    pair = Pair(torch.randn(2, 6), torch.randn(5, 2), torch.rand(5) + 1)
    layer = LoraLinear(Frozen(linear, torch.device("cpu")), name="x", number=3, under_way=Pass())
    rows = torch.randn(9, 6)
    lane = Lane(Lora(config, {"x": pair}), 2, 9, noise=11)
    out = Lanes([Lane(None, 0, 2), lane]).apply(layer, rows)
    noise = torch.Generator().manual_seed(11 * 1_000_003 + 3)
    dropped = rows[2:] * (torch.rand((7, 6), generator=noise) >= 0.5) * 2
    length = torch.linalg.vector_norm(linear.weight + 2 * pair.b @ pair.a, dim=1)
    gain = pair.magnitude / length
    expected = linear(rows)
    expected[2:] += (gain - 1) * (dropped @ linear.weight.T)
    expected[2:] += gain * 2 * (dropped @ pair.a.T @ pair.b.T)
    assert torch.allclose(out, expected, atol=1e-5)


def test_lora_plus_lets_b_learn_faster_as_pefts_optimiser_does(tiny: Tiny, tmp_path: Path) -> None:
    from peft import PeftModel
    from peft.optimizers import create_loraplus_optimizer
    from transformers import AutoModelForCausalLM

    config = ALL.model_copy(update={"loraplus_lr_ratio": 16.0})
    trainer = trainer_on(tiny("llama"), {"a": config})
    trainer.save("a", tmp_path)
    trainer.backward([piece("a", toy(30))])
    grads = gradients(trainer, "a")
    base = AutoModelForCausalLM.from_pretrained(tiny("llama"), dtype=torch.float32)
    model: Any = PeftModel.from_pretrained(base, tmp_path, is_trainable=True)
    theirs: Any = create_loraplus_optimizer(
        model, torch.optim.AdamW, lr=1e-3, loraplus_lr_ratio=16, weight_decay=0.0
    )
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.grad = grads[name].clone()
    theirs.step()
    trainer.update("a", learning_rate=1e-3, clip=1e9)
    moved = dict(model.named_parameters())
    for layer, pair in trainer.adapters["a"].pairs.items():
        for side, ours in (("A", pair.a), ("B", pair.b)):
            name = f"base_model.model.{layer}.lora_{side}.default.weight"
            assert torch.allclose(ours, moved[name], atol=1e-7)


def test_a_four_bit_base_trains_as_one_with_the_weights_that_four_bits_leave(
    tiny: Tiny,
) -> None:
    """Loss and gradients are those of plain linear layers that hold the dequantised weights."""
    quantised = trainer_on(tiny("qwen3"), {"a": ALL}, load_in_4bit=True)
    rounded = trainer_on(tiny("qwen3"), {"a": ALL})
    plain = trainer_on(tiny("qwen3"), {"a": ALL})
    for ours, theirs in zip(quantised.base.layers, rounded.base.layers, strict=True):
        assert isinstance(ours.frozen, FourBit)
        theirs.frozen.weight = ours.frozen.dense()
    held = sum(layer.frozen.weight.numel() * layer.frozen.weight.element_size()
               for layer in quantised.base.layers)  # fmt: skip
    dense = sum(layer.frozen.weight.numel() for layer in plain.base.layers) * 2
    assert held == dense // 4
    examples = toy(40, 25)
    losses = [t.backward([piece("a", examples)])[0] for t in (quantised, rounded, plain)]
    assert losses[0] == losses[1] != losses[2]
    assert losses[0] == pytest.approx(losses[2], rel=0.05)
    assert relative_error(gradients(quantised, "a"), gradients(rounded, "a")) == 0


def test_the_flash_path_gives_a_gpus_kernel_what_it_needs(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel is stood in for by its definition; that a GPU runs it is not shown here."""
    from yukjo.backends.torch import flash

    def kernel(
        query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **how: Any
    ) -> torch.Tensor:
        """flash_attn_varlen_func as its documentation defines it: [T, heads, D]."""
        asked = SimpleNamespace(**how)
        ends, parts = asked.cu_seqlens_q.tolist(), []
        for start, stop in pairwise(ends):
            q, k, v = (x[start:stop].transpose(0, 1) for x in (query, key, value))
            k, v = (x.repeat_interleave(len(q) // len(x), 0) for x in (k, v))
            scores = (q @ k.mT) * asked.softmax_scale
            if asked.softcap:
                scores = torch.tanh(scores / asked.softcap) * asked.softcap
            place = torch.arange(stop - start)
            behind = place[:, None] - place[None]
            left = asked.window_size[0]
            seen = (behind >= 0) & ((behind <= left) if left >= 0 else True)
            parts.append(scores.masked_fill(~seen, -torch.inf).softmax(-1) @ v)
        return torch.cat(parts, 1).transpose(0, 1)

    monkeypatch.setattr(flash, "_kernel", lambda: kernel)
    examples = toy(90, 40, 63)
    for kind in ("llama", "gemma2", "gemma3"):
        trainer = trainer_on(tiny(kind), {"a": ALL}, flash=True)
        (loss,) = trainer.backward([piece("a", examples)])
        trainer.save("a", tmp_path / kind)
        expected, theirs = reference(tiny(kind), tmp_path / kind, examples, kind)
        assert loss / sum(e.learned for e in examples) == pytest.approx(expected, rel=1e-5)
        assert relative_error(gradients(trainer, "a"), theirs) < 1e-4
