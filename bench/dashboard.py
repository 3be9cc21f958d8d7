"""How long the dashboard's pages take with a long ledger: filled through the store, asked by HTTP.

    python bench/dashboard.py [--entries 100000] [--runs 500] [--keep FOLDER]

The ledger holds runs of six agents as `yukjo run` records them, with seals and verdicts, and times
of answers between them. Each page is asked for `--rounds` times; the median and the worst are of
this machine, in milliseconds, over the ASGI interface without a socket.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from yukjo.config import load
from yukjo.dashboard.web import Sources, Tokens, create_pages, tokens_file
from yukjo.files import write_jsonl
from yukjo.ledger.database import open_engine, writing
from yukjo.ledger.store import Ledger, add
from yukjo.records import SIX, CaseShown

_MOST_MS = 300


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description="Times of the dashboard's pages.")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        project = asked.keep or Path(scratch)
        began = time.perf_counter()
        fill(project, asked.entries, asked.runs)
        print(f"filled {asked.entries:,} entries in {time.perf_counter() - began:.0f} s")
        measure(project, asked.runs, asked.rounds)


def fill(project: Path, entries: int, runs: int) -> None:
    """Make the project's ledger, unless it is there; a transaction holds a thousand entries."""
    place = project / "runs" / "ledger.sqlite"
    project.mkdir(parents=True, exist_ok=True)
    (project / "yukjo.toml").write_text('[project]\nname = "bench"\n', encoding="utf-8")
    if place.exists():
        return
    made = list(bodies(entries, runs))
    Ledger(place).close()
    engine, _ = open_engine(place)
    for start in range(0, len(made), 1000):
        with writing(engine).begin() as connection:
            for kind, run, body in made[start : start + 1000]:
                add(connection, kind, run, body)
    engine.dispose()
    rows = (case(n).model_dump(mode="json") for n in range(600))
    write_jsonl(project / "runs" / name(runs - 1) / "cases.jsonl", rows)


def bodies(entries: int, runs: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Seal, run and verdict of every run, and as many times of answers as fill the rest."""
    chance = random.Random(1)  # noqa: S311 - figures for a bench
    between = (entries - 3 * runs) // runs
    for n in range(runs):
        gate = decision(chance)
        yield "seal", name(n), {"hash": f"{n:064x}", "steps": 0}
        yield "run", name(n), measured(chance) | {"gate": gate}
        yield "verdict", name(n), gate | {"entry": 0, "adapters": {}}
        for _ in range(between):
            seconds = [round(chance.uniform(0.5, 4), 3) for _ in range(20)]
            yield "latency", name(n), {"adapters": {}, "seconds": seconds}


def name(n: int) -> str:
    """The run's id."""
    return f"20260101-{n:06}-000000"


def measured(chance: random.Random) -> dict[str, Any]:
    """The body of a run: 20 metrics of six agents, 1,200 data lines."""
    hashes = [f"{chance.getrandbits(256):064x}" for _ in range(1200)]
    metrics = [
        {"name": f"metric_{m}", "metric_id": "x@1", "before": 2.0, "after": 1.0, "n": 40,
         "difference": -1.0, "low": -2.0, "high": -0.5, "verdict": "better"} for m in range(20)
    ]  # fmt: skip
    return {
        "project": "bench",
        "titles": dict(zip(SIX, SIX, strict=True)),
        "agents": {agent: {"cases": 40, "metrics": metrics} for agent in (*SIX, "all")},
        "data": {"lines": {"train": hashes[:900], "valid": hashes[900:1000],
                           "test": hashes[1000:]}},
        "adapters": {agent: {"id": hashes[0], "data": hashes[:150]} for agent in SIX},
        "cases": {"sha256": "", "counts": {"all": {"broken": 1, "fixed": 9, "sound": 5,
                                                   "unsound": 5}}},
    }  # fmt: skip


def decision(chance: random.Random) -> dict[str, Any]:
    """A verdict over 27 lines."""
    lines = [
        {"target": f"t{t}", "metric": f"metric_{t}", "agent": agent, "kind": "improvement",
         "bar": 0.0, "ruling": chance.choice(["pass", "hold"]), "why": "few", "before": 2.0,
         "after": 1.0, "low": 20.0, "high": 60.0, "n": 40, "needed": 12}
        for t in range(4) for agent in SIX
    ]  # fmt: skip
    return {"verdict": "hold", "rule": "t0/rag", "lines": lines, "seal": 1}


def case(n: int) -> CaseShown:
    """One of the newest run's cases."""
    text = "신청인은 처리 기간 안에 보완하여야 합니다. " * 12
    return CaseShown(case=f"{n:064x}", name=f"rag-{n}", agent=SIX[n % 6], instruction=text,
                     reference=text, before=text, after=text + "끝.", change="fixed",
                     topic="민원", difficulty="보통")  # fmt: skip


def measure(project: Path, runs: int, rounds: int) -> None:
    """Ask for each page, and print a line of it."""
    newest = name(runs - 1)
    sources = Sources(project, load(project), lambda _: {})
    tokens = Tokens(tokens_file(project / "runs"))
    asked = {
        "first page (runs)": "/", "runs, last page": "/?page=9999",
        "verdict": f"/runs/{newest}", "cases": f"/runs/{newest}/cases",
        "a case": f"/runs/{newest}/cases/{'0' * 64}",
        "records": "/records", "records, last page": "/records?page=999999",
        "records of a kind": "/records?kind=latency&page=900",
        "records of a run": f"/records?run={name(0)}", "an entry": "/records/2",
    }  # fmt: skip
    print(f"{'page':<22}{'median ms':>10}{'worst ms':>10}{'KB':>8}")
    slow = []
    with TestClient(create_pages(sources, tokens, local=True), "http://127.0.0.1") as browser:
        for title, path in asked.items():
            times, size = [], 0
            for _ in range(rounds):
                began = time.perf_counter()
                answer = browser.get(f"/dashboard{path}")
                times.append(1000 * (time.perf_counter() - began))
                size = len(answer.content)
                assert answer.status_code == 200, (path, answer.text)  # noqa: PLR2004
            middle = statistics.median(times)
            slow += [title] if middle > _MOST_MS else []
            print(f"{title:<22}{middle:>10.1f}{max(times):>10.1f}{size / 1024:>8.1f}")
    print(f"over {_MOST_MS} ms: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    main()
