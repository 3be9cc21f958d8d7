"""Precision and recall of the rules on `bench/checks/rules.jsonl`, rule by rule.

    python bench/checks_rules.py [--split seen|held] [--wrong] [--json]

A line counts for a rule where its code is among the line's faults, found or labelled; how often a
rule speaks on one line doesn't count.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from yukjo.data.rules import EVERY, GROUPS
from yukjo.korean.rules import CODES, found

FILE = Path(__file__).with_name("checks") / "rules.jsonl"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("seen", "held"))
    parser.add_argument("--wrong", action="store_true", help="show the lines that are judged wrong")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if asked.split in {None, row["split"]}]
    table = measured(rows, show=asked.wrong)
    print(json.dumps(table, ensure_ascii=False) if asked.json else markdown(table))


def measured(rows: list[dict[str, Any]], *, show: bool = False) -> dict[str, dict[str, float]]:
    """Counts, precision and recall of each code, and of all together."""
    right: Counter[str] = Counter()
    false: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for row in rows:
        groups = GROUPS.get(row["agent"], EVERY)
        said = {one.code for one in found(row["text"], row.get("material", ""), groups=groups)}
        labelled = set(row["faults"])
        right.update(said & labelled)
        false.update(said - labelled)
        missed.update(labelled - said)
        if show and said != labelled:
            print(f"labelled {sorted(labelled)}, found {sorted(said)}: {row['text']!r}")
    table = {code: line(right[code], false[code], missed[code]) for code in CODES}
    return table | {"all": line(right.total(), false.total(), missed.total())}


def line(right: int, false: int, missed: int) -> dict[str, float]:
    """One row of the table; 1 where there is nothing to be wrong about."""
    return {
        "n": right + missed,
        "false": false,
        "precision": right / (right + false) if right + false else 1.0,
        "recall": right / (right + missed) if right + missed else 1.0,
    }


def markdown(table: dict[str, dict[str, float]]) -> str:
    """The table for people."""
    rows = ["| rule | n | false alarms | precision | recall |", "|---|---:|---:|---:|---:|"]
    rows += [
        f"| `{code}` | {one['n']} | {one['false']} | {one['precision']:.2f} | {one['recall']:.2f} |"
        for code, one in table.items()
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
