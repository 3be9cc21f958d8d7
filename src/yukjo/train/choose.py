"""Which of an agent's siblings in a sweep is kept: the one with the lowest held-out loss."""

import math
from collections.abc import Mapping, Sequence

from yukjo.errors import DataError
from yukjo.records import Example, Frozen
from yukjo.train.checkpoints import Progress
from yukjo.train.plan import AgentPlan, Plan
from yukjo.train.sweep import Setting, words
from yukjo.words import say


class Sibling(Frozen):
    """How one adapter of a sweep did."""

    agent: str
    adapter: str
    setting: Setting
    valid_loss: float | None
    """Lowest, in nats a token; None where it diverged."""
    best_step: int | None
    chosen: bool


def refuse_blind(made: Plan, valid: Mapping[str, Sequence[Example]]) -> None:
    """DataError where a sweep has nothing held out to choose by."""
    for one in made.agents:
        if one.setting and not valid.get(one.agent):
            raise DataError(
                say("nothing of `{agent}` is held out to choose its adapter by", agent=one.agent),
                where="[data] valid",
                fix=say("add samples of this agent or raise `valid`, or leave the sweep out"),
            )


def chosen(made: Plan, done: Progress) -> dict[str, AgentPlan]:
    """The adapter to keep of each agent; of equal ones the first asked for."""
    best: dict[str, AgentPlan] = {}
    for one in made.agents:
        known = best.setdefault(one.agent, one)
        if _rank(one, done) < _rank(known, done):
            best[one.agent] = one
    return best


def siblings(made: Plan, done: Progress) -> list[Sibling]:
    """Every adapter of a sweep; nothing where nothing was swept."""
    kept = chosen(made, done).values()
    found = []
    for one in made.agents if made.agents[0].setting else ():
        best = None if one.adapter in done.diverged else done.best[one.adapter]
        found.append(
            Sibling(agent=one.agent, adapter=one.adapter, setting=one.setting,
                    valid_loss=best and best.loss, best_step=best and best.step,
                    chosen=one in kept)
        )  # fmt: skip
    return found


def line(one: Sibling) -> str:
    """A sibling as a line of a table."""
    name = f"{'*' if one.chosen else '-'} {one.agent}  {words(one.setting)}"
    if one.valid_loss is None:
        return say("{name}  diverged", name=name)
    return say("{name}  held-out loss {loss:.4f} at step {step}",
               name=name, loss=one.valid_loss, step=one.best_step)  # fmt: skip


def _rank(one: AgentPlan, done: Progress) -> float:
    """Lower is better; an adapter that diverged is never kept."""
    if one.adapter in done.diverged:
        return math.inf
    loss = done.best[one.adapter].loss
    return 0.0 if loss is None else loss
