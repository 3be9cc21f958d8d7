"""What the base could do before, under every adapter: is anything forgotten? (requirement C8)

Sixty short questions of general ability, written for this project (README.md beside them). Only
losses are taken, of a reference answer and of wrong ones beside it: nothing is generated, so that
an adapter costs one pass over some thousand tokens.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

from pydantic import FiniteFloat, PositiveInt, ValidationError

from yukjo.data.pack import packs
from yukjo.data.render import Template, render_all
from yukjo.errors import RunError
from yukjo.evaluate.scorers import Metric
from yukjo.evaluate.statistics import compare, compare_pooled
from yukjo.files import hash_json
from yukjo.ports import Engine, Tokenizer
from yukjo.records import Comparison, Example, Frozen, Sample
from yukjo.words import say

PROMPT = "질문에 짧고 정확하게 답합니다."
"""Of no agent: the same words for the bare base and for every adapter."""

_NOBODY = "baseline"


class Item(Frozen):
    """A question with its answer, and wrong answers to choose against where there are any."""

    id: str
    kind: str
    question: str
    reference: str
    wrong: tuple[str, ...] = ()

    @property
    def samples(self) -> list[Sample]:
        """The question with each of its answers, the reference first."""
        return [
            Sample(instruction=self.question, output=text, agent_type=_NOBODY)
            for text in (self.reference, *self.wrong)
        ]


class Tried(Frozen):
    """An item under one adapter."""

    agent: str
    """Whose adapter; "" is the bare base."""
    item: str
    losses: tuple[FiniteFloat, ...]
    """Summed nats of each answer, the reference first."""
    learned: tuple[PositiveInt, ...]
    """Tokens of each answer."""

    @property
    def right(self) -> float:
        """1 where the reference costs less a token than each wrong answer, else 0."""
        own, *others = (loss / n for loss, n in zip(self.losses, self.learned, strict=True))
        return float(all(own < other for other in others))


def items(most: int | None) -> tuple[Item, ...]:
    """The first `most` items, all for None; kinds take turns, so that any number is a mixture."""
    return _all()[:most]


def set_hash(most: int | None) -> str:
    """Hash of what is asked."""
    return hash_json([PROMPT, *(item.model_dump(mode="json") for item in items(most))])


def metrics(most: int | None) -> dict[str, Metric]:
    """The two figures of the set; another set or another number of items is another metric."""
    asked = {"set": set_hash(most)}
    return {
        name: Metric(name, 1, higher_is_better=higher, settings=asked)
        for name, higher in (("baseline_perplexity", False), ("baseline_accuracy", True))
    }


def try_out(
    engine: Engine,
    tokenizer: Tokenizer,
    template: Template,
    *,
    adapters: Mapping[str, str],
    most: int | None,
    pack_tokens: int,
) -> list[Tried]:
    """Every item under the bare base and under each agent's adapter, by its content hash."""
    asked = {sample.hash: sample for item in items(most) for sample in item.samples}
    rendered = render_all(
        list(asked.values()),
        prompts={_NOBODY: PROMPT},
        tokenizer=tokenizer,
        template=template,
        max_tokens=2**31,
    )
    assert not rendered.refused, rendered.refused
    found: list[Tried] = []
    for agent, adapter in {"": "", **adapters}.items():
        losses = _losses(engine, adapter, rendered.examples, pack_tokens=pack_tokens)
        found += [_tried(agent, item, losses) for item in items(most)]
    return found


def read(rows: Iterable[str], *, where: str) -> list[Tried]:
    """Kept rows; RunError names the line that can't be used."""
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(Tried.model_validate_json(row))
        except ValidationError as fault:
            raise RunError(
                say("this stored answer can't be used: {fault}", fault=fault.errors()[0]["msg"]),
                where=f"{where}:{number}",
                fix=say("restore the file from a backup, or evaluate again"),
            ) from None
    return found


def compared(
    tried: Sequence[Tried], *, most: int | None, resamples: int, seed: int
) -> dict[str, list[Comparison]]:
    """By agent: the references' perplexity, and the share of items answered right by loss."""
    known = metrics(most)
    bare = {one.item: one for one in tried if not one.agent}
    by_agent: dict[str, list[tuple[Tried, Tried]]] = {}
    for one in tried:
        if one.agent:
            by_agent.setdefault(one.agent, []).append((bare[one.item], one))
    found = {}
    for agent, pairs in by_agent.items():
        ppl, right = known["baseline_perplexity"], known["baseline_accuracy"]
        chosen = [pair for pair in pairs if len(pair[0].losses) > 1]
        found[agent] = [
            compare_pooled(
                ppl.name, ppl.metric_id,
                [(b.losses[0], b.learned[0]) for b, _ in pairs],
                [(a.losses[0], a.learned[0]) for _, a in pairs],
                higher_is_better=False, resamples=resamples, seed=seed,
            ),
            *([compare(
                right.name, right.metric_id, [b.right for b, _ in chosen],
                [a.right for _, a in chosen],
                higher_is_better=True, resamples=resamples, seed=seed,
            )] if chosen else []),
        ]  # fmt: skip
    return found


@cache
def _all() -> tuple[Item, ...]:
    text = resources.files(__name__).joinpath("general.jsonl").read_text(encoding="utf-8")
    return tuple(Item.model_validate(json.loads(line)) for line in text.splitlines())


def _losses(
    engine: Engine, adapter: str, examples: Sequence[Example], *, pack_tokens: int
) -> dict[str, tuple[float, int]]:
    """Sample hash -> summed loss and tokens it is of."""
    found: dict[str, tuple[float, int]] = {}
    for pack in packs([len(e.tokens) for e in examples], pack_tokens):
        chosen = [examples[i] for i in pack]
        losses = engine.losses([(adapter, example) for example in chosen])
        found |= {e.sample: (loss, e.learned) for e, loss in zip(chosen, losses, strict=True)}
    return found


def _tried(agent: str, item: Item, losses: Mapping[str, tuple[float, int]]) -> Tried:
    own = [losses[sample.hash] for sample in item.samples]
    if not all(math.isfinite(loss) for loss, _ in own):
        raise RunError(
            say("the loss of `{agent}` is no longer a number", agent=agent),
            where=item.id,
            fix=say("train it again with a lower learning rate"),
        )
    return Tried(
        agent=agent,
        item=item.id,
        losses=tuple(loss for loss, _ in own),
        learned=tuple(learned for _, learned in own),
    )
