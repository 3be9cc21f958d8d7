"""The gate put to the test: how often it cries out over nothing, and what it lets through.

Each simulated run has six agents and four metrics on cases that come several to a document:
losses with a long tail whose changes go with the document, and answers that fail or don't.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from yukjo.config.gate import TargetConfig
from yukjo.evaluate.gate import decide
from yukjo.evaluate.power import cases_for_margin
from yukjo.evaluate.statistics import compare, compare_pooled
from yukjo.records import SIX, Comparison, Decision

RUNS = 200
CASES, DOCUMENTS = 40, 20
TARGETS = {
    "perplexity": TargetConfig(metric="perplexity"),
    "baseline": TargetConfig(metric="baseline_perplexity", bar=-5),
    "chrf": TargetConfig(metric="chrf", kind="difference", bar=0),
    "failures": TargetConfig(metric="failure_rate", kind="difference", bar=-0.05),
}
Draw = np.random.Generator


def losses(draw: Draw, name: str, *, worse: float = 1.0, together: bool = True,
           cases: int = CASES) -> Comparison:  # fmt: skip
    """Perplexities whose two sides differ by chance, and by a factor of `worse` after."""
    documents = np.arange(cases) % (cases // 2)
    tokens = draw.integers(40, 400, cases)
    level = draw.lognormal(0.9, 0.35, cases)
    shift = draw.standard_t(4, cases // 2)[documents] * 0.06 + draw.standard_t(4, cases) * 0.03
    sides = [level - shift / 2, level + shift / 2 + np.log(worse)]
    before, after = ([(float(x * n), float(n)) for x, n in zip(side, tokens, strict=True)]
                     for side in sides)  # fmt: skip
    return compare_pooled(name, "id", before, after, higher_is_better=False, resamples=200,
                          clusters=[str(d) for d in documents] if together else None)  # fmt: skip


def rates(draw: Draw, name: str, *, worse: float = 0.0, cases: int = CASES) -> Comparison:
    """Failures: a fifth of the cases turn out otherwise by chance, and `worse` more fail after."""
    turned = draw.random(cases)
    before = draw.random(cases) < 0.2
    after = np.where(turned < 0.2, draw.random(cases) < 0.2, before)
    spoilt = draw.random(cases) < worse / 0.8  # of those that don't fail anyway
    return compare(name, "id", [float(x) for x in before], [float(x) for x in after | spoilt],
                   higher_is_better=False, resamples=200)  # fmt: skip


def scores(draw: Draw, name: str, *, together: bool) -> Comparison:
    documents = np.arange(CASES) % DOCUMENTS
    level = draw.beta(2, 3, CASES) * 100
    moved = draw.normal(0, 6, (2, DOCUMENTS))[:, documents] + draw.normal(0, 3, (2, CASES))
    before, after = (np.clip(level + side, 0, 100).tolist() for side in moved)
    return compare(name, "id", before, after, higher_is_better=True, resamples=200,
                   clusters=[str(d) for d in documents] if together else None)  # fmt: skip


def no_change(draw: Draw, *, together: bool = True) -> dict[str, list[Comparison]]:
    """A run in which before and after are the same system."""
    return {
        agent: [losses(draw, "perplexity", together=together),
                losses(draw, "baseline_perplexity", together=together),
                scores(draw, "chrf", together=together), rates(draw, "failure_rate")]
        for agent in SIX
    }  # fmt: skip


def judged(found: Mapping[str, list[Comparison]], targets: Mapping[str, Any] = TARGETS) -> Decision:
    return decide(targets, found, (), agents=list(found), confidence=0.95, sealed=True)


def false_alarm(decision: Decision) -> bool:
    """A regression, or a claim of better, where nothing changed."""
    return any(line.ruling == "regression" or (line.ruling == "pass" and line.bar >= 0)
               for line in decision.lines)  # fmt: skip


def share(of: Callable[[Draw], bool], *, seed: int, runs: int = RUNS) -> float:
    draw = np.random.default_rng(seed)
    return sum(of(draw) for _ in range(runs)) / runs


def test_runs_without_a_change_raise_a_false_alarm_at_most_once_in_twenty() -> None:
    """Over six agents and all metrics together: 24 comparisons a run."""
    assert share(lambda draw: false_alarm(judged(no_change(draw))), seed=1) <= 0.05


def test_documents_taken_for_independent_cases_would_raise_more() -> None:
    """The test above can fail: this is what it finds if cases of one document are torn apart."""
    torn = share(lambda draw: false_alarm(judged(no_change(draw, together=False))), seed=1, runs=40)
    assert torn > 0.05


MARGIN = {"baseline": TARGETS["baseline"]}
FAILURES = {"failures": TARGETS["failures"]}


@pytest.mark.parametrize("cases", [20, 60])
def test_a_loss_as_large_as_the_margin_is_blocked_nineteen_times_in_twenty(cases: int) -> None:
    """However few the cases: what can't be told apart is a hold, not a pass."""

    def passes(draw: Draw, worse: float) -> bool:
        found = {"rag": [losses(draw, "baseline_perplexity", worse=worse, cases=cases)]}
        return judged(found, MARGIN).verdict == "pass"

    assert share(lambda draw: passes(draw, 1.05), seed=2) <= 0.05
    assert share(lambda draw: passes(draw, 0.95), seed=3) > 0.5  # it is not shut for everything


def test_five_points_more_failures_are_blocked_and_none_more_pass() -> None:
    needed = cases_for_margin(0.05, 0.2**0.5, alpha=0.05)

    def passes(draw: Draw, worse: float, cases: int) -> bool:
        found = {"rag": [rates(draw, "failure_rate", worse=worse, cases=cases)]}
        return judged(found, FAILURES).verdict == "pass"

    for cases in (12, needed):
        assert share(lambda draw, n=cases: passes(draw, 0.05, n), seed=4) <= 0.05
    assert share(lambda draw: passes(draw, 0.0, needed), seed=5) > 0.8


def test_a_plain_loss_of_one_agent_in_six_is_called_a_regression() -> None:
    """15 % more perplexity on 60 items, three times the margin, among 24 comparisons."""

    others = no_change(np.random.default_rng(9))

    def named(draw: Draw) -> bool:
        forgot = losses(draw, "baseline_perplexity", worse=1.15, cases=60)
        kept = [row for row in others["review"] if row.name != forgot.name]
        decision = judged(others | {"review": [*kept, forgot]})
        return (decision.verdict, decision.rule) == ("regression", "baseline/review")

    assert share(named, seed=6) >= 0.95


def test_a_gain_below_its_bar_does_not_pass() -> None:
    bar = {"it": TargetConfig(metric="perplexity", bar=15)}

    def passes(draw: Draw, worse: float) -> bool:
        return judged({"rag": [losses(draw, "perplexity", worse=worse)]}, bar).verdict == "pass"

    assert share(lambda draw: passes(draw, 0.85), seed=7) <= 0.05
    assert share(lambda draw: passes(draw, 0.75), seed=8, runs=50) > 0.8
