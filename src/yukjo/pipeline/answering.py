"""Load base and adapter, and answer (G8)."""

from collections.abc import Sequence
from pathlib import Path

from yukjo.adapters.store import refuse_other_base, refuse_other_words
from yukjo.agents import Role
from yukjo.config import YukjoConfig
from yukjo.data.render import before_reply, chat_of, end_tokens, prompt_tokens, render, template_of
from yukjo.errors import DataError
from yukjo.evaluate.measure import Question, ask
from yukjo.pipeline.parts import Parts
from yukjo.ports import Request
from yukjo.records import AdapterManifest, Answer, Example, Picture, Sample


def answer(
    parts: Parts,
    config: YukjoConfig,
    role: Role,
    *,
    question: str,
    material: str,
    images: tuple[Picture, ...] = (),
    adapter: tuple[Path, AdapterManifest] | None,
) -> Answer:
    """The greedy answer of `role` to `question`; None asks the bare base."""
    template = template_of(parts.tokenizer)
    identity = ""
    if adapter:
        place, manifest = adapter
        refuse_other_base(manifest, parts.engine.base_hash)
        refuse_other_words(manifest, template_hash=template.hash, prompt_hash=role.prompt_hash)
        identity = manifest.id
        parts.engine.load(identity, place)
    sample = Sample(
        instruction=question, input=material, output="-", agent_type=role.name, images=images
    )
    chat = chat_of(sample, role.prompt)
    whole = render(chat, tokenizer=parts.tokenizer, template=template, max_tokens=2**31)
    request = Request(
        case=sample.hash,
        agent=role.name,
        adapter=identity,
        repeat=0,
        tokens=prompt_tokens(chat, tokenizer=parts.tokenizer, template=template),
        stop=end_tokens([whole]),
        max_tokens=config.evaluate.max_tokens,
        temperature=0.0,
        seed=config.seed,
        images=images,
    )
    return parts.engine.answer([request])[0]


def answer_all(
    parts: Parts, config: YukjoConfig, role: Role, asked: Sequence[tuple[Sample, str]]
) -> list[str]:
    """The greedy answer to each sample under the loaded adapter beside it; "" is the bare base.

    What can't be asked, as a text that holds a control token of this base, is answered by "".
    """
    examples = [_example(parts, role, sample) for sample, _ in asked]
    stop = end_tokens([example for example in examples if example])
    questions = [
        (Question(example, before_reply(example), asked=True), adapter)
        for example, (_, adapter) in zip(examples, asked, strict=True)
        if example
    ]
    texts = iter(ask(parts.engine, questions, config=config.evaluate, stop=stop, seed=config.seed))
    return [next(texts) if example else "" for example in examples]


def _example(parts: Parts, role: Role, sample: Sample) -> Example | None:
    tokenizer = parts.tokenizer
    try:
        return render(chat_of(sample, role.prompt), tokenizer=tokenizer,
                      template=template_of(tokenizer), max_tokens=2**31)  # fmt: skip
    except DataError:
        return None
