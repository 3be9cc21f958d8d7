"""The adapter store: a folder an adapter, named by the SHA-256 of its weights.

A folder is a valid PEFT adapter plus `yukjo.json`, its manifest. What is read back is hashed
again: a byte that changed on disk is found before it answers anybody.
"""

import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from yukjo.errors import AdapterError
from yukjo.files import canonical_json, copy_folder, remove_whole, sha256_file, write_whole
from yukjo.records import AdapterManifest
from yukjo.words import say

WEIGHTS = "adapter_model.safetensors"
MANIFEST = "yukjo.json"
PRODUCTION = "production.json"


def content_id(folder: Path) -> str:
    """The id of the adapter in `folder`: the SHA-256 of its weights."""
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise AdapterError(
            say("no adapter here: `{file}` is missing", file=WEIGHTS),
            where=str(folder),
            fix=say("name a folder that training wrote"),
        )
    return sha256_file(weights)


def read_manifest(folder: Path) -> AdapterManifest:
    """The manifest of the adapter in `folder`; AdapterError where it doesn't fit its weights."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        manifest = AdapterManifest.model_validate_json(text)
    except (OSError, ValueError) as fault:  # no UTF-8, or not what a manifest is
        raise AdapterError(
            say("the adapter's manifest can't be read: {fault}", fault=fault),
            where=str(folder / MANIFEST),
            fix=say("restore the folder from the store or the run"),
        ) from fault
    if (found := content_id(folder)) != manifest.id:
        raise AdapterError(
            say("the adapter's weights are not those of its manifest"),
            where=f"{folder}: {found[:12]} / {manifest.id[:12]}",
            fix=say("restore the folder from the store or the run"),
        )
    return manifest


def refuse_other_base(manifest: AdapterManifest, base_hash: str) -> None:
    """AdapterError unless the adapter was made on the base with this hash."""
    if manifest.base_hash != base_hash:
        raise AdapterError(
            say("the adapter was made on another base ({base})", base=manifest.base),
            where=f"{manifest.id[:12]}: {manifest.base_hash[:12]} / {base_hash[:12]}",
            fix=say("load the base it was trained on, or train it on this one"),
        )


def refuse_other_words(manifest: AdapterManifest, *, template_hash: str, prompt_hash: str) -> None:
    """AdapterError unless the adapter is asked in the words it was trained in.

    In another chat template or system prompt it would answer worse, without a word.
    """
    if (manifest.template_hash, manifest.prompt_hash) != (template_hash, prompt_hash):
        raise AdapterError(
            say("the adapter was trained with another chat template or system prompt"),
            where=manifest.id[:12],
            fix=say("put the template and the role back, or train it again"),
        )


class Store:
    """The adapters of a project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, source: Path, manifest: AdapterManifest) -> Path:
        """Write `manifest` beside the weights in `source` and keep both; the place in the store.

        Files are linked where the system can, so that an adapter stands on disk once.
        """
        write_whole(source / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
        read_manifest(source)
        place = self.folder / manifest.id
        if not place.exists():
            # Named by its run, which clears it when it is gone on with after a kill.
            scratch = self.folder / f".{manifest.id}.{manifest.run}"
            shutil.rmtree(scratch, ignore_errors=True)
            copy_folder(source, scratch)
            scratch.rename(place)
        return place

    def forget(self, adapter: str, *, run: str) -> None:
        """Remove an adapter that `run` made and doesn't want kept; another run's stays."""
        place = self.folder / adapter
        if (place / MANIFEST).is_file() and read_manifest(place).run == run:
            remove_whole(place)

    def all(self) -> list[AdapterManifest]:
        """Every adapter kept, by agent, then newest run first."""
        found = [read_manifest(place) for place in self._places()]
        newest = sorted(found, key=lambda m: m.run, reverse=True)
        return sorted(newest, key=lambda m: m.agent)

    def find(self, name: str) -> tuple[Path, AdapterManifest]:
        """The adapter whose id starts with `name`."""
        found = [p for p in self._places() if p.name.startswith(name)] if name else []
        if len(found) != 1:
            raise AdapterError(
                say("{count} adapters start with `{name}`", count=len(found), name=name),
                where=str(self.folder),
                fix=say("see `yukjo adapter list`"),
            )
        return found[0], read_manifest(found[0])

    def _refuse_gaps(self, missing: Collection[str]) -> None:
        if missing:
            raise AdapterError(
                say("no adapter is kept for {agents}", agents=", ".join(sorted(missing))),
                where=str(self.folder),
                fix=say("train one: `yukjo train`"),
            )

    def chosen(
        self, names: Sequence[str], *, agents: Collection[str]
    ) -> dict[str, tuple[Path, AdapterManifest]]:
        """The adapters named by the start of their ids, else the newest of each of `agents`."""
        if names:
            found = [self.find(name) for name in names]
            _refuse_rivals([m for _, m in found])
        else:
            newest = {m.agent: m for m in reversed(self.all()) if m.agent in agents}
            found = [(self.folder / m.id, m) for m in newest.values()]
            self._refuse_gaps(set(agents) - newest.keys())
        return {m.agent: (place, m) for place, m in found}

    def production(self) -> dict[str, str] | None:
        """Agent -> id of the adapter that was promoted for it; None where none ever was."""
        try:
            found = json.loads((self.folder / PRODUCTION).read_text(encoding="utf-8"))
            return {str(agent): str(adapter) for agent, adapter in found.items()}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, AttributeError) as fault:
            raise AdapterError(
                say("which adapters are in production can't be read: {fault}", fault=fault),
                where=str(self.folder / PRODUCTION),
                fix=say("remove the file and promote or roll back once: the ledger knows"),
            ) from fault

    def set_production(self, adapters: Mapping[str, str]) -> None:
        """Say which adapters are in production, whole or not at all."""
        write_whole(self.folder / PRODUCTION, canonical_json(dict(adapters)) + "\n")

    def serving(self) -> list[AdapterManifest]:
        """What may answer: the adapters in production once one was promoted, else all, as `all`."""
        promoted = self.production()
        return [m for m in self.all() if promoted is None or promoted.get(m.agent) == m.id]

    def _places(self) -> list[Path]:
        """The folders of whole adapters; what a killed process left is hidden."""
        found = sorted(p.parent for p in self.folder.glob(f"*/{MANIFEST}"))
        return [place for place in found if not place.name.startswith(".")]


def _refuse_rivals(manifests: Sequence[AdapterManifest]) -> None:
    """AdapterError where two of them are of one agent."""
    agents = [m.agent for m in manifests]
    if rivals := sorted({agent for agent in agents if agents.count(agent) > 1}):
        raise AdapterError(
            say("two adapters are named for {agents}", agents=", ".join(rivals)),
            where="--adapter",
            fix=say("name one adapter an agent"),
        )
