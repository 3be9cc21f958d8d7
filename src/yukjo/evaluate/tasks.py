"""From raw losses and answers to comparisons, an agent at a time and over all.

Pure: the same raw input gives the same bits, so a stored run can be scored again. Nothing is
written here.

1. A case counts for a metric only where both sides have a figure for it; `n` says how many did.
2. Quality, length and seconds are of the greedy answer; consistency is of the sampled ones.
3. An answer without its counterpart, or to no known case, is an error: a silent gap would make a
   comparison of different cases.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from yukjo.agents import Role
from yukjo.agents.roles import pick
from yukjo.errors import RunError
from yukjo.evaluate import drift, facts, fields, rouge, scorers
from yukjo.evaluate.clusters import Together, cluster_of
from yukjo.evaluate.conformance import conformance, material
from yukjo.evaluate.forms import document_form
from yukjo.evaluate.raw import Raw, RawCase
from yukjo.evaluate.scorers import Metric, Score, metrics
from yukjo.evaluate.statistics import compare, compare_pooled
from yukjo.records import SIX, Answer, Comparison, Sample
from yukjo.words import say

ALL = "all"
"""The row over all agents, every case counting once."""


@dataclass(frozen=True, slots=True)
class Case:
    """A test sample with what was measured on it."""

    sample: Sample
    loss: RawCase | None
    before: tuple[Answer, ...]
    """Greedy answer first; empty where the case was not asked."""
    after: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """A case and its scores by metric on both sides."""

    case: Case
    cluster: str
    before: Mapping[str, Score]
    after: Mapping[str, Score]


_Scorer = Callable[[Sample, Role, Sequence[Answer]], float | None]


def evaluate(
    samples: Iterable[Sample],
    raw: Raw,
    *,
    roles: Mapping[str, Role],
    together: Together = "material",
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, list[Comparison]]:
    """Comparisons by agent, in the agents' order, and over `"all"`.

    A metric without a single measured case has no row.
    """
    return compared(
        score(cases(samples, raw), roles, together=together), roles, resamples=resamples, seed=seed
    )


def compared(
    scored: Sequence[Scored], roles: Mapping[str, Role], *, resamples: int = 2000, seed: int = 0
) -> dict[str, list[Comparison]]:
    """The same of cases that are scored already."""
    groups = {agent: _of(agent, scored) for agent in _agents(scored)} | {ALL: scored}
    return {
        name: _comparisons(group, roles, resamples=resamples, seed=seed)
        for name, group in groups.items()
    }


def cases(samples: Iterable[Sample], raw: Raw) -> list[Case]:
    """The samples with their losses and answers; RunError where these don't fit together."""
    known = {sample.hash: sample for sample in samples}
    losses = _losses(raw.cases)
    before, after = _by_case(raw.before), _by_case(raw.after)
    _refuse_strangers(known, (*losses, *before, *after))
    for case, sample in known.items():
        _refuse_gap(sample, before.get(case, ()), after.get(case, ()))
    return [
        Case(sample, losses.get(case), before.get(case, ()), after.get(case, ()))
        for case, sample in known.items()
    ]


def score(
    found: Iterable[Case], roles: Mapping[str, Role], *, together: Together = "material"
) -> list[Scored]:
    """Every case's scores; ConfigError for an agent without a role."""
    return [
        Scored(
            case,
            cluster_of(case.sample, together),
            _scores(case, case.before, role),
            _scores(case, case.after, role),
        )
        for case in found
        for role in (pick(roles, case.sample.agent_type),)
    ]


def _scores(case: Case, answers: Sequence[Answer], role: Role) -> dict[str, Score]:
    """The scores of one side, by metric; those that can't be had are left out."""
    values = {name: _SCORERS[name](case.sample, role, answers) for name in _scored()}
    name = case.sample.hash
    return {
        metric: Score(name, metric, value) for metric, value in values.items() if value is not None
    }


def _of_greedy(scorer: Callable[[Sample, Role, Answer], float | None]) -> _Scorer:
    """A scorer of the greedy answer; None where there is none."""

    def scored(sample: Sample, role: Role, answers: Sequence[Answer]) -> float | None:
        greedy = next((answer for answer in answers if answer.repeat == 0), None)
        return None if greedy is None else scorer(sample, role, greedy)

    return scored


def _of_fields(scorer: Callable[[fields.Fields, fields.Fields], float]) -> _Scorer:
    """A scorer of what was read off images; None where the reference isn't fields off an image."""

    def scored(sample: Sample, _: Role, answer: Answer) -> float | None:
        if not sample.images or not fields.is_fields(sample.output):
            return None
        return scorer(fields.read(sample.output), fields.read(answer.text))

    return _of_greedy(scored)


_SCORERS: dict[str, _Scorer] = {
    "chrf": _of_greedy(lambda sample, _, answer: scorers.chrf(answer.text, sample.output)),
    "rouge_l": _of_greedy(lambda sample, _, answer: rouge.rouge_l(answer.text, sample.output)),
    "rouge_2": _of_greedy(lambda sample, _, answer: rouge.rouge_2(answer.text, sample.output)),
    "fact_recall": _of_greedy(
        lambda sample, _, answer: facts.fact_recall(answer.text, sample.output)
    ),
    "fact_precision": _of_greedy(
        lambda sample, _, answer: facts.fact_precision(answer.text, sample.output, material(sample))
    ),
    "dates": _of_greedy(lambda sample, _, answer: facts.match("date", answer.text, sample.output)),
    "amounts": _of_greedy(
        lambda sample, _, answer: facts.match("amount", answer.text, sample.output)
    ),
    "articles": _of_greedy(
        lambda sample, _, answer: facts.match("article", answer.text, sample.output)
    ),
    "conformance": _of_greedy(lambda sample, role, answer: conformance(role, sample, answer.text)),
    "document_form": _of_greedy(
        lambda sample, role, answer: document_form(role.name, answer.text, sample.output)
    ),
    "failure_rate": _of_greedy(lambda _, __, answer: scorers.failure(answer)),
    "length": _of_greedy(lambda _, __, answer: scorers.length(answer.text)),
    "length_drift": _of_greedy(
        lambda sample, _, answer: scorers.length_drift(answer.text, sample.output)
    ),
    "script_drift": _of_greedy(
        lambda sample, _, answer: drift.script_drift(answer.text, sample.output)
    ),
    "politeness_drift": _of_greedy(
        lambda sample, _, answer: drift.politeness_drift(answer.text, sample.output)
    ),
    "consistency": lambda _, __, answers: scorers.consistency(
        [answer.text for answer in answers if answer.repeat > 0]
    ),
    "seconds": _of_greedy(lambda _, __, answer: answer.seconds),
    "field_accuracy": _of_fields(fields.field_accuracy),
    "item_accuracy": _of_fields(fields.item_accuracy),
    "cer": _of_fields(fields.cer),
    "cer_without_spaces": _of_fields(fields.cer_without_spaces),
    "anls": _of_fields(fields.anls),
}


def _scored() -> list[str]:
    """Metrics that can be scored here: all but those whose library is missing."""
    missing = {*_without_kiwi(), *_without_readers()}
    return [name for name in _SCORERS if name not in missing]


def left_out(samples: Iterable[Sample] = ()) -> list[str]:
    """Metrics of these samples that are left out for want of a library."""
    seen = any(sample.images for sample in samples)
    return [*_without_kiwi(), *(_without_readers() if seen else ())]


def _without_kiwi() -> Sequence[str]:
    return () if rouge.kiwi() else ("rouge_l", "rouge_2")


def _without_readers() -> Sequence[str]:
    return () if fields.libraries() else fields.NAMES


def _comparisons(
    group: Sequence[Scored], roles: Mapping[str, Role], *, resamples: int, seed: int
) -> list[Comparison]:
    """One comparison a metric over a group of cases."""
    known = metrics(pick(roles, agent) for agent in _agents(group))
    rows = [_perplexity(group, known["perplexity"], resamples=resamples, seed=seed)]
    for name in _scored():
        both = [s for s in group if name in s.before.keys() & s.after]
        rows.append(_paired(both, known[name], resamples=resamples, seed=seed))
    return [row for row in rows if row is not None]


def _paired(
    both: Sequence[Scored], metric: Metric, *, resamples: int, seed: int
) -> Comparison | None:
    """The comparison over cases that have the metric on both sides."""
    if not both:
        return None
    return compare(
        metric.name,
        metric.metric_id,
        [scored.before[metric.name].value for scored in both],
        [scored.after[metric.name].value for scored in both],
        clusters=[scored.cluster for scored in both],
        higher_is_better=metric.higher_is_better,
        resamples=resamples,
        seed=seed,
    )


def _perplexity(
    group: Sequence[Scored], metric: Metric, *, resamples: int, seed: int
) -> Comparison | None:
    lost = [(s.case.loss, s.cluster) for s in group if s.case.loss is not None]
    if not lost:
        return None
    return compare_pooled(
        metric.name,
        metric.metric_id,
        [(loss.nll_before, loss.learned) for loss, _ in lost],
        [(loss.nll_after, loss.learned) for loss, _ in lost],
        clusters=[cluster for _, cluster in lost],
        higher_is_better=metric.higher_is_better,
        resamples=resamples,
        seed=seed,
    )


def _agents(group: Iterable[Scored]) -> list[str]:
    """The agents of a group: the six in their order, then others by name."""
    present = {scored.case.sample.agent_type for scored in group}
    return [agent for agent in SIX if agent in present] + sorted(present - set(SIX))


def _of(agent: str, scored: Iterable[Scored]) -> list[Scored]:
    return [one for one in scored if one.case.sample.agent_type == agent]


def _losses(found: Iterable[RawCase]) -> dict[str, RawCase]:
    """Losses by case; RunError where one case has two that differ."""
    kept: dict[str, RawCase] = {}
    for loss in found:
        if kept.setdefault(loss.case, loss) != loss:
            raise _unfit(say("case {case} has two different losses", case=loss.case[:12]))
    return kept


def _by_case(answers: Iterable[Answer]) -> dict[str, tuple[Answer, ...]]:
    """Answers by case, by repeat; RunError where one was stored twice."""
    found: dict[tuple[str, int], Answer] = {}
    for answer in answers:
        if found.setdefault((answer.case, answer.repeat), answer) != answer:
            raise _unfit(
                say("case {case} has two different answers number {repeat}",
                    case=answer.case[:12], repeat=answer.repeat)
            )  # fmt: skip
    grouped: dict[str, tuple[Answer, ...]] = {}
    for (case, _), answer in sorted(found.items(), key=lambda item: item[0]):
        grouped[case] = (*grouped.get(case, ()), answer)
    return grouped


def _refuse_strangers(known: Mapping[str, Sample], measured: Iterable[str]) -> None:
    for case in measured:
        if case not in known:
            raise _unfit(say("case {case} is none of the test samples", case=case[:12]))


def _refuse_gap(sample: Sample, before: Sequence[Answer], after: Sequence[Answer]) -> None:
    if {answer.repeat for answer in before} != {answer.repeat for answer in after}:
        raise _unfit(say("case {case} was not answered alike before and after", case=sample.name))


def _unfit(what: str) -> RunError:
    return RunError(
        what,
        where=say("the stored answers of the run"),
        fix=say("score with the data the run was made with, or evaluate again"),
    )
