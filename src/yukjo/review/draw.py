"""Make a session out of what two systems answered to the same cases.

1. Every side is drawn by the system's own randomness, each pair by itself.
2. Nothing else (numbers, order, which pairs all raters see) depends on the sides.
3. Of each agent the first cases by content hash are taken, whatever was answered to them.
"""

import math
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from yukjo.errors import ReviewError
from yukjo.records import Answer, Sample
from yukjo.review.session import Pair, Place, Seal, Session, Terms
from yukjo.words import say

_CHANCE = secrets.SystemRandom()


class Contest(NamedTuple):
    """What two systems answered to one case."""

    case: Sample
    before: Answer
    after: Answer


def contests(
    samples: Mapping[str, Sample],
    before: Sequence[Answer],
    after: Sequence[Answer],
    *,
    agents: Sequence[str] = (),
    most: int | None = None,
) -> list[Contest]:
    """Greedy answers of both systems to the same cases, at most `most` of each agent.

    `samples` is by hash; no `agents` are all agents. ReviewError where nothing is left, or where
    a case isn't among the samples.
    """
    old, new = _greedy(before), _greedy(after)
    shared = [key for key in sorted(old.keys() & new.keys()) if not agents or key[0] in agents]
    missing = [agent for agent in agents if agent not in {owner for owner, _ in shared}]
    if missing or not shared:
        raise ReviewError(
            say("there is no case that both sides answered"),
            where=say("agents: {agents}", agents=", ".join(missing) or "-"),
            fix=say("name other runs or agents; [evaluate] cases says how many are answered"),
        )
    taken: Counter[str] = Counter()
    found = []
    for agent, case in shared:
        taken[agent] += 1
        if most is None or taken[agent] <= most:
            found.append(Contest(_known(samples, case), old[agent, case], new[agent, case]))
    return found


class _Showing(NamedTuple):
    """A contest that raters will see."""

    contest: Contest
    everyone: bool
    again: bool


def draw(
    found: Sequence[Contest], terms: Terms, *, session: str, run: str, against: str = ""
) -> tuple[Session, Seal]:
    """A session called `session` over `found` (not empty), and its seal."""
    shown = _showings(found, terms)
    names = [f"p{number:03}" for number in range(1, len(shown) + 1)]
    sides: dict[str, Place] = {name: _CHANCE.choice(("left", "right")) for name in names}
    first = {
        one.contest.case.hash: name for name, one in zip(names, shown, strict=True) if not one.again
    }
    blank = Session(
        id=session,
        run=run,
        against=against,
        adapters={c.case.agent_type: c.after.adapter for c in found},
        opponents={c.case.agent_type: c.before.adapter for c in found},
        terms=terms,
        pairs=tuple(
            _pair(name, one, after=sides[name], again=first[one.contest.case.hash])
            for name, one in zip(names, shown, strict=True)
        ),
    )
    seal = Seal(session=session, nonce=secrets.token_hex(32), after=sides)
    return blank.model_copy(update={"commitment": seal.commitment(blank)}), seal


def _showings(found: Sequence[Contest], terms: Terms) -> list[_Showing]:
    """All that will be shown, in an order that says nothing."""
    shown: list[_Showing] = []
    agents = sorted({contest.case.agent_type for contest in found})
    for agent in agents:
        own = [contest for contest in found if contest.case.agent_type == agent]
        _CHANCE.shuffle(own)
        common = _of(terms.overlap, own)
        firsts = [_Showing(c, place < common, again=False) for place, c in enumerate(own)]
        twice = _CHANCE.sample(firsts, _of(terms.repeat, own))
        shown += [*firsts, *(one._replace(again=True) for one in twice)]
    _CHANCE.shuffle(shown)
    return shown


def _of(share: float, pairs: Sequence[Contest]) -> int:
    """How many of `pairs` a share is, rounded up."""
    return math.ceil(round(share * len(pairs), 9))  # 0.7 * 10 is more than 7 by a bit


def _pair(name: str, one: _Showing, *, after: Place, again: str) -> Pair:
    """A pair with the answer on trial on the side `after`."""
    case, old, new = one.contest.case, one.contest.before.text, one.contest.after.text
    left, right = (new, old) if after == "left" else (old, new)
    return Pair(
        id=name,
        agent=case.agent_type,
        case=case.hash,
        earlier=case.messages,
        instruction=case.instruction,
        input=case.input,
        left=left,
        right=right,
        everyone=one.everyone,
        again=again if one.again else "",
    )


def _greedy(answers: Sequence[Answer]) -> dict[tuple[str, str], Answer]:
    """(Agent, case) -> its greedy answer."""
    return {(a.agent, a.case): a for a in answers if a.repeat == 0}


def _known(samples: Mapping[str, Sample], case: str) -> Sample:
    if case not in samples:
        raise ReviewError(
            say("an answered case is not in the data any more"),
            where=say("case {case}", case=case[:12]),
            fix=say("put the data files back as they were for the run"),
        )
    return samples[case]
