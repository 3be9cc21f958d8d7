"""`yukjo serve` as a user runs it: llama.cpp on a tiny model, six adapters that act, six agents."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import openai
import pytest

from serve.conftest import Serving
from toys import SOME, Said, Tiny, Yukjo, trainer_on
from yukjo.adapters.store import WEIGHTS, Store
from yukjo.agents import roles
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.cli.adapter import export
from yukjo.data.render import template_of
from yukjo.records import SIX, AdapterManifest, Effect

GOV = Path(__file__).parents[2] / "examples" / "gov" / "data" / "practice.jsonl"
SETTINGS = """
[base]
model = "{base}"
dtype = "float32"
[data]
files = ["{data}"]
[serve]
port = 0
threads = 1
context = 1024
"""


@pytest.fixture(scope="module")
def project(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six adapters on a tiny base, each proved for llama.cpp."""
    folder, base = tmp_path_factory.mktemp("project"), tiny("qwen3")
    (folder / "yukjo.toml").write_text(SETTINGS.format(base=base, data=GOV), encoding="utf-8")
    trainer = trainer_on(base, dict.fromkeys(SIX, SOME))
    store, template = Store(folder / "runs" / "adapters"), template_of(HfTokenizer(base)).hash
    for agent in SIX:
        made = folder / "made" / agent
        trainer.save(agent, made)
        weights = (made / WEIGHTS).read_bytes()
        manifest = AdapterManifest(
            id=sha256(weights).hexdigest(), size_bytes=len(weights), agent=agent, run="1",
            base="tiny", base_hash=trainer.base.hash, template_hash=template,
            prompt_hash=roles()[agent].prompt_hash, recipe={}, seed=0, data=(), learned_tokens=1,
            steps=1, best_step=1, valid_loss=None, versions={}, licences={},
            effect=Effect(prompts=1, change=1, fingerprint=""),
        )  # fmt: skip
        store.add(made, manifest)
    export(project=folder)
    return folder


def start(project: Path, *options: str, log: Path | None = None) -> tuple[Serving, list[str]]:
    """A server, and the lines it printed: the address, then who answers."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    written = log or project / "log"
    with written.open("w") as log_file:
        process = subprocess.Popen(
            [sys.executable, "-m", "yukjo", "serve", "--project", project, *options],
            stdout=subprocess.PIPE, stderr=log_file, text=True, env=environment,
        )  # fmt: skip
    assert process.stdout
    lines = [process.stdout.readline().strip() for _ in ("address", *SIX)]
    if not lines[0]:
        raise RuntimeError(written.read_text(encoding="utf-8"))
    return Serving(written.parent, lines[0].split()[-1].removesuffix("/v1"), process), lines[1:]


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[Serving]:
    serving, lines = start(project)
    known = {m.id: m.adapter for m in serving.client.models.list().data}  # type: ignore[attr-defined]
    assert [line.split()[:2] for line in lines] == [[name, known[name][:12]] for name in SIX]
    yield serving
    serving.stop()


def answers(server: Serving, asked: list[tuple[str, str]], *, at_once: int) -> list[Any]:
    """The adapter and the words of each answer."""

    def one(agent: str, text: str) -> tuple[str, str]:
        raw = server.client.chat.completions.with_raw_response.create(
            model=agent, messages=[{"role": "user", "content": text}], max_tokens=10
        )
        return raw.headers["x-yukjo-adapter"], str(raw.parse().choices[0].message.content)

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, *zip(*asked, strict=True)))


def test_stream_stop_seed_schema_tools_and_auto(server: Serving) -> None:
    talk: list[Any] = [{"role": "user", "content": "등본 떼려면 뭐가 필요해요?"}]

    def ask(**more: Any) -> Any:
        return server.client.chat.completions.create(
            **{"model": "rag", "messages": talk, "max_tokens": 12} | more
        )

    def text(**more: Any) -> str:
        return str(ask(**more).choices[0].message.content)

    whole, again = text(), ask()
    assert "".join(c.choices[0].delta.content or "" for c in ask(stream=True)) == whole
    assert again.choices[0].message.content == whole
    assert again.usage.prompt_tokens_details.cached_tokens > 100
    assert text(stop=whole[3:5]) == whole.partition(whole[3:5])[0]
    drawn = [text(temperature=1.5, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    shape = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"],
             "additionalProperties": False}  # fmt: skip
    schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": shape}}
    assert isinstance(json.loads(text(response_format=schema, max_tokens=100))["ok"], bool)
    tool = {"type": "function", "function": {"name": "look", "parameters": shape}}
    called = ask(tools=[tool], tool_choice="required", max_tokens=100)
    (call,) = called.choices[0].message.tool_calls
    assert (call.function.name, list(json.loads(call.function.arguments))) == ("look", ["ok"])
    assert ask(model="auto").model in SIX
    schema["json_schema"] = {"name": "s", "schema": {"$ref": "https://example.org/x"}}
    with pytest.raises(openai.BadRequestError, match="response_format"):
        ask(response_format=schema)


def test_pages_stand_beside_the_api(server: Serving) -> None:
    from urllib.request import urlopen

    with urlopen(f"{server.url}/") as page:
        assert page.url == f"{server.url}/dashboard/"
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "yukjo run" in page.read().decode()  # nothing is recorded yet
    with urlopen(f"{server.url}/v1/models") as models:
        assert "default-src 'none'" in models.headers["content-security-policy"]


def test_mixed_answers_are_those_of_a_fresh_server_one_by_one(server: Serving) -> None:
    draw = Random(0)
    asked = [(draw.choice(SIX), draw.choice(["여권", "예산은?", "조례"])) for _ in range(24)]
    known = {m.id: m.adapter for m in server.client.models.list().data}  # type: ignore[attr-defined]
    mixed = answers(server, asked, at_once=24)
    assert [adapter for adapter, _ in mixed] == [known[agent] for agent, _ in asked]
    assert len({text for _, text in mixed}) >= len(SIX), "the adapters act"
    server.process.kill()
    server.process.wait(20)
    alone = ("--set", "serve.cache=1", "--set", "serve.slots=1")
    fresh, _ = start(server.project, "--port", server.url.rpartition(":")[2], *alone)
    assert server.process.stdout
    server.process.stdout.close()
    server.process = fresh.process
    assert fresh.url == server.url
    assert answers(server, asked, at_once=1) == mixed


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--host", "0.0.0.0"), "token_file"),
        (("--port", "70000"), "port"),
        (("--set", "serve.cahce=1"), "cache"),
        (("--set", 'agents=["nobody"]'), "nobody"),
    ],
)
def test_wrong_use_is_told_before_the_base_is_loaded(
    project: Path, yukjo: Yukjo, options: tuple[str, ...], named: str
) -> None:
    said: Said = yukjo("serve", "--project", project, *options)
    assert said.code == 2
    assert named in said.err
