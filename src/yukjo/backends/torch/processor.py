"""Images as the patches that a Qwen-VL tower takes, without torchvision.

transformers' own processor for Pillow does the scaling; its rescaling, normalising and cutting into
patches are done here on many images at once, and a test holds them against it. A tower takes two
frames of a film at a time, and an image is the same frame twice: here it comes once.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import unset_fake_temporarily

from yukjo.backends.torch.kept import Kept
from yukjo.errors import ModelError
from yukjo.pictures import read_rgb, size_of
from yukjo.records import Picture
from yukjo.words import say

SEEING = ("qwen3_vl", "qwen2_5_vl")
"""`model_type`s whose images this is for."""
KEPT_MB = 256
"""MiB of patches kept, a byte a colour: scaled once, they are wanted again every epoch."""


def sees(folder: Path) -> bool:
    """Whether the model in `folder` takes images."""
    return settings_of(folder).get("model_type") in SEEING


def settings_of(folder: Path) -> dict[str, Any]:
    """The model's own configuration; {} where there is none to be read."""
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


class Processor:
    """What `preprocessor_config.json` asks for."""

    def __init__(self, folder: Path) -> None:
        from transformers.models.qwen2_vl import image_processing_pil_qwen2_vl as pillow

        try:
            self._inner = pillow.Qwen2VLImageProcessorPil.from_pretrained(
                folder, local_files_only=True
            )
        except (OSError, ValueError, KeyError) as fault:
            raise ModelError(
                say("the image processor can't be loaded: {fault}", fault=fault),
                where=str(folder),
                fix=say("name a folder with preprocessor_config.json, as the base was published"),
            ) from fault
        self._resized = pillow.smart_resize
        self.merge: int = self._inner.merge_size
        self._grids: dict[str, tuple[int, int]] = {}
        self._kept = Kept(KEPT_MB)
        with unset_fake_temporarily():
            each = self._inner.patch_size**2
            std = torch.tensor(self._inner.image_std).repeat_interleave(each)
            mean = torch.tensor(self._inner.image_mean).repeat_interleave(each)
            self._factor, self._shift = self._inner.rescale_factor / std, mean / std

    @property
    def room_mb(self) -> float:
        """MiB of patches that may still be kept."""
        return self._kept.room_mb

    def grid(self, picture: Picture) -> tuple[int, int]:
        """Rows and columns of patches, from the image's size alone."""
        if picture.sha256 not in self._grids:
            width, height = size_of(picture)
            rows, columns = self._resized(
                height,
                width,
                factor=self._inner.patch_size * self.merge,
                min_pixels=self._inner.size["shortest_edge"],
                max_pixels=self._inner.size["longest_edge"],
            )
            edge = self._inner.patch_size
            self._grids[picture.sha256] = rows // edge, columns // edge
        return self._grids[picture.sha256]

    def tokens(self, picture: Picture) -> int:
        """How many tokens the tower makes of it."""
        rows, columns = self.grid(picture)
        return rows * columns // self.merge**2

    def patches(self, pictures: Sequence[Picture]) -> Tensor:
        """fp32 [patches of all, colours of one], those that become one token side by side."""
        whole = torch.cat([self._bytes(picture) for picture in pictures])
        return whole.float().mul_(self._factor).sub_(self._shift)

    def _bytes(self, picture: Picture) -> Tensor:
        """uint8 [patches, colours of one]."""
        kept = self._kept.get(picture.sha256)
        if kept is None:
            with unset_fake_temporarily():  # a forecast's pass reads real images
                kept = (self._cut(picture),)
            self._kept.put(picture.sha256, *kept)
        return kept[0]

    def _cut(self, picture: Picture) -> Tensor:
        import numpy as np

        (rows, columns), merge, edge = self.grid(picture), self.merge, self._inner.patch_size
        image = read_rgb(picture).resize((columns * edge, rows * edge), self._inner.resample)
        blocks = torch.tensor(np.asarray(image)).view(
            rows // merge, merge, edge, columns // merge, merge, edge, 3
        )
        return blocks.permute(0, 3, 1, 4, 6, 2, 5).reshape(rows * columns, -1)
