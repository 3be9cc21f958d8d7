"""Turn a chat into tokens, and mark which of them the model learns to produce.

The only place where a loss mask is made. Everything downstream trusts `Example.learn`.

1. A token is learned if and only if an assistant message produced it.
2. The token that ends an assistant turn is learned, else the model never stops.
3. A chat that is too long is refused by name: cutting it would drop rule 2's token.
4. Text from outside holds no control token: a sample can't end its own turn or open another.
5. A prompt is tokenised exactly as it will be when the model answers it.
6. An image is never cut: it counts with all the tokens that the base makes of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

from yukjo.errors import DataError
from yukjo.files import sha256_bytes
from yukjo.ports import Tokenizer
from yukjo.records import Chat, Example, Message, Sample
from yukjo.words import say


class Refused(DataError):
    """A chat that can't be learned from; its name is in `where`."""


class Refusal(NamedTuple):
    """A sample left out, and why: it is counted in the record of the run."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """The examples made, and the samples refused by name."""

    examples: tuple[Example, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A Jinja chat template and its hash, which pins every adapter trained with it."""

    text: str
    hash: str


def template_of(tokenizer: Tokenizer) -> Template:
    """The model's own template where it has one, else ours."""
    text = tokenizer.chat_template or _ours()
    return Template(text, sha256_bytes(text.encode()))


@cache
def _ours() -> str:
    return resources.files("yukjo.data").joinpath("template.jinja").read_text(encoding="utf-8")


def chat_of(sample: Sample, prompt: str) -> Chat:
    """The conversation of a sample: system prompt, earlier turns, request, reply."""
    request = f"{sample.instruction}\n\n{sample.input}" if sample.input else sample.instruction
    turns = (
        Message(role="system", content=prompt),
        *sample.messages,
        Message(role="user", content=request, images=sample.images),
        Message(role="assistant", content=sample.output),
    )
    return Chat(sample.agent_type, sample.hash, sample.name, turns)


def render_all(
    samples: Sequence[Sample],
    *,
    prompts: Mapping[str, str],
    tokenizer: Tokenizer,
    template: Template,
    max_tokens: int,
) -> Rendered:
    """Every sample as an example; those that can't be are refused by name."""
    examples, refused = [], []
    for sample in samples:
        chat = chat_of(sample, prompts[sample.agent_type])
        try:
            examples.append(
                render(chat, tokenizer=tokenizer, template=template, max_tokens=max_tokens)
            )
        except DataError as fault:  # ours, or the template's own refusal
            refused.append(Refusal(sample.name, fault.what))
    return Rendered(tuple(examples), tuple(refused))


def render(chat: Chat, *, tokenizer: Tokenizer, template: Template, max_tokens: int) -> Example:
    """`chat` as tokens with its mask; Refused where it would break a rule above."""
    _refuse_control_tokens(chat, tokenizer)
    tokens: list[int] = []
    learn: list[bool] = []
    done, read = "", 0
    for turn, message in enumerate(chat.messages):
        if message.role != "assistant":
            continue
        before = tokenizer.render(chat.messages[:turn], template=template.text, reply=True)
        after = tokenizer.render(chat.messages[: turn + 1], template=template.text, reply=False)
        if not (before.startswith(done) and after.startswith(before)):
            raise _refused(chat, say("the chat template rewrites earlier turns"))
        asked = tokenizer.encode(before[len(done) :])
        if seen := [image for m in chat.messages[read:turn] for image in m.images]:
            asked = tokenizer.expand(asked, seen)
        said = tokenizer.encode(after[len(before) :])
        produced = _until_end(said, chat, tokenizer)
        tokens += asked + said
        learn += [False] * len(asked) + [True] * produced + [False] * (len(said) - produced)
        done, read = after, turn + 1
    if not any(learn):
        raise _refused(chat, say("nothing in it would be learned"))
    # What a template writes after the last end token teaches nothing.
    last = len(learn) - learn[::-1].index(True)
    if last > max_tokens:
        raise _refused(
            chat, say("{count} tokens, more than max_tokens = {most}", count=last, most=max_tokens)
        )
    images = tuple(image for message in chat.messages for image in message.images)
    return Example(
        chat.agent, chat.sample, chat.name, tuple(tokens[:last]), tuple(learn[:last]), images
    )


def prompt_tokens(chat: Chat, *, tokenizer: Tokenizer, template: Template) -> tuple[int, ...]:
    """Tokens of `chat` up to where its last reply begins: what an engine is asked."""
    assert chat.messages[-1].role == "assistant"
    return before_reply(render(chat, tokenizer=tokenizer, template=template, max_tokens=2**31))


def before_reply(example: Example) -> tuple[int, ...]:
    """The tokens of `example` up to where its last reply begins."""
    last = len(example.learn) - 1
    while last >= 0 and example.learn[last]:
        last -= 1
    return example.tokens[: last + 1]


def end_tokens(examples: Sequence[Example]) -> frozenset[int]:
    """The tokens that end a reply in these examples: where an engine stops."""
    return frozenset(example.tokens[-1] for example in examples)


def _until_end(said: Sequence[int], chat: Chat, tokenizer: Tokenizer) -> int:
    """How many tokens of a reply are learned: all up to its end token, which rule 2 demands."""
    for place in range(len(said) - 1, -1, -1):
        if said[place] in tokenizer.special:
            return place + 1
    raise _refused(chat, say("the chat template ends a reply with no end token"))


def _refuse_control_tokens(chat: Chat, tokenizer: Tokenizer) -> None:
    for message in chat.messages:
        found = tokenizer.special.intersection(tokenizer.encode(message.content))
        if found:
            raise _refused(chat, say("its text holds a control token of the model"))


def _refused(chat: Chat, what: str) -> Refused:
    return Refused(what, where=chat.name, fix=say("mend the sample or leave it out"))
