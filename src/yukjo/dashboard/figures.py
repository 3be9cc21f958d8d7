"""How a figure, a verdict and a metric's name are put for people, on paper and in the terminal."""

import math
from collections.abc import Mapping
from typing import Literal, TypeVar

from yukjo.agents import roles
from yukjo.ledger.body import ALL, AgentResult, Metric, RunBody
from yukjo.records import SIX, Verdict
from yukjo.words import say, spoken

ORDER = (
    "perplexity", "chrf", "rouge_l", "rouge_2", "fact_recall", "fact_precision", "dates", "amounts",
    "articles", "conformance", "document_form", "failure_rate", "length", "length_drift",
    "script_drift", "politeness_drift", "consistency", "seconds", "baseline_perplexity",
    "baseline_accuracy", "field_accuracy", "item_accuracy", "cer", "cer_without_spaces", "anls",
    "qwen_accuracy", "llama_quality", "chain_accuracy", "chain_whole",
    "chain_precision", "kept_accuracy",
)  # fmt: skip
"""Metrics as they are listed; others follow by name."""

Of = TypeVar("Of")

_LOWER = {
    "perplexity", "failure_rate", "length_drift", "script_drift", "politeness_drift", "seconds",
    "baseline_perplexity", "cer", "cer_without_spaces",
}  # fmt: skip
_NEITHER = {"length"}

UNKNOWN = "–"
MARKS: dict[Verdict, str] = {"better": "▲", "worse": "▼", "unclear": "＝"}


def metric_name(name: str) -> str:
    """What people call a metric; its code where it is not known here."""
    known = {
        "perplexity": say("held-out perplexity"),
        "chrf": say("similarity to the reference (chrF)"),
        "rouge_l": say("likeness of wording (ROUGE-L)"),
        "rouge_2": say("likeness of wording (ROUGE-2)"),
        "fact_recall": say("facts of the reference that are said"),
        "fact_precision": say("facts said that are not made up"),
        "dates": say("agreement of dates"),
        "amounts": say("agreement of amounts"),
        "articles": say("agreement of articles of law"),
        "document_form": say("form of official documents"),
        "conformance": say("conformance to the answer rules"),
        "failure_rate": say("failed answers"),
        "length": say("length of the answer"),
        "length_drift": say("distance from the reference's length"),
        "script_drift": say("distance from the reference's scripts"),
        "politeness_drift": say("distance from the reference's politeness"),
        "consistency": say("consistency of repeated answers"),
        "seconds": say("seconds an answer"),
        "baseline_perplexity": say("perplexity on the general-ability set"),
        "baseline_accuracy": say("right choices on the general-ability set"),
        "agent_selection": say("right agent chosen"),
        "quality": say("quality by blind review"),
        "p95_seconds": say("95 of 100 answers within, in seconds"),
        "memory_gb": say("peak memory of training in GiB"),
        "qwen_accuracy": say("image analysis"),
        "llama_quality": say("summary quality"),
        "chain_accuracy": say("the chain end to end"),
        "chain_whole": say("whole cases right end to end"),
        "chain_precision": say("facts of the final summary that are true"),
        "kept_accuracy": say("reading of what the base could read before"),
        "field_accuracy": say("fields read right"),
        "item_accuracy": say("images read right as a whole"),
        "cer": say("character error rate of the fields"),
        "cer_without_spaces": say("the same without spaces"),
        "anls": say("likeness of the fields (ANLS*)"),
        "seal": say("seal of the targets"),
    }
    return known.get(name, name)


def short_name(name: str) -> str:
    """A metric's name for a narrow column."""
    known = {
        "perplexity": say("perplexity"),
        "chrf": "chrF",
        "rouge_l": "ROUGE-L",
        "rouge_2": "ROUGE-2",
        "fact_recall": say("facts said"),
        "fact_precision": say("facts grounded"),
        "dates": say("dates"),
        "amounts": say("amounts"),
        "articles": say("articles"),
        "document_form": say("document form"),
        "conformance": say("rules kept"),
        "failure_rate": say("failures"),
        "length": say("length"),
        "length_drift": say("length drift"),
        "script_drift": say("script drift"),
        "politeness_drift": say("politeness drift"),
        "consistency": say("consistency"),
        "seconds": say("seconds"),
        "baseline_perplexity": say("general perplexity"),
        "baseline_accuracy": say("general choices"),
        "agent_selection": say("right agent"),
        "quality": say("quality"),
        "p95_seconds": say("p95 seconds"),
        "memory_gb": say("memory GiB"),
        "chain_whole": say("whole cases"),
        "chain_precision": say("said facts true"),
        "kept_accuracy": say("kept reading"),
    }
    return known.get(name) or metric_name(name)


def lower_is_better(name: str) -> bool:
    """Whether less of it is good."""
    return name in _LOWER


def direction(name: str) -> str:
    """Which way is good, in words; "" where neither is, or it is not known."""
    if lower_is_better(name):
        return say("lower is better")
    return say("higher is better") if name in ORDER and name not in _NEITHER else ""


def verdict_word(verdict: Verdict) -> str:
    """A verdict in a word."""
    words = {"better": say("better"), "worse": say("worse"), "unclear": say("unclear")}
    return words[verdict]


def verdict_text(verdict: Verdict) -> str:
    """A verdict as a mark and a word, so that neither colour nor shape alone carries it."""
    return f"{MARKS[verdict]} {verdict_word(verdict)}"


def number(value: float | None, sign: Literal["-", "+"] = "-") -> str:
    """A figure with about four digits; `sign` "+" shows it of positive ones too.

    >>> [number(x) for x in (0.5, 12.345, 1234.5, 1e9, -2.0, None)]
    ['0.500', '12.35', '1,234', '1e+09', '−2.000', '–']
    >>> number(0.25, "+")
    '+0.250'
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    places = 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0  # noqa: PLR2004
    form = f"{sign}.3g" if size >= 1e7 else f"{sign},.{places}f"  # noqa: PLR2004
    return f"{value:{form}}".replace("-", "−")


def interval(metric: Metric) -> str:
    """The 95 % interval of a difference.

    >>> interval(Metric(name="chrf", low=-1.5, high=2.0, n=9)), interval(Metric(name="chrf"))
    ('−1.500 ~ +2.000', '–')
    """
    if metric.low is None or metric.high is None:
        return UNKNOWN
    return f"{number(metric.low, '+')} ~ {number(metric.high, '+')}"


def title(body: RunBody, agent: str) -> str:
    """What people call an agent."""
    return agent_title(agent, body.titles)


def agent_title(agent: str, titles: Mapping[str, str]) -> str:
    """The same by the titles a run recorded; a built-in role has its title in both languages."""
    recorded, known = titles.get(agent), roles().get(agent)
    if spoken() == "en" and known and recorded == known.title:
        return known.title_en
    return recorded or (say("all agents together") if agent == ALL else agent)


def ordered(result: AgentResult) -> list[Metric]:
    """An agent's metrics in the order of `ORDER`."""
    places = {name: place for place, name in enumerate(ORDER)}
    return sorted(result.metrics, key=lambda m: (places.get(m.name, len(ORDER)), m.name))


def in_order(of_agents: dict[str, Of]) -> dict[str, Of]:
    """The six in their order, others by name, the pseudo agent `all` last.

    >>> list(in_order({"all": 1, "chain": 2, "review": 3, "rag": 4}))
    ['rag', 'review', 'chain', 'all']
    """
    places = {agent: place for place, agent in enumerate(SIX)} | {ALL: len(SIX) + 1}
    return dict(sorted(of_agents.items(), key=lambda at: (places.get(at[0], len(SIX)), at[0])))


def single_agents(body: RunBody) -> dict[str, AgentResult]:
    """The agents in order, without the pseudo agent `all`."""
    return {agent: result for agent, result in in_order(body.agents).items() if agent != ALL}


def count(value: float | None) -> str:
    """A whole number of things.

    >>> count(12345), count(None)
    ('12,345', '–')
    """
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.0f}"
