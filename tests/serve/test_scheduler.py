"""Who is answered when: in rounds with a clock of the test's, and once in its real thread."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.spelling import END, Bytes, SpellingSpeaker
from yukjo.adapters.store import WEIGHTS
from yukjo.config.models import ServeConfig
from yukjo.ports import Turn
from yukjo.serve.faults import Fault, fault_of
from yukjo.serve.question import Began, Ended, Event, Failed, Question, Said
from yukjo.serve.scheduler import Scheduler

NAMES = tuple("abcdef")


@dataclass
class Heard:
    """One question and what came of it."""

    question: Question
    events: list[Event] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Said))

    @property
    def end(self) -> Event:
        return self.events[-1]

    @property
    def status(self) -> int:
        assert isinstance(self.end, Failed)
        return fault_of(self.end.error).status

    @property
    def over(self) -> bool:
        return bool(self.events) and isinstance(self.end, Ended | Failed)


class House:
    """A scheduler without its thread: a round is a tenth of a second."""

    def __init__(self, folder: Path, slots: int = 2, **serve: Any) -> None:
        self.folder = folder
        for name in NAMES:
            (folder / name).mkdir(exist_ok=True)
            (folder / name / WEIGHTS).write_bytes(name.encode())
        self.now = 0.0
        self.speaker = SpellingSpeaker(slots)
        config = ServeConfig(**({"cache": 3, "wait_seconds": 1, "timeout_seconds": 60} | serve))
        self.scheduler = Scheduler(self.speaker, config, clock=lambda: self.now)

    def ask(
        self,
        adapter: str,
        text: str,
        stops: Sequence[str] = (),
        most: int = 500,
        schema: str | None = None,
    ) -> Heard:
        tokens = tuple(Bytes().encode(f"<bos>### 요청\n{text}\n\n### 답변\n"))
        turn = Turn(
            adapter=adapter, tokens=tokens, prefix=0, stop=frozenset({END}), max_tokens=most,
            temperature=0, top_p=1, seed=0, schema=schema,
        )  # fmt: skip
        heard = Heard(Question(turn, self.folder / adapter, tuple(stops), lambda _: None))
        heard.question.tell = heard.events.append
        self.scheduler.ask(heard.question)
        return heard

    def rounds(self, count: int = 10_000, until: Callable[[], bool] = lambda: False) -> None:
        for _ in range(count):
            if until() or not self.scheduler.round():
                return
            self.now += 0.1


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_answer_begins_is_said_and_ends(house: House) -> None:
    heard = house.ask("a", "say 안녕")
    house.rounds()
    assert [type(event) for event in heard.events] == [Began, Said, Said, Ended]
    assert heard.text == "안녕"
    assert isinstance(heard.end, Ended)
    assert (heard.end.finish, heard.end.tokens) == ("stop", 2)
    assert heard.end.timing.total == pytest.approx(0.3)
    assert heard.end.timing.prefill == pytest.approx(0.1)


def test_a_stop_text_ends_the_answer_and_frees_its_slot(house: House) -> None:
    heard = house.ask("a", "say 하나 둘 셋", stops=["둘 "])
    house.rounds()
    assert heard.text == "하나 "
    assert heard.end.finish == "stop"  # type: ignore[union-attr]
    assert house.speaker.taken == {}


def test_what_is_held_back_for_a_stop_text_is_said_in_the_end(house: House) -> None:
    heard = house.ask("a", "say 하나 둘", stops=["둘 셋"])
    house.rounds()
    assert heard.text == "하나 둘"


def test_answers_of_one_adapter_step_together_and_several_adapters_take_turns(house: House) -> None:
    house.ask("a", "say 123456")
    house.ask("a", "say 123456")
    house.rounds(3)
    assert house.speaker.steps == ["a"] * 3
    assert len(house.speaker.taken) == 2


def test_adapters_under_way_take_turns_of_eight_steps(house: House) -> None:
    house.ask("a", "say " + "1" * 40)
    house.rounds(1)
    house.ask("b", "say " + "1" * 40)
    house.rounds(18)  # b waits a second, and then for the turn to pass
    assert "b" in house.speaker.steps
    first = house.speaker.steps.index("b")
    house.rounds(24)
    assert "".join(house.speaker.steps[first : first + 20]) == "b" * 8 + "a" * 8 + "b" * 4


def test_a_question_of_the_adapter_in_use_goes_before_an_older_one(house: House) -> None:
    long = house.ask("a", "say 12345678901234567890")
    house.rounds(1)
    other, same = house.ask("b", "say 1"), house.ask("a", "say 1")
    house.rounds(until=lambda: same.over)
    assert not other.events
    house.rounds(until=lambda: other.over)
    assert not long.over, "the other waits for `wait_seconds`, not for the end of the long answer"


def test_a_question_that_waited_long_enough_goes_first_even_in_a_flood(tmp_path: Path) -> None:
    house = House(tmp_path, slots=1)
    other = None
    for number in range(200):
        if len(house.scheduler.line) < 5:
            house.ask("a", "say 12")
        if number == 5:
            other = house.ask("b", "say 1")
            asked = house.now
        house.rounds(1)
        if other and other.events:
            break
    assert house.now - asked < 1 + 0.5 + 0.3  # `wait_seconds`, an answer of a's, the prompt
    assert house.scheduler.switches == 2


def test_more_adapters_under_way_than_the_cache_holds_is_never_tried(tmp_path: Path) -> None:
    house = House(tmp_path, slots=4, cache=2, wait_seconds=0.1)
    heard = [house.ask(name, "say 1234567890") for name in "abcdef"]
    most = 0
    while house.scheduler.round():
        house.now += 0.1
        most = max(most, len({turn.adapter for turn, _ in house.speaker.taken.values()}))
        assert len(house.speaker.loaded) <= 2
    assert most == 2
    assert all(one.text == "1234567890" for one in heard)


@settings(max_examples=60, deadline=None)
@given(
    slots=st.integers(1, 4),
    cache=st.integers(1, 3),
    asks=st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(0, 20), st.integers(1, 12)), max_size=40
    ),
)
def test_every_question_is_answered_by_its_adapter_within_the_bound(
    tmp_path_factory: pytest.TempPathFactory,
    slots: int, cache: int, asks: list[tuple[str, int, int]],
) -> None:  # fmt: skip
    house = House(tmp_path_factory.mktemp("house"), slots=slots, cache=cache)
    waiting = sorted(asks, key=lambda ask: ask[1])
    heard: list[tuple[Heard, str]] = []
    for number in range(100_000):
        while waiting and waiting[0][1] <= number:
            name, _, length = waiting.pop(0)
            heard.append((house.ask(name, "x" * length), f"{name} {'x' * length}"))
        busy = house.scheduler.round()
        house.now += 0.1
        if not (busy or waiting):
            break
    assert [one.text for one, _ in heard] == [text for _, text in heard]
    # Each of six adapters keeps the turn for `wait_seconds` and an answer; beside it step others.
    answer = 0.1 * (12 + 4) * slots
    for one, _ in heard:
        assert isinstance(one.end, Ended)
        mine = sum(
            1 for other, _ in heard if other.question.turn.adapter == one.question.turn.adapter
        )
        assert one.end.timing.queue <= (6 * (1 + answer)) * mine


def test_a_question_given_up_frees_its_slot_at_the_next_step(house: House) -> None:
    heard = house.ask("a", "long", most=400)
    house.rounds(5)
    house.scheduler.give_up(heard.question)
    assert not house.scheduler.round()
    assert house.speaker.taken == {}
    assert not heard.over


def test_a_question_given_up_in_the_line_leaves_it_at_once(house: House) -> None:
    heard = house.ask("a", "long")
    house.scheduler.give_up(heard.question)
    assert len(house.scheduler.line) == 0


def test_one_more_than_the_line_holds_is_told_when_to_come_back(tmp_path: Path) -> None:
    house = House(tmp_path, queue=2)
    house.ask("a", "1")
    house.ask("b", "1")
    with pytest.raises(Fault) as refused:
        house.ask("c", "1")
    assert refused.value.status == 429
    assert int(refused.value.headers["retry-after"]) >= 1
    house.rounds()
    house.ask("c", "1")


@pytest.mark.parametrize("under_way", [True, False])
def test_an_answer_that_takes_too_long_is_ended(tmp_path: Path, *, under_way: bool) -> None:
    house = House(tmp_path, slots=1, timeout_seconds=2)
    first = house.ask("a", "long", most=400)
    second = house.ask("a", "long", most=400)
    house.rounds(25)
    assert (first if under_way else second).status == 504
    house.rounds()
    assert house.speaker.taken == {}


def test_what_the_speaker_fails_at_ends_that_answer_and_no_other(house: House) -> None:
    broken = house.ask("a", "break")
    house.rounds(3)
    fine = house.ask("b", "say 1")
    house.rounds()
    assert broken.status == 500
    assert fine.text == "1"
    assert house.speaker.taken == {}


def test_a_turn_that_is_refused_lets_go_of_its_adapter(tmp_path: Path) -> None:
    house = House(tmp_path, cache=1)
    refused, fine = house.ask("a", "?", schema='"unheard"'), house.ask("b", "say 1")
    house.rounds(100)
    assert refused.status == 400
    assert fine.text == "1"


def test_an_adapter_that_is_gone_ends_its_question_only(house: House) -> None:
    (house.folder / "a" / WEIGHTS).unlink()
    gone, fine = house.ask("a", "say 1"), house.ask("b", "say 1")
    house.rounds()
    assert gone.status == 503
    assert fine.text == "1"


def test_the_thread_answers_and_stops_with_questions_under_way(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.scheduler = Scheduler(house.speaker, ServeConfig())
    house.scheduler.start()
    short = house.ask("a", "say 1")
    _wait_for(lambda: short.over)
    assert short.text == "1"
    long, waiting = house.ask("a", "slow " + "x" * 400), house.ask("b", "1")
    _wait_for(lambda: bool(long.events))
    house.scheduler.stop()
    assert long.status == waiting.status == 503
    assert not house.scheduler.alive
    with pytest.raises(Fault):
        house.ask("a", "1")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_ends_the_thread_and_every_question_rather_than_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    house.scheduler = Scheduler(house.speaker, ServeConfig())
    monkeypatch.setattr(house.speaker, "step", lambda _: 1 / 0)
    house.scheduler.start()
    heard = house.ask("a", "1")
    _wait_for(lambda: heard.over)
    assert heard.status == 503
    assert not house.scheduler.alive


def _wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)
