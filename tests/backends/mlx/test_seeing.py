"""Qwen3-VL in MLX against the torch leaf and transformers: the image counts, and counts alike."""

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from seeing import SMALL, WIDE, draw, on_all, shown
from toys import ALL, Tiny, toy
from yukjo.adapters.mlx import write_mlx
from yukjo.backends.mlx.base_settings import readable_copy
from yukjo.backends.mlx.engine import MlxEngine
from yukjo.backends.mlx.trainer import MlxTrainer
from yukjo.backends.mlx.worker import Worker
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.backends.torch.trainer import TorchTrainer
from yukjo.errors import AdapterError, ModelError
from yukjo.files import sha256_file
from yukjo.ports import Piece, Request
from yukjo.records import Example

pytestmark = pytest.mark.mlx

KIND = "qwen3_vl"
Workers = Any


@pytest.fixture
def examples(tiny: Tiny, tmp_path: Path) -> list[Example]:
    """One image, two of other sizes, none."""
    one, two, three = (
        draw(tmp_path / f"{n}.png", size, seed=n) for n, size in enumerate((SMALL, WIDE, SMALL))
    )
    return [shown(tiny(KIND), images, answer=f"it is {len(images)}")
            for images in ([one], [two, three], [])]  # fmt: skip


@pytest.fixture
def engines(tiny: Tiny, workers: Workers) -> tuple[MlxEngine, TorchEngine]:
    tokenizer = HfTokenizer(tiny(KIND))
    oracle = TorchEngine(Base(tiny(KIND), dtype="float32"), tokenizer, batch=4)
    return MlxEngine(workers(KIND), tokenizer, base_hash=oracle.base_hash), oracle


def furthest(ours: Any, theirs: Any) -> float:
    return max(abs(a - b) for x, y in zip(ours, theirs, strict=True)
               for a, b in zip(x, y, strict=True))  # fmt: skip


def asked(example: Example, **changes: Any) -> Request:
    prompt = example.tokens[: example.learn.index(True)]
    given: dict[str, Any] = {
        "case": "c", "agent": "a", "adapter": "", "repeat": 0, "tokens": prompt,
        "stop": frozenset(), "max_tokens": 8, "temperature": 0.0, "seed": 0,
        "images": example.images,
    }  # fmt: skip
    return Request(**(given | changes))


def test_losses_and_steps_on_images_are_those_of_torch(
    tiny: Tiny, workers: Workers, examples: list[Example]
) -> None:
    sides: Any = (TorchTrainer(Base(tiny(KIND), dtype="float32"), name="t"),
                  MlxTrainer(workers(KIND), name="t"))  # fmt: skip
    for side in sides:
        side.add("a", ALL, seed=3, weight_decay=0.0)
    for step in range(4):
        pieces = [Piece("a", (*examples, *toy(20, seed=step)), 40, noise=step)]
        theirs, ours = ((side.backward(pieces)[0], side.update("a", learning_rate=3e-3, clip=1.0))
                        for side in sides)  # fmt: skip
        assert ours == pytest.approx(theirs, rel=2e-4)
    pack = [("a", example) for example in examples]
    assert sides[1].losses(pack) == pytest.approx(sides[0].losses(pack), rel=2e-4)


def test_logits_and_answers_are_the_oracles_with_images_and_without(
    engines: tuple[MlxEngine, TorchEngine], examples: list[Example]
) -> None:
    prompts = [asked(example).tokens for example in examples]
    seen = [example.images for example in examples]
    ours, theirs = (side.next_logits("", prompts, seen) for side in engines)
    assert furthest(ours, theirs) <= 1e-4
    found = [[a.text for a in side.answer([asked(e) for e in examples])] for side in engines]
    assert found[0] == found[1]


def test_another_image_is_another_answer_whatever_was_seen_before(
    engines: tuple[MlxEngine, TorchEngine], tiny: Tiny, tmp_path: Path
) -> None:
    """Answers that did not depend on the image were reported of mlx-vlm (its issue 824)."""
    engine, _ = engines
    images = [draw(tmp_path / f"s{n}.png", SMALL, seed=20 + n) for n in range(3)]
    told = [shown(tiny(KIND), [image]) for image in images]
    logits = [engine.next_logits("", [asked(e).tokens], [e.images])[0] for e in told]
    assert len({tuple(row) for row in logits}) == 3
    assert (
        min(furthest([a], [b]) for a, b in ((logits[0], logits[1]), (logits[1], logits[2]))) > 0.1
    )
    again = [engine.next_logits("", [asked(e).tokens], [e.images])[0] for e in told[::-1]]
    assert again[::-1] == logits
    swapped = Example(
        **{n: getattr(told[0], n) for n in Example.__slots__} | {"images": (images[1],)}
    )
    assert engine.losses([("", told[0])]) != engine.losses([("", swapped)])


def test_an_adapter_loads_in_stock_mlx_vlm_and_answers_as_in_torch_to_an_image(
    engines: tuple[MlxEngine, TorchEngine], tiny: Tiny, examples: list[Example], tmp_path: Path
) -> None:
    from mlx import core as mx
    from mlx_vlm.trainer.peft.utils import apply_lora_layers
    from mlx_vlm.utils import load_model

    from seeing import stock_inputs
    from toys import trainer_on

    engine, oracle = engines
    trainer_on(tiny(KIND), {"a": ALL}).save("a", tmp_path / "peft")
    write_mlx(tmp_path / "peft", tmp_path / "mlx")
    (tmp_path / "base").mkdir()
    model = load_model(readable_copy(tiny(KIND), tmp_path / "base"))
    model = apply_lora_layers(model, str(tmp_path / "mlx"))
    model.eval()
    given = {n: mx.array(v.numpy()) for n, v in stock_inputs(tiny(KIND), examples[1]).items()
             if n != "mm_token_type_ids"}  # fmt: skip
    prompt = asked(examples[1]).tokens
    ids = given.pop("input_ids")[:, : len(prompt)]
    theirs = [model(ids, **given).logits[0, -1].tolist()]
    for name, folder in (("peft", "peft"), ("stock", "mlx")):
        engine.load(name, tmp_path / folder)
        assert furthest(engine.next_logits(name, [prompt], [examples[1].images]), theirs) <= 1e-4
    oracle.load("a", tmp_path / "peft")
    assert furthest(oracle.next_logits("a", [prompt], [examples[1].images]), theirs) <= 1e-4
    assert furthest(engine.next_logits("", [prompt], [examples[1].images]), theirs) > 1e-2


def test_the_bases_own_folder_is_left_as_it_was(tiny: Tiny) -> None:
    before = {f.name: sha256_file(f) for f in tiny(KIND).iterdir()}
    Worker(tiny(KIND), dtype="float32", limit_mb=20_000).close()
    assert {f.name: sha256_file(f) for f in tiny(KIND).iterdir()} == before
    assert "rope_theta" not in json.loads((tiny(KIND) / "config.json").read_text())["text_config"]


def test_what_is_not_proved_is_refused_by_name(
    tiny: Tiny, workers: Workers, examples: list[Example], tmp_path: Path
) -> None:
    trainer = MlxTrainer(workers(KIND), name="t")
    with pytest.raises(AdapterError, match="vision_layers"):
        trainer.add("a", on_all(KIND, 1), seed=0, weight_decay=0.0)
    with pytest.raises(ModelError, match="qwen2_5_vl"):
        Worker(tiny("qwen2_5_vl"), dtype="float32", limit_mb=20_000)
    unmarked = Worker(marked_otherwise(tiny(KIND), tmp_path), dtype="float32", limit_mb=20_000)
    engine = MlxEngine(unmarked, HfTokenizer(tiny(KIND)), base_hash="")
    with pytest.raises(ModelError, match="999"):
        engine.losses([("", examples[0])])
    unmarked.close()
    blind = MlxEngine(workers("qwen3"), HfTokenizer(tiny("qwen3")), base_hash="")
    with pytest.raises(ModelError, match="이미지"):
        blind.losses([("", examples[0])])


def marked_otherwise(base: Path, place: Path) -> Path:
    folder = place / "marked"
    copytree(base, folder)
    config = json.loads((base / "config.json").read_text()) | {"vision_start_token_id": 999}
    (folder / "config.json").write_text(json.dumps(config))
    return folder
