"""Which adapter answers for an agent in production, and how it got there.

1. An adapter is promoted only if the newest verdict over it lets its agent pass, on a ledger
   whose chain is whole.
2. The ledger is the truth: what is in production follows from its promotions and rollbacks alone.
   The store's `production.json` is what servers read, and is made from the ledger, whole or not
   at all, after the entry is written. A kill between the two leaves the old pointer; the same
   command again finds its entry, adds none, and sets the pointer right.
3. Once anything was promoted, nothing else is served: a rollback to nothing leaves nobody.
"""

from collections.abc import Sequence
from typing import Any

from yukjo.adapters.store import Store
from yukjo.errors import AdapterError
from yukjo.ledger.store import Ledger
from yukjo.records import AdapterManifest, Entry
from yukjo.words import say

_STEPS = ("promote", "rollback")


class Blocked(AdapterError):
    """The gate doesn't let the adapter through."""

    exit_code = 1


def promote(ledger: Ledger, store: Store, name: str, *, reason: str) -> Entry:
    """Put an adapter into production: the one whose id starts with `name`, or an agent's newest.

    Blocked, with the rule that decided, where its newest verdict isn't a pass.
    """
    ledger.refuse_bent()
    manifest = _named(store, name)
    verdict = _passed(ledger, manifest)
    entry = _standing(ledger, manifest.agent)
    if entry is None or entry.body["adapter"] != manifest.id:
        entry = ledger.append("promote", manifest.run, {
            "agent": manifest.agent, "adapter": manifest.id, "verdict": verdict.number,
            "from": entry.body["adapter"] if entry else None, "reason": reason,
        })  # fmt: skip
    settle(ledger, store)
    return entry


def rollback(ledger: Ledger, store: Store, agent: str, *, reason: str) -> Entry:
    """Back to what answered for `agent` before; to nothing where nothing did.

    AdapterError where the agent isn't in production.
    """
    last = [e for e in ledger.entries() if e.kind in _STEPS and e.body["agent"] == agent][-1:]
    if settle(ledger, store) and last and last[0].kind == "rollback":
        return last[0]  # it was recorded, and then killed
    history = _history(ledger).get(agent, [])
    if not history:
        raise AdapterError(
            say("`{agent}` has no adapter in production", agent=agent),
            where=str(store.folder),
            fix=say("promote one: yukjo promote {agent}", agent=agent),
        )
    gone, former = history[-1], history[-2] if len(history) > 1 else None
    entry = ledger.append("rollback", former.run if former else gone.run, {
        "agent": agent, "adapter": former.body["adapter"] if former else None,
        "verdict": former.body["verdict"] if former else None,
        "from": gone.body["adapter"], "reason": reason,
    })  # fmt: skip
    settle(ledger, store)
    return entry


def settle(ledger: Ledger, store: Store) -> bool:
    """Make the store's pointer say what the ledger says; whether it said something else."""
    history = _history(ledger)
    wanted = {agent: each[-1].body["adapter"] for agent, each in history.items() if each}
    if not history or store.production() == wanted:
        return False
    store.set_production(wanted)
    return True


def _history(ledger: Ledger) -> dict[str, list[Entry]]:
    """Agent -> promotions that stand, oldest first: each rollback takes the last one away."""
    standing: dict[str, list[Entry]] = {}
    for entry in ledger.entries():
        if entry.kind == "promote":
            standing.setdefault(entry.body["agent"], []).append(entry)
        elif entry.kind == "rollback":
            # Two at once may ask for more than there is.
            del standing.get(entry.body["agent"], [])[-1:]
    return standing


def _standing(ledger: Ledger, agent: str) -> Entry | None:
    history = _history(ledger).get(agent)
    return history[-1] if history else None


def _named(store: Store, name: str) -> AdapterManifest:
    own = [manifest for manifest in store.all() if manifest.agent == name]
    return own[0] if own else store.find(name)[1]


def _passed(ledger: Ledger, manifest: AdapterManifest) -> Entry:
    """The newest verdict over the adapter, which is a pass for its agent."""
    own = [e for e in ledger.entries("verdict")
           if e.body["adapters"].get(manifest.agent) == manifest.id]  # fmt: skip
    if not own:
        raise _blocked(manifest, say("no verdict was ever recorded over it"), manifest.run)
    newest = own[-1]
    if newest.body["agents"][manifest.agent] != "pass":
        raise _blocked(manifest, _reasons(newest.body, manifest.agent), newest.run)
    return newest


def _reasons(body: dict[str, Any], agent: str) -> str:
    """The lines of a verdict that keep an agent's adapter out."""
    lines: Sequence[dict[str, Any]] = body["lines"]
    against = [line for line in lines
               if line["agent"] in {agent, "all"} and line["ruling"] != "pass"]  # fmt: skip
    words = {"hold": say("hold"), "regression": say("regression")}
    return ", ".join(f"{line['target']} {words[line['ruling']]}" for line in against)


def _blocked(manifest: AdapterManifest, why: str, run: str) -> Blocked:
    return Blocked(
        say("the gate does not let this adapter through: {why}", why=why),
        where=f"{manifest.agent}: {manifest.id[:12]}",
        fix=say("see `yukjo gate {run}` for what is missing", run=run),
    )
