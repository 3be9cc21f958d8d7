"""Take in an adapter that was trained elsewhere: checked, proved to act, kept, and said to be so.

Who made it of what can't be known here. So its manifest names no data, no steps and no held-out
loss, and `recipe.imported` keeps what its own files say.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from yukjo.adapters import mlx
from yukjo.adapters.effect import prove
from yukjo.adapters.store import WEIGHTS, Store, content_id, read_manifest
from yukjo.agents import Role
from yukjo.config import YukjoConfig
from yukjo.data.render import template_of
from yukjo.errors import AdapterError
from yukjo.pipeline.parts import Parts
from yukjo.pipeline.proving import effect_prompts
from yukjo.pipeline.versions import versions
from yukjo.records import AdapterManifest
from yukjo.words import say


def take_in(
    found: mlx.Foreign, role: Role, *, parts: Parts, config: YukjoConfig, store: Store
) -> AdapterManifest:
    """Keep `found` as an adapter of `role`, on the base of `parts`.

    AdapterError where it doesn't fit the base or changes nothing.
    """
    store.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.folder, prefix=".import.") as scratch:
        place = Path(scratch)
        mlx.write_peft(found, place, base=parts.base)
        identity, template = content_id(place), template_of(parts.tokenizer)
        _refuse_known(identity, role, store)
        parts.engine.load(identity, place)
        prompts = effect_prompts(
            role.name, role.prompt, tokenizer=parts.tokenizer, template=template
        )
        manifest = AdapterManifest(
            id=identity,
            size_bytes=(place / WEIGHTS).stat().st_size,
            agent=role.name,
            run=f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-import",
            base=parts.base,
            base_hash=parts.engine.base_hash,
            template_hash=template.hash,
            prompt_hash=role.prompt_hash,
            recipe={
                "lora": found.config.model_dump(mode="json"),
                "imported": {
                    "format": found.format,
                    "sha256": found.sha256,
                    "config": found.said,
                },
            },
            seed=config.seed,
            data=(),
            learned_tokens=0,
            steps=0,
            best_step=0,
            valid_loss=None,
            effect=prove(parts.engine, identity, prompts),
            versions=versions() | dict(parts.conditions),
            licences={"base": parts.notice.strip(), "data": "?"},
        )
        store.add(place, manifest)
    return manifest


def _refuse_known(identity: str, role: Role, store: Store) -> None:
    """AdapterError where these weights are kept already: an adapter has one agent."""
    if (store.folder / identity).exists():
        kept = read_manifest(store.folder / identity)
        raise AdapterError(
            say("this adapter is kept already, as one of {agent}", agent=kept.agent),
            where=str(store.folder / identity),
            fix=say("nothing is left to do") if kept.agent == role.name
            else say("train or take in another one for {agent}", agent=role.name),
        )  # fmt: skip
