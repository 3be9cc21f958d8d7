"""The torch engine against PEFT's own loader and transformers' own generation."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from toys import ALL, KINDS, SOME, Tiny, toy, trainer_on
from yukjo.adapters.effect import prove
from yukjo.adapters.store import content_id
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.errors import AdapterError, ModelError
from yukjo.ports import Request

END = frozenset({257})


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def served(kind: str, tiny: Tiny, tmp_path: Path) -> tuple[TorchEngine, dict[str, Path]]:
    """An engine with two adapters loaded, and their folders by content hash."""
    trainer = trainer_on(tiny(kind), {"a": ALL, "b": SOME})
    engine = engine_on(tiny(kind))
    folders = {}
    for name in ("a", "b"):
        trainer.save(name, tmp_path / name)
        folders[content_id(tmp_path / name)] = tmp_path / name
    for identity, folder in folders.items():
        engine.load(identity, folder)
    return engine, folders


def engine_on(folder: Path, batch: int = 8) -> TorchEngine:
    return TorchEngine(Base(folder, dtype="float32"), HfTokenizer(folder), batch=batch)


def peft_model(base: Path, adapter: Path | None) -> Any:
    """The model as PEFT's own loader makes it."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, attn_implementation="eager"
    )
    return PeftModel.from_pretrained(model, adapter).eval() if adapter else model.eval()


def ask(adapter: str, length: int, *, seed: int = 0, repeat: int = 0, most: int = 12) -> Request:
    (example,) = toy(length, seed=seed)
    return Request(
        case=f"{adapter[:4]}/{length}/{seed}", agent="a", adapter=adapter, repeat=repeat,
        tokens=example.tokens, stop=END, max_tokens=most, temperature=float(repeat > 0), seed=seed,
    )  # fmt: skip


def test_logits_are_those_of_pefts_own_loader(
    kind: str, served: tuple[TorchEngine, dict[str, Path]], tiny: Tiny
) -> None:
    engine, folders = served
    prompts = [list(e.tokens) for e in toy(60, 9, seed=5)]
    for identity, folder in [("", None), *folders.items()]:
        model = peft_model(tiny(kind), folder)
        with torch.no_grad():
            theirs = [model(torch.tensor([p])).logits[0, -1].tolist() for p in prompts]
        for ours, expected in zip(engine.next_logits(identity, prompts), theirs, strict=True):
            assert ours == pytest.approx(expected, abs=2e-4)


def test_greedy_answers_in_a_mixed_batch_are_those_of_transformers(
    kind: str, served: tuple[TorchEngine, dict[str, Path]], tiny: Tiny
) -> None:
    engine, folders = served
    asked = [ask(a, n, seed=n) for n in (50, 7, 23) for a in ("", *folders)]
    answers = engine.answer(asked)
    tokenizer = HfTokenizer(tiny(kind))
    for identity, folder in [("", None), *folders.items()]:
        model = peft_model(tiny(kind), folder)
        for request, answer in zip(asked, answers, strict=True):
            if request.adapter == identity:
                made = model.generate(
                    input_ids=torch.tensor([request.tokens]), max_new_tokens=12, do_sample=False,
                    attention_mask=torch.ones(1, len(request.tokens), dtype=torch.long),
                    eos_token_id=257, pad_token_id=258,
                )[0, len(request.tokens) :].tolist()  # fmt: skip
                expected = made[: made.index(257)] if 257 in made else made
                assert answer.text == tokenizer.decode(expected).strip()
                assert answer.finish == ("stop" if 257 in made else "length")


def test_an_answer_does_not_depend_on_what_is_asked_beside_it(tiny: Tiny) -> None:
    asked = [ask("", n, seed=n, repeat=r) for n in (40, 12, 25) for r in (0, 1)]
    together = engine_on(tiny("qwen3")).answer(asked)
    alone = [engine_on(tiny("qwen3"), batch=1).answer([one])[0] for one in asked]
    assert [a.text for a in together] == [a.text for a in alone]


def test_no_token_more_than_asked_and_the_end_token_is_not_part_of_it(tiny: Tiny) -> None:
    engine = engine_on(tiny("llama"))
    (answer,) = engine.answer([ask("", 10, most=5)])
    assert (answer.tokens, answer.finish) == (5, "length")
    everything = frozenset(range(320))
    stopped = Request(**{**_fields(ask("", 10)), "stop": everything})
    (empty,) = engine.answer([stopped])
    assert (empty.tokens, empty.text, empty.finish) == (0, "", "stop")


def _fields(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in Request.__slots__}


def test_losses_are_those_the_trainer_saw(tiny: Tiny, tmp_path: Path) -> None:
    trainer = trainer_on(tiny("gemma3"), {"a": ALL})
    trainer.save("a", tmp_path)
    engine = engine_on(tiny("gemma3"))
    engine.load("id", tmp_path)
    examples = toy(40, 22)
    assert engine.losses([("id", e) for e in examples]) == trainer.losses(
        [("a", e) for e in examples]
    )
    assert engine.losses([("", examples[0])]) != engine.losses([("id", examples[0])])


def test_an_adapter_that_does_nothing_is_refused_and_one_that_acts_leaves_a_fingerprint(
    tiny: Tiny, tmp_path: Path
) -> None:
    trainer = trainer_on(tiny("qwen3"), {"a": ALL})
    trainer.save("a", tmp_path / "acts")
    trainer.add("new", ALL, seed=0, weight_decay=0.0)  # B is zero: a no-op
    trainer.save("new", tmp_path / "idle")
    engine = engine_on(tiny("qwen3"))
    engine.load("acts", tmp_path / "acts")
    engine.load("idle", tmp_path / "idle")
    prompts = [[1, 2, 3], [4, 5, 6, 7]]
    assert prove(engine, "acts", prompts).change > 0
    assert prove(engine, "acts", prompts) == prove(engine, "acts", prompts)
    with pytest.raises(AdapterError, match="아무것도 바꾸지"):
        prove(engine, "idle", prompts)


@pytest.mark.parametrize(
    "change",
    [
        {"use_dora": True}, {"rank_pattern": {"q_proj": 2}},
        {"alpha_pattern": {"q_proj": 2}}, {"modules_to_save": ["lm_head"]}, {"bias": "all"},
        {"peft_type": "IA3"}, {"r": 5}, {"r": "many"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_computed_is_refused_by_name(
    change: dict[str, Any], tiny: Tiny, tmp_path: Path
) -> None:
    trainer_on(tiny("llama"), {"a": ALL}).save("a", tmp_path)
    config = tmp_path / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(AdapterError):
        engine_on(tiny("llama")).load("id", tmp_path)


def test_an_adapter_of_another_base_is_refused_where_it_does_not_fit(
    tiny: Tiny, tmp_path: Path
) -> None:
    trainer_on(tiny("llama"), {"a": ALL}).save("a", tmp_path)
    with pytest.raises(AdapterError, match="맞지 않습니다"):
        engine_on(tiny("gemma3")).load("id", tmp_path)
    with pytest.raises(AdapterError, match="불러온 어댑터가 아닙니다"):
        engine_on(tiny("llama")).next_logits("id", [[1]])


def test_a_damaged_adapter_or_base_is_an_error_for_people(tiny: Tiny, tmp_path: Path) -> None:
    trainer_on(tiny("llama"), {"a": ALL}).save("a", tmp_path / "a")
    weights = tmp_path / "a" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(AdapterError):
        engine_on(tiny("llama")).load("id", tmp_path / "a")
    with pytest.raises(ModelError):
        Base(tmp_path, dtype="float32")


def test_targets_that_name_no_layer_are_refused(tiny: Tiny) -> None:
    trainer = trainer_on(tiny("llama"), {})
    with pytest.raises(AdapterError, match="wq_proj"):
        trainer.add("a", ALL.model_copy(update={"targets": ("wq_proj",)}), seed=0, weight_decay=0)


def test_a_resumed_trainer_goes_on_to_the_same_bits(tiny: Tiny, tmp_path: Path) -> None:
    from toys import piece

    examples = toy(30, 20)
    whole, first = (trainer_on(tiny("qwen3"), {"a": ALL}) for _ in range(2))
    second = trainer_on(tiny("qwen3"), {"a": SOME.model_copy(update=ALL.model_dump())})
    for step in range(4):
        if step == 2:
            first.save_state(tmp_path / "state")
            second.load_state(tmp_path / "state")
        for trainer in (whole, first if step < 2 else second):
            trainer.backward([piece("a", examples)])
            trainer.update("a", learning_rate=1e-2, clip=1.0)
    pairs = zip(whole.adapters["a"].parameters(), second.adapters["a"].parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
