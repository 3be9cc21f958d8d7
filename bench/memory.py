"""Predicted against actual peak memory on the embedded base, and the figures fitted to them.

    .venv/bin/python bench/memory.py [--sizes 300 600 1200] [--packs 4] [--json]

Each size has a process of its own: two steps of one adapter on all linear layers, rank 16, each of
`--packs` packs of `examples/gov` up to that size. `holes` is what backends/torch/forecast.py
calls HOLES, as this run would have it.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from yukjo import machine, pipeline, wiring
from yukjo.config import load
from yukjo.data.pack import packs
from yukjo.ports import Piece

GOV = Path(__file__).parents[1] / "examples" / "gov"


def main() -> None:
    """One line a size, then the worst error."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sizes", type=int, nargs="+", default=[300, 600, 1200])
    asked.add_argument("--packs", type=int, default=4)
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.one:
        print(json.dumps(measured(options.one, options.packs)))
        return
    rows = []
    for size in options.sizes:
        command = [sys.executable, __file__, "--one", str(size), "--packs", str(options.packs)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - ourselves
        rows.append(json.loads(done.stdout))
        if not options.json:
            print(rows[-1], flush=True)
    worst = max(abs(row["error"]) for row in rows)
    print(json.dumps({"rows": rows, "worst_error": worst}) if options.json else f"worst {worst}")


def measured(size: int, count: int) -> dict[str, float]:
    """Forecast, probe and two steps of packs of at most `size` tokens."""
    from yukjo.backends.torch.forecast import HOLES

    config = load(GOV)
    parts = wiring.open_parts(config, GOV)
    trainer = parts.trainer
    prepared = pipeline.prepare(GOV, config, parts.tokenizer)
    trainer.add("rag", config.lora, seed=0, weight_decay=0.0)
    examples = [e for own in prepared.train.values() for e in own if len(e.tokens) <= size]
    made = packs([len(e.tokens) for e in examples], size)[:count]
    pieces = [Piece("rag", tuple(examples[i] for i in p), 1000, noise=0) for p in made]
    tokens = [sum(len(e.tokens) for e in piece.examples) for piece in pieces]
    largest = pieces[tokens.index(max(tokens))]
    forecast = trainer.forecast([largest])
    probe = trainer.probe([largest])
    for _ in range(2):
        for piece in pieces:
            trainer.backward([piece])
        trainer.update("rag", learning_rate=1e-4, clip=1.0)
    actual = trainer.memory_mb()
    standing = forecast.expected_mb - forecast.parts["pass"]
    return {
        "tokens": max(tokens),
        "expected_mb": round(forecast.expected_mb),
        "probed_mb": round(probe.peak_mb),
        "actual_mb": round(actual),
        "resting_mb": round(machine.resident_mb()),
        "error": round(forecast.expected_mb / actual - 1, 3),
        "holes": round((actual - standing) / (forecast.parts["pass"] / HOLES), 2),
    }


if __name__ == "__main__":
    main()
