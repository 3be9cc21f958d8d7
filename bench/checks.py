"""Precision and recall of a check on its labelled set, kind by kind, as a table.

    python bench/checks.py pii [--wrong]

A hit is right where its kind is the label's and it covers all of the label's text: a hit that
falls short would leave a part behind, so it counts as a miss and as a false alarm.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from yukjo.korean.pii import KINDS, find

SETS = Path(__file__).parent / "checks"
SPLITS = {"dev": "rules tuned on it", "held": "not run before the rules stood"}


class Outcome(NamedTuple):
    """A label or a hit, and what became of it."""

    kind: str
    fate: str
    """right, missed, or false."""
    text: str
    row: str


def main() -> None:
    """Print the table, and with --wrong each miss and false alarm above it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("check", choices=["pii"])
    parser.add_argument("--wrong", action="store_true")
    asked = parser.parse_args()
    rows = [json.loads(line) for line in (SETS / f"{asked.check}.jsonl").open(encoding="utf-8")]
    made = {split: [outcome for row in rows if row["split"] == split for outcome in outcomes(row)]
            for split in SPLITS}  # fmt: skip
    if asked.wrong:
        for split, found in made.items():
            for one in found:
                if one.fate != "right":
                    print(f"{split} {one.fate} {one.kind}: {one.text!r} in {one.row!r}")
    print("\n".join(table(rows, made)))


def outcomes(row: dict[str, Any]) -> Iterator[Outcome]:
    """What became of each label of a row, and the hits that no label stands for."""
    text, end = row["text"], 0
    hits = list(find(text))
    for label in row["hits"]:
        start = text.index(label["text"], end)
        end = start + len(label["text"])
        right = [hit for hit in hits if hit.kind == label["kind"]]
        right = [hit for hit in right if hit.start <= start and end <= hit.end]
        if right:
            hits.remove(right[0])
        yield Outcome(label["kind"], "right" if right else "missed", label["text"], text)
    for hit in hits:
        yield Outcome(hit.kind, "false", text[hit.start : hit.end], text)


def table(rows: list[dict[str, Any]], made: dict[str, list[Outcome]]) -> Iterator[str]:
    """One line a kind: labels, precision and recall in each part; then all, errors and texts."""
    yield "| kind | level | " + " | ".join(f"n, {s} | precision | recall" for s in SPLITS) + " |"
    yield "|---|---|" + "---:|---:|---:|" * len(SPLITS)
    for kind, (level, _) in KINDS.items():
        cells = [figures(found, {kind}) for found in made.values()]
        yield f"| `{kind}` | {level} | " + " | ".join(cells) + " |"
    for name, wanted in (
        ("errors", {k for k, (level, _) in KINDS.items() if level == "error"}),
        ("warnings", {k for k, (level, _) in KINDS.items() if level == "warning"}),
        ("all", set(KINDS)),
    ):
        yield f"| {name} | | " + " | ".join(figures(f, wanted) for f in made.values()) + " |"
    yield ""
    for split, why in SPLITS.items():
        mine = [row for row in rows if row["split"] == split]
        empty = sum(not row["hits"] for row in mine)
        yield f"{split} ({why}): {len(mine)} texts, {empty} of them without personal data"


def figures(found: list[Outcome], kinds: set[str]) -> str:
    """Labels, precision and recall of some kinds, as cells."""
    fates = Counter(one.fate for one in found if one.kind in kinds)
    right, labels, hits = (
        fates["right"], fates["right"] + fates["missed"], fates["right"] + fates["false"],
    )  # fmt: skip
    return f"{labels} | {share(right, hits)} | {share(right, labels)}"


def share(part: int, whole: int) -> str:
    """A share with three digits; a dash where there is nothing to share."""
    return f"{part / whole:.3f}" if whole else "-"


if __name__ == "__main__":
    main()
