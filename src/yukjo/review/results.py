"""What a session found, its sides opened: what is recorded when it is closed.

1. A repeat of a pair only tells how steady its rater is; an amended rating counts as amended.
2. Figures are rounded to six places, so that whoever counts again gets the same.
3. Neither comments nor anything that names a rater is in it: a record can't forget.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from yukjo.ledger.body import ALL
from yukjo.review.estimate import Cell, Estimate, mean, preference, share
from yukjo.review.habits import habits
from yukjo.review.krippendorff import alpha
from yukjo.review.rating import Kind, Rating, Sheet
from yukjo.review.session import Pair, Place, Seal, Session
from yukjo.review.stopping import Outlook, outlook

WORST, BEST = 1, 5
"""Ends of the scale of scores."""
_AMPLE = 1e9
"""Evidence is recorded up to here: no more is ever needed, and a record takes no larger numbers."""


class Judged(NamedTuple):
    """A rating whose sides are known."""

    agent: str
    pair: str
    again: str
    """The pair it repeats, or ""."""
    rater: str
    before: int
    after: int
    won: int
    """1 where the adapter on trial was preferred, -1 where the other, 0 for a tie."""
    errors_before: tuple[Kind, ...]
    errors_after: tuple[Kind, ...]


def judged(session: Session, seal: Seal, ratings: Iterable[Rating]) -> list[Judged]:
    """`ratings` with their sides opened."""
    pairs = {pair.id: pair for pair in session.pairs}
    return [_judged(pairs[one.pair], seal.after[one.pair], one) for one in ratings]


def _judged(pair: Pair, new: Place, rating: Rating) -> Judged:
    """A rating, `new` being the side of the adapter on trial."""
    said = rating.opinion
    old: Place = "right" if new == "left" else "left"
    return Judged(
        agent=pair.agent,
        pair=pair.id,
        again=pair.again,
        rater=rating.rater,
        before=said.scores[old],
        after=said.scores[new],
        won={new: 1, old: -1, "tie": 0}[said.prefer],
        errors_before=said.errors[old],
        errors_after=said.errors[new],
    )


def results(session: Session, seal: Seal, said: Sheet) -> dict[str, Any]:
    """The figures of a session; `agents` has a part for each agent rated, and one for `all`."""
    every = judged(session, seal, said.last.values())
    found = [one for one in every if not one.again]
    parts = {
        agent: [one for one in found if agent in (one.agent, ALL)]
        for agent in (*sorted({one.agent for one in found}), ALL)
    }
    return {
        "session": session.id,
        "against": session.against,
        "adapters": {a: each for a, each in session.adapters.items() if a in parts},
        "opponents": {a: each for a, each in session.opponents.items() if a in parts},
        "ratings": len(said.last),
        "amended": said.amended,
        "agents": {
            agent: _part(each) | {"alpha": agreement(session, said.last.values(), agent)}
            for agent, each in parts.items()
        },
        "alpha": agreement(session, said.last.values()),
        "raters": habits(said),
        "repeats": _repeats(every),
        "stopping": {
            "alpha": session.terms.alpha,
            "agents": {
                agent: {"evidence": _round(min(seen.evidence, _AMPLE)),
                        "needed": _round(seen.needed), "enough": seen.more == 0}
                for agent, seen in outlooks(session, seal, said).items()
            },
        },
    }  # fmt: skip


def outlooks(session: Session, seal: Seal, said: Sheet) -> dict[str, Outlook]:
    """By agent, whether it may stop: judged by the first rating of each pair as first said."""
    seen: dict[str, Judged] = {}
    for one in judged(session, seal, said.first.values()):
        if not one.again:
            seen.setdefault(one.pair, one)
    level = session.terms.alpha / len(session.adapters)
    return {
        agent: outlook([o.after - o.before for o in seen.values() if o.agent == agent], level)
        for agent in sorted(session.adapters)
    }


def agreement(session: Session, ratings: Iterable[Rating], agent: str = ALL) -> float | None:
    """Krippendorff's alpha over the scores of every answer, of one agent or all.

    It needs no seal: what raters agree on is the same whichever side it stands on.
    """
    counted = {p.id for p in session.pairs if not p.again and agent in (ALL, p.agent)}
    units: dict[tuple[str, Place], list[int]] = {}
    for one in ratings:
        if one.pair in counted:
            for side, score in one.opinion.scores.items():
                units.setdefault((one.pair, side), []).append(score)
    return _round(alpha(units.values()))


def _repeats(every: Sequence[Judged]) -> dict[str, dict[str, float | int]]:
    """Rater -> pairs rated twice, how often the same was preferred, how far the scores moved."""
    known = {(one.rater, one.pair): one for one in every}
    found: dict[str, dict[str, float | int]] = {}
    for rater in sorted({one.rater for one in every if one.again}):
        twice = [
            (known[rater, one.again], one) for one in every if one.again and one.rater == rater
        ]
        moved = [abs(a.before - b.before) + abs(a.after - b.after) for a, b in twice]
        found[rater] = {
            "pairs": len(twice),
            "same_preference": sum(a.won == b.won for a, b in twice),
            "moved": round(sum(moved) / (2 * len(moved)), 6),
        }
    return found


def _part(found: Sequence[Judged]) -> dict[str, Any]:
    """The figures of one agent."""
    return {
        "quality": _quality(found),
        "error_rate": _error_rate(found),
        "preference": _preference(found),
        "ratings": len(found),
    }


def _quality(found: Sequence[Judged]) -> dict[str, float | int | None]:
    """Mean scores; `low` and `high` bound that of the after side."""
    old = mean(_cells(found, lambda one: one.before), least=WORST, most=BEST)
    new = mean(_cells(found, lambda one: one.after), least=WORST, most=BEST)
    gap = mean(_cells(found, lambda one: one.after - one.before), least=WORST - BEST,
               most=BEST - WORST)  # fmt: skip
    return {
        **_named("before", old),
        "after": _round(new.value), "low": _round(new.low), "high": _round(new.high),
        **_named("difference", gap),
        "n": new.n,
    }  # fmt: skip


def _error_rate(found: Sequence[Judged]) -> dict[str, Any]:
    """Shares of pairs with an error, and how often each kind was marked."""
    old = share(_cells(found, lambda one: bool(one.errors_before)))
    new = share(_cells(found, lambda one: bool(one.errors_after)))
    kinds = {"before": Counter(kind for one in found for kind in one.errors_before),
             "after": Counter(kind for one in found for kind in one.errors_after)}  # fmt: skip
    return {
        **_named("before", old),
        **_named("after", new),
        "kinds": {side: dict(sorted(counts.items())) for side, counts in kinds.items()},
        "n": new.n,
    }


def _preference(found: Sequence[Judged]) -> dict[str, float | int | None]:
    """How often the after side was preferred."""
    seen = preference(_cells(found, lambda one: one.won))
    return {
        "win_rate": _round(seen.win_rate), "wins": seen.wins, "losses": seen.losses,
        "ties": seen.ties, "p_value": _round(seen.p_value),
        "n": seen.wins + seen.losses + seen.ties,
    }  # fmt: skip


def _cells(found: Sequence[Judged], value: Callable[[Judged], float]) -> list[Cell]:
    return [Cell(one.pair, one.rater, value(one)) for one in found]


def _named(name: str, found: Estimate) -> dict[str, float | None]:
    """A figure and its interval under `name`."""
    return {name: _round(found.value), f"{name}_low": _round(found.low),
            f"{name}_high": _round(found.high)}  # fmt: skip


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
