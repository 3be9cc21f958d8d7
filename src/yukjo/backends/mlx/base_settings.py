"""A base's `config.json` as mlx-lm and mlx-vlm look for it; the user's file is never touched.

transformers 5 writes what turns positions into angles as `rope_parameters`. mlx-lm 0.32 reads that
for Qwen3 alone: a Llama, Qwen2 or Gemma 3 folder saved by transformers 5 is loaded with its own
defaults, without a word, and computes something else. mlx-vlm refuses such a folder.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def settings(folder: Path) -> dict[str, Any]:
    """The configuration in `folder`, older names beside the newer ones.

    OSError or ValueError where it can't be read.
    """
    found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("config.json")  # noqa: TRY004 - what a broken file is to its reader
    made = with_older_names(found)
    if "text_config" in made:
        made["text_config"] = with_older_names(made["text_config"])
    if made.get("vision_config"):  # transformers 5 calls it `qwen3_vl_vision`
        made["vision_config"] = made["vision_config"] | {"model_type": made.get("model_type")}
    return made


def with_older_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """`rope_theta`, `rope_scaling` and Gemma's two bases from `rope_parameters`, where missing.

    >>> with_older_names({"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}})[
    ...     "rope_theta"
    ... ]
    10000.0
    """
    rope = config.get("rope_parameters") or {}
    whole = rope.get("full_attention", rope)
    older = {"rope_theta": whole.get("rope_theta")}
    if "full_attention" in rope:
        older["rope_local_base_freq"] = rope["sliding_attention"].get("rope_theta")
    if whole.get("rope_type", "default") != "default" or "mrope_section" in whole:
        older["rope_scaling"] = {"type": whole.get("rope_type", "default"), **whole}
    return {name: value for name, value in older.items() if value is not None} | dict(config)


def eyes_of(folder: Path) -> str:
    """The kind of a model that sees images; "" of one that doesn't, or can't be read."""
    try:
        found = settings(folder)
    except (OSError, ValueError):
        return ""
    return str(found.get("model_type", "?")) if found.get("vision_config") else ""


def readable_copy(folder: Path, place: Path) -> Path:
    """`folder` at `place` with links to its files and the configuration in older names."""
    for file in folder.iterdir():
        if file.name != "config.json":
            (place / file.name).symlink_to(file.resolve())
    (place / "config.json").write_text(json.dumps(settings(folder)), encoding="utf-8")
    return place
