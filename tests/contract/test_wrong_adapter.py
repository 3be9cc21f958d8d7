"""An answer never comes from the state of another adapter, whatever was asked before it.

The three cases of llama.cpp #26207, in which its server hands one adapter's state to another, and
the law they are cases of: after any sequence of requests an answer is, to the bit of its logits,
the one that a fresh engine gives.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speaking import prompt, said, turn
from yukjo.engines.llama_cpp.model import Model
from yukjo.engines.llama_cpp.speaker import LlamaCppSpeaker

Place = Any

SYSTEM = prompt(150, seed=11)
PROMPTS = (
    (*SYSTEM, *prompt(9, seed=1)),
    (*SYSTEM, *prompt(30, seed=2)),
    (*SYSTEM[:90], *prompt(60, seed=3)),  # leaves the others half way through their prefix
    prompt(140, seed=4),
)
PREFIXES = (150, 150, 90, 0)


class Watched(LlamaCppSpeaker):
    """Keeps every row of logits that a token is drawn from."""

    rows: list[bytes]

    def _logits(self, place: int) -> Any:
        row = super()._logits(place)
        self.rows.append(row.tobytes())
        return row


def fresh(place: Place) -> Watched:
    engine = place.engine()
    speaker = Watched(
        Model(place.gguf), base_hash=engine.base_hash, decode=engine.tokenizer.decode, slots=2,
        context=256, threads=1, state_mb=64,
    )  # fmt: skip
    for adapter, folder in place.adapters.items():
        speaker.load(adapter, folder)
    return speaker


@pytest.fixture(scope="module", params=["qwen3", "gemma3"])
def place(places: Any, request: pytest.FixtureRequest) -> Place:
    return places(request.param)


@pytest.fixture(scope="module")
def used(place: Place) -> Iterator[Watched]:
    """One speaker that every sequence of this module goes through."""
    with fresh(place) as speaker:
        yield speaker


@pytest.fixture(scope="module")
def truth(place: Place) -> dict[tuple[str, int], list[bytes]]:
    """What a fresh engine, asked nothing else, makes of each adapter and prompt."""
    found = {}
    for adapter in ("", *place.adapters):
        for number in range(len(PROMPTS)):
            with fresh(place) as speaker:
                found[adapter, number] = rows(speaker, adapter, number)
    assert len({row for made in found.values() for row in made[:1]}) == len(found)
    return found


def opened(speaker: Watched, adapter: str, number: int) -> int:
    asked = turn(adapter, PROMPTS[number], prefix=PREFIXES[number], max_tokens=5)
    return speaker.open(asked).slot


def finish(speaker: Watched, slot: int) -> None:
    while speaker.step([slot])[0].finish is None:
        pass
    speaker.close(slot)


def rows(speaker: Watched, adapter: str, number: int) -> list[bytes]:
    """The logits of an answer; its prefix is kept for the next."""
    slot = opened(speaker, adapter, number)
    speaker.rows = []
    finish(speaker, slot)
    return speaker.rows


def test_a_kept_state_is_not_given_to_another_adapter(
    used: Watched, place: Place, truth: Any
) -> None:
    """Case (a): its cache of prompts in memory knew no adapter."""
    first, second, _ = place.adapters
    rows(used, first, 0)
    assert rows(used, second, 0) == truth[second, 0]
    rows(used, second, 3)
    assert rows(used, first, 1) == truth[first, 1]
    assert rows(used, "", 0) == truth["", 0]


def test_a_switch_in_the_middle_of_answers_leaves_each_its_own(
    used: Watched, place: Place, truth: Any
) -> None:
    """Case (b): its global switch changed the adapter under state that was computed."""
    first, second, _ = place.adapters
    slots = {opened(used, first, 0): (first, 0), opened(used, second, 1): (second, 1)}
    made: dict[int, list[bytes]] = {slot: [] for slot in slots}
    going = set(slots)
    while going:
        for slot in sorted(going):
            used.rows = []
            if used.step([slot])[0].finish:
                going.remove(slot)
            made[slot] += used.rows
    for slot, asked in slots.items():
        used.close(slot)
        assert made[slot] == truth[asked]


def test_the_base_after_an_adapter_is_the_base(used: Watched, place: Place, truth: Any) -> None:
    """Case (c): a request that named no adapter got the one before it."""
    for adapter in place.adapters:
        rows(used, adapter, 0)
        assert rows(used, "", 0) == truth["", 0]
        assert rows(used, "", 1) == truth["", 1]


def test_a_kept_prefix_is_restored_and_changes_no_bit(
    used: Watched, place: Place, truth: Any
) -> None:
    for adapter in ("", *place.adapters):
        rows(used, adapter, 0)
        opening = used.open(turn(adapter, PROMPTS[1], prefix=150))
        used.close(opening.slot)
        assert opening.restored == 150
        assert rows(used, adapter, 1) == truth[adapter, 1]


def test_an_adapter_loaded_where_another_was_freed_is_not_taken_for_it(
    used: Watched, place: Place, truth: Any
) -> None:
    """llama.cpp compares adapters by address, and a new one often gets the freed one's."""
    for _ in range(5):
        for adapter in place.adapters:
            for other in place.adapters:
                used.unload(other)
            used.load(adapter, place.adapters[adapter])
            assert rows(used, adapter, 0) == truth[adapter, 0]
            for other, folder in place.adapters.items():
                used.load(other, folder)


ASK, GIVE_UP, RELOAD, TWO = "ask", "give up", "reload", "two"
moves = st.lists(
    st.tuples(
        st.sampled_from([ASK, ASK, GIVE_UP, RELOAD, TWO]), st.integers(0, 3), st.integers(0, 3)
    ),
    max_size=10,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=moves, last=st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_after_any_sequence_an_answer_is_that_of_a_fresh_engine(
    used: Watched, place: Place, truth: Any, moves: Any, last: tuple[int, int]
) -> None:
    names = ["", *place.adapters]
    for move, which, number in [*moves, (ASK, *last)]:
        adapter = names[which]
        if move == ASK:
            assert rows(used, adapter, number) == truth[adapter, number]
        elif move == GIVE_UP:
            slot = opened(used, adapter, number)
            for _ in range(which):
                used.step([slot])
            used.close(slot)
        elif move == TWO:
            pair = [turn(adapter, PROMPTS[n], prefix=PREFIXES[n]) for n in (number, 3 - number)]
            said(used, *pair)
        elif adapter:
            used.unload(adapter)
            used.load(adapter, place.adapters[adapter])


def test_the_rows_compared_are_logits(truth: Any) -> None:
    row = np.frombuffer(next(iter(truth.values()))[0], dtype=np.float32)
    assert row.shape == (320,)
    assert np.isfinite(row).all()
