"""Each answered case for people: both answers beside the reference, and what became of it.

An answer is *sound* if it did not fail and keeps all rules of its role; of an image, if every field
is read right. Sound is not right: whether a statement is true, people say.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from yukjo.agents import Role
from yukjo.agents.roles import pick
from yukjo.evaluate.conformance import broken
from yukjo.evaluate.scorers import Score, failure_reason
from yukjo.evaluate.tasks import ALL, Case, Scored
from yukjo.records import Answer, CaseShown, Change


def shown(scored: Iterable[Scored], roles: Mapping[str, Role]) -> list[CaseShown]:
    """The cases that were answered on both sides, the broken ones first."""
    made = [_shown(one, pick(roles, one.case.sample.agent_type)) for one in scored
            if one.case.before and one.case.after]  # fmt: skip
    order = {change: place for place, change in enumerate(get_args(Change))}
    return sorted(made, key=lambda case: (order[case.change], _fall(case), case.case))


def counts(cases: Iterable[CaseShown]) -> dict[str, dict[Change, int]]:
    """How many cases became what, by agent and over "all"."""
    found: dict[str, Counter[Change]] = {}
    for case in cases:
        for agent in (case.agent, ALL):
            found.setdefault(agent, Counter())[case.change] += 1
    return {agent: {change: count[change] for change in get_args(Change)}
            for agent, count in found.items()}  # fmt: skip


def change_of(before: Sequence[str], after: Sequence[str]) -> Change:
    """What became of an answer, by what there was against it on each side.

    >>> change_of([], ["empty"]), change_of(["empty"], []), change_of([], [])
    ('broken', 'fixed', 'sound')
    """
    if before:
        return "unsound" if after else "fixed"
    return "broken" if after else "sound"


def _shown(one: Scored, role: Role) -> CaseShown:
    case, sample = one.case, one.case.sample
    before = _against(one.before, case, role, case.before)
    after = _against(one.after, case, role, case.after)
    return CaseShown(
        case=sample.hash,
        name=sample.name,
        agent=sample.agent_type,
        difficulty=sample.difficulty,
        topic=sample.topic,
        instruction=sample.instruction,
        input=sample.input,
        images=len(sample.images),
        reference=sample.output,
        before=case.before[0].text,
        after=case.after[0].text,
        more_before=tuple(answer.text for answer in case.before[1:]),
        more_after=tuple(answer.text for answer in case.after[1:]),
        against_before=tuple(before),
        against_after=tuple(after),
        change=change_of(before, after),
        scores=_scores(one),
    )


def _against(
    scores: Mapping[str, Score], case: Case, role: Role, answers: Sequence[Answer]
) -> list[str]:
    """What there is against the greedy answer, in the codes of rules and failures."""
    if "item_accuracy" in scores:
        return [] if scores["item_accuracy"].value == 1 else ["item_accuracy"]
    failed = failure_reason(answers[0])
    return [*([failed] if failed else []), *broken(role, case.sample, answers[0].text)]


def _scores(one: Scored) -> dict[str, tuple[float | None, float | None]]:
    names = dict.fromkeys([*one.before, *one.after])
    return {name: (_value(one.before.get(name)), _value(one.after.get(name))) for name in names}


def _value(score: Score | None) -> float | None:
    return None if score is None else score.value


def _fall(case: CaseShown) -> float:
    """How much likeness to the reference was gained; a loss is below 0 and stands first."""
    before, after = case.scores.get("chrf", (None, None))
    return 0.0 if before is None or after is None else after - before
