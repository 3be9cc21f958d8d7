"""How well a reader reads fresh slips: fields and whole slips, with intervals by slip.

    python examples/chain/score.py [--base examples/chain/base] [--adapter DIR] [--slips 200]
                                   [--seeds test] [--json]

A field counts if it is right letter by letter, a slip if all five fields are.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

import reader
import slips
from yukjo.evaluate.fields import field_accuracy, item_accuracy

Figures = Mapping[str, float | list[float]]


def main() -> None:
    """A table of both domains on stdout."""
    asked = arguments()
    torch.set_num_threads(1)
    model, tok = reader.load(asked.base)
    if asked.adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, asked.adapter)
    found = {}
    for domain in slips.FAMILIES:
        drawn = fresh(asked.seeds, domain, asked.slips)
        read = reader.read(model, tok, [slip.picture for slip in drawn])
        found[domain] = figures(
            [slip.facts for slip in drawn], [slips.parse(text) for text in read]
        )
    print(json.dumps(found, ensure_ascii=False) if asked.json else table(found))


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=Path, default=Path(__file__).parent / "base")
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--slips", type=int, default=200)
    parser.add_argument("--seeds", choices=slips.SEEDS, default="test")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def fresh(seeds: str, domain: slips.Domain, count: int) -> list[slips.Slip]:
    """The first slips of a range of seeds."""
    return [slips.draw(seed, domain) for seed in slips.SEEDS[seeds][:count]]


def figures(
    facts: Sequence[Mapping[str, str]], found: Sequence[Mapping[str, str]]
) -> dict[str, float | list[float]]:
    """Shares right, 0 to 1: of all fields and of whole slips with their intervals, and by field."""
    pairs = list(zip(facts, found, strict=True))
    fields = np.array([field_accuracy(*pair) for pair in pairs])
    whole = np.array([item_accuracy(*pair) for pair in pairs])
    by_name = {
        name: float(np.mean([field_accuracy({name: true[name]}, read) for true, read in pairs]))
        for name in slips.FIELDS
    }
    return {
        "slips": len(pairs),
        "field": float(fields.mean()), "field_interval": interval(fields),
        "whole": float(whole.mean()), "whole_interval": interval(whole), **by_name,
    }  # fmt: skip


def interval(values: np.ndarray) -> list[float]:
    """95 % bootstrap interval of the mean."""
    chosen = np.random.default_rng(0).integers(0, len(values), (2000, len(values)))
    return [float(end) for end in np.quantile(values[chosen].mean(1), [0.025, 0.975])]


def table(found: Mapping[str, Figures]) -> str:
    """Markdown, a line a domain."""
    head = ("slips of", "n", "field", "95 %", "whole slip", "95 %", *slips.FIELDS)
    lines = [head, ("---",) * len(head)]
    for domain, figure in found.items():
        shares = [f"{figure[name]:.3f}" for name in slips.FIELDS]
        ends = ["-".join(f"{end:.3f}" for end in figure[f"{kind}_interval"])
                for kind in ("field", "whole")]  # fmt: skip
        lines.append((domain, str(figure["slips"]), f"{figure['field']:.3f}", ends[0],
                      f"{figure['whole']:.3f}", ends[1], *shares))  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
