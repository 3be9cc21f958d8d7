"""Time `yukjo.data.check` on a generated file; prints one JSON document.

    python bench/data_check.py [--lines 100000] [--workers 1]

The file mixes words at random into lines of about the length of real samples (500 characters);
one line in 100 repeats another, one in 100 repeats another with one word changed.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AGENTS = ("rag", "citizen_support", "document_writing", "legal_research", "data_analysis", "review")
# The most frequent syllables of written Korean.
SYLLABLES = "이다는을의에가고하지로서기사도한인시어리자해대나정아일부수보제원들면관과전주장"


def main() -> None:
    """Generate, check in a process of its own, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1, help="processes that read")
    parser.add_argument("--measure", type=Path, help="a file that is there already")
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure, workers=asked.workers)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.jsonl"
        generate(file, lines=asked.lines)
        command = [
            sys.executable,
            __file__,
            "--measure",
            str(file),
            "--workers",
            str(asked.workers),
        ]
        subprocess.run(command, check=True)  # noqa: S603


def generate(file: Path, *, lines: int) -> None:
    """Write `lines` samples, the same ones every time."""
    rng = random.Random(0)  # noqa: S311 - a toy, not a secret
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))) for _ in range(20_000)]
    last = ""
    with file.open("w", encoding="utf-8") as out:
        for number in range(lines):
            if number % 100 == 1:
                line = last
            elif number % 100 == 2:  # noqa: PLR2004
                line = last.replace('", "agent_type"', f' {rng.choice(words)}", "agent_type"')
            else:
                line = sample(rng, words)
            out.write(line + "\n")
            last = line


def sample(rng: random.Random, words: list[str]) -> str:
    """One line of JSON."""
    text = {name: " ".join(rng.choices(words, k=k)) for name, k in
            (("instruction", 10), ("input", 40), ("output", 70))}  # fmt: skip
    agent = rng.choice(AGENTS)
    record = {**text, "agent_type": agent, "difficulty": "보통", "topic": "복지"}
    return json.dumps(record, ensure_ascii=False)


def measure(file: Path, *, workers: int) -> None:
    """Check `file` and say how long it took and how much memory it needed at most."""
    from yukjo.data.check import check

    start = time.perf_counter()
    report = check([file], workers=workers)
    seconds = time.perf_counter() - start
    cpu = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the workers the largest is known: as much for each is at least what they took.
    peaks = [used.ru_maxrss / 1024 for used in cpu]
    print(json.dumps({
        "lines": report.lines,
        "megabytes": round(file.stat().st_size / 1e6, 1),
        "workers": workers,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(sum(used.ru_utime + used.ru_stime for used in cpu), 2),
        "lines_per_s": round(report.lines / seconds),
        "peak_memory_mb": round(peaks[0] + (workers * peaks[1] if workers > 1 else 0), 1),
        "errors": report.errors,
        "warnings": report.warnings,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
