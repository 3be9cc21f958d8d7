"""The embedded base and the adapters of `make demo-small`, served and asked as a user asks."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from serve.conftest import Serving
from serve.test_command import answers, start
from yukjo.records import SIX

pytestmark = pytest.mark.embedded

GOV = Path(__file__).parents[2] / "examples" / "gov"
SMALL = ("--set", "project.runs=runs/small", "--port", "0")
ALONE = ("--set", "serve.slots=1", "--set", "serve.queue=2")
"""One answer at a time: on a quantised base what stands beside an answer rounds with it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    serving, lines = start(GOV, *SMALL, *ALONE, log=tmp_path_factory.mktemp("serve") / "log")
    assert [line.split()[0] for line in lines] == list(SIX)
    yield serving
    serving.stop()


def test_six_agents_answer_each_by_its_adapter_and_again_after_a_kill(
    server: Serving, tmp_path: Path
) -> None:
    known = {m.id: m.adapter for m in server.client.models.list().data}  # type: ignore[attr-defined]
    assert len(set(known.values()) - {None}) == len(SIX)
    asked = [(agent, "처음 맡은 업무입니다. 무엇부터 할까요?") for agent in (*SIX, *reversed(SIX))]
    said = answers(server, asked, at_once=1)
    assert [adapter for adapter, _ in said] == [known[agent] for agent, _ in asked]
    assert [text for _, text in said[:6]] == [text for _, text in reversed(said[6:])]
    server.process.kill()
    server.process.wait(20)
    fresh, _ = start(GOV, *SMALL, *ALONE, log=tmp_path / "log")
    assert server.process.stdout
    server.process.stdout.close()
    server.process, server.url = fresh.process, fresh.url
    server.__dict__.pop("client", None)
    assert answers(server, asked, at_once=1) == said


def test_a_stream_a_schema_a_tool_and_the_router(server: Serving) -> None:
    talk: list[Any] = [{"role": "user", "content": "등본 떼려면 뭐가 필요해요?"}]

    def ask(**more: Any) -> Any:
        return server.client.chat.completions.create(
            **{"model": "citizen_support", "messages": talk, "max_tokens": 24} | more
        )

    whole = ask().choices[0].message.content
    assert "".join(c.choices[0].delta.content or "" for c in ask(stream=True)) == whole
    shape = {"type": "object", "properties": {"서류": {"type": "string", "maxLength": 12}},
             "required": ["서류"], "additionalProperties": False}  # fmt: skip
    schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": shape}}
    made = ask(response_format=schema, max_tokens=80).choices[0].message.content
    assert list(json.loads(made)) == ["서류"]
    tool = {"type": "function", "function": {"name": "look", "parameters": shape}}
    (call,) = (
        ask(tools=[tool], tool_choice="required", max_tokens=120).choices[0].message.tool_calls
    )
    assert call.function.name == "look"
    assert list(json.loads(call.function.arguments)) == ["서류"]
    assert ask(model="auto").model == "citizen_support"


def test_a_full_line_answers_429_and_the_rest_are_answered(server: Serving) -> None:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="-", max_retries=0, timeout=60)

    def ask(number: int) -> str:
        talk: list[Any] = [{"role": "user", "content": f"여권 {number}"}]
        try:
            client.chat.completions.create(model="rag", messages=talk, max_tokens=30)
        except openai.RateLimitError as fault:
            return "busy" if "retry-after" in fault.response.headers else "no word when"
        return "answered"

    with ThreadPoolExecutor(8) as pool:
        said = Counter(pool.map(ask, range(8)))
    # One is answered and two wait; whoever comes while they do is told to come again.
    assert said["answered"] >= 3
    assert said["busy"] >= 1
