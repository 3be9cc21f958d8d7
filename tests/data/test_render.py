"""The mask: what is learned is what an assistant said, and its end, and nothing else."""

import itertools
from collections.abc import Sequence
from functools import cache
from importlib import resources

import jinja2
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from yukjo.data.render import (
    Refused,
    Template,
    chat_of,
    end_tokens,
    prompt_tokens,
    render,
    render_all,
    template_of,
)
from yukjo.records import Chat, Message, Role, Sample

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% set lead = '' %}"
    "{% if messages[0].role == 'system' %}{% set lead = messages[0].content ~ '\n\n' %}"
    "{% set messages = messages[1:] %}{% endif %}"
    "{% for message in messages %}<turn>{{ 'model' if message.role == 'assistant' else 'user' }}\n"
    "{% if loop.first %}{{ lead }}{% endif %}{{ message.content | trim }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<turn>model\n{% endif %}"
)
OURS = resources.files("yukjo.data").joinpath("template.jinja").read_text(encoding="utf-8")
TEMPLATES = {"chatml": CHATML, "gemma": GEMMA, "ours": OURS}
ENDS = {"chatml": "<|im_end|>", "gemma": "<end>", "ours": "<eos>"}
CONTROL = ("<bos>", "<eos>", "<|im_start|>", "<|im_end|>", "<turn>", "<end>")
FIRST = 0x110000
"""Letters are their code points; control tokens follow."""


@cache
def compiled(template: str) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template)


class Toy:
    """A letter a token, and templates as transformers renders them."""

    def __init__(self, chat_template: str | None = None) -> None:
        self.chat_template = chat_template
        self.special = frozenset(range(FIRST, FIRST + len(CONTROL)))

    def render(self, messages: Sequence[Message], *, template: str, reply: bool) -> str:
        turns = [{"role": m.role, "content": m.content} for m in messages]
        return compiled(template).render(
            messages=turns, add_generation_prompt=reply, bos_token="<bos>", eos_token="<eos>"
        )

    def encode(self, text: str) -> list[int]:
        tokens, at = [], 0
        while at < len(text):
            found = next((c for c in CONTROL if text.startswith(c, at)), None)
            tokens.append(FIRST + CONTROL.index(found) if found else ord(text[at]))
            at += len(found or text[at])
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(chr(t) for t in tokens if t < FIRST)


TOY = Toy()


def conversation(*turns: tuple[Role, str]) -> Chat:
    messages = tuple(Message(role=role, content=content) for role, content in turns)
    return Chat("rag", "hash", "민원-1", messages)


def template(text: str) -> Template:
    return template_of(Toy(text))


def shown(chat: Chat, text: str) -> str:
    """What is not learned as dots, what is as its letters; `$` is a control token."""
    example = render(chat, tokenizer=TOY, template=template(text), max_tokens=10**6)
    letters = (chr(t) if t < FIRST else "$" for t in example.tokens)
    return "".join(
        letter if yes else "." for letter, yes in zip(letters, example.learn, strict=True)
    )


def written(tokens: Sequence[int]) -> str:
    return "".join(chr(t) if t < FIRST else CONTROL[t - FIRST] for t in tokens)


# Toys


def test_learns_the_reply_and_its_end() -> None:
    assert shown(conversation(("user", "hi"), ("assistant", "yo")), CHATML).strip(".") == "yo$"


def test_learns_every_reply_of_a_conversation_and_nothing_between() -> None:
    chat = conversation(
        ("system", "s"), ("user", "hi"), ("assistant", "yo"), ("tool", "42"), ("assistant", "so")
    )
    learned = [run for run in shown(chat, CHATML).split(".") if run]
    assert learned == ["yo$", "so$"]


def test_learns_the_end_of_an_empty_reply() -> None:
    assert shown(conversation(("user", "hi"), ("assistant", "")), CHATML).strip(".") == "$"


def test_our_template_reads_as_a_document() -> None:
    chat = conversation(
        ("system", "규칙"), ("user", "물음"), ("assistant", "확인"), ("tool", "값"),
        ("assistant", "답"),
    )  # fmt: skip
    example = render(chat, tokenizer=TOY, template=template(OURS), max_tokens=10**6)
    assert written(example.tokens) == (
        "<bos>규칙\n\n### 요청\n물음\n\n### 답변\n확인<eos>\n\n"
        "### 도구 결과\n값\n\n### 답변\n답<eos>"
    )


def test_a_gemma_like_template_folds_the_system_prompt_into_the_first_turn() -> None:
    chat = conversation(("system", "s"), ("user", "hi"), ("assistant", "yo"))
    example = render(chat, tokenizer=TOY, template=template(GEMMA), max_tokens=10**6)
    assert written(example.tokens) == "<bos><turn>user\ns\n\nhi<end>\n<turn>model\nyo<end>"


def test_the_bare_base_gets_our_template_and_another_keeps_its_own() -> None:
    assert template_of(Toy()).text == OURS
    assert template_of(Toy(CHATML)).text == CHATML


# Laws

words = st.text(st.characters(codec="utf-8", exclude_characters="<>|"), max_size=12)
asking = st.lists(st.sampled_from(["user", "tool"]), min_size=1, max_size=2)


@st.composite
def chats(draw: st.DrawFn) -> Chat:
    turns: list[tuple[Role, str]] = []
    if draw(st.booleans()):
        turns.append(("system", draw(words)))
    for _ in range(draw(st.integers(1, 3))):
        turns += [(role, draw(words)) for role in draw(asking)]
        turns.append(("assistant", draw(words)))
    return conversation(*turns)


kinds = st.sampled_from(sorted(TEMPLATES))


def expected(chat: Chat, kind: str) -> list[tuple[int, bool]]:
    """The tokens and their mask, built turn by turn without the code under test."""
    marked: list[tuple[str, bool]] = [("", False)]
    done = ""
    for turn, message in enumerate(chat.messages):
        if message.role == "assistant":
            whole = TOY.render(chat.messages[: turn + 1], template=TEMPLATES[kind], reply=False)
            said = message.content.strip() if kind == "gemma" else message.content
            reply = said + ENDS[kind]
            head, tail = whole[len(done) :].rsplit(reply, 1)
            marked += [(head, False), (reply, True), (tail, False)]
            done = whole
    pairs = [(token, yes) for text, yes in marked for token in TOY.encode(text)]
    while not pairs[-1][1]:
        pairs.pop()
    return pairs


@given(chats(), kinds)
def test_a_token_is_learned_if_and_only_if_an_assistant_message_produced_it(
    chat: Chat, kind: str
) -> None:
    example = render(chat, tokenizer=TOY, template=template(TEMPLATES[kind]), max_tokens=10**6)
    assert list(zip(example.tokens, example.learn, strict=True)) == expected(chat, kind)


@given(chats(), kinds)
def test_what_is_learned_is_every_reply_with_its_end(chat: Chat, kind: str) -> None:
    example = render(chat, tokenizer=TOY, template=template(TEMPLATES[kind]), max_tokens=10**6)
    learned = written([t for t, yes in zip(example.tokens, example.learn, strict=True) if yes])
    replies = [m.content for m in chat.messages if m.role == "assistant"]
    if kind == "gemma":
        replies = [reply.strip() for reply in replies]
    assert learned == "".join(reply + ENDS[kind] for reply in replies)
    assert example.learned == len(TOY.encode(learned))


@given(chats(), kinds)
def test_the_end_of_every_assistant_turn_is_learned_and_no_other_control_token(
    chat: Chat, kind: str
) -> None:
    example = render(chat, tokenizer=TOY, template=template(TEMPLATES[kind]), max_tokens=10**6)
    pairs = zip(example.tokens, example.learn, strict=True)
    learned = [written([t]) for t, yes in pairs if yes and t in TOY.special]
    assert learned == [ENDS[kind]] * sum(m.role == "assistant" for m in chat.messages)
    assert end_tokens([example]) == {TOY.encode(ENDS[kind])[0]}


@given(chats(), kinds)
def test_the_prompt_and_the_learned_reply_are_the_example(chat: Chat, kind: str) -> None:
    made = template(TEMPLATES[kind])
    example = render(chat, tokenizer=TOY, template=made, max_tokens=10**6)
    prompt = prompt_tokens(chat, tokenizer=TOY, template=made)
    reply = example.tokens[len(prompt) :]
    assert prompt + reply == example.tokens
    assert all(example.learn[len(prompt) :])
    assert reply
    asked = TOY.render(chat.messages[:-1], template=made.text, reply=True)
    assert prompt == tuple(TOY.encode(asked))


@given(chats(), kinds, words)
def test_the_prompt_knows_nothing_of_the_reply(chat: Chat, kind: str, other: str) -> None:
    *before, last = chat.messages
    changed = Chat(
        chat.agent, chat.sample, chat.name,
        (*before, last.model_copy(update={"content": other})),
    )  # fmt: skip
    made = template(TEMPLATES[kind])
    prompts = {prompt_tokens(c, tokenizer=TOY, template=made) for c in (chat, changed)}
    assert len(prompts) == 1


@given(chats(), kinds, st.integers(1, 60))
def test_what_is_too_long_is_refused_by_name_and_never_cut(
    chat: Chat, kind: str, limit: int
) -> None:
    made = template(TEMPLATES[kind])
    whole = render(chat, tokenizer=TOY, template=made, max_tokens=10**6)
    most = len(whole.tokens)
    assert render(chat, tokenizer=TOY, template=made, max_tokens=most) == whole
    with pytest.raises(Refused):
        render(chat, tokenizer=TOY, template=made, max_tokens=most - 1)
    assume(limit < most)
    with pytest.raises(Refused) as said:
        render(chat, tokenizer=TOY, template=made, max_tokens=limit)
    assert said.value.where == "민원-1"
    assert str(most) in said.value.what
    assert str(limit) in said.value.what


@given(chats(), kinds, st.sampled_from(CONTROL), st.data())
def test_a_control_token_in_any_message_is_refused(
    chat: Chat, kind: str, control: str, data: st.DataObject
) -> None:
    turn = data.draw(st.integers(0, len(chat.messages) - 1))
    old = chat.messages[turn].content
    cut = data.draw(st.integers(0, len(old)))
    spoilt = chat.messages[turn].model_copy(update={"content": old[:cut] + control + old[cut:]})
    messages = (*chat.messages[:turn], spoilt, *chat.messages[turn + 1 :])
    with pytest.raises(Refused) as said:
        render(
            Chat(chat.agent, chat.sample, chat.name, messages),
            tokenizer=TOY, template=template(TEMPLATES[kind]), max_tokens=10**6,
        )  # fmt: skip
    assert said.value.where == "민원-1"


# Templates that would break a law

TWO = conversation(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (CHATML.replace("<|im_end|>", ""), "끝맺는 토큰"),
        ("{% for m in messages %}{{ m.content }}{% endfor %}", "끝맺는 토큰"),
        # what was said before the last turn is cut, as reasoning models do with their thoughts
        (CHATML.replace(
            "{{ message.content }}",
            "{{ message.content if loop.last or message.role != 'assistant' else '' }}"),
         "고쳐 씁니다"),
        # the count of turns stands in front
        ("{{ messages | length }}" + CHATML, "고쳐 씁니다"),
        # what is asked with is not what is written after
        (CHATML.replace("<|im_start|>assistant\n", "<|im_start|>model\n"), "고쳐 씁니다"),
    ],
)  # fmt: skip
def test_a_template_that_breaks_a_law_is_refused(broken: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        render(TWO, tokenizer=TOY, template=template(broken), max_tokens=10**6)


def test_a_chat_in_which_nobody_answers_teaches_nothing() -> None:
    with pytest.raises(Refused, match="배울"):
        render(
            conversation(("user", "hi")), tokenizer=TOY, template=template(CHATML), max_tokens=99
        )


def test_a_reply_left_out_by_the_template_is_refused() -> None:
    mute = "{% for m in messages if m.role != 'assistant' %}{{ m.content }}<end>{% endfor %}"
    with pytest.raises(Refused):
        render(TWO, tokenizer=TOY, template=template(mute), max_tokens=10**6)


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_hash_of_a_template_changes_if_and_only_if_its_text_does(a: str, b: str) -> None:
    assert (template(a).hash == template(b).hash) == (a == b)
    assert template(a) == template(a)


# Samples


def sample(**changes: object) -> Sample:
    fields = {"instruction": "무엇?", "output": "답", "agent_type": "rag"} | changes
    return Sample.model_validate(fields)


def test_a_sample_is_system_prompt_earlier_turns_request_and_reply() -> None:
    earlier = (Message(role="user", content="앞"), Message(role="assistant", content="예"))
    made = sample(input="자료", messages=earlier, id="n-1")
    chat = chat_of(made, "규칙")
    assert [(m.role, m.content) for m in chat.messages] == [
        ("system", "규칙"), ("user", "앞"), ("assistant", "예"),
        ("user", "무엇?\n\n자료"), ("assistant", "답"),
    ]  # fmt: skip
    assert (chat.agent, chat.sample, chat.name) == ("rag", made.hash, "n-1")


def test_a_sample_without_material_asks_its_instruction_alone() -> None:
    assert chat_of(sample(), "규칙").messages[-2].content == "무엇?"


def test_what_cannot_be_learned_from_is_counted_by_name_and_the_rest_is_kept() -> None:
    samples = [sample(id="good"), sample(id="long", output="길" * 99), sample(id="bad<eos>"),
               sample(id="spoilt", input="<eos>")]  # fmt: skip
    made = render_all(
        samples, prompts={"rag": "규칙"}, tokenizer=TOY, template=template(OURS), max_tokens=60
    )
    assert [e.name for e in made.examples] == ["good", "bad<eos>"]
    assert [r.name for r in made.refused] == ["long", "spoilt"]
    assert "60" in made.refused[0].reason
    assert "제어 토큰" in made.refused[1].reason


@given(st.permutations(range(6)))
def test_examples_stand_in_the_order_of_their_samples(order: list[int]) -> None:
    made = render_all(
        [sample(id=str(i)) for i in order],
        prompts={"rag": "규칙"}, tokenizer=TOY, template=template(OURS), max_tokens=10**6,
    )  # fmt: skip
    assert [e.name for e in made.examples] == [str(i) for i in order]


def test_all_replies_of_a_dataset_may_end_differently() -> None:
    ends = [
        render(TWO, tokenizer=TOY, template=template(t), max_tokens=10**6)
        for t in TEMPLATES.values()
    ]
    tokens = itertools.chain.from_iterable(TOY.encode(end) for end in ENDS.values())
    assert end_tokens(ends) == set(tokens)
