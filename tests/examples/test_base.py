"""The reader that is committed, and the recipe that makes it."""

import json
from pathlib import Path

import pytest

pytest.importorskip("PIL")
pytest.importorskip("torch")

import make_base
import reader
import score
import slips

BASE = Path(make_base.__file__).parent / "base"
MIB = 2**20


def test_the_base_is_small_and_a_qwen3_vl() -> None:
    config = json.loads((BASE / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["Qwen3VLForConditionalGeneration"]
    assert config["dtype"] == "bfloat16"
    assert sum(path.stat().st_size for path in BASE.iterdir()) <= 10 * MIB


def test_the_base_reads_clean_slips_that_it_never_saw() -> None:
    model, tok = reader.load(BASE)
    assert 1e6 <= sum(number.numel() for number in model.parameters()) <= 5e6
    drawn = score.fresh("valid", "clean", 8)
    read = reader.read(model, tok, [slip.picture for slip in drawn])
    found = score.figures([slip.facts for slip in drawn], [slips.parse(text) for text in read])
    assert found["field"] >= 0.9, read


def test_our_pixels_are_those_of_the_real_processor() -> None:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    settings = json.loads((BASE / "preprocessor_config.json").read_text(encoding="utf-8"))
    named = ("patch_size", "merge_size", "temporal_patch_size", "image_mean", "image_std", "size")
    processor = Qwen2VLImageProcessorPil(**{name: settings[name] for name in named})
    pictures = [slips.draw(seed, "degraded").picture for seed in range(2)]
    theirs = processor([picture.convert("RGB") for picture in pictures], return_tensors="pt")
    ours = reader.inputs(reader.tokenizer(), [[0], [0]], pictures)
    assert (theirs["image_grid_thw"] == ours["image_grid_thw"]).all()
    assert (theirs["pixel_values"] - ours["pixel_values"]).abs().max() < 1e-5


def test_quick_is_the_same_mathematics() -> None:
    torch = make_base.torch
    torch.manual_seed(0)
    tok = reader.tokenizer()
    model = reader.fresh(tok).eval()
    pictures = [slips.draw(seed, "clean").picture for seed in range(2)]
    batch = reader.inputs(
        tok, [reader.prompt(tok, reader.SYSTEM, reader.INSTRUCTION)] * 2, pictures
    )
    with torch.no_grad():
        slow = model(**batch).logits
        fast = reader.quick(model)(**batch).logits
    assert (slow - fast).abs().max() < 1e-5


def test_an_analysis_is_few_tokens_and_survives_them() -> None:
    tok = reader.tokenizer()
    for seed in range(100):
        text = slips.analysis(slips.draw(seed, "degraded").facts)
        tokens = tok.encode(text, add_special_tokens=False)
        assert tok.unk_token_id not in tokens
        assert len(tokens) < 50
        assert tok.decode(tokens) == text


def test_three_steps_make_the_same_bits_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_base, "BATCH", 2)
    for name in ("one", "two"):
        monkeypatch.setattr("sys.argv", [
            "make_base.py", "--out", str(tmp_path / name), "--slips", "2",
            "--tower-steps", "1", "--reading-steps", "2",
        ])  # fmt: skip
        make_base.main()
    one, two = (tmp_path / name / "model.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    steps = (tmp_path / "one" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(steps[0])["step"] == 3
