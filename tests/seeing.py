"""Tiny Qwen-VL bases with random weights, and images to show them."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.config.models import LoraConfig
from yukjo.data.render import Template, chat_of, render, template_of
from yukjo.files import sha256_file
from yukjo.records import Example, Picture, Sample

SEEING = ("qwen3_vl", "qwen2_5_vl")
CONTROL = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
CHATML = (
    "{% for m in messages %}<|turn|>{{ m.role }}\n"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)
TOWER = {
    "qwen3_vl": ("qkv", "proj", "linear_fc1", "linear_fc2"),
    "qwen2_5_vl": ("qkv", "proj"),  # its MLPs' names are those of the decoder
}
SMALL, TALL, WIDE = (16, 16), (16, 32), (41, 22)
"""Width and height of images; a token is 8 x 8, to which the last must be scaled."""
_PIXELS = {
    "qwen3_vl": {"size": {"shortest_edge": 64, "longest_edge": 1 << 20}},
    "qwen2_5_vl": {"min_pixels": 64, "max_pixels": 1 << 20},
}


def make_model(
    kind: str,
    folder: Path,
    *,
    mark: int,
    text: Mapping[str, Any] = MappingProxyType({}),
    vision: Mapping[str, Any] = MappingProxyType({}),
    patch: int = 4,
) -> None:
    """Write a model of `kind` to `folder`; its image token is `mark`, videos' the one after."""
    from transformers import AutoConfig, AutoModelForImageTextToText

    interleaved = {"mrope_section": [6, 5, 5], "mrope_interleaved": True}
    rope = interleaved if kind == "qwen3_vl" else {"mrope_section": [2, 3, 3]}
    words = {
        "vocab_size": 320, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024,
        "initializer_range": 0.08, "bos_token_id": 256, "eos_token_id": 257, "pad_token_id": 258,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, **rope},
    }  # fmt: skip
    tower = {
        "depth": 3, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": patch,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": 64,
        "initializer_range": 0.3,
    }  # fmt: skip
    own = (
        ({"head_dim": 32}, {"num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]})
        if kind == "qwen3_vl"
        else ({}, {"window_size": 16, "fullatt_block_indexes": [1]})
    )
    config = AutoConfig.for_model(
        kind, text_config={**words, **own[0], **text}, vision_config={**tower, **own[1], **vision},
        image_token_id=mark, video_token_id=mark + 1, tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config)
    for name, parameter in model.named_parameters():
        if "norm" in name or "bias" in name:
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    processor = {
        "patch_size": patch, "merge_size": 2, "temporal_patch_size": 2,
        "image_mean": [0.5, 0.4, 0.3],
        "image_std": [0.5, 0.6, 0.7], "image_processor_type": "Qwen2VLImageProcessorFast",
        **_PIXELS[kind],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def draw(path: Path, size: tuple[int, int] = SMALL, *, seed: int = 0) -> Picture:
    """An image of noise."""
    from PIL import Image

    noise = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (size[1], size[0], 3), generator=noise, dtype=torch.uint8)
    Image.fromarray(pixels.numpy()).save(path)
    return Picture(path=path, sha256=sha256_file(path))


def shown(
    base: Path, images: Sequence[Picture], *, answer: str = "read", max_tokens: int = 500
) -> Example:
    """A sample about `images` as this base takes it; its beginning is long enough to share."""
    sample = Sample(instruction="?", output=answer, agent_type="a", images=tuple(images))
    tokenizer = _tokenizer(base)
    return render(
        chat_of(sample, "Read what is there."), tokenizer=tokenizer,
        template=Template(template_of(tokenizer).text, ""), max_tokens=max_tokens,
    )  # fmt: skip


_tokenizer = cache(HfTokenizer)


def on_all(kind: str, vision_layers: int, **changes: Any) -> LoraConfig:
    """An adapter on every linear layer of the decoder, and so many last ones of the tower."""
    text = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    targets = (*text, *TOWER[kind]) if vision_layers else text
    given = {"rank": 4, "alpha": 8, "targets": targets, "vision_layers": vision_layers} | changes
    return LoraConfig(**given)


def stock_inputs(base: Path, example: Example) -> dict[str, torch.Tensor]:
    """What transformers' own processing makes of an example."""
    from PIL import Image
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
        Qwen2VLImageProcessorPil,
    )

    ids = torch.tensor([example.tokens])
    if not example.images:
        return {"input_ids": ids}
    mark = json.loads((base / "config.json").read_text())["image_token_id"]
    processor = Qwen2VLImageProcessorPil.from_pretrained(base)
    seen = processor([Image.open(image.path) for image in example.images], return_tensors="pt")
    return {"input_ids": ids, "mm_token_type_ids": (ids == mark).int(), **seen}


def stock_model(base: Path, adapter: Path | None = None, *, trained: bool = False) -> Any:
    """The model as transformers and PEFT's own loader make it."""
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_pretrained(
        base, dtype=torch.float32, attn_implementation="sdpa"
    )
    if adapter:
        model = PeftModel.from_pretrained(model, adapter, is_trainable=trained)
    return model.eval()
