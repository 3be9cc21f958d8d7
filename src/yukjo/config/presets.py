"""Two starting points for [lora] and [train]; a key in `yukjo.toml` overrides them one by one.

`classic` is the requirement's own numbers (G6). `expert` follows newer evidence: all linear
layers beat attention alone at equal parameters, the learning rate matters more than the variant
and sits about ten times above full fine-tuning's, small effective batches, no dropout
(Schulman et al., "LoRA Without Regret", 2025; Biderman et al., "LoRA Learns Less and Forgets
Less", 2024, arXiv:2405.09673).
"""

from typing import Any

ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "classic": {
        "lora": {"rank": 16, "alpha": 32, "dropout": 0.05, "targets": ("q_proj", "v_proj")},
        "train": {"epochs": 3, "batch": 4, "accumulate": 4, "learning_rate": 2e-4, "keep": 3,
                  "checkpoint_every": 100},
    },
    "expert": {
        "lora": {"rank": 16, "alpha": 32, "dropout": 0.0, "targets": ALL_LINEAR},
        "train": {"epochs": 3, "batch": 4, "accumulate": 2, "learning_rate": 5e-4, "keep": 3},
    },
}  # fmt: skip
