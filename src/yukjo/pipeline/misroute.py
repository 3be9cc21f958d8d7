"""Every agent's adapter on every agent's cases: own gain, damage elsewhere, cost of a wrong route.

1. A cell is what a user gets: the asked agent's adapter under its own prompt. It is held against
   the bare base under the prompt of the agent whose case it is, by paired losses of the reference
   in nats a token.
2. The oracle asks each case's own agent, the router whom it chooses; the same losses give both.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yukjo.adapters.store import refuse_other_base, refuse_other_words
from yukjo.agents.router import Router
from yukjo.config import YukjoConfig
from yukjo.data.pack import packs
from yukjo.data.render import render_all
from yukjo.errors import DataError
from yukjo.evaluate.clusters import cluster_of
from yukjo.evaluate.statistics import Weighted, compare_losses
from yukjo.files import hash_json
from yukjo.pipeline.parts import Parts
from yukjo.pipeline.prepare import Prepared
from yukjo.records import AdapterManifest, Comparison, Example, Sample
from yukjo.words import say

Losses = dict[str, dict[str, float]]
"""Agent whose cases they are -> agent that was asked -> mean loss in nats a learned token."""

BARE = ""
"""Stands for the bare base among those asked."""

_METRIC = hash_json(["loss_per_token", 1])[:12]


@dataclass(frozen=True, slots=True)
class Crossed:
    """Summed losses and learned tokens of each case under everyone asked, `BARE` included."""

    cases: tuple[Sample, ...]
    by_asked: Mapping[str, Mapping[str, Weighted]]
    """Agent asked -> case -> (nats, tokens)."""

    @property
    def agents(self) -> list[str]:
        """Everyone asked but the bare base."""
        return [asked for asked in self.by_asked if asked != BARE]


def cross(
    parts: Parts,
    config: YukjoConfig,
    prepared: Prepared,
    adapters: Mapping[str, tuple[Path, AdapterManifest]],
    *,
    bare: bool = True,
) -> Crossed:
    """The test cases that a run measures, under every adapter and, with `bare`, without one.

    DataError where there is no case.
    """
    measured = {question.example.sample for question in prepared.questions}
    cases = tuple(sample for sample in prepared.split.test if sample.hash in measured)
    if not cases:
        raise DataError(
            say("the test split holds no case"),
            where="yukjo.toml [data] test",
            fix=say("hold out a larger share, or add samples"),
        )
    own = {name: role.prompt for name, role in prepared.roles.items()}
    found = {BARE: _asked(parts, config, prepared, cases, prompts=own, adapter="")} if bare else {}
    for asked, (place, manifest) in adapters.items():
        refuse_other_base(manifest, parts.engine.base_hash)
        refuse_other_words(
            manifest,
            template_hash=prepared.template.hash,
            prompt_hash=prepared.roles[asked].prompt_hash,
        )
        parts.engine.load(manifest.id, place)
        prompts = dict.fromkeys(own, own[asked])
        found[asked] = _asked(parts, config, prepared, cases, prompts=prompts, adapter=manifest.id)
        parts.engine.unload(manifest.id)
    return Crossed(cases, found)


def losses_by_agent(
    parts: Parts,
    config: YukjoConfig,
    prepared: Prepared,
    adapters: Mapping[str, tuple[Path, AdapterManifest]],
) -> Losses:
    """How well each agent's adapter, under its own prompt, knows each agent's test answers.

    An agent without cases has no row; DataError where no agent has any.
    """
    crossed = cross(parts, config, prepared, adapters, bare=False)
    return {
        owner: {asked: _mean(crossed.by_asked[asked][c.hash] for c in own)
                for asked in crossed.agents}
        for owner, own in _owned(crossed.cases).items()
    }  # fmt: skip


def costs(losses: Losses) -> Losses:
    """What each agent's cases lose, in nats a token, when that agent is asked and not their own."""
    return {
        owner: {asked: loss - row[owner] for asked, loss in row.items()}
        for owner, row in losses.items()
    }


def results(crossed: Crossed, router: Router, config: YukjoConfig) -> dict[str, Any]:
    """The table and what routing makes of it, as plain JSON.

    `cells`: owner of the cases -> agent asked -> comparison with the bare base. `oracle` and
    `router` are compared with it over all cases; `misroute` holds the router against the oracle.
    """
    own = {case.hash: case.agent_type for case in crossed.cases}
    chosen = _chosen(crossed, router)
    bare = dict.fromkeys(own, BARE)
    cells = {
        owner: {asked: _compare(crossed, cases, bare, dict.fromkeys(own, asked), config)
                for asked in crossed.agents}
        for owner, cases in _owned(crossed.cases).items()
    }  # fmt: skip
    return {
        "cells": {owner: _plain(row) for owner, row in cells.items()},
        **_plain({
            "oracle": _compare(crossed, crossed.cases, bare, own, config),
            "router": _compare(crossed, crossed.cases, bare, chosen, config),
            "misroute": _compare(crossed, crossed.cases, own, chosen, config),
        }),
        "routed": {"right": sum(chosen[case] == agent for case, agent in own.items()),
                   "n": len(own)},
    }  # fmt: skip


def _compare(
    crossed: Crossed,
    cases: Sequence[Sample],
    before: Mapping[str, str],
    after: Mapping[str, str],
    config: YukjoConfig,
) -> Comparison:
    """The mean loss over `cases`, whom `before` asks against whom `after` does."""
    names = [case.hash for case in cases]
    return compare_losses(
        "loss_per_token",
        _METRIC,
        [crossed.by_asked[before[name]][name] for name in names],
        [crossed.by_asked[after[name]][name] for name in names],
        clusters=[cluster_of(case, config.evaluate.together) for case in cases],
        resamples=config.evaluate.resamples,
        seed=config.seed,
    )


def _chosen(crossed: Crossed, router: Router) -> dict[str, str]:
    """Case -> whom the router asks, given request and material."""
    texts = [f"{case.instruction}\n\n{case.input}".strip() for case in crossed.cases]
    routes = router.choose_all(texts)
    return {case.hash: one.agent for case, one in zip(crossed.cases, routes, strict=True)}


def _owned(cases: Iterable[Sample]) -> dict[str, list[Sample]]:
    owned: dict[str, list[Sample]] = {}
    for case in cases:
        owned.setdefault(case.agent_type, []).append(case)
    return owned


def _plain(comparisons: Mapping[str, Comparison]) -> dict[str, Any]:
    return {name: one.model_dump(mode="json") for name, one in comparisons.items()}


def _mean(losses: Iterable[Weighted]) -> float:
    tops, weights = zip(*losses, strict=True)
    return float(math.fsum(tops) / sum(weights))


def _asked(
    parts: Parts,
    config: YukjoConfig,
    prepared: Prepared,
    cases: Sequence[Sample],
    *,
    prompts: Mapping[str, str],
    adapter: str,
) -> dict[str, Weighted]:
    """Case -> summed loss and learned tokens under `adapter`."""
    # No length is refused here: the same cases are asked of all, whatever their prompts.
    rendered = render_all(
        cases,
        prompts=prompts,
        tokenizer=parts.tokenizer,
        template=prepared.template,
        max_tokens=2**31,
    )
    found: dict[str, Weighted] = {}
    for chosen in _packed(rendered.examples, config.train.pack_tokens):
        losses = parts.engine.losses([(adapter, example) for example in chosen])
        found |= {e.sample: (loss, e.learned) for e, loss in zip(chosen, losses, strict=True)}
    return found


def _packed(examples: Sequence[Example], most: int) -> list[list[Example]]:
    return [[examples[i] for i in pack] for pack in packs([len(e.tokens) for e in examples], most)]
