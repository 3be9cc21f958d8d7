"""A project whose adapters are letters, its server as a process of its own, and a client."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import openai
import pytest

from serve.spelling import BASE, Bytes
from yukjo.adapters.store import WEIGHTS, Store
from yukjo.agents import roles
from yukjo.data.render import template_of
from yukjo.records import SIX, AdapterManifest, Effect

TESTS = Path(__file__).parents[1]
TOKEN = "a-token-of-some-length"


def add_adapter(project: Path, agent: str, run: str = "1", base: str = BASE) -> str:
    """Keep an adapter for `agent` in the project's store; its id."""
    source = project / "made" / f"{agent}-{run}"
    source.mkdir(parents=True, exist_ok=True)
    weights = f"{agent} {run}".encode()
    (source / WEIGHTS).write_bytes(weights)
    manifest = AdapterManifest(
        id=sha256(weights).hexdigest(), size_bytes=len(weights), agent=agent, run=run,
        base="spelling", base_hash=base, template_hash=template_of(Bytes()).hash,
        prompt_hash=roles()[agent].prompt_hash, recipe={}, seed=0, data=(), learned_tokens=1,
        steps=1, best_step=1, valid_loss=None, versions={}, licences={},
        effect=Effect(prompts=1, change=1, fingerprint=""),
    )  # fmt: skip
    Store(project / "runs" / "adapters").add(source, manifest)
    return manifest.id


def make_project(folder: Path, serve: str = "", port: int = 0) -> Path:
    """Six agents, one adapter each."""
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text(TOKEN)
    (folder / "yukjo.toml").write_text(f"[serve]\nport = {port}\n{serve}\n")
    for agent in SIX:
        add_adapter(folder, agent)
    return folder


@dataclass
class Serving:
    """A server under way."""

    project: Path
    url: str
    process: "subprocess.Popen[str]"

    @cached_property
    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=TOKEN, max_retries=0, timeout=20)

    def stop(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and what it logged; it may have ended already."""
        self.process.send_signal(how)
        code = self.process.wait(20)
        assert self.process.stdout
        self.process.stdout.close()
        self.client.close()
        return code, (self.project / "log").read_text(encoding="utf-8")


def start(project: Path) -> Serving:
    """Start the server of a project; it has said where it listens."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)) + f":{TESTS}"}
    with (project / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, TESTS / "serve" / "spelling_server.py", project],
            stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
        )  # fmt: skip
    assert process.stdout
    url = process.stdout.readline().strip()
    if not url:
        raise RuntimeError((project / "log").read_text(encoding="utf-8"))
    return Serving(project, url, process)


Serve = Callable[..., Serving]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server for the tests of a module that leave it as it was."""
    serving = start(make_project(tmp_path_factory.mktemp("served") / "project"))
    yield serving
    serving.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server with settings of [serve]."""
    started: list[Serving] = []

    def begin(settings: str = "", port: int = 0) -> Serving:
        started.append(start(make_project(tmp_path / "project", settings, port)))
        return started[-1]

    yield begin
    for serving in started:
        serving.stop(signal.SIGKILL)
