"""transformers' tokenizer behind our port."""

from pathlib import Path

import pytest

from toys import Tiny
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.errors import DataError, ModelError
from yukjo.records import Message

TURNS = (Message(role="user", content="안녕"), Message(role="assistant", content="네"))


def test_text_goes_to_tokens_and_back_with_nothing_added(tiny: Tiny) -> None:
    tokenizer = HfTokenizer(tiny("qwen3"))
    tokens = tokenizer.encode("육조 ✓")
    assert tokenizer.decode(tokens) == "육조 ✓"
    assert tokenizer.special.isdisjoint(tokens)
    assert tokenizer.encode("<|end|>") == [260]
    assert tokenizer.decode([260]) == ""
    assert tokenizer.spell([260]) == "<|end|>"


@pytest.mark.parametrize("asks", ["{{ strftime_now('%Y-%m-%d') }}", "{{ date_string }}"])
def test_no_template_sees_a_clock(asks: str, tiny: Tiny) -> None:
    text = HfTokenizer(tiny("qwen3")).render(TURNS, template=asks, reply=True)
    assert text == "26 Jul 2024"


def test_what_a_template_refuses_is_an_error_for_people(tiny: Tiny) -> None:
    template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(DataError, match="roles must alternate"):
        HfTokenizer(tiny("qwen3")).render(TURNS, template=template, reply=True)


def test_a_folder_without_a_tokenizer_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        HfTokenizer(tmp_path)
