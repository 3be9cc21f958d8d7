"""How a session stands: who rated how much, and whether to go on. No side is given away."""

from typing import Any

from yukjo.review.habits import habits
from yukjo.review.rating import Sheet
from yukjo.review.results import agreement, outlooks
from yukjo.review.session import Seal, Session


def standing(session: Session, said: Sheet, seal: Seal | None) -> dict[str, Any]:
    """Plain JSON. `enough` and `more` are None where the seal isn't at hand.

    By agent: `pairs` there are, `rated` by anybody, `more` expected until the test decides (0 is
    enough, None can't be foreseen). The session is `enough` when every agent is. "Enough" gives
    away that the sides differ, never which is better.
    """
    ahead = outlooks(session, seal, said) if seal else {}
    rated = {pair for _, pair in said.last}
    agents = {}
    for agent in sorted(session.adapters):
        pairs = [pair.id for pair in session.pairs if pair.agent == agent and not pair.again]
        agents[agent] = {
            "pairs": len(pairs),
            "rated": len(rated.intersection(pairs)),
            "enough": ahead[agent].more == 0 if ahead else None,
            "more": ahead[agent].more if ahead else None,
        }
    return {
        "session": session.id,
        "run": session.run,
        "closed": said.closed,
        "ratings": len(said.last),
        "amended": said.amended,
        "alpha": agreement(session, said.last.values()),
        "agents": agents,
        "enough": all(each["enough"] for each in agents.values()) if ahead else None,
        "raters": habits(said),
    }
