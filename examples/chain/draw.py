"""Draw the slips of the demo: pictures, and the samples that a reader is tuned and tested on.

    python examples/chain/draw.py --out examples/chain/data

writes `images/*.png` and, a sample a line,

    slips-train.jsonl   degraded slips, with clean ones among them against forgetting
    slips-learn.jsonl   degraded slips the reader never learns, for the second stage to learn from
    slips-valid.jsonl   degraded slips by which a checkpoint is chosen
    slips-test.jsonl    degraded slips that nothing was chosen by
    slips-clean.jsonl   clean slips of the test seeds: what the base could read, and must keep

The same numbers give the same bytes. A file that is there already is written anew.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import slips

INSTRUCTION = "서식의 내용을 적으세요."
AGENT = "reader"
TOPICS: dict[slips.Domain, str] = {"clean": "깨끗한 서식", "degraded": "스캔한 서식"}


def main() -> None:
    """Write the five files."""
    asked = arguments()
    (asked.out / "images").mkdir(parents=True, exist_ok=True)
    plan: dict[str, tuple[tuple[str, slips.Domain, int], ...]] = {
        "train": (("tuning", "degraded", asked.train), ("tuning", "clean", asked.train_clean)),
        "learn": (("second", "degraded", asked.learn),),
        "valid": (("valid", "degraded", asked.valid),),
        "test": (("test", "degraded", asked.test),),
        "clean": (("test", "clean", asked.test),),
    }
    for split, parts in plan.items():
        with (asked.out / f"slips-{split}.jsonl").open("w", encoding="utf-8") as file:
            for seeds, domain, count in parts:
                for line in written(asked.out, seeds, domain, count):
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, default=16_000, help="degraded slips to tune on")
    parser.add_argument("--train-clean", type=int, default=4_000, help="clean slips among them")
    parser.add_argument("--learn", type=int, default=160, help="for the second stage")
    parser.add_argument("--valid", type=int, default=48)
    parser.add_argument("--test", type=int, default=200)
    return parser.parse_args()


def written(
    folder: Path, seeds: str, domain: slips.Domain, count: int
) -> Iterator[dict[str, object]]:
    """Draw slips, write their pictures, and yield their samples.

    The two domains of a range take different seeds: no two slips of a file share their facts.
    """
    start = slips.SEEDS[seeds].start + (1_000_000 if domain == "clean" else 0)
    for seed in range(start, start + count):
        slip = slips.draw(seed, domain)
        name = f"images/{seed}.png"
        slip.picture.save(folder / name)
        yield {
            "id": f"slip-{seed}",
            "images": [name],
            "instruction": INSTRUCTION,
            "output": slips.analysis(slip.facts),
            "agent_type": AGENT,
            "topic": TOPICS[domain],
            "source": "examples/chain/draw.py",
            "license": "CC0-1.0",
        }


if __name__ == "__main__":
    main()
