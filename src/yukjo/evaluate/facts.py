"""Are the dates, amounts, figures, articles, names and contacts of an answer the right ones?

Sets against sets: how often and in which order a fact is said doesn't count. `korean.facts` says
what is one fact.

1. Recall looks at the reference alone.
2. Precision trusts the reference and the material: whatever stands in neither is invented.
3. A kind of fact is compared where the reference has one of it, whatever the answer holds, so that
   before and after are measured on the same cases.
"""

from yukjo.evaluate.reading import normal
from yukjo.korean.facts import Fact, Kind, facts, ground


def fact_recall(text: str, reference: str) -> float | None:
    """Share of the reference's facts that the answer holds, 0 to 1; None where it has none.

    >>> fact_recall("12명에게 알립니다.", "2026. 3. 2.까지 12명에게 알립니다.")
    0.5
    """
    asked = facts(normal(reference))
    return len(asked & facts(normal(text))) / len(asked) if asked else None


def fact_precision(text: str, reference: str, material: str) -> float:
    """Share of the answer's facts that stand in the reference or the material, 0 to 1.

    An answer without facts has 0 where the reference has some, else 1.

    >>> fact_precision("12명에게 3만 원을 드립니다.", "12명에게 드립니다.", "예산: 5만 원")
    0.5
    """
    said = facts(normal(text))
    if not said:
        return float(not facts(normal(reference)))
    return 1 - len(invented(text, reference, material)) / len(said)


def invented(text: str, reference: str, material: str) -> list[Fact]:
    """The answer's facts that stand neither in the reference nor in the material, in order.

    >>> invented("12명에게 3만 원을 드립니다.", "12명에게 드립니다.", "예산: 5만 원")
    [Fact(kind='amount', value='30000')]
    """
    source = ground(f"{normal(reference)}\n{normal(material)}")
    return sorted(fact for fact in facts(normal(text)) if not source.holds(fact))


def match(kind: Kind, text: str, reference: str) -> float | None:
    """F1 of the facts of one kind, 1 for the same set; None where the reference has none.

    >>> match("date", "2026년 3월 2일입니다.", "2026. 3. 2."), match("date", "", "")
    (1.0, None)
    """
    asked = {fact for fact in facts(normal(reference)) if fact.kind == kind}
    found = {fact for fact in facts(normal(text)) if fact.kind == kind}
    return 2 * len(asked & found) / (len(asked) + len(found)) if asked else None
