"""Ask an engine about the test cases: losses of the references, and answers of its own.

The same questions, seeds and limits before and after, so that every difference is paired.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yukjo.config.models import EvaluateConfig
from yukjo.data.pack import packs
from yukjo.errors import RunError
from yukjo.evaluate.raw import Raw, RawCase
from yukjo.ports import Engine, Request
from yukjo.records import Answer, Example, Frozen
from yukjo.words import say


@dataclass(frozen=True, slots=True)
class Question:
    """A test case as an engine sees it."""

    example: Example
    """The reference, for its loss."""
    prompt: tuple[int, ...]
    asked: bool
    """Whether an answer is wanted too; losses are cheap and taken of every case."""


class Measured(Frozen):
    """What one side (bare base, or adapters) did on the test cases."""

    losses: dict[str, float]
    """Case -> summed loss of its reference in nats."""
    answers: tuple[Answer, ...]


def measure(
    engine: Engine,
    questions: Sequence[Question],
    *,
    adapters: Mapping[str, str],
    config: EvaluateConfig,
    pack_tokens: int,
    stop: frozenset[int],
    seed: int,
) -> Measured:
    """Losses of all questions and answers to those asked.

    `adapters` maps an agent to the content hash of its adapter; an agent left out is answered by
    the bare base. `stop` are the tokens that end an answer.
    """
    rows = [(adapters.get(q.example.agent, ""), q.example) for q in questions]
    losses: dict[str, float] = {}
    for pack in packs([len(e.tokens) for _, e in rows], pack_tokens):
        chosen = [rows[i] for i in pack]
        found = engine.losses(chosen)
        _refuse_divergence(chosen, found)
        losses |= {e.sample: loss for (_, e), loss in zip(chosen, found, strict=True)}
    requests = [
        _request(q, repeat, adapters=adapters, config=config, stop=stop, seed=seed)
        for q in questions
        if q.asked
        for repeat in range(config.repeats + 1)
    ]
    return Measured(losses=losses, answers=tuple(engine.answer(requests)))


def ask(
    engine: Engine,
    asked: Sequence[tuple[Question, str]],
    *,
    config: EvaluateConfig,
    stop: frozenset[int],
    seed: int,
) -> list[str]:
    """The greedy answer to each question under the adapter beside it; "" is the bare base."""
    requests = [
        _request(question, 0, adapters={question.example.agent: adapter}, config=config, stop=stop,
                 seed=seed)
        for question, adapter in asked
    ]  # fmt: skip
    return [answer.text for answer in engine.answer(requests)]


def paired(questions: Sequence[Question], before: Measured, after: Measured) -> Raw:
    """Both sides as what is kept raw."""
    cases = tuple(
        RawCase(
            case=q.example.sample,
            agent=q.example.agent,
            learned=q.example.learned,
            nll_before=before.losses[q.example.sample],
            nll_after=after.losses[q.example.sample],
        )
        for q in questions
    )
    return Raw(cases=cases, before=before.answers, after=after.answers)


def _refuse_divergence(rows: Sequence[tuple[str, Example]], losses: Sequence[float]) -> None:
    """RunError for a loss that is no number: an adapter that diverged can't be compared."""
    for (adapter, example), loss in zip(rows, losses, strict=True):
        if not math.isfinite(loss):
            raise RunError(
                say("the loss of `{agent}` is no longer a number", agent=example.agent),
                where=f"{adapter[:12] or '-'}: {example.name}",
                fix=say("train it again with a lower learning rate"),
            )


def _request(
    question: Question,
    repeat: int,
    *,
    adapters: Mapping[str, str],
    config: EvaluateConfig,
    stop: frozenset[int],
    seed: int,
) -> Request:
    """Repeat 0 is greedy; the others are drawn with a seed of the case, not of its place."""
    case = question.example.sample
    return Request(
        case=case,
        agent=question.example.agent,
        adapter=adapters.get(question.example.agent, ""),
        repeat=repeat,
        tokens=question.prompt,
        stop=stop,
        max_tokens=config.max_tokens,
        temperature=config.temperature if repeat else 0.0,
        seed=zlib.crc32(f"{seed}/{case}/{repeat}".encode()),
        images=question.example.images,
    )
