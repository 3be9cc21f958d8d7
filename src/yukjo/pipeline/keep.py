"""Turn the best weights of a run into a kept adapter: proved to act, with its manifest."""

import shutil

from yukjo.adapters.effect import prove
from yukjo.adapters.store import WEIGHTS, Store, content_id
from yukjo.pipeline.proving import effect_prompts, probe_image
from yukjo.pipeline.versions import versions
from yukjo.pipeline.work import Work
from yukjo.records import AdapterManifest
from yukjo.train.checkpoints import Progress
from yukjo.train.plan import AgentPlan


def keep(work: Work, agent: AgentPlan, *, done: Progress, store: Store) -> AdapterManifest:
    """Put the best weights of `agent`'s adapter into the run's `adapters/` and the store."""
    name, parts, prepared, config = agent.agent, work.parts, work.prepared, work.config
    place = work.folder.adapters / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(work.folder.best / agent.adapter, place)
    identity = content_id(place)
    parts.engine.load(identity, place)
    seen = (probe_image(),) if any(e.images for e in prepared.train[name]) else ()
    prompts = effect_prompts(
        name, prepared.roles[name].prompt, tokenizer=parts.tokenizer, template=prepared.template,
        images=seen,
    )  # fmt: skip
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
        effect=prove(parts.engine, identity, prompts, [seen] * len(prompts) if seen else ()),
        versions=versions() | dict(parts.conditions),
        licences=_licences(work, name),
    )  # fmt: skip
    store.add(place, manifest)
    return manifest


def _licences(work: Work, agent: str) -> dict[str, str]:
    """What the adapter inherits: the base's notice and the licences of its data lines."""
    own = {s.license or "?" for s in work.prepared.split.train if s.agent_type == agent}
    return {"base": work.parts.notice.strip(), "data": ", ".join(sorted(own))}
