"""The verdict first: how many agents got better, and what so few cases can and cannot show."""

import math
from dataclasses import dataclass

from yukjo.dashboard.figures import metric_name, single_agents, title, verdict_word
from yukjo.ledger.body import RunBody
from yukjo.records import Verdict
from yukjo.words import say

HEADLINES = ("perplexity", "conformance")
VERDICTS: tuple[Verdict, ...] = ("better", "worse", "unclear")


@dataclass(frozen=True, slots=True)
class Count:
    """Agents by verdict in one metric."""

    metric: str
    agents: dict[Verdict, list[str]]

    @property
    def total(self) -> int:
        """Agents that were measured."""
        return sum(map(len, self.agents.values()))


def counts(body: RunBody) -> list[Count]:
    """One count for each headline metric that was measured."""
    found = [Count(name, _by_verdict(body, name)) for name in HEADLINES]
    return [count for count in found if count.total]


def sentence(count: Count) -> str:
    """A count as a sentence."""
    text = say(
        "{metric}: of {total} agents, {better} better, {worse} worse, {unclear} unclear.",
        metric=metric_name(count.metric),
        total=count.total,
        **{verdict: len(count.agents[verdict]) for verdict in VERDICTS},
    )
    return text[:1].upper() + text[1:]


def limits(body: RunBody) -> list[str]:
    """What the sample size can and cannot show, in plain sentences."""
    sizes = [metric.n for result in single_agents(body).values() for metric in result.metrics
             if metric.name in HEADLINES]  # fmt: skip
    if not sizes:
        return [say("Nothing was compared in this run.")]
    fewest, most = min(sizes), max(sizes)
    held = str(most) if fewest == most else f"{fewest}~{most}"
    return [
        _power(held, fewest),
        say(
            "`{unclear}` means that the interval holds zero, or that fewer than six cases "
            "differ: a difference was not shown, "
            "which is not the same as no difference.",
            unclear=verdict_word("unclear"),
        ),
        say(
            "Each interval is 95 % by itself: of the {count} intervals in this summary "
            "about one in twenty may miss by chance. One run with one seed does not show that "
            "another seed gives the same.",
            count=len(sizes),
        ),
    ]


def detectable_points(n: int) -> float:
    """The smallest difference of two paired rates, in percentage points, seen with 80 % power.

    It shrinks with the root of n, from the measured 10 points at n = 200.

    >>> [round(detectable_points(n)) for n in (20, 200, 800)]
    [32, 10, 5]
    """
    return min(100.0, 10 * math.sqrt(200 / max(1, n)))


def _power(held: str, fewest: int) -> str:
    """The sentence on how small a difference can be seen."""
    if fewest < 2:  # noqa: PLR2004
        return say("An agent has {held} test cases: too few to show anything.", held=held)
    return say(
        "Each agent was measured on {held} test cases it was not trained on. So many can show "
        "a change of about {points} percentage points in a rate such as conformance "
        "(with 80 % probability); a smaller change may exist and stay unseen.",
        held=held,
        points=f"{detectable_points(fewest):.0f}",
    )


def _by_verdict(body: RunBody, name: str) -> dict[Verdict, list[str]]:
    """Titles of the agents by their verdict in a metric."""
    found: dict[Verdict, list[str]] = {verdict: [] for verdict in VERDICTS}
    for agent, result in single_agents(body).items():
        for metric in result.metrics:
            if metric.name == name:
                found[metric.verdict].append(title(body, agent))
    return found
