"""The real server over the spelling speaker: `python spelling_server.py PROJECT`.

The router goes by the first agent named in the text; one tool finds what stands in `found.txt`.
"""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typer

from serve.spelling import Bytes, SpellingSpeaker
from yukjo.adapters.store import Store
from yukjo.agents import Role, roles
from yukjo.config import load
from yukjo.records import SIX
from yukjo.serve.server import address, build, listen, run

NAMES = ("document_search",)


@dataclass(frozen=True)
class Route:
    agent: str
    scores: dict[str, float]


class Named:
    def choose(self, text: str) -> Route:
        return Route(next((name for name in SIX if name in text), "citizen_support"), {})


@dataclass(frozen=True)
class Passage:
    text: str
    failed: bool = False

    def model_dump(self, *, mode: Literal["json"]) -> dict[str, Any]:
        return {"tool": "document_search", "text": self.text, "mode": mode}


class Shelf:
    """Gives every line of a file to whoever has the tool `document_search`."""

    def __init__(self, file: Path, role: Role | None = None) -> None:
        self.file, self.role = file, role

    def for_agent(self, role: Role) -> "Shelf":
        return Shelf(self.file, role)

    def by_rule(self, text: str) -> Sequence[Passage]:
        if not self.names or "찾아" not in text or not self.file.exists():
            return []
        return [Passage(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    @property
    def names(self) -> tuple[str, ...]:
        return NAMES if self.role and set(NAMES) <= set(self.role.tools) else ()

    def schemas(self) -> list[dict[str, Any]]:
        return [{"type": "function", "function": {"name": name}} for name in self.names]

    def call(self, name: str, arguments: str) -> Passage:
        assert name in self.names
        return Passage(f"say {arguments}")


def main(project: Path) -> None:
    config = load(project)
    with listen(config.serve.host, config.serve.port) as listening:
        server = build(
            SpellingSpeaker(config.serve.slots),
            Bytes(),
            serve=config.serve,
            project=project,
            store=Store(project / "runs" / "adapters"),
            roles={name: roles()[name] for name in config.agents},
            router=Named(),
            toolbox=Shelf(project / "found.txt"),
        )
        run(server, listening, ready=lambda: typer.echo(address(listening)))


if __name__ == "__main__":
    # A shell that starts the tests in the background has them ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(Path(sys.argv[1]))
