"""Figures of a chain: each a mean over cases or facts with a 95 % interval by case.

Whole cases are drawn again, never single facts: the five facts of one slip stand or fall together.
The 2 x 2 asks what each stage's tuning gives with the other tuned or not; the interaction is what
both together give beyond the sum: after/after - after/before - before/after + before/before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from yukjo.chain.facts import VERSION, Facts, facts_of
from yukjo.chain.fates import FATES, MOST_LENGTH, Told
from yukjo.config.models import ChainConfig
from yukjo.evaluate.scorers import Metric
from yukjo.evaluate.statistics import Weighted, compare, compare_losses
from yukjo.records import Comparison, Sample

Row = Sequence[Told]
"""One way through the chain, in the cases' order."""

OF_CASE: Mapping[str, Callable[[Told], float]] = {
    "accuracy": lambda told: told.recall,
    "whole": lambda told: float(told.right == len(told.fates)),
    "precision": lambda told: told.precision,
    "quality": lambda told: told.quality,
}
"""Figures of a row that are means over its cases."""


@dataclass(frozen=True, slots=True)
class Draws:
    """How intervals are drawn."""

    resamples: int
    seed: int


def metrics(config: ChainConfig) -> dict[str, Metric]:
    """The metrics of a chain by name; other fields are other metrics."""
    fields = {"fields": dict(config.fields)}
    bound = fields | {"length": MOST_LENGTH}
    plain = ("qwen_accuracy", "kept_accuracy", "chain_accuracy", "chain_whole", "chain_precision")
    made = [Metric(name, VERSION, higher_is_better=True, settings=fields) for name in plain]
    made.append(Metric("llama_quality", VERSION, higher_is_better=True, settings=bound))
    return {metric.name: metric for metric in made}


def share(rows: Sequence[Weighted], draws: Draws) -> dict[str, Any]:
    """Sum of numerators / sum of weights, with its interval; None for both where nothing counts."""
    counted = [row for row in rows if row[1] > 0]
    if not counted:
        return {"value": None, "low": None, "high": None, "n": 0}
    # Against nothing: what a comparison says of the difference is then said of the share.
    found = compare_losses("", "", [(0.0, weight) for _, weight in counted], counted,
                           resamples=draws.resamples, seed=draws.seed)  # fmt: skip
    low = found.low
    if low is not None and all(top >= 0 for top, _ in counted):
        low = max(0.0, low)  # of a share, not of a difference
    return {"value": found.after, "low": low, "high": found.high, "n": found.n}


def row_figures(row: Row, draws: Draws) -> dict[str, Any]:
    """What one way through the chain reached."""
    figures = {
        name: share([(of(told), 1.0) for told in row], draws) for name, of in OF_CASE.items()
    }
    passed = [(float(told.count("kept")), float(told.read)) for told in row]
    return figures | {"information_kept": share(passed, draws)}


def attribution(row: Row, draws: Draws) -> dict[str, Any]:
    """Share of all facts by what became of them; the shares add up to 1."""
    return {
        fate: share([(float(told.count(fate)), float(len(told.fates))) for told in row], draws)
        for fate in FATES
    }


def interaction(grid: Mapping[str, Row], draws: Draws) -> dict[str, Any]:
    """What tuning both stages gives beyond the sum of each alone, in accuracy."""
    corners = [grid[name] for name in ("after/after", "after/before", "before/after",
                                       "before/before")]  # fmt: skip
    values = [
        both.recall - first.recall - second.recall + none.recall
        for both, first, second, none in zip(*corners, strict=True)
    ]
    return share([(value, 1.0) for value in values], draws)


def read_share(row: Row, draws: Draws) -> dict[str, Any]:
    """Share of the facts that the readings held: what a perfect second stage would reach."""
    return share([(float(told.read), float(len(told.fates))) for told in row], draws)


def mean_quality(row: Row) -> float:
    """Mean quality of a way's summaries; 0 where it has none."""
    return fsum(told.quality for told in row) / max(1, len(row))


def paired(metric: Metric, before: Sequence[float], after: Sequence[float], draws: Draws,
           ) -> Comparison:  # fmt: skip
    """One metric before and after, case by case."""
    return compare(metric.name, metric.metric_id, before, after,
                   higher_is_better=metric.higher_is_better,
                   resamples=draws.resamples, seed=draws.seed)  # fmt: skip


def reading_accuracy(
    cases: Sequence[Sample], said: Mapping[str, str], config: ChainConfig
) -> list[float]:
    """Share of each case's facts that its reading holds; `said` maps a case's hash to a text."""
    return [_held(facts_of(case.output, config.fields),
                  facts_of(said.get(case.hash, ""), config.fields)) for case in cases]  # fmt: skip


def _held(truth: Facts, reading: Facts) -> float:
    known = [reading[field] == value for field, value in truth.items() if value]
    return sum(known) / len(known)
