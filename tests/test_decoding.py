"""A token is drawn by its share and its seed alone; text is said in whole characters."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from speaking import turn
from yukjo.decoding import Draw, Voice, nucleus


def draws(count: int, logits: Any, **changes: Any) -> list[int]:
    draw = Draw(turn("", [1], **changes))
    return [draw.token(np.array(logits, dtype=np.float32)) for _ in range(count)]


def test_tokens_are_drawn_by_their_share() -> None:
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    found = np.bincount(draws(4000, np.log(shares), temperature=1.0), minlength=4) / 4000
    assert found == pytest.approx(shares, abs=0.03)


def test_heat_flattens_the_shares() -> None:
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    flat = shares**0.5 / (shares**0.5).sum()
    found = np.bincount(draws(4000, np.log(shares), temperature=2.0), minlength=4) / 4000
    assert found == pytest.approx(flat, abs=0.03)


def test_only_the_likeliest_that_hold_top_p_are_drawn() -> None:
    logits = np.log([0.5, 0.3, 0.15, 0.05])
    assert set(draws(500, logits, temperature=1.0, top_p=0.79)) == {0, 1}
    assert set(draws(500, logits, temperature=1.0, top_p=0.81)) == {0, 1, 2}


@given(
    arrays(np.float32, st.integers(1, 400), elements=st.floats(0, 1, width=32)),
    st.floats(0.01, 1),
)
def test_the_nucleus_is_the_fewest_likeliest_that_reach_it(shares: Any, part: float) -> None:
    shares = shares + np.float32(1e-3)
    wanted = part * float(shares.sum(dtype=np.float64)) * 0.999
    found = nucleus(shares, wanted).tolist()
    held = shares[found].astype(np.float64)
    assert held.sum() >= wanted * (1 - 1e-6)
    assert held[:-1].sum() < wanted
    assert sorted(shares[found].tolist(), reverse=True) == shares[found].tolist()
    left = np.delete(shares, found)
    assert not len(left) or left.max() <= held.min()


def test_what_is_forbidden_is_never_drawn() -> None:
    logits = [-np.inf, 0.0, -np.inf, -1.0, -np.inf]
    for changes in (
        {"temperature": 0.0},
        {"temperature": 9.0},
        {"temperature": 9.0, "top_p": 0.99},
    ):
        assert set(draws(300, logits, **changes)) <= {1, 3}


def test_a_seed_decides_all_draws() -> None:
    logits = np.zeros(1000)
    assert draws(20, logits, temperature=1.0, seed=4) == draws(20, logits, temperature=1.0, seed=4)
    assert draws(20, logits, temperature=1.0, seed=4) != draws(20, logits, temperature=1.0, seed=5)


def by_bytes(tokens: Any) -> str:
    return bytes(tokens).decode(errors="replace")


@given(st.text())
def test_the_pieces_are_the_text_and_none_is_broken(text: str) -> None:
    voice = Voice(by_bytes)
    pieces = [voice.add(byte) for byte in text.encode()]
    assert "".join(pieces) + voice.rest() == text
    if "\N{REPLACEMENT CHARACTER}" not in text:
        assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)


def test_a_tokenizer_that_drops_the_first_space_of_a_text_drops_no_other() -> None:
    """As sentencepiece does."""
    words = ["▁서울", "▁시", "청", "▁"]
    voice = Voice(
        lambda tokens: "".join(words[t] for t in tokens).replace("▁", " ").removeprefix(" ")
    )
    assert [voice.add(token) for token in (0, 1, 2, 3, 1)] == ["서울", " 시", "청", " ", " 시"]


def test_what_never_becomes_a_character_is_said_at_the_end() -> None:
    voice = Voice(by_bytes)
    assert [voice.add(byte) for byte in "민".encode()[:2]] == ["", ""]
    assert voice.rest() == "\N{REPLACEMENT CHARACTER}"
    assert voice.rest() == ""
