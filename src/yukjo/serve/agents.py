"""Which adapter answers for which agent: the newest in the store that fits.

Once one was promoted, only those in production are looked at.
Read at the start and at each refresh, so that a new adapter serves without a restart; one that
the speaker refuses leaves the agent with the one before. A question keeps the adapter it began
with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from yukjo.adapters.store import Store, refuse_other_base, refuse_other_words
from yukjo.agents import Role
from yukjo.errors import AdapterError
from yukjo.records import AdapterManifest
from yukjo.serve.chat import Prompter
from yukjo.serve.faults import Fault
from yukjo.words import say

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent as it is served now."""

    role: Role
    adapter: str
    folder: Path


class Agents:
    """The agents served from one store on one base."""

    def __init__(
        self, store: Store, roles: Mapping[str, Role], *, base_hash: str, prompter: Prompter
    ) -> None:
        """`refresh` first: nobody is served before."""
        self._store = store
        self._roles = roles
        self._base_hash = base_hash
        self._prompter = prompter
        self.served: dict[str, Agent] = {}
        self.left_out: dict[str, AdapterError] = {}
        """Why newer adapters, by id, don't serve."""

    def refresh(self, try_out: Callable[[str, Path], None]) -> None:
        """Look into the store; AdapterError where it is damaged, and nothing changes.

        `try_out` loads an adapter from its folder, or says by an error why it can't serve.
        """
        served: dict[str, Agent] = {}
        left_out: dict[str, AdapterError] = {}
        for manifest in self._store.serving():
            if manifest.agent not in self._roles or manifest.agent in served:
                continue
            role, folder = self._roles[manifest.agent], self._store.folder / manifest.id
            try:
                self._refuse_unfit(manifest, role)
                if not self._serves(manifest):
                    try_out(manifest.id, folder)
            except AdapterError as fault:
                left_out[manifest.id] = fault
                continue
            served[role.name] = Agent(role, manifest.id, folder)
        # Told apart from what is read meanwhile: each is replaced whole.
        self.served = {name: served[name] for name in self._roles if name in served}
        self.left_out = left_out

    @property
    def unserved(self) -> list[str]:
        """Agents of the project without an adapter that fits."""
        return [name for name in self._roles if name not in self.served]

    def find(self, name: str) -> Agent:
        """The agent called `name`; Fault where it isn't served."""
        if agent := self.served.get(name):
            return agent
        raise Fault(
            404,
            say("no adapter serves `{name}`", name=name[:100]),
            where="model",
            fix=say("served here: {known}", known=", ".join([*self.served, AUTO])),
        )

    def _serves(self, manifest: AdapterManifest) -> bool:
        now = self.served.get(manifest.agent)
        return now is not None and now.adapter == manifest.id

    def _refuse_unfit(self, manifest: AdapterManifest, role: Role) -> None:
        refuse_other_base(manifest, self._base_hash)
        refuse_other_words(
            manifest,
            template_hash=self._prompter.template.hash,
            prompt_hash=role.prompt_hash,
        )
