"""Steps of joint training on the embedded base: tokens a second and resident memory, as JSON.

    .venv/bin/python bench/train_step.py [--steps 6] [--pack-tokens 768]

Six adapters on all linear layers, rank 16, batches of four samples of `examples/gov`.
"""

import argparse
import json
import time
from pathlib import Path

from yukjo import pipeline, wiring
from yukjo.config import load
from yukjo.data.pack import packs
from yukjo.ports import Piece
from yukjo.train.plan import plan, step_samples

GOV = Path(__file__).parents[1] / "examples" / "gov"


def resident_mb() -> float:
    """Resident memory of this process now, in MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    """Train a few steps and print one JSON object a step."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--steps", type=int, default=6)
    asked.add_argument("--pack-tokens", type=int, default=768)
    options = asked.parse_args()
    config = load(GOV)
    parts = wiring.open_parts(config, GOV)
    prepared = pipeline.prepare(GOV, config, parts.tokenizer)
    planned = plan(prepared.train, train=config.train, lora=config.lora, seed=0)
    for agent in planned.agents:
        parts.trainer.add(agent.agent, config.lora, seed=agent.seed, weight_decay=0.0)
    for step in range(options.steps):
        began, tokens = time.perf_counter(), 0
        for agent in planned.agents:
            own = prepared.train[agent.agent]
            chosen = [own[i] for i in step_samples(agent, step, size=4)]
            learned = sum(e.learned for e in chosen)
            for pack in packs([len(e.tokens) for e in chosen], options.pack_tokens):
                examples = tuple(chosen[i] for i in pack)
                parts.trainer.backward([Piece(agent.agent, examples, learned, noise=0)])
                tokens += sum(len(e.tokens) for e in examples)
        for agent in planned.agents:
            parts.trainer.update(agent.agent, learning_rate=1e-4, clip=1.0)
        seconds = time.perf_counter() - began
        print(
            json.dumps(
                {
                    "step": step,
                    "tokens_per_s": round(tokens / seconds, 1),
                    "resident_mb": round(resident_mb()),
                    "peak_mb": round(parts.trainer.memory_mb()),
                }
            )
        )


if __name__ == "__main__":
    main()
