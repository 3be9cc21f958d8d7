"""A thousand swaps of adapters: what is loaded is freed, and every answer stays the same."""

import os
from typing import Any

from speaking import prompt, said, turn
from yukjo.machine import resident_mb

SWAPS = 1000
MOST_GROWTH_MB = 8


def test_memory_returns_after_a_thousand_swaps(places: Any) -> None:
    place = places("qwen3")
    names = list(place.adapters)
    with place.llama_cpp(slots=1) as speaker:
        wanted: dict[str, list[str]] = {}
        before = 0.0
        for swap in range(SWAPS):
            adapter = names[swap % len(names)]
            speaker.load(adapter, place.adapters[adapter])
            asked = turn(adapter, prompt(40), prefix=30, max_tokens=2)
            assert said(speaker, asked) == wanted.setdefault(adapter, said(speaker, asked))
            speaker.unload(adapter)
            if swap == SWAPS // 10:
                before = resident_mb()
        assert resident_mb() - before < MOST_GROWTH_MB, os.getpid()
    assert len({text for (text,) in wanted.values()}) > 1
