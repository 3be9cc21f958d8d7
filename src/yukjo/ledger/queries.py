"""Read-only questions to entries; what they return is plain JSON that others rely on."""

from typing import Any

from yukjo.ledger.body import AgentResult, run_body
from yukjo.records import Entry


def show(entry: Entry) -> dict[str, Any]:
    """An entry as `yukjo ledger show --json` prints it.

    `{"run", "agents": {agent: {"cases", "metrics": [{"name", "metric_id", "before", "after",
    "difference", "low", "high", "n", "verdict"}]}}, "entry": {"number", "kind", "created",
    "hash"}, ...}` and the rest of the body, where the hashes of single samples are replaced by
    their count: `jsonl` holds them.
    """
    body = run_body(entry)
    head = {"number": entry.number, "kind": entry.kind, "created": entry.created,
            "hash": entry.hash}  # fmt: skip
    agents = {name: _agent(result) for name, result in body.agents.items()}
    return _counted(entry.body) | {"run": entry.run, "entry": head, "agents": agents}


def _agent(result: AgentResult) -> dict[str, Any]:
    """One agent's measurements."""
    return {"cases": result.cases, "metrics": [metric.model_dump() for metric in result.metrics]}


def _counted(body: dict[str, Any]) -> dict[str, Any]:
    """`body` with lists of sample hashes replaced by their lengths.

    >>> _counted({"data": {"lines": {"train": ["a1", "b2"]}}, "adapters": {"rag": {"data": []}}})
    {'data': {'lines': {'train': 2}}, 'adapters': {'rag': {'data': 0}}}
    """
    counted = dict(body)
    if lines := body.get("data", {}).get("lines"):
        sides = {side: len(hashes) for side, hashes in lines.items()}
        counted["data"] = body["data"] | {"lines": sides}
    if adapters := body.get("adapters"):
        counted["adapters"] = {
            agent: adapter | ({"data": len(adapter["data"])} if "data" in adapter else {})
            for agent, adapter in adapters.items()
        }
    return counted
