"""Turn the best weights of a run into a kept adapter: proved to act, with its manifest."""

import shutil
from collections.abc import Sequence

from yukjo.adapters.effect import prove
from yukjo.adapters.store import WEIGHTS, Store, content_id
from yukjo.data.render import Refused, before_reply
from yukjo.pipeline.proving import effect_prompts, probe_image
from yukjo.pipeline.versions import versions
from yukjo.pipeline.work import Work
from yukjo.records import AdapterManifest, Picture
from yukjo.train.checkpoints import Progress
from yukjo.train.plan import AgentPlan

_PROBED = 3
"""Own requests taken where the fixed ones can't be asked."""


def keep(work: Work, agent: AgentPlan, *, done: Progress, store: Store) -> AdapterManifest:
    """Put the best weights of `agent`'s adapter into the run's `adapters/` and the store."""
    name, parts, prepared, config = agent.agent, work.parts, work.prepared, work.config
    place = work.folder.adapters / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(work.folder.best / agent.adapter, place)
    identity = content_id(place)
    parts.engine.load(identity, place)
    prompts, images = _probes(work, name)
    best = done.best[agent.adapter]
    manifest = AdapterManifest(
        id=identity,
        size_bytes=(place / WEIGHTS).stat().st_size,
        agent=name,
        run=work.folder.id,
        base=parts.base,
        base_hash=parts.engine.base_hash,
        template_hash=prepared.template.hash,
        prompt_hash=prepared.roles[name].prompt_hash,
        recipe={"preset": config.preset, "lora": agent.lora.model_dump(mode="json"),
                "train": (config.train.model_dump(mode="json")
                          | agent.pace.model_dump(mode="json")),
                "sweep": agent.setting},
        seed=agent.seed,
        data=tuple(sorted(e.sample for e in prepared.train[name])),
        learned_tokens=agent.learned_tokens,
        steps=done.stopped.get(agent.adapter, agent.steps),
        best_step=best.step,
        valid_loss=best.loss,
        effect=prove(parts.engine, identity, prompts, images),
        versions=versions() | dict(parts.conditions),
        licences=_licences(work, name),
    )  # fmt: skip
    store.add(place, manifest)
    return manifest


def _probes(work: Work, name: str) -> tuple[list[Sequence[int]], list[Sequence[Picture]]]:
    """Requests to take the effect at: the fixed ones, or where this base can't spell them its own.

    A small reader's tokenizer knows the letters of its forms and no others.
    """
    prepared, own = work.prepared, work.prepared.train[name]
    seen = (probe_image(),) if any(e.images for e in own) else ()
    try:
        fixed = effect_prompts(
            name, prepared.roles[name].prompt, tokenizer=work.parts.tokenizer,
            template=prepared.template, images=seen,
        )  # fmt: skip
    except Refused:
        first = own[:_PROBED]
        return [before_reply(e) for e in first], [e.images for e in first]
    return [*fixed], [seen] * len(fixed) if seen else []


def _licences(work: Work, agent: str) -> dict[str, str]:
    """What the adapter inherits: the base's notice and the licences of its data lines."""
    own = {s.license or "?" for s in work.prepared.split.train if s.agent_type == agent}
    return {"base": work.parts.notice.strip(), "data": ", ".join(sorted(own))}
