"""The reader: a Qwen3-VL made tiny, its tokenizer, and how it is asked about slips.

Architecture, processor and chat format are those of the real model; only the numbers are small.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen3_vl.modeling_qwen3_vl import apply_rotary_pos_emb_vision

import slips

PATCH, MERGE = 8, 2
CELL = PATCH * MERGE
"""A visual token covers so many pixels each way: about one character."""
CELLS = (slips.WIDTH // CELL) * (slips.HEIGHT // CELL)
SYSTEM = "서식을 읽는다."
INSTRUCTION = "서식의 내용을 적으세요."
SYSTEMS = (SYSTEM, SYSTEM, "당신은 서식을 읽는 담당자입니다.", "")
INSTRUCTIONS = (INSTRUCTION, INSTRUCTION, "이 서식을 읽으세요.", "문서에서 항목을 뽑아 적으세요.",
                "서식을 분석하세요.", "무엇이 적혀 있나요?")  # fmt: skip
"""What it is asked while it is pre-trained: no single wording is learned."""

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
           "<|image_pad|>", "<|video_pad|>", "<|unk|>")  # fmt: skip
WHOLE = (
    "system",
    "user",
    "assistant",
    "종류: ",
    "\n접수번호: ",
    "\n날짜: ",
    "\n금액: ",
    "\n부서: ",
)
"""Tokens of more than one character: each saves the reader a step an answer."""
TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.content is string %}{{ message.content }}{% else %}
{%- for part in message.content -%}
{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>
{%- elif part.type == 'text' %}{{ part.text }}{% endif %}
{%- endfor -%}
{% endif %}<|im_end|>
{% endfor -%}
{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
PROCESSOR = {
    "image_processor_type": "Qwen2VLImageProcessorFast",
    "processor_class": "Qwen3VLProcessor",
    "patch_size": PATCH,
    "merge_size": MERGE,
    "temporal_patch_size": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "size": {"shortest_edge": CELL * CELL, "longest_edge": 1024 * 1024},
}

Batch = dict[str, Tensor]


def tokenizer() -> PreTrainedTokenizerFast:
    """A token a character, beside the few of WHOLE; what is not in it is `<|unk|>`."""
    words = (
        " ".join((*SYSTEMS, *INSTRUCTIONS, *WHOLE))
        + "은는이가을를의로에하고입니다했습요약함\n?!()%"
    )
    characters = sorted(slips.characters().union(words))
    vocabulary = {token: number for number, token in enumerate((*CONTROL, *WHOLE, *characters))}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<|unk|>"))  # noqa: S106 - no secret
    made.pre_tokenizer = pre_tokenizers.Split(Regex("|".join((*WHOLE, r"[\s\S]"))), "isolated")
    made.decoder = decoders.Fuse()
    made.add_special_tokens(list(CONTROL))
    return PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>",  # noqa: S106
        unk_token="<|unk|>", padding_side="left", chat_template=TEMPLATE,  # noqa: S106
        clean_up_tokenization_spaces=False,
    )  # fmt: skip


def fresh(tok: PreTrainedTokenizerFast) -> Qwen3VLForConditionalGeneration:
    """A model with random weights, in float32."""
    number = tok.convert_tokens_to_ids
    vision = {
        "depth": 4, "hidden_size": 96, "intermediate_size": 288, "num_heads": 3,
        "patch_size": PATCH, "spatial_merge_size": MERGE, "temporal_patch_size": 2,
        "out_hidden_size": 128, "num_position_embeddings": 256, "deepstack_visual_indexes": [1],
    }  # fmt: skip
    text = {
        "vocab_size": -(-len(tok) // 8) * 8, "hidden_size": 128, "intermediate_size": 336,
        "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 32,
        "max_position_embeddings": 1024, "tie_word_embeddings": True,
        "pad_token_id": tok.pad_token_id, "eos_token_id": tok.eos_token_id,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0,
                            "mrope_section": [4, 6, 6], "mrope_interleaved": True},
    }  # fmt: skip
    model = Qwen3VLForConditionalGeneration(Qwen3VLConfig(
        vision_config=vision, text_config=text, tie_word_embeddings=True,
        image_token_id=number("<|image_pad|>"), video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    ))  # fmt: skip
    model.generation_config.eos_token_id = tok.eos_token_id
    model.generation_config.pad_token_id = tok.pad_token_id
    return model


def save(model: nn.Module, tok: PreTrainedTokenizerFast, folder: Path) -> None:
    """A folder as Hugging Face's hub holds them, weights in bfloat16."""
    model.to(torch.bfloat16).save_pretrained(folder)
    tok.save_pretrained(folder)
    text = json.dumps(PROCESSOR, indent=2) + "\n"
    (folder / "preprocessor_config.json").write_text(text, encoding="utf-8")


def load(folder: Path) -> tuple[Any, PreTrainedTokenizerFast]:
    """Model, in float32 and quick, and tokenizer of a folder that `save` wrote."""
    model = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return quick(model), PreTrainedTokenizerFast.from_pretrained(folder)


def quick(model: Any) -> Any:
    """The same mathematics in a third of the time, for pictures of one size.

    One attention over all pictures instead of a loop over them, and the patches' convolution, whose
    stride is its width, as the matrix product that it is.
    """
    model.set_attn_implementation("eager")
    for block in model.model.visual.blocks:
        block.attn.forward = MethodType(_attention, block.attn)
    embed = model.model.visual.patch_embed
    embed.forward = MethodType(_embedding, embed)
    return model


def _attention(
    self: Any, hidden_states: Tensor, cu_seqlens: Tensor, position_embeddings: Any, **_: Any
) -> Tensor:
    pictures, patches = cu_seqlens.numel() - 1, hidden_states.shape[0]
    parts = self.qkv(hidden_states).reshape(patches, 3, self.num_heads, -1).permute(1, 0, 2, 3)
    query, key = apply_rotary_pos_emb_vision(parts[0], parts[1], *position_embeddings)
    shape = (pictures, patches // pictures, self.num_heads, -1)
    split = [part.reshape(shape).transpose(1, 2) for part in (query, key, parts[2])]
    weights = torch.softmax(split[0] @ split[1].transpose(-1, -2) * self.scaling, -1)
    mixed = weights.to(split[2].dtype) @ split[2]
    return self.proj(mixed.transpose(1, 2).reshape(patches, -1))


def _embedding(self: Any, hidden_states: Tensor) -> Tensor:
    weight = self.proj.weight.flatten(1)
    return nn.functional.linear(hidden_states.to(weight.dtype), weight, self.proj.bias)


def pixels(pictures: Sequence[Image.Image]) -> Tensor:
    """What the processor makes of grey pictures of one size: float32 [patches of all, 3 * 2 * 64].

    The patches of a cell stand together; a picture counts as three equal colours in two frames.
    """
    grey = np.stack([np.asarray(picture) for picture in pictures]).astype(np.float32) / 127.5 - 1
    many, high, wide = grey.shape
    cells = grey.reshape(many, high // CELL, MERGE, PATCH, wide // CELL, MERGE, PATCH)
    patches = cells.transpose(0, 1, 4, 2, 5, 3, 6).reshape(-1, 1, PATCH * PATCH)
    return torch.from_numpy(np.repeat(patches, 6, axis=1).reshape(len(patches), -1))


def prompt(tok: PreTrainedTokenizerFast, system: str, instruction: str) -> list[int]:
    """Tokens up to where the answer begins, the picture's own already in their number."""
    asked = [{"type": "image"}, {"type": "text", "text": instruction}]
    turns = [{"role": "system", "content": system}] if system else []
    text = tok.apply_chat_template(
        [*turns, {"role": "user", "content": asked}], tokenize=False, add_generation_prompt=True
    )
    return tok.encode(
        text.replace("<|image_pad|>", "<|image_pad|>" * CELLS), add_special_tokens=False
    )


def inputs(
    tok: PreTrainedTokenizerFast, rows: Sequence[Sequence[int]], pictures: Sequence[Image.Image]
) -> Batch:
    """Rows of tokens, padded at the end, with a picture each, as the model takes them."""
    longest = max(map(len, rows))
    tokens = torch.tensor([[*row, *[tok.pad_token_id] * (longest - len(row))] for row in rows])
    grid = [1, slips.HEIGHT // PATCH, slips.WIDTH // PATCH]
    return {
        "input_ids": tokens,
        "attention_mask": torch.tensor(
            [[n < len(row) for n in range(longest)] for row in rows]
        ).long(),
        "pixel_values": pixels(pictures),
        "image_grid_thw": torch.tensor([grid] * len(rows)),
        "mm_token_type_ids": (tokens == tok.convert_tokens_to_ids("<|image_pad|>")).int(),
    }


@torch.no_grad()
def read(
    model: Any,
    tok: PreTrainedTokenizerFast,
    pictures: Sequence[Image.Image],
    *,
    batch: int = 50,
) -> list[str]:
    """The greedy answer to each picture."""
    asked, answers = prompt(tok, SYSTEM, INSTRUCTION), []
    model.eval()
    for start in range(0, len(pictures), batch):
        part = pictures[start : start + batch]
        made = model.generate(**inputs(tok, [asked] * len(part), part), max_new_tokens=60,
                              do_sample=False)  # fmt: skip
        answers += tok.batch_decode(made[:, len(asked) :], skip_special_tokens=True)
    return answers
