"""Six agents tuned on the stage-1 set against the same six tuned on the practice set.

    python bench/stage1.py [--project examples/gov] [--cases 8] [--folder DIR]

Both sets are divided by `yukjo data split`; nothing but the training files differs between the two
runs. Both are measured on the same held-out lines of both sets, and compared case by case with a
95 % interval: "before" is the practice set's adapter, "after" the stage-1 set's.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from yukjo.agents import roles
from yukjo.data.read import read
from yukjo.evaluate import raw, tasks
from yukjo.evaluate.raw import Raw
from yukjo.records import SIX, Comparison, Sample

METRICS = ("perplexity", "conformance", "chrf")
SETS = ("practice", "stage1")


def main() -> None:
    """Divide, tune twice, compare, print Markdown."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--project", type=Path, default=Path("examples/gov"))
    asked.add_argument("--cases", type=int, default=8, help="answered, an agent")
    asked.add_argument("--folder", type=Path, help="keeps the runs; goes on where it was")
    asked.add_argument(
        "--set", action="append", default=[], help="for both runs, as in `yukjo run`"
    )
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="yukjo-stage1.") as scratch:
        folder = options.folder or Path(scratch)
        held = divide(options.project / "data", folder)
        settings = [f"evaluate.cases={options.cases}", "evaluate.repeats=0",
                    "evaluate.baseline_cases=0", *options.set]  # fmt: skip
        found = {name: run(folder, name, options.project, settings) for name in SETS}
    print("\n".join(table(held, found)))


def divide(data: Path, folder: Path) -> dict[str, tuple[Sample, ...]]:
    """Split both sets below `folder`; the held-out lines of each."""
    files = {"practice": [data / "practice.jsonl"], "stage1": sorted(data.glob("stage1/*.jsonl"))}
    for name in SETS:
        yukjo("data", "split", *files[name], "--out", folder / name, "--force")
    return {name: read([folder / name / "test.jsonl"], agents=SIX).samples for name in SETS}


def run(folder: Path, name: str, project: Path, settings: Sequence[str]) -> Raw:
    """Tune on one set, measure on the held-out lines of both; what was measured, raw."""
    place = folder / f"run-{name}"
    if not list(place.glob("runs/*/answers.jsonl")):
        place.mkdir(exist_ok=True)
        for part in ("yukjo.toml", "data", "documents", "laws", "tables"):
            (place / part).unlink(missing_ok=True)
            (place / part).symlink_to((project / part).resolve())
        train, valid = (json.dumps([f"../{name}/{side}.jsonl"]) for side in ("train", "valid"))
        held = json.dumps([f"../{one}/test.jsonl" for one in SETS])
        asked = [f"data.files={train}", f"data.valid_files={valid}", f"data.test_files={held}"]
        given = [part for setting in (*asked, *settings) for part in ("--set", setting)]
        yukjo("run", "--project", place, *given, codes=(0, 1))  # 1: its targets were not all met
    (answers,) = place.glob("runs/*/answers.jsonl")
    return raw.read(answers.read_text(encoding="utf-8").splitlines(), where=str(answers))


def yukjo(*arguments: object, codes: Sequence[int] = (0,)) -> None:
    """One command of ours, its words to stderr."""
    done = subprocess.run([sys.executable, "-m", "yukjo", *map(str, arguments)],  # noqa: S603
                          check=False, stdout=sys.stderr)  # fmt: skip
    if done.returncode not in codes:
        sys.exit(done.returncode)


def table(held: dict[str, tuple[Sample, ...]], found: dict[str, Raw]) -> Iterator[str]:
    """A line a held-out set, agent and metric."""
    yield "| held-out lines of | agent | metric | n | practice | stage 1 | difference, 95 % | |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, samples in held.items():
        both = paired(samples, *(found[one] for one in SETS))
        compared = tasks.evaluate(samples, both, roles=roles(), resamples=2000, seed=0)
        for agent in (*SIX, tasks.ALL):
            for row in compared.get(agent, ()):
                if row.name in METRICS:
                    yield line(name, agent, row)


def paired(samples: Iterable[Sample], old: Raw, new: Raw) -> Raw:
    """The adapters of the one against those of the other, on `samples`."""
    known = {sample.hash for sample in samples}
    later = {case.case: case.nll_after for case in new.cases}
    return Raw(
        cases=tuple(
            case.model_copy(update={"nll_before": case.nll_after, "nll_after": later[case.case]})
            for case in old.cases if case.case in known
        ),
        before=tuple(answer for answer in old.after if answer.case in known),
        after=tuple(answer for answer in new.after if answer.case in known),
    )  # fmt: skip


def line(name: str, agent: str, row: Comparison) -> str:
    """A row of the table."""
    ends = "" if row.low is None or row.high is None else f" [{row.low:+.3f}, {row.high:+.3f}]"
    return (f"| {name} | {agent} | {row.name} | {row.n} | {row.before:.3f} | {row.after:.3f} "
            f"| {row.difference:+.3f}{ends} | {row.verdict} |")  # fmt: skip


if __name__ == "__main__":
    main()
