"""One thread owns the speaker: it lets questions in, steps their answers, and ends them.

1. A step is taken for the slots of one adapter; adapters under way take turns of a few steps.
2. A question that is given up, or late, leaves at the next step and its slot is free.
3. What the speaker can't do ends the answers it was doing it for, and nothing else. Any other
   error is a bug: the thread ends, with it every question, and `alive` says so.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from yukjo.config.models import ServeConfig
from yukjo.errors import YukjoError
from yukjo.ports import Speaker, Spoken
from yukjo.serve.cache import AdapterCache
from yukjo.serve.faults import Fault, stopping
from yukjo.serve.line import Line
from yukjo.serve.question import Began, Ended, Event, Failed, Question, Said, Timing
from yukjo.serve.stops import Cutter
from yukjo.words import say

_FAULTS = (YukjoError, RuntimeError, ValueError, OSError, MemoryError)
"""What a speaker, and the C library or the server behind it, may fail with."""
_TURN = 8
"""Steps an adapter takes before the next one under way: a change costs a quarter of a step."""
_MIB = 2**20
_LOG = logging.getLogger("yukjo.serve")


@dataclass(slots=True)
class _Answer:
    """An answer under way."""

    question: Question
    restored: int
    queue: float
    load: float
    opened: float
    cutter: Cutter
    tokens: int = 0
    first: float | None = None

    def timing(self, now: float) -> Timing:
        first = now if self.first is None else self.first
        return Timing(self.queue, self.load, first - self.opened, now - self.question.arrived)


class Scheduler:
    """Questions in, events out. Only its thread touches the speaker."""

    def __init__(
        self, speaker: Speaker, serve: ServeConfig, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.speaker = speaker
        self.cache = AdapterCache(
            speaker, count=serve.cache, limit_bytes=int(serve.cache_mb * _MIB)
        )
        self.line = Line(limit=serve.queue, patience=serve.wait_seconds)
        self.switches = 0
        self._timeout = serve.timeout_seconds
        self._clock = clock
        self._answers: dict[int, _Answer] = {}
        self._last: str | None = None
        self._taken = 0
        self._pace = 1.0
        self._trials: list[tuple[str, Path, Future[None]]] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="speaker", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether questions are being answered."""
        return self._thread.is_alive() and not self._stopping

    @property
    def under_way(self) -> int:
        """Answers that hold a slot."""
        return len(self._answers)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End every question, and the thread after the step it is at."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def busy(self) -> Fault:
        """What to tell who finds the line full."""
        seconds = min(60, 1 + int(self._pace * len(self.line) / self.speaker.slots))
        return Fault(
            429,
            say("{count} questions are waiting, as many as may", count=len(self.line)),
            where="[serve] queue",
            fix=say("ask again in {seconds} s", seconds=seconds),
            headers={"retry-after": str(seconds)},
        )

    def ask(self, question: Question) -> None:
        """Put a question in the line; Fault where that is full or nobody answers any more."""
        question.arrived = self._clock()
        with self._changed:
            if self._stopping:
                raise stopping()
            if not self.line.add(question):
                raise self.busy()
            self._changed.notify()

    def give_up(self, question: Question) -> None:
        """Nobody waits for this answer any more; it is told nothing further."""
        question.given_up = True
        self.line.remove(question)

    def try_out(self, adapter: str, folder: Path) -> None:
        """Load an adapter, to see whether it can serve; what the speaker says where it can't."""
        done: Future[None] = Future()
        with self._changed:
            if self._stopping:
                raise stopping()
            self._trials.append((adapter, folder, done))
            self._changed.notify()
        done.result()

    def round(self) -> bool:
        """Let go, let in, take one step; False where nothing is left to do."""
        self._let_go()
        self._try_out()
        while len(self._answers) < self.speaker.slots and (question := self._next()):
            self._open(question)
        if slots := self._group():
            self._step(slots)
        return bool(self._answers or len(self.line))

    def _work(self) -> None:
        try:
            while self._wait():
                self.round()
        finally:
            with self._changed:
                self._stopping = True
            left = [answer.question for answer in self._answers.values()]
            for question in left + self.line.late(before=float("inf")):
                question.tell(Failed(stopping()))
            for _, _, done in self._trials:
                done.set_exception(stopping())

    def _wait(self) -> bool:
        """Until there is something to do; False to end."""
        with self._changed:
            self._changed.wait_for(self._has_work)
            return not self._stopping

    def _has_work(self) -> bool:
        return bool(self._stopping or self._answers or self._trials or len(self.line))

    def _try_out(self) -> None:
        for trial in [trial for trial in self._trials if self.cache.can_take(trial[0])]:
            adapter, folder, done = trial
            self._trials.remove(trial)
            try:
                self.cache.take(adapter, folder)
            except _FAULTS as error:
                done.set_exception(error)
            else:
                self.cache.give(adapter)
                done.set_result(None)

    def _let_go(self) -> None:
        before = self._clock() - self._timeout
        for question in self.line.late(before):
            question.tell(Failed(self._late()))
        for slot, answer in list(self._answers.items()):
            if answer.question.given_up:
                self._end(slot, None)
            elif answer.question.arrived < before:
                self._end(slot, Failed(self._late()))

    def _late(self) -> Fault:
        return Fault(
            504,
            say("the answer took longer than {seconds:g} s", seconds=self._timeout),
            where="[serve] timeout_seconds",
            fix=say("ask for fewer tokens, or raise the limit"),
        )

    def _next(self) -> Question | None:
        under_way = {answer.question.turn.adapter for answer in self._answers.values()}
        return self.line.next(under_way, now=self._clock(), can_take=self.cache.can_take)

    def _open(self, question: Question) -> None:
        adapter, began = question.turn.adapter, self._clock()
        try:
            self.cache.take(adapter, question.folder)
        except _FAULTS as error:
            question.tell(_failed(error))
            return
        loaded = self._clock()
        try:
            opened = self.speaker.open(question.turn)
        except _FAULTS as error:
            self.cache.give(adapter)
            question.tell(_failed(error))
            return
        self._answers[opened.slot] = _Answer(
            question,
            restored=opened.restored,
            queue=began - question.arrived,
            load=loaded - began,
            opened=loaded,
            cutter=Cutter(question.stops),
        )

    def _group(self) -> list[int]:
        """Slots of the adapter whose turn it is to step."""
        adapters = list(dict.fromkeys(a.question.turn.adapter for a in self._answers.values()))
        if not adapters:
            return []
        if self._last not in adapters:
            chosen = adapters[0]
        else:
            passed = self._taken % _TURN == 0
            chosen = adapters[(adapters.index(self._last) + passed) % len(adapters)]
        if chosen != self._last:
            self.switches += 1
            self._last, self._taken = chosen, 0
        self._taken += 1
        return [s for s, a in self._answers.items() if a.question.turn.adapter == chosen]

    def _step(self, slots: list[int]) -> None:
        try:
            spoken = self.speaker.step(slots)
        except _FAULTS as error:
            failed = _failed(error)
            for slot in slots:
                self._end(slot, failed)
            return
        for slot, said in zip(slots, spoken, strict=True):
            self._hear(slot, self._answers[slot], said)

    def _hear(self, slot: int, answer: _Answer, said: Spoken) -> None:
        tell, now = answer.question.tell, self._clock()
        answer.tokens += said.tokens
        if answer.first is None and (said.tokens or said.finish):
            answer.first = now
            tell(Began(answer.timing(now), answer.restored))
        text, stopped = answer.cutter.feed(said.text)
        finish = "stop" if stopped else said.finish
        if finish and not stopped:
            text += answer.cutter.rest()
        if text:
            tell(Said(text))
        if finish:
            self._pace += 0.1 * (now - answer.opened - self._pace)
            self._end(slot, Ended(finish, answer.tokens, answer.timing(now)))

    def _end(self, slot: int, event: Event | None) -> None:
        """Give the slot and the adapter back, then tell: who hears of the end finds them free."""
        answer = self._answers.pop(slot)
        self.speaker.close(slot)
        self.cache.give(answer.question.turn.adapter)
        if event:
            answer.question.tell(event)


def _failed(error: Exception) -> Failed:
    """What the askers are told; the log is told too where it is no fault that a user can mend."""
    if not isinstance(error, YukjoError):
        _LOG.error("the speaker failed", exc_info=error)
    return Failed(error)
