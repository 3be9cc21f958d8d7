"""The MLX engine against the torch engine, and stock mlx-lm against what we write."""

import json
from collections.abc import Sequence
from heapq import nlargest
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from toys import ALL, SOME, Tiny, toy, trainer_on
from yukjo.adapters.mlx import read_foreign, write_mlx, write_peft
from yukjo.adapters.store import content_id
from yukjo.backends.mlx.base_settings import settings
from yukjo.backends.mlx.engine import MlxEngine
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.errors import AdapterError
from yukjo.files import sha256_file
from yukjo.ports import Request

pytestmark = pytest.mark.mlx

FORMS = {"plain": ALL, "rs": SOME.model_copy(update={"use_rslora": True})}
PROMPTS = [list(e.tokens) for e in toy(60, 9, seed=5)]
Workers = Any


@pytest.fixture(params=("qwen3", "llama"))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folders(kind: str, tiny: Tiny, tmp_path: Path) -> dict[str, Path]:
    """Adapters that act, by content hash."""
    trainer, made = trainer_on(tiny(kind), FORMS), {}
    for name in FORMS:
        trainer.save(name, tmp_path / name)
        made[content_id(tmp_path / name)] = tmp_path / name
    return made


@pytest.fixture
def engines(
    kind: str, tiny: Tiny, workers: Workers, folders: dict[str, Path]
) -> tuple[MlxEngine, TorchEngine]:
    tokenizer = HfTokenizer(tiny(kind))
    oracle = TorchEngine(Base(tiny(kind), dtype="float32"), tokenizer, batch=4)
    engine = MlxEngine(workers(kind), tokenizer, base_hash=oracle.base_hash)
    for adapter, folder in folders.items():
        engine.load(adapter, folder)
        oracle.load(adapter, folder)
    return engine, oracle


def readable(base: Path, copy: Path) -> Path:
    """The base as it would come from the hub: transformers 5 writes names mlx-lm doesn't read."""
    copytree(base, copy)
    (copy / "config.json").write_text(json.dumps(settings(base)))
    return copy


def furthest(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> float:
    return max(abs(a - b) for x, y in zip(ours, theirs, strict=True)
               for a, b in zip(x, y, strict=True))  # fmt: skip


def ask(adapter: str, length: int, **changes: Any) -> Request:
    (example,) = toy(length, seed=length)
    given: dict[str, Any] = {
        "case": "c", "agent": "a", "adapter": adapter, "repeat": 0, "tokens": example.tokens,
        "stop": frozenset(), "max_tokens": 12, "temperature": 0.0, "seed": 0,
    }  # fmt: skip
    return Request(**(given | changes))


def decided(oracle: TorchEngine, request: Request) -> list[int]:
    """The oracle's greedy answer, up to where two tokens are too close to call."""
    answer: list[int] = []
    while len(answer) < request.max_tokens:
        logits = oracle.next_logits(request.adapter, [[*request.tokens, *answer]])[0]
        best, second = nlargest(2, logits)
        if best - second < 1e-3:
            break
        answer.append(logits.index(best))
    return answer


def test_logits_losses_and_greedy_answers_are_the_oracles(
    engines: tuple[MlxEngine, TorchEngine], folders: dict[str, Path]
) -> None:
    engine, oracle = engines
    compared = 0
    for adapter in ("", *folders):
        ours, theirs = (side.next_logits(adapter, PROMPTS) for side in engines)
        assert furthest(ours, theirs) <= 1e-4
        pack = [(adapter, e) for e in toy(40, 22, seed=1)]
        assert engine.losses(pack) == pytest.approx(oracle.losses(pack), rel=1e-5)
        wanted = decided(oracle, ask(adapter, 30))
        (answer,) = engine.answer([ask(adapter, 30, max_tokens=len(wanted))])
        assert answer.text == engine.tokenizer.decode(wanted).strip()
        assert (answer.tokens, answer.finish) == (len(wanted), "length")
        compared += len(wanted)
    assert compared > 20
    bare, taught = (engine.next_logits(a, PROMPTS) for a in ("", next(iter(folders))))
    assert furthest(bare, taught) > 1e-2


def test_a_drawn_answer_is_its_seeds_and_an_answer_ends_before_a_stop_token(
    engines: tuple[MlxEngine, TorchEngine],
) -> None:
    engine, oracle = engines
    drawn = [ask("", 20, temperature=1.0, seed=seed, max_tokens=20) for seed in (1, 2, 3)]
    texts = [answer.text for answer in engine.answer(drawn)]
    assert texts[::-1] == [answer.text for answer in engine.answer(drawn[::-1])]
    assert len(set(texts)) == 3
    first = decided(oracle, ask("", 20))[0]
    (answer,) = engine.answer([ask("", 20, stop=frozenset({first}))])
    assert (answer.tokens, answer.text, answer.finish) == (0, "", "stop")


def test_an_adapter_written_for_mlx_loads_with_its_own_loader_and_answers_as_in_torch(
    kind: str, engines: tuple[MlxEngine, TorchEngine], folders: dict[str, Path], tiny: Tiny,
    tmp_path: Path,
) -> None:  # fmt: skip
    from mlx import core as mx
    from mlx_lm import load

    _, oracle = engines
    base = readable(tiny(kind), tmp_path / "base")
    for adapter, folder in folders.items():
        write_mlx(folder, tmp_path / adapter)
        model, _ = load(str(base), adapter_path=str(tmp_path / adapter))
        ours = [model(mx.array([prompt]))[0, -1].tolist() for prompt in PROMPTS]
        assert furthest(ours, oracle.next_logits(adapter, PROMPTS)) <= 1e-4
        bare = oracle.next_logits("", PROMPTS)
        assert furthest(ours, bare) > 1e-2


def test_what_mlx_lm_trained_itself_comes_over_and_back_with_the_same_bits(
    kind: str, engines: tuple[MlxEngine, TorchEngine], tiny: Tiny, tmp_path: Path
) -> None:
    """Its own defaults: scale 20, the last two layers, keys relative to a layer."""
    from mlx import core as mx
    from mlx.utils import tree_flatten
    from mlx_lm import load
    from mlx_lm.tuner.utils import linear_to_lora_layers
    from mlx_lm.utils import save_config

    model, _ = load(str(readable(tiny(kind), tmp_path / "base")))
    model.freeze()
    given = {"rank": 8, "scale": 20.0, "dropout": 0.0, "keys": ["self_attn.q_proj", "mlp.up_proj"]}
    mx.random.seed(0)
    linear_to_lora_layers(model, 2, given)
    tensors = dict(tree_flatten(model.trainable_parameters()))
    tensors = {n: mx.random.normal(t.shape) * 0.02 if "lora_b" in n else t
               for n, t in tensors.items()}  # fmt: skip
    model.load_weights(list(tensors.items()), strict=False)
    place = tmp_path / "theirs"
    place.mkdir()
    mx.save_safetensors(str(place / "adapters.safetensors"), tensors)
    save_config(
        {"fine_tune_type": "lora", "num_layers": 2, "lora_parameters": given},
        place / "adapter_config.json",
    )
    found = read_foreign(place)
    assert found.config.alpha == 160
    assert {name.split(".layers.")[1][0] for name in found.tensors} == {"1", "2"}
    write_peft(found, tmp_path / "peft", base="tiny")
    _, oracle = engines
    oracle.load("theirs", tmp_path / "peft")
    true = [model(mx.array([prompt]))[0, -1].tolist() for prompt in PROMPTS]
    assert furthest(oracle.next_logits("theirs", PROMPTS), true) <= 1e-4
    write_mlx(tmp_path / "peft", tmp_path / "back")
    back = mx.load(str(tmp_path / "back" / "adapters.safetensors"))
    assert back.keys() == tensors.keys()
    assert all(mx.array_equal(back[name], tensors[name]) for name in back)


def test_the_worker_takes_an_mlx_folder_by_the_stock_loader_and_stays_bare_beneath(
    engines: tuple[MlxEngine, TorchEngine], folders: dict[str, Path], tmp_path: Path
) -> None:
    engine, _ = engines
    adapter, folder = next(iter(folders.items()))
    bare = engine.next_logits("", PROMPTS)
    write_mlx(folder, tmp_path / "mlx")
    engine.load("stock", tmp_path / "mlx")
    assert engine.next_logits("stock", PROMPTS) == engine.next_logits(adapter, PROMPTS)
    assert engine.next_logits("", PROMPTS) == bare
    engine.unload("stock")
    with pytest.raises(AdapterError, match="stock"):
        engine.next_logits("stock", PROMPTS)


def test_an_adapter_of_another_base_is_refused_and_nothing_is_left_of_it(
    kind: str, engines: tuple[MlxEngine, TorchEngine], tiny: Tiny, tmp_path: Path
) -> None:
    engine, _ = engines
    bare = engine.next_logits("", PROMPTS)
    other = {"qwen3": "llama", "llama": "qwen3"}[kind]
    trainer_on(tiny(other), {"a": ALL}).save("a", tmp_path / "a")
    write_mlx(tmp_path / "a", tmp_path / "mlx")
    for folder in ("a", "mlx"):
        with pytest.raises(AdapterError):
            engine.load("other", tmp_path / folder)
    assert engine.next_logits("", PROMPTS) == bare


def test_the_same_adapter_is_written_with_the_same_bytes(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = next(iter(folders.values()))
    for name in ("one", "two"):
        write_mlx(folder, tmp_path / name)
    one, two = (sha256_file(tmp_path / n / "adapters.safetensors") for n in ("one", "two"))
    assert one == two


def test_on_a_base_in_four_bits_an_adapter_learns_and_stock_mlx_lm_answers_the_same(
    kind: str, tiny: Tiny, tmp_path: Path
) -> None:
    from mlx import core as mx
    from mlx_lm import convert, load

    from toys import piece
    from yukjo.backends.mlx.trainer import MlxTrainer
    from yukjo.backends.mlx.worker import Worker

    packed = tmp_path / "packed"
    convert(str(readable(tiny(kind), tmp_path / "base")), str(packed), quantize=True,
            q_group_size=32, q_bits=4)  # fmt: skip
    worker = Worker(packed, dtype="float32", limit_mb=20_000)
    trainer = MlxTrainer(worker, name="packed")
    trainer.add("a", ALL, seed=0, weight_decay=0.0)
    losses = []
    for _ in range(6):
        losses += trainer.backward([piece("a", toy(40, 30))])
        trainer.update("a", learning_rate=1e-2, clip=1.0)
    assert losses[-1] < 0.9 * losses[0]
    trainer.save("a", tmp_path / "peft")
    write_mlx(tmp_path / "peft", tmp_path / "mlx")
    engine = MlxEngine(worker, HfTokenizer(packed), base_hash="")
    engine.load("a", tmp_path / "peft")
    model, _ = load(str(packed), adapter_path=str(tmp_path / "mlx"))
    model.set_dtype(mx.float32)
    ours = [model(mx.array([prompt]))[0, -1].tolist() for prompt in PROMPTS]
    assert furthest(engine.next_logits("a", PROMPTS), ours) <= 1e-4
    worker.close()
