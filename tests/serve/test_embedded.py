"""The embedded base and the adapters of `make demo-small`, served and asked as a user asks."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from serve.conftest import Serving
from serve.test_command import answers, start
from yukjo import pipeline, wiring
from yukjo.config import load
from yukjo.ports import Turn
from yukjo.records import SIX, Message
from yukjo.serve.chat import Prompter

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


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """As a user starts it: four answers side by side, three adapters held."""
    room = ("--set", "serve.queue=200", "--set", "serve.timeout_seconds=300")
    serving, _ = start(GOV, *SMALL, *room, log=tmp_path_factory.mktemp("busy") / "log")
    yield serving
    serving.stop()


def test_of_200_mixed_requests_every_one_is_answered_by_the_adapter_asked_for(
    busy: Serving,
) -> None:
    known = {m.id: m.adapter for m in busy.client.models.list().data}  # type: ignore[attr-defined]
    client = openai.OpenAI(base_url=f"{busy.url}/v1", api_key="-", max_retries=0, timeout=300)

    def ask(number: int) -> tuple[str, str]:
        agent = SIX[number % len(SIX)]
        talk: list[Any] = [{"role": "user", "content": f"{number}번 민원은 어떻게 처리합니까?"}]
        raw = client.chat.completions.with_raw_response.create(
            model=agent, messages=talk, max_tokens=4
        )
        assert raw.headers["x-yukjo-agent"] == raw.parse().model == agent
        return agent, raw.headers["x-yukjo-adapter"]

    with ThreadPoolExecutor(200) as pool:
        said = list(pool.map(ask, range(200)))
    assert all(adapter == known[agent] for agent, adapter in said)
    numbers = httpx.get(f"{busy.url}/metrics").text
    assert float(re.findall(r"^yukjo_adapter_loads_total (\S+)", numbers, re.MULTILINE)[0]) >= len(
        SIX
    )


def test_who_hangs_up_frees_the_slot(busy: Serving) -> None:
    body = {"model": "rag", "messages": [{"role": "user", "content": "길게 설명해 주세요."}],
            "max_tokens": 400, "stream": True}  # fmt: skip
    for _ in range(8):  # twice as many as there are slots
        with httpx.stream("POST", f"{busy.url}/v1/chat/completions", json=body) as answer:
            next(answer.iter_lines())
    assert answers(busy, [("rag", "여권")], at_once=1)
    until = time.monotonic() + 20
    while "yukjo_answers_under_way 0.0" not in httpx.get(f"{busy.url}/metrics").text:
        assert time.monotonic() < until
        time.sleep(0.1)


def _kl(true: Any, other: Any) -> float:
    """In nats."""
    true, other = (np.float64(x) - np.logaddexp.reduce(np.float64(x)) for x in (true, other))
    return float((np.exp(true) * (true - other)).sum())


class _Forced:
    """Says what it is told to, and notes what the model would have said: logits [V] a token."""

    def __init__(self, path: Sequence[int]) -> None:
        self.path, self.seen = path, []  # type: ignore[var-annotated]

    def token(self, logits: Any) -> int:
        self.seen.append(logits.copy())
        return self.path[len(self.seen) - 1]


def test_on_a_quantised_base_neighbours_change_rounding_and_nothing_else() -> None:
    """Whatever three neighbours say, a fourth's logits keep their bits; alone they round else."""
    config = load(GOV, {"project.runs": "runs/small", "serve.slots": 4})
    speaker, tokenizer = wiring.open_speaker(config, GOV)
    store, prompter = pipeline.store_of(GOV / "runs" / "small"), Prompter(tokenizer)
    (place, manifest) = store.chosen((), agents=("rag",))["rag"]
    speaker.load(manifest.id, place)

    def turn(text: str, adapter: str) -> Turn:
        asked = prompter.prompt([Message(role="user", content=text)])
        return Turn(adapter, asked.tokens, 0, frozenset(), 24, 0.0, 1.0, 0)

    def logits(
        texts: Sequence[str], paths: Sequence[Sequence[int]], adapter: str = manifest.id
    ) -> list[Any]:
        """Of the first text, while the others are spoken beside it."""
        slots = [speaker.open(turn(text, adapter)).slot for text in texts]
        forced = [_Forced(path) for path in paths]
        for slot, one in zip(slots, forced, strict=True):
            speaker._answering[slot].draw = one  # type: ignore[attr-defined]
            while not speaker.step([slot])[0].tokens:
                pass
        for _ in paths[0][1:]:
            speaker.step(slots)
        for slot in slots:
            speaker.close(slot)
        return forced[0].seen

    paths = [tokenizer.encode(text)[:24] for text in ("자료 목록입니다. " * 12, "가나다라 " * 20,
                                                      "0123 456 " * 20)]  # fmt: skip
    others = ("여권을 잃어버렸어요", "예산서를 요약해 주세요. " * 8, "조례 제3조는?")
    alone = logits(["등본은 어디서?"], paths[:1])
    one, two = (
        logits(["등본은 어디서?", *beside], [paths[0], *[path] * 3])
        for beside, path in ((others, paths[1]), (others[::-1], paths[2]))
    )
    assert all((a == b).all() for a, b in zip(one, two, strict=True)), "another's state was read"
    bare = logits(["등본은 어디서?"], paths[:1], adapter="")
    rounding, effect = (
        max(_kl(a, b) for a, b in zip(alone, others, strict=True)) for others in (one, bare)
    )
    print(f"KL in nats, at most: {rounding:.4f} by rounding, {effect:.4f} by the adapter")  # noqa: T201
    assert rounding < effect / 10
