"""What a layer is called by transformers and PEFT, and by MLX.

The same, but for models that also see images: transformers keeps the language model inside
`model`, MLX keeps `model` inside the language model, and the vision tower has another name.
"""

from collections.abc import Sequence

_WRAPPED = (("model.language_model.", "language_model.model."), ("model.visual.", "vision_tower."))


def in_mlx(name: str) -> str:
    """The layer's name in MLX.

    >>> in_mlx("model.layers.0.mlp.up_proj"), in_mlx("model.language_model.layers.0.mlp.up_proj")
    ('model.layers.0.mlp.up_proj', 'language_model.model.layers.0.mlp.up_proj')
    """
    return _renamed(name, _WRAPPED)


def in_transformers(name: str) -> str:
    """The other way round.

    >>> in_transformers("vision_tower.blocks.1.attn.qkv")
    'model.visual.blocks.1.attn.qkv'
    """
    return _renamed(name, [(theirs, ours) for ours, theirs in _WRAPPED])


def _renamed(name: str, pairs: Sequence[tuple[str, str]]) -> str:
    for before, after in pairs:
        if name.startswith(before):
            return after + name.removeprefix(before)
    return name
