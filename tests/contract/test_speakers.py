"""One suite over every speaker: what `ports.Speaker` promises."""

from heapq import nlargest
from typing import Any

import pytest

from speaking import answered, prompt, said, turn
from yukjo.backends.torch.engine import TorchEngine
from yukjo.errors import AdapterError, DataError
from yukjo.ports import Speaker

Place = Any


def decided(engine: TorchEngine, adapter: str, tokens: tuple[int, ...]) -> list[int]:
    """The oracle's greedy answer, up to where two tokens are too close to call (or 12)."""
    answer: list[int] = []
    while len(answer) < 12:
        logits = engine.next_logits(adapter, [[*tokens, *answer]])[0]
        best, second = nlargest(2, logits)
        if best - second < 0.02:
            break
        answer.append(logits.index(best))
    return answer


def test_a_greedy_answer_is_the_oracles(speaker: Speaker, place: Place) -> None:
    engine, compared = place.engine(), 0
    for adapter in ("", *place.adapters):
        for length in (1, 40, 150):
            tokens = prompt(length, seed=length)
            wanted = decided(engine, adapter, tokens)
            if wanted:
                text = said(speaker, turn(adapter, tokens, max_tokens=len(wanted)))[0]
                assert text == engine.tokenizer.decode(wanted)
                compared += len(wanted)
    assert compared > 60


def test_the_logits_are_the_oracles(speaker: Speaker, place: Place) -> None:
    engine, prompts = place.engine(), [prompt(30), prompt(140, seed=1)]
    assert speaker.base_hash == engine.base_hash
    for adapter in ("", *place.adapters):
        found, wanted = (side.next_logits(adapter, prompts) for side in (speaker, engine))
        for row, true in zip(found, wanted, strict=True):
            assert row == pytest.approx(true, abs=0.02)


def test_adapters_and_the_base_answer_differently(speaker: Speaker, place: Place) -> None:
    answers = [said(speaker, turn(a, prompt(40), max_tokens=40))[0] for a in ("", *place.adapters)]
    assert len(set(answers)) == len(answers)


def test_slots_side_by_side_answer_as_alone(speaker: Speaker, place: Place) -> None:
    adapter = next(iter(place.adapters))
    turns = [
        turn(adapter, prompt(20), max_tokens=9),
        turn(adapter, prompt(150, seed=1), temperature=0.9, seed=7, max_tokens=30),
        turn(adapter, prompt(3, seed=2), temperature=1.5, top_p=0.8, seed=3, max_tokens=20),
    ]
    alone = [said(speaker, one)[0] for one in turns]
    assert said(speaker, *turns) == alone
    assert said(speaker, *reversed(turns)) == alone[::-1]


def test_a_seed_gives_the_same_answer_and_another_seed_another(speaker: Speaker) -> None:
    def drawn(seed: int) -> str:
        return said(speaker, turn("", prompt(20), temperature=1.0, seed=seed, max_tokens=30))[0]

    assert drawn(5) == drawn(5)
    assert len({drawn(seed) for seed in range(4)}) == 4


def test_a_tiny_share_of_the_likeliest_is_the_greedy_answer(speaker: Speaker) -> None:
    greedy = said(speaker, turn("", prompt(20)))
    assert said(speaker, turn("", prompt(20), temperature=2.0, top_p=1e-6, seed=9)) == greedy
    assert said(speaker, turn("", prompt(20), temperature=1e-4, seed=9)) == greedy


def test_an_answer_ends_before_a_stop_token(speaker: Speaker, place: Place) -> None:
    engine = place.engine()
    for adapter in place.adapters:
        answer = decided(engine, adapter, prompt(40))
        for token in set(answer):
            one = turn(adapter, prompt(40), stop=frozenset({token}))
            before = engine.tokenizer.decode(answer[: answer.index(token)])
            assert answered(speaker, one) == [(before, "stop")]


def test_an_answer_ends_at_its_length(speaker: Speaker) -> None:
    for most in (1, 2, 5):
        slot = speaker.open(turn("", prompt(20), max_tokens=most)).slot
        made, finish = 0, None
        while finish is None:
            (spoken,) = speaker.step([slot])
            made, finish = made + spoken.tokens, spoken.finish
        speaker.close(slot)
        assert (made, finish) == (most, "length")


def test_an_answer_ends_where_its_slot_is_full(place: Place, kind: str) -> None:
    small = place.speaker(kind, slots=1, context=256)
    text, end = answered(small, turn("", prompt(250), max_tokens=1000))[0]
    assert end == "length"
    assert 1 <= len(text.encode()) <= 3 * 7
    for length in (0, 256, 300):
        with pytest.raises(DataError, match=str(length)):
            small.open(turn("", prompt(length)))
    assert said(small, turn("", prompt(20)))  # no slot was lost


def test_an_unknown_adapter_is_refused_by_name(speaker: Speaker, place: Place) -> None:
    for ask in (
        lambda: speaker.open(turn("f" * 64, prompt(5))),
        lambda: speaker.unload("f" * 64),
        lambda: speaker.next_logits("f" * 64, [prompt(5)]),
    ):
        with pytest.raises(AdapterError, match="ffffffffffff"):
            ask()
    assert said(speaker, turn(next(iter(place.adapters)), prompt(5)))


def test_what_is_unloaded_is_gone_and_can_come_back(speaker: Speaker, place: Place) -> None:
    adapter, folder = next(iter(place.adapters.items()))
    before = said(speaker, turn(adapter, prompt(60), prefix=40))
    size = speaker.load(adapter, folder)
    speaker.unload(adapter)
    with pytest.raises(AdapterError):
        speaker.open(turn(adapter, prompt(60)))
    assert speaker.load(adapter, folder) == size
    assert said(speaker, turn(adapter, prompt(60), prefix=40)) == before


def test_a_slot_given_back_early_serves_the_next_turn(speaker: Speaker, place: Place) -> None:
    adapter = next(iter(place.adapters))
    wanted = said(speaker, turn(adapter, prompt(30)))
    for steps in range(6):
        slot = speaker.open(turn("", prompt(200, seed=steps))).slot
        for _ in range(steps):
            speaker.step([slot])
        speaker.close(slot)
        assert said(speaker, turn(adapter, prompt(30))) == wanted


def test_text_comes_in_whole_characters(speaker: Speaker) -> None:
    slot = speaker.open(
        turn("", "서울시 민원 처리".encode(), temperature=3.0, seed=1, max_tokens=60)
    ).slot
    pieces, finish = [], None
    while finish is None:
        (spoken,) = speaker.step([slot])
        finish = spoken.finish
        pieces.append(spoken.text)
    speaker.close(slot)
    # Random bytes are mostly broken characters: only one that more bytes can't mend is said.
    assert not any(piece.endswith("\N{REPLACEMENT CHARACTER}") for piece in pieces[:-1])
    assert "".join(pieces)
