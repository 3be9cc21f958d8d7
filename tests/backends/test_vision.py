"""Bases that see: what is trained on them and answered is what transformers and PEFT make of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from references import gradients, relative_error
from seeing import (
    SEEING,
    SMALL,
    TALL,
    TOWER,
    WIDE,
    draw,
    on_all,
    shown,
    stock_inputs,
    stock_model,
)
from toys import ALL, Tiny, piece, toy, trainer_on
from yukjo.adapters.effect import prove
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.mrope import places
from yukjo.backends.torch.processor import Processor
from yukjo.backends.torch.sketch import Sketch
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.config.models import LoraConfig
from yukjo.data.render import Refused
from yukjo.errors import AdapterError, ModelError
from yukjo.files import hash_base
from yukjo.ports import Piece, Request
from yukjo.records import Example, Picture


@pytest.fixture(params=SEEING)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def base(kind: str, tiny: Tiny) -> Path:
    return tiny(kind)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[Picture, ...]:
    place = tmp_path_factory.mktemp("images")
    sizes = (SMALL, TALL, WIDE, SMALL)
    return tuple(draw(place / f"{n}.png", size, seed=n) for n, size in enumerate(sizes))


def mixed(base: Path, images: Sequence[Picture]) -> tuple[Example, ...]:
    """One image, two of other sizes, none; they begin alike."""
    return (
        shown(base, images[:1], answer="one"),
        shown(base, images[1:3], answer="two of them"),
        shown(base, (), answer="nothing"),
    )


# What the base is given


def test_patches_and_their_number_are_those_of_transformers_processor(
    base: Path, images: tuple[Picture, ...]
) -> None:
    example = shown(base, images)
    stock, ours = stock_inputs(base, example), Processor(base)
    frames = stock["pixel_values"].unflatten(1, (3, 2, 16))
    assert torch.equal(frames[:, :, 0], frames[:, :, 1])  # what an image is to a film
    assert torch.allclose(ours.patches(images), frames[:, :, 0].flatten(1), atol=1e-6)
    grids = [(int(rows), int(columns)) for _, rows, columns in stock["image_grid_thw"]]
    assert [ours.grid(image) for image in images] == grids
    assert len(set(grids)) == 3
    assert int(stock["mm_token_type_ids"].sum()) == sum(map(ours.tokens, images))


def test_places_are_those_of_transformers(base: Path, images: tuple[Picture, ...]) -> None:
    example = shown(base, images)
    stock = stock_inputs(base, example)
    del stock["pixel_values"]
    theirs, ahead = stock_model(base).model.get_rope_index(**stock)
    eyes = Base(base, dtype="float32").eyes
    assert eyes
    ours = places(len(example.tokens), eyes.find(example.tokens, example.images))
    assert torch.equal(torch.tensor(ours).T, theirs[:, 0])
    assert max(map(max, ours)) + 1 - len(ours) == int(ahead)


def test_an_image_is_one_mark_in_the_template_and_all_its_tokens_in_the_example(
    base: Path, images: tuple[Picture, ...]
) -> None:
    one, two = shown(base, images[:1]), shown(base, images[1:3])
    assert [e.tokens.count(263) for e in (one, two)] == [4, 8 + 15]
    assert one.tokens.index(263) < one.tokens.index(*HfTokenizer(base).encode("?"))
    assert not any(learn for learn, token in zip(two.learn, two.tokens, strict=True)
                   if token == 263)  # fmt: skip


def test_a_sample_too_long_with_its_images_is_refused_and_never_cut(
    base: Path, images: tuple[Picture, ...]
) -> None:
    whole = shown(base, images)
    assert shown(base, images, max_tokens=len(whole.tokens)) == whole
    with pytest.raises(Refused, match=str(len(whole.tokens))):
        shown(base, images, max_tokens=len(whole.tokens) - 1)


def test_how_a_base_takes_images_is_part_of_what_it_is(base: Path, tmp_path: Path) -> None:
    copy = copytree(base, tmp_path / "copy")
    assert hash_base(copy) == hash_base(base)
    settings = copy / "preprocessor_config.json"
    settings.write_text(settings.read_text().replace("0.6", "0.8"))
    assert hash_base(copy) != hash_base(base)


# Training


def reference(
    base: Path, adapter: Path, examples: Sequence[Example]
) -> tuple[float, dict[str, torch.Tensor]]:
    """Mean loss and gradients by transformers + PEFT, sample by sample."""
    model = stock_model(base, adapter, trained=True)
    total, whole = 0.0, sum(e.learned for e in examples)
    for example in examples:
        logits = model(**stock_inputs(base, example), use_cache=False).logits[0]
        learn, ids = torch.tensor(example.learn)[1:], torch.tensor(example.tokens)[1:]
        loss = cross_entropy(logits[:-1][learn].double(), ids[learn], reduction="sum") / whole
        loss.backward()
        total += loss.item()
    return total, {n: p.grad for n, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("vision_layers", [0, 2, 9])
def test_loss_and_gradients_are_those_of_transformers_and_peft(
    kind: str, base: Path, vision_layers: int, images: tuple[Picture, ...], tmp_path: Path
) -> None:
    examples = mixed(base, images)
    trainer = trainer_on(base, {"a": on_all(kind, vision_layers)})
    (loss,) = trainer.backward([piece("a", examples)])
    trainer.save("a", tmp_path)
    expected, theirs = reference(base, tmp_path, examples)
    assert loss / sum(e.learned for e in examples) == pytest.approx(expected, rel=1e-5)
    ours = gradients(trainer, "a")
    assert relative_error(ours, theirs) < 1e-4
    seen = {name for name in ours if ".visual." in name}
    assert relative_error(*({n: g for n, g in side.items() if n in seen} | {"": torch.ones(1)}
                            for side in (ours, theirs))) < 1e-4  # fmt: skip
    blocks = {name.split(".blocks.")[1][0] for name in seen if ".blocks." in name}
    assert blocks == set({0: "", 2: "12", 9: "012"}[vision_layers])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_adapter_learns_beside_others_what_it_learns_alone_to_the_bit(
    kind: str, base: Path, dtype: Any, images: tuple[Picture, ...]
) -> None:
    configs = {
        "a": on_all(kind, 2, dropout=0.1),
        "b": on_all(kind, 0),
        "c": LoraConfig(rank=2, alpha=4, targets=TOWER[kind], vision_layers=9),
    }
    one, two, none = mixed(base, images)
    data = {"a": (one, two), "b": (two, none), "c": (one, replace(one, images=images[3:]))}
    joint, solo = (trainer_on(base, configs, dtype) for _ in range(2))
    for step in range(2):
        joint.backward([noisy(name, data[name], step) for name in configs])
        for name in configs:
            solo.backward([noisy(name, data[name], step)])
            for trainer in (joint, solo):
                trainer.update(name, learning_rate=1e-2, clip=1.0)
    for name in configs:
        pairs = zip(
            joint.adapters[name].parameters(), solo.adapters[name].parameters(), strict=True
        )
        assert all(torch.equal(ours, theirs) for ours, theirs in pairs)


def noisy(name: str, examples: Sequence[Example], step: int) -> Piece:
    return Piece(name, tuple(examples), sum(e.learned for e in examples), noise=step)


@pytest.mark.parametrize("vision_layers", [0, 1])
def test_the_same_tokens_about_other_images_stay_apart_in_a_pack(
    kind: str, base: Path, vision_layers: int, images: tuple[Picture, ...]
) -> None:
    first = shown(base, images[:1])
    second = replace(first, images=images[3:])
    trainer = trainer_on(base, {"a": on_all(kind, vision_layers)})
    alone = [trainer.losses([("a", e)])[0] for e in (first, second)]
    assert abs(alone[0] - alone[1]) > 1e-3  # another image, another answer
    assert trainer.losses([("a", first), ("a", second)]) == pytest.approx(alone, rel=1e-6)
    (together,) = trainer.backward([piece("a", (first, second))])
    assert together == pytest.approx(sum(alone), rel=1e-5)


def test_a_frozen_tower_looks_once_and_a_trained_one_every_time(
    kind: str, base: Path, images: tuple[Picture, ...]
) -> None:
    for vision_layers, expected in ((0, 2), (1, 4)):
        trainer, looks = trainer_on(base, {"a": on_all(kind, vision_layers)}), []
        assert trainer.base.eyes
        tower = trainer.base.eyes.tower
        tower.merger.register_forward_hook(lambda *_, seen=looks: seen.append(1))
        for _ in range(4):
            trainer.backward([piece("a", [shown(base, images[:2])])])
        assert len(looks) == expected


@pytest.mark.parametrize("vision_layers", [0, 2])
def test_a_resumed_trainer_sees_the_same_to_the_bit(
    kind: str, base: Path, vision_layers: int, images: tuple[Picture, ...], tmp_path: Path
) -> None:
    examples = mixed(base, images)
    whole, first, second = (trainer_on(base, {"a": on_all(kind, vision_layers)}) for _ in range(3))
    for step in range(3):
        if step == 2:
            first.save_state(tmp_path / "state")
            second.load_state(tmp_path / "state")
        own = examples[: step + 1]  # what is looked at first, and beside what, is another each time
        for trainer in (whole, second if step == 2 else first):
            trainer.backward([piece("a", own)])
            trainer.update("a", learning_rate=1e-2, clip=1.0)
    pairs = zip(whole.adapters["a"].parameters(), second.adapters["a"].parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_text_is_trained_on_a_base_that_sees(kind: str, base: Path, tmp_path: Path) -> None:
    examples = toy(40, 25)
    trainer = trainer_on(base, {"a": ALL})
    (loss,) = trainer.backward([piece("a", examples)])
    trainer.save("a", tmp_path)
    expected, theirs = reference(base, tmp_path, examples)
    assert loss / sum(e.learned for e in examples) == pytest.approx(expected, rel=1e-5)
    if kind == "qwen3_vl":  # of the other, PEFT reaches the tower too, whose names are the same
        assert relative_error(gradients(trainer, "a"), theirs) < 1e-4


def test_attention_and_patches_of_the_tower_are_ours(base: Path) -> None:
    eyes = Base(base, dtype="bfloat16").eyes
    assert eyes
    assert all("forward" in vars(block.attn) for block in eyes.tower.blocks)


# Memory


def test_recomputing_gives_the_same_bits(
    kind: str, base: Path, images: tuple[Picture, ...]
) -> None:
    kept, again = (trainer_on(base, {"a": on_all(kind, 9, dropout=0.2)})
                   for _ in range(2))  # fmt: skip
    again.base.recompute()
    examples = mixed(base, images)
    assert kept.backward([piece("a", examples)]) == again.backward([piece("a", examples)])
    theirs = gradients(kept, "a")
    assert all(torch.equal(mine, theirs[n]) for n, mine in gradients(again, "a").items())


def test_a_forecast_counts_the_tower(kind: str, base: Path, images: tuple[Picture, ...]) -> None:
    pack = [piece("a", [shown(base, images[:2])])]

    def counted(vision_layers: int) -> float:
        hollow = Sketch(base, dtype="float32")
        hollow.add("a", on_all(kind, vision_layers), seed=0, weight_decay=0.0)
        return hollow.forecast(pack).parts["pass"]

    if kind == "qwen2_5_vl":
        assert counted(9) > 1.2 * counted(0)
        return
    real = trainer_on(base, {"a": on_all(kind, 9)})
    assert real.forecast(pack).parts["pass"] == pytest.approx(counted(9), rel=0.02)
    real.backward(pack)  # what was counted left nothing behind


# Answering


def asked(example: Example, adapter: str = "", most: int = 10) -> Request:
    prompt = example.tokens[: example.learn.index(True)]
    return Request(
        case=f"{adapter}/{len(prompt)}", agent="a", adapter=adapter, repeat=0, tokens=prompt,
        stop=frozenset({257}), max_tokens=most, temperature=0.0, seed=0, images=example.images,
    )  # fmt: skip


@pytest.fixture
def served(kind: str, base: Path, tmp_path: Path) -> tuple[TorchEngine, dict[str, Path | None]]:
    """An engine with an adapter on the decoder and one on part of the tower too."""
    trainer = trainer_on(base, {"text": on_all(kind, 0), "both": on_all(kind, 2)})
    engine = TorchEngine(Base(base, dtype="float32"), HfTokenizer(base), batch=16)
    for name in trainer.adapters:
        trainer.save(name, tmp_path / name)
        engine.load(name, tmp_path / name)
    return engine, {"": None, "text": tmp_path / "text", "both": tmp_path / "both"}


def test_answers_and_logits_are_those_of_transformers_and_pefts_own_loader(
    base: Path, served: tuple[TorchEngine, dict[str, Path | None]], images: tuple[Picture, ...]
) -> None:
    engine, folders = served
    examples = mixed(base, images)
    requests = [asked(e, adapter) for adapter in folders for e in examples]
    answers = iter(engine.answer(requests))
    tokenizer = HfTokenizer(base)
    for adapter, folder in folders.items():
        model = stock_model(base, folder)
        for example in examples:
            prompt = asked(example).tokens
            inputs = stock_inputs(base, replace(example, tokens=prompt))
            with torch.no_grad():
                theirs = model(**inputs).logits[0, -1].tolist()
                made = model.generate(
                    **inputs, attention_mask=torch.ones_like(inputs["input_ids"]),
                    max_new_tokens=10, do_sample=False, eos_token_id=257, pad_token_id=258,
                )[0, len(prompt) :].tolist()  # fmt: skip
            (ours,) = engine.next_logits(adapter, [prompt], [example.images])
            assert ours == pytest.approx(theirs, abs=2e-4)
            said = made[: made.index(257)] if 257 in made else made
            assert next(answers).text == tokenizer.decode(said).strip()


def test_another_image_is_another_answer_also_after_the_first_was_kept(
    base: Path, served: tuple[TorchEngine, dict[str, Path | None]], images: tuple[Picture, ...]
) -> None:
    engine, folders = served
    example = shown(base, images[:1])
    other = replace(example, images=images[3:])
    for adapter in folders:
        first, second, again = (
            engine.next_logits(adapter, [asked(e).tokens], [e.images])
            for e in (example, other, example)
        )
        assert first == again
        assert first != pytest.approx(second[0], abs=1e-3)
    assert engine.losses([("both", example)]) != engine.losses([("text", example)])


def test_an_adapter_on_the_tower_alone_is_proved_by_images(
    kind: str, base: Path, images: tuple[Picture, ...], tmp_path: Path
) -> None:
    config = LoraConfig(rank=2, alpha=4, targets=TOWER[kind], vision_layers=1)
    trainer_on(base, {"a": config}).save("a", tmp_path)
    engine = TorchEngine(Base(base, dtype="float32"), HfTokenizer(base), batch=1)
    engine.load("a", tmp_path)
    prompt = asked(shown(base, images[:1])).tokens
    with pytest.raises(AdapterError, match="아무것도 바꾸지"):
        prove(engine, "a", [toy(9)[0].tokens])
    assert prove(engine, "a", [prompt], [images[:1]]).change > 0


# Wrong use


def test_images_for_a_base_without_eyes_are_refused(
    tiny: Tiny, images: tuple[Picture, ...]
) -> None:
    with pytest.raises(ModelError, match="이미지"):
        shown(tiny("qwen3"), images[:1])


def test_targets_and_vision_layers_must_meet(kind: str, base: Path, tiny: Tiny) -> None:
    text, tower = ALL.targets, TOWER[kind]
    wrong = [
        (base, {"targets": ("q_proj", "qkv")}, "qkv"),
        (base, {"targets": ("wq",), "vision_layers": 1}, "wq"),
        (tiny("qwen3"), {"targets": text, "vision_layers": 1}, "vision_layers"),
        (tiny("qwen3"), {"targets": tower, "vision_layers": 1}, "qkv"),
        (base, {"targets": ("q_proj",), "vision_layers": 1}, "vision_layers"),
    ]
    for folder, changes, word in wrong:
        trainer = TorchTrainer(Base(folder, dtype="float32"), name="tiny")
        with pytest.raises(AdapterError) as fault:
            trainer.add("a", ALL.model_copy(update=changes), seed=0, weight_decay=0.0)
        assert word in str(fault.value)


def test_an_image_that_was_cut_or_left_out_is_our_bug_and_no_answer(
    base: Path, images: tuple[Picture, ...]
) -> None:
    trainer = trainer_on(base, {"a": on_all("qwen3_vl", 0)})
    whole = shown(base, images[:1])
    for wrong in (replace(whole, images=()), replace(whole, images=images[1:2])):
        with pytest.raises((AssertionError, ValueError)):
            trainer.losses([("a", wrong)])
