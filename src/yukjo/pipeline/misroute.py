"""What it costs to ask the wrong agent (requirement G12)."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from yukjo.adapters.store import refuse_other_base, refuse_other_words
from yukjo.config import YukjoConfig
from yukjo.data.pack import packs
from yukjo.data.render import render_all
from yukjo.errors import DataError
from yukjo.pipeline.parts import Parts
from yukjo.pipeline.prepare import Prepared
from yukjo.records import AdapterManifest, Example
from yukjo.words import say

Losses = dict[str, dict[str, float]]
"""Agent whose cases they are -> agent that was asked -> mean loss in nats a learned token."""


def losses_by_agent(
    parts: Parts,
    config: YukjoConfig,
    prepared: Prepared,
    adapters: Mapping[str, tuple[Path, AdapterManifest]],
) -> Losses:
    """How well each agent's adapter, under its own prompt, knows each agent's test answers.

    The cases are those of the test split that a run measures; an agent without any has no row.
    DataError where no agent has any.
    """
    measured = {question.example.sample for question in prepared.questions}
    cases = [sample for sample in prepared.split.test if sample.hash in measured]
    if not cases:
        raise DataError(
            say("the test split holds no case"),
            where="yukjo.toml [data] test",
            fix=say("hold out a larger share, or add samples"),
        )
    found: Losses = {}
    for asked, (place, manifest) in adapters.items():
        prompt = prepared.roles[asked].prompt
        refuse_other_base(manifest, parts.engine.base_hash)
        refuse_other_words(
            manifest,
            template_hash=prepared.template.hash,
            prompt_hash=prepared.roles[asked].prompt_hash,
        )
        parts.engine.load(manifest.id, place)
        # No length is refused here: the same cases are asked of all, whatever their prompts.
        rendered = render_all(
            cases,
            prompts=dict.fromkeys(prepared.roles, prompt),
            tokenizer=parts.tokenizer,
            template=prepared.template,
            max_tokens=2**31,
        )
        for owner, loss in _means(parts, config, manifest.id, rendered.examples).items():
            found.setdefault(owner, {})[asked] = loss
        parts.engine.unload(manifest.id)
    return found


def costs(losses: Losses) -> Losses:
    """What each agent's cases lose, in nats a token, when that agent is asked and not their own."""
    return {
        owner: {asked: loss - row[owner] for asked, loss in row.items()}
        for owner, row in losses.items()
    }


def _means(
    parts: Parts, config: YukjoConfig, adapter: str, examples: Sequence[Example]
) -> dict[str, float]:
    """Owner of the cases -> mean loss a learned token under `adapter`."""
    sums: dict[str, list[tuple[float, int]]] = {}
    for pack in packs([len(e.tokens) for e in examples], config.train.pack_tokens):
        chosen = [examples[i] for i in pack]
        losses = parts.engine.losses([(adapter, e) for e in chosen])
        for example, loss in zip(chosen, losses, strict=True):
            sums.setdefault(example.agent, []).append((loss, example.learned))
    return {
        owner: math.fsum(loss for loss, _ in each) / sum(count for _, count in each)
        for owner, each in sums.items()
    }
