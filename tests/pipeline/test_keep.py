"""At which requests an adapter's effect is taken."""

from types import SimpleNamespace
from typing import Any

import pytest

from toys import Tiny
from yukjo.agents import roles
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.data.render import template_of
from yukjo.pipeline.keep import _probes
from yukjo.records import Example

OWN = Example("rag", "hash", "name", (1, 2, 3, 4), (False, False, True, True))


@pytest.mark.parametrize("spelled", [True, False])
def test_the_fixed_requests_are_taken_and_where_they_cannot_be_spelled_the_agents_own(
    tiny: Tiny, *, spelled: bool
) -> None:
    tokenizer = HfTokenizer(tiny("qwen3"))
    if not spelled:
        tokenizer.special |= {*tokenizer.encode("절차")}
    prepared = SimpleNamespace(train={"rag": (OWN,) * 5}, roles=roles(),
                               template=template_of(tokenizer))  # fmt: skip
    work: Any = SimpleNamespace(prepared=prepared, parts=SimpleNamespace(tokenizer=tokenizer))
    prompts, images = _probes(work, "rag")
    assert len(prompts) == 3
    assert all(prompt == (1, 2) for prompt in prompts) is not spelled
    assert not any(images)
