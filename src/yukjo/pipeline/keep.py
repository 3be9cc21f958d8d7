"""Turn the best weights of a run into a kept adapter: proved to act, with its manifest."""

import shutil

from yukjo.adapters.effect import prove
from yukjo.adapters.store import WEIGHTS, Store, content_id
from yukjo.data.render import chat_of, prompt_tokens
from yukjo.pipeline.versions import versions
from yukjo.pipeline.work import Work
from yukjo.records import AdapterManifest, Sample
from yukjo.train.checkpoints import Progress
from yukjo.train.plan import AgentPlan

_PROBES = (
    "이 업무를 처음 맡은 사람에게 절차를 설명해 주세요.",
    "자료에 없는 내용을 물으면 어떻게 답해야 합니까?",
    "지난달 처리 결과를 한 문단으로 정리해 주세요.",
)
"""Fixed requests at which every adapter's effect is taken."""


def keep(work: Work, agent: AgentPlan, *, done: Progress, store: Store) -> AdapterManifest:
    """Put the best weights of `agent`'s adapter into the run's `adapters/` and the store."""
    name, parts, prepared, config = agent.agent, work.parts, work.prepared, work.config
    place = work.folder.adapters / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(work.folder.best / agent.adapter, place)
    identity = content_id(place)
    parts.engine.load(identity, place)
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
        effect=prove(parts.engine, identity, _prompts(work, name)),
        versions=versions() | dict(parts.conditions),
        licences=_licences(work, name),
    )  # fmt: skip
    store.add(place, manifest)
    return manifest


def _prompts(work: Work, agent: str) -> list[tuple[int, ...]]:
    """The fixed requests as the agent would be asked them."""
    probes = [Sample(instruction=text, output="-", agent_type=agent) for text in _PROBES]
    return [
        prompt_tokens(
            chat_of(probe, work.prepared.roles[agent].prompt),
            tokenizer=work.parts.tokenizer,
            template=work.prepared.template,
        )
        for probe in probes
    ]


def _licences(work: Work, agent: str) -> dict[str, str]:
    """What the adapter inherits: the base's notice and the licences of its data lines."""
    own = {s.license or "?" for s in work.prepared.split.train if s.agent_type == agent}
    return {"base": work.parts.notice.strip(), "data": ", ".join(sorted(own))}
