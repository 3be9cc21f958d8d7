"""How many cases a project has and how many its targets need, before anything is trained.

What a target needs depends on figures that nobody knows yet; each row says what was assumed.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from yukjo.agents import of_project
from yukjo.agents.router_files import read_asked
from yukjo.config import YukjoConfig
from yukjo.config.gate import TargetConfig
from yukjo.config.targets import targets
from yukjo.evaluate import ALL, baseline, power
from yukjo.evaluate.gate import TAIL
from yukjo.pipeline.prepare import source
from yukjo.words import say

_MOVES = 20.0
"""Standard deviation, in per cent, that the perplexity of a case is assumed to move by."""
_SCORES = 1.0
"""Standard deviation of a rater's scores, assumed."""
_ABOVE = 0.05
"""A share is assumed to lie so far above its bar, and a score four times as far."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one target needs of one agent."""

    target: str
    metric: str
    agent: str
    cases: int | None
    """At hand; None where they come from people or from serving."""
    needed: int | None
    """None where a figure is simply read off."""
    assumed: str


def plan(project: Path, config: YukjoConfig) -> dict[str, Any]:
    """The plan as plain JSON: what the cases at hand show, and what the targets need.

    `agents`: for each its test cases, how many are answered, the least change of a rate (0..1)
    and of a mean (in standard deviations) that these show with 80 % power, after correction for
    all `comparisons` of the gate.
    """
    cases = _cases(project, config)
    asked = targets(config.gate)
    gains = [t for t in asked.values() if t.kind != "level"]
    family = sum(len(config.agents) if t.agent == "each" else 1 for t in gains)
    alpha = (1 - config.gate.confidence) / max(1, family)
    answered = {agent: min(n, config.evaluate.cases or n) for agent, n in cases.items()}
    needs = [
        _need(name, target, agent, project=project, config=config, cases=cases,
              answered=answered, alpha=alpha)
        for name, target in asked.items()
        for agent in (config.agents if target.agent == "each" else [target.agent])
    ]  # fmt: skip
    return {
        "power": power.POWER,
        "confidence": config.gate.confidence,
        "comparisons": family,
        "agents": {
            agent: {"cases": n, "answered": answered[agent],
                    "rate_gap": power.rate_gap(answered[agent], alpha=alpha),
                    "mean_gap_sd": power.mean_gap(n, alpha=alpha)}
            for agent, n in cases.items()
        },
        "targets": [asdict(need) for need in needs],
    }  # fmt: skip


def _cases(project: Path, config: YukjoConfig) -> dict[str, int]:
    """Test cases by agent, before any is refused for its length."""
    test = source(project, config, of_project(project)).split.test
    return {agent: sum(s.agent_type == agent for s in test) for agent in config.agents}


def _need(
    name: str,
    target: TargetConfig,
    agent: str,
    *,
    project: Path,
    config: YukjoConfig,
    cases: dict[str, int],
    answered: dict[str, int],
    alpha: float,
) -> Need:
    needed, assumed = _wanted(target, alpha=alpha, confidence=config.gate.confidence)
    if needed is not None:
        needed = max(needed, target.least)
    hand: int | None
    if target.metric.startswith("baseline_"):
        hand = len(baseline.items(config.evaluate.baseline_cases))
    elif target.metric == "agent_selection":
        file = config.gate.routing
        hand = (len(read_asked(project / file, agents=config.agents)) if file
                else sum(cases.values()))  # fmt: skip
    elif target.kind == "level":
        hand = None
    else:
        own = cases if target.metric == "perplexity" else answered
        hand = sum(own.values()) if agent == ALL else own.get(agent)
    return Need(name, target.metric, agent, hand, needed, assumed)


def _wanted(target: TargetConfig, *, alpha: float, confidence: float) -> tuple[int | None, str]:
    """Cases a target needs, and what was assumed to say so."""
    if target.kind == "level":
        return _wanted_level(target, confidence)
    if target.bar >= 0:
        return power.fewest_pairs(alpha), say("if nearly every case moves the same way")
    if target.kind == "improvement":
        needed = power.cases_for_margin(-target.bar, _MOVES, alpha=0.05)
        return needed, say(
            "if nothing is lost and a case moves by {spread} %", spread=f"{_MOVES:g}"
        )
    needed = power.cases_for_margin(-target.bar, math.sqrt(power.FLIPS), alpha=0.05)
    return needed, say("if nothing is lost and {share} % of cases turn out otherwise",
                       share=f"{100 * power.FLIPS:g}")  # fmt: skip


def _wanted_level(target: TargetConfig, confidence: float) -> tuple[int | None, str]:
    if target.metric == "agent_selection":
        truth = min(1.0, target.bar + _ABOVE)
        needed = power.cases_for_share(target.bar, truth, confidence=confidence)
        return needed, say("if {share} % are right in truth", share=f"{100 * truth:g}")
    if target.metric == "p95_seconds":
        return power.without_a_miss(TAIL, confidence), say("without a single miss")
    if target.metric == "quality":
        needed = power.cases_for_margin(4 * _ABOVE, _SCORES, alpha=1 - confidence)
        return needed, say("if the true mean is {mean} and scores spread by {spread}",
                           mean=target.bar + 4 * _ABOVE, spread=f"{_SCORES:g}")  # fmt: skip
    return None, say("read off, no sample")
