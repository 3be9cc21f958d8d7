"""Run a decoder's last layer only at the rows that are asked for.

Its keys and values are needed of every row, all else of the rows asked for alone. No layer's
code is copied: a stand-in for a cache takes the keys and values out of a first call, which ends
there, and hands them to a second call on the rows asked for.
"""

from typing import Any

from torch import Tensor, nn

from yukjo.backends.torch.layout import Layout
from yukjo.backends.torch.lora import Lanes, Pass


class _Enough(Exception):
    """The first call has come as far as it should."""


class _Handed:
    """A cache that keeps what it is given, ends the call, and gives it back in the next."""

    def __init__(self) -> None:
        self.kept: tuple[Tensor, Tensor] | None = None

    def update(self, key: Tensor, value: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        if self.kept is None:
            self.kept = (key, value)
            raise _Enough
        return self.kept


def trim(layer: nn.Module, under_way: Pass) -> None:
    """Make `layer`, a decoder's last, compute the rows asked for when a `layout` is given."""
    whole = layer.forward

    def forward(x: Tensor, *, layout: Layout | None = None, **given: Any) -> Any:
        if layout is None:
            return whole(x, **given)
        handed, rows = _Handed(), layout.rows
        given.pop("past_key_values", None)
        try:
            whole(x, layout=layout, past_key_values=handed, **given)
        except _Enough:
            pass
        else:
            raise AssertionError("a decoder layer that asks no cache can't be trimmed")
        under_way.owners = Lanes(layout.asked_lanes)
        tables = tuple(table[..., rows, :] for table in given.pop("position_embeddings"))
        places = given.pop("position_ids", None)
        return whole(
            x[:, rows],
            layout=layout,
            asked_only=True,
            past_key_values=handed,
            position_embeddings=tables,
            position_ids=None if places is None else places[..., rows],
            **given,
        )

    layer.forward = forward
