"""The questions that wait, and which of them comes next.

A step costs nearly the same for one answer as for several of one adapter, so questions of one
adapter are taken together. Against starving:

1. The adapter in turn keeps it while it has questions, until a question of another has waited
   `patience` seconds and the turn has lasted as long; then the adapter of that one is in turn.
2. While another adapter's answers are under way, the turn passes by rule 1 only: a free slot is
   left open for that long rather than filled with what would step alone.
3. Of the other adapters the one whose question came first is next, so that a wait is bounded: by
   `patience` and an answer for each turn of those that stood in the line before.
"""

import threading
from collections.abc import Callable, Collection

from yukjo.serve.question import Question


class Line:
    """A bounded queue of questions, safe between threads."""

    def __init__(self, *, limit: int, patience: float) -> None:
        self._limit = limit
        self._patience = patience
        self._questions: list[Question] = []
        self._lock = threading.Lock()
        self._adapter = ""
        self._since = float("-inf")

    def __len__(self) -> int:
        return len(self._questions)

    @property
    def full(self) -> bool:
        """Whether one more would be refused."""
        return len(self._questions) >= self._limit

    def add(self, question: Question) -> bool:
        """False where the line is full."""
        with self._lock:
            if self.full:
                return False
            self._questions.append(question)
            return True

    def remove(self, question: Question) -> bool:
        """False where it isn't in the line."""
        with self._lock:
            if question not in self._questions:
                return False
            self._questions.remove(question)
            return True

    def late(self, before: float) -> list[Question]:
        """Take out what arrived before a time, or all."""
        with self._lock:
            late = [q for q in self._questions if q.arrived < before]
            self._questions = [q for q in self._questions if q.arrived >= before]
            return late

    def next(
        self, under_way: Collection[str], *, now: float, can_take: Callable[[str], bool]
    ) -> Question | None:
        """Take out the question that comes next; None where none should begin now."""
        with self._lock:
            if not self._questions:
                return None
            self._pass_turn(under_way, now)
            waiting = (q for q in self._questions if q.turn.adapter == self._adapter)
            chosen = next(waiting, None)
            if chosen is None or not can_take(self._adapter):
                return None
            self._questions.remove(chosen)
            return chosen

    def _pass_turn(self, under_way: Collection[str], now: float) -> None:
        """Rules 1 and 2."""
        others = (q for q in self._questions if q.turn.adapter != self._adapter)
        if (oldest := next(others, None)) is None:
            return
        busy = under_way or any(q.turn.adapter == self._adapter for q in self._questions)
        if busy and now - max(oldest.arrived, self._since) < self._patience:
            return
        self._adapter, self._since = oldest.turn.adapter, now
