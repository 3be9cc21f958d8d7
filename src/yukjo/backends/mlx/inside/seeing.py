"""A frozen base that sees images: Qwen3-VL by mlx-vlm.

1. Samples are computed one at a time, and every pass is told its positions: mlx-vlm's language
   model keeps those of the last image it saw between calls.
2. Images are scaled and cut by transformers' own processor for Pillow, as for torch.
3. The tower is frozen: it takes no part in the gradient.
"""

import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_vlm.models.cache import make_prompt_cache
from mlx_vlm.trainer.peft.utils import apply_lora_layers
from mlx_vlm.utils import load_model
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from yukjo.backends.mlx.base_settings import readable_copy
from yukjo.backends.mlx.inside.base import Base, Talk
from yukjo.backends.mlx.wire import Image, Row
from yukjo.errors import ModelError
from yukjo.pictures import read_rgb
from yukjo.records import Picture
from yukjo.words import say

_PROVED = ("qwen3_vl",)


class Seeing(Base):
    """One frozen base with its eyes."""

    def talk(self, images: Sequence[Image]) -> Talk:
        """Begin an answer; the images belong to the first tokens."""
        cache, place, unseen = make_prompt_cache(self.model.language_model), 0, images

        def read(tokens: Sequence[int]) -> Any:
            nonlocal place, unseen
            logits, place = self._read(tokens, unseen, cache=cache, start=place)
            unseen = ()
            return logits

        return read

    def put_on(self, adapter: Path) -> None:
        """Let mlx-vlm's own loader put an MLX adapter on the bare base."""
        apply_lora_layers(self.model, str(adapter))

    def losses(self, rows: Sequence[Row]) -> Any:
        """Loss in nats of each learned token [N], row after row: fp32."""
        return mx.concatenate([self._losses(row) for row in rows])

    def _losses(self, row: Row) -> Any:
        logits, _ = self._read(row["tokens"], row["images"])
        picked = logits[0, mx.array([t - 1 for t in row["learned"]])].astype(mx.float32)
        targets = mx.array([row["tokens"][t] for t in row["learned"]])
        return nn.losses.cross_entropy(picked, targets)

    def _read(
        self, tokens: Sequence[int], images: Sequence[Image], *, cache: Any = None, start: int = 0
    ) -> tuple[Any, int]:
        """Logits [1, T, V], and the position of the token that comes next."""
        ids = mx.array([list(tokens)])
        places = mx.broadcast_to(mx.arange(start, start + len(tokens)), (3, 1, len(tokens)))
        seen: dict[str, Any] = {}
        if images:
            self._refuse_unmarked(tokens, images)
            given = self._patches(images)
            found = self.model.get_input_embeddings(ids, **given)
            places, _ = self.model.language_model.get_rope_index(ids, given["image_grid_thw"])
            seen = {
                name: getattr(found, name)
                for name in ("inputs_embeds", "visual_pos_masks", "deepstack_visual_embeds")
            }
        out = self.model.language_model(ids, cache=cache, position_ids=places, **seen)
        return out.logits, int(places.max().item()) + 1

    def _refuse_unmarked(self, tokens: Sequence[int], images: Sequence[Image]) -> None:
        """ModelError where mlx-vlm would miss an image, and take its tokens for words in a row."""
        config = self.model.config
        marked = (config.vision_start_token_id, config.image_token_id)
        if sum(pair == marked for pair in pairwise(tokens)) != len(images):
            raise ModelError(
                say("mlx-vlm finds no image behind the token {mark}", mark=marked[0]),
                where="config.json vision_start_token_id",
                fix=say("write the token there that the chat template puts before an image"),
            )

    def _patches(self, images: Sequence[Image]) -> dict[str, Any]:
        """What the tower takes of the images."""
        shown = [read_rgb(Picture.model_validate(image)) for image in images]
        made = self._processor(shown, return_tensors="np")
        return {name: mx.array(made[name]) for name in ("pixel_values", "image_grid_thw")}

    def _load(self, folder: Path) -> Any:
        self._processor = Qwen2VLImageProcessorPil.from_pretrained(folder, local_files_only=True)
        with tempfile.TemporaryDirectory() as scratch:
            return load_model(readable_copy(folder, Path(scratch)))


def refuse_unproved(kind: str, folder: Path) -> None:
    """ModelError for eyes that were never held against transformers'."""
    if kind not in _PROVED:
        raise ModelError(
            say("`{kind}` is not proved with MLX", kind=kind),
            where=str(folder),
            fix=say('name a Qwen3-VL base, or use [train] backend = "torch"'),
        )
