"""Why a figure may be believed: seal, signature, separate data, raters who agree; or why not."""

from dataclasses import dataclass
from typing import Any, Literal

from yukjo.ledger.body import RunBody
from yukjo.ledger.checkpoints import Found
from yukjo.ledger.verdict import Gate
from yukjo.records import Entry
from yukjo.words import say

State = Literal["ok", "warn", "none"]
MARKS: dict[State, str] = {"ok": "○", "warn": "✕", "none": "–"}
RELIABLE, USABLE = 0.8, 0.667
"""Krippendorff's alpha: from where on to rely on it, and below which not to."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One reason."""

    state: State
    name: str
    text: str

    @property
    def sign(self) -> str:
        """The state as a letter, so that colour alone never carries it."""
        return MARKS[self.state]


def strip(
    body: RunBody, gate: Gate | None, signed: Found | None, review: Entry | None
) -> list[Mark]:
    """The reasons of one run."""
    return [_sealed(gate), _signature(signed), _overlap(body), _agreement(review)]


def _sealed(gate: Gate | None) -> Mark:
    name = say("Targets sealed before training")
    if gate is None or gate.seal is None:
        return Mark("warn", name, say("no valid seal from before the training"))
    return Mark("ok", name, say("entry {number}", number=gate.seal))


def _signature(signed: Found | None) -> Mark:
    name = say("Signed record")
    if signed is None:
        return Mark("none", name, say("not signed yet"))
    return Mark("ok", name, say("signed up to entry {count}, key {key}",
                                count=signed.point.count, key=signed.point.key[:8]))  # fmt: skip


def _overlap(body: RunBody) -> Mark:
    name = say("Training and test data apart")
    lines = body.data.lines
    if not lines.get("test"):
        return Mark("none", name, say("not known"))
    learned = {*lines.get("train", ()), *lines.get("valid", ())}
    learned |= {line for adapter in body.adapters.values() for line in adapter.data}
    shared = len(learned & {*lines["test"]})
    if shared:
        return Mark("warn", name, say("{count} test cases were learned", count=shared))
    return Mark("ok", name, say("{count} test cases, none of them learned",
                                count=len(lines["test"])))  # fmt: skip


def _agreement(review: Entry | None) -> Mark:
    name = say("Agreement of the raters")
    if review is None:
        return Mark("none", name, say("no blind review yet"))
    alpha: Any = review.body.get("alpha")
    if not isinstance(alpha, int | float):
        return Mark("none", name, say("one rater alone, or nothing in common"))
    shown = say("alpha {alpha}, {ratings} ratings", alpha=f"{alpha:.2f}",
                ratings=review.body.get("ratings", "?"))  # fmt: skip
    return Mark("ok" if alpha >= RELIABLE else "none" if alpha >= USABLE else "warn", name, shown)
