"""The eyes of a Qwen-VL base: its vision tower, with adapters on its last blocks or frozen.

1. Each adapter's images go through the tower by themselves, so that it sees alone what it sees
   beside others, to the bit.
2. Without a gradient an image is looked at alone, so that what is seen of it doesn't depend on the
   images beside it; and once, as long as there is room to keep it, if no adapter is on the tower.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import unset_fake_temporarily
from transformers import vision_utils

from yukjo.backends.torch.kept import Kept
from yukjo.backends.torch.lora import Lane, Lanes, Lora, LoraLinear, Pass
from yukjo.backends.torch.mrope import Spot
from yukjo.backends.torch.processor import Processor
from yukjo.backends.torch.tower import speed
from yukjo.records import Picture

KEPT_MB = 256
"""MiB of what a frozen tower saw."""
_LAST = "blocks."


@dataclass(frozen=True, slots=True)
class Sights:
    """What a tower makes of images, a row a token: [N, D].

    `deep` is added to the decoder's first layers, one each (DeepStack, arXiv:2406.04334).
    """

    rows: Tensor
    deep: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Alone:
    """All rows are of one adapter, however many of them a layer sees: patches, or tokens."""

    lora: Lora | None
    noise: int | None

    def apply(self, layer: LoraLinear, rows: Tensor) -> Tensor:
        """As `Owners.apply`."""
        return Lanes((Lane(self.lora, 0, len(rows), self.noise),)).apply(layer, rows)


class Eyes:
    """The tower of `model`, whose folder says how images are to be cut."""

    def __init__(self, model: Any, folder: Path, under_way: Pass) -> None:
        self.tower, self.token = model.model.visual, model.config.image_token_id
        self.processor = Processor(folder)
        self.under_way = under_way
        self.names: frozenset[str] = frozenset()
        """Of the tower's linear layers; `Base` makes them."""
        self._kept = Kept(KEPT_MB)
        self._geometry = lru_cache(64)(self._geometry_of)
        speed(self.tower)
        if hasattr(model.model.language_model, "_deepstack_process"):
            model.model.language_model._deepstack_process = _add_at  # noqa: SLF001 - theirs takes a mask, whose rows a forecast can't count

    def level(self, name: str) -> int:
        """How many last blocks have to be trained before the layer `name` of the tower is.

        What leads on from the blocks goes with the last one.
        """
        if not name.startswith(_LAST):
            return 1
        return len(self.tower.blocks) - int(name.removeprefix(_LAST).partition(".")[0])

    @property
    def room_mb(self) -> float:
        """MiB that may still be kept of what is seen."""
        return self._kept.room_mb + self.processor.room_mb

    def find(self, tokens: Sequence[int], pictures: Sequence[Picture]) -> list[Spot]:
        """Where the pictures stand in a sample's tokens."""
        spots: list[Spot] = []
        end = 0
        for picture in pictures:
            rows, columns = (side // self.processor.merge for side in self.processor.grid(picture))
            spots.append(Spot(tokens.index(self.token, end), rows, columns))
            end = spots[-1].stop
        marks = sum(spot.stop - spot.start for spot in spots)
        assert tokens.count(self.token) == marks, "tokens of images and no images, or some cut off"
        return spots

    def see(self, pictures: Sequence[Picture], lora: Lora | None, noise: int | None) -> Sights:
        """What the pictures look like to an adapter."""
        own = lora if lora and self.names & lora.pairs.keys() else None
        if own and torch.is_grad_enabled():
            return self._look(pictures, own, noise)
        return joined([self._see_alone(picture, own) for picture in pictures])

    def _see_alone(self, picture: Picture, own: Lora | None) -> Sights:
        kept = None if own else self._kept.get(picture.sha256)
        if kept is None:
            with torch.no_grad():
                seen = self._look([picture], own, None)
            kept = (seen.rows, *seen.deep)
            if own is None:
                self._kept.put(picture.sha256, *kept)
        return Sights(kept[0], kept[1:])

    def _look(self, pictures: Sequence[Picture], lora: Lora | None, noise: int | None) -> Sights:
        """Through the tower, all at once."""
        device = self.tower.patch_embed.weight.device
        grids = tuple(self.processor.grid(picture) for picture in pictures)
        self.under_way.owners = Alone(lora, noise)
        patches = self.processor.patches(pictures).to(device)
        out = self.tower(patches, **{k: t.to(device) for k, t in self._geometry(grids).items()})
        return Sights(out.pooler_output, tuple(getattr(out, "deepstack_features", ())))

    def _geometry_of(self, grids: tuple[tuple[int, int], ...]) -> dict[str, Tensor]:
        """What the tower would work out from the images' sizes at every pass."""
        tower = self.tower
        with unset_fake_temporarily():  # it takes numbers, not shapes, to count rows
            grid = torch.tensor([(1, *one) for one in grids])
            made = {
                "grid_thw": grid,
                "cu_seqlens": vision_utils.get_vision_cu_seqlens(grid),
                "position_ids": vision_utils.get_vision_position_ids(
                    grid, tower.spatial_merge_size
                ),
            }
            if hasattr(tower, "window_size"):
                made["window_index"], made["cu_window_seqlens"] = (
                    vision_utils.get_vision_window_index(
                        grid, spatial_merge_size=tower.spatial_merge_size,
                        window_size=tower.window_size, patch_size=tower.patch_size,
                    )
                )  # fmt: skip
            else:
                made["interp_indices"], made["interp_weights"] = (
                    vision_utils.get_vision_interpolation_indices_and_weights(
                        grid, num_grid_per_side=tower.num_grid_per_side,
                        mode=tower.interpolation_mode, spatial_merge_size=tower.spatial_merge_size,
                        align_corners=tower.interpolation_align_corners,
                    )
                )  # fmt: skip
        return made


def joined(sights: Sequence[Sights]) -> Sights:
    """One after another."""
    deep = zip(*(one.deep for one in sights), strict=True)
    return Sights(torch.cat([one.rows for one in sights]), tuple(map(torch.cat, deep)))


def _add_at(hidden: Tensor, rows: Tensor, seen: Tensor) -> Tensor:
    """What was seen, added to hidden states [B, T, D] at `rows` of B * T."""
    flat = hidden.flatten(0, 1).index_add(0, rows, seen.to(hidden.dtype))
    return flat.view(hidden.shape)
