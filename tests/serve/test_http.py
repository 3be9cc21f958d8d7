"""OpenAI's own client against the server as a process, over a speaker that says who it is."""

import json
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import httpx
import openai
import pytest

from serve.conftest import Serve, Serving, add_adapter
from yukjo.records import SIX

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "날씨를 알려 줍니다",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}


def said(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def adapters(server: Serving) -> dict[str, str]:
    return {m.id: m.adapter for m in server.client.models.list().data}  # type: ignore[attr-defined]


def ask(server: Serving, text: str, model: str = "rag", **more: Any) -> Any:
    return server.client.chat.completions.create(model=model, messages=said(text), **more)


def error_of(raised: pytest.ExceptionInfo[openai.APIStatusError]) -> dict[str, Any]:
    body = raised.value.body
    assert isinstance(body, dict)
    assert body["message"]
    assert body["param"]
    assert body["fix"]
    return body


def test_the_models_are_the_six_agents_and_auto(server: Serving) -> None:
    assert list(adapters(server)) == [*SIX, "auto"]


@pytest.mark.parametrize("agent", SIX)
def test_each_agent_answers_with_its_own_adapter_and_says_so(server: Serving, agent: str) -> None:
    raw = server.client.chat.completions.with_raw_response.create(
        model=agent, messages=said("안녕하세요?")
    )
    answer, adapter = raw.parse(), adapters(server)[agent]
    assert answer.choices[0].message.content == f"{adapter[:8]} 안녕하세요?"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == raw.headers["x-yukjo-agent"] == agent
    assert raw.headers["x-yukjo-adapter"] == adapter
    timing = re.fullmatch(
        r"queue=[\d.]+;load=[\d.]+;prefill=[\d.]+;total=([\d.]+)", raw.headers["x-yukjo-timing"]
    )
    assert timing
    assert float(timing[1]) > 0
    assert answer.usage
    assert answer.usage.completion_tokens == len(answer.choices[0].message.content)


def test_auto_asks_the_router(server: Serving) -> None:
    answer = ask(server, "review 해 주세요", model="auto")
    assert answer.model == "review"
    assert answer.choices[0].message.content.startswith(adapters(server)["review"][:8])


def test_a_stream_says_the_same_in_pieces(server: Serving) -> None:
    whole = ask(server, "가나다").choices[0].message.content
    raw = server.client.chat.completions.with_raw_response.create(
        model="rag", messages=said("가나다"), stream=True, stream_options={"include_usage": True}
    )
    assert raw.headers["x-yukjo-adapter"] == adapters(server)["rag"]
    assert raw.headers["x-yukjo-timing"].startswith("queue=")
    *chunks, last = raw.parse()
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == ["stop"]
    assert last.choices == []
    assert last.usage
    assert last.usage.completion_tokens == len(whole)


def test_a_stop_text_ends_whole_answers_and_streams(server: Serving) -> None:
    asked = "say 하나 둘 셋"
    assert ask(server, asked, stop="둘").choices[0].message.content == "하나 "
    pieces = ask(server, asked, stop=["넷", " 셋"], stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in pieces) == "하나 둘"


def test_an_answer_cut_at_its_tokens_says_length(server: Serving) -> None:
    answer = ask(server, "say 12345", max_tokens=3).choices[0]
    assert (answer.message.content, answer.finish_reason) == ("123", "length")


def test_a_seed_repeats_an_answer_and_none_does_not(server: Serving) -> None:
    def drawn(**more: Any) -> str:
        return str(ask(server, "?", temperature=1, **more).choices[0].message.content)

    assert drawn(seed=7) == drawn(seed=7) != drawn(seed=8)
    assert drawn() != drawn()
    assert "." not in ask(server, "?").choices[0].message.content, "greedy unless told otherwise"


def test_json_is_what_the_schema_says(server: Serving) -> None:
    shape = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    answer = ask(
        server, "?",
        response_format={"type": "json_schema", "json_schema": {"name": "who", "schema": shape}},
    )  # fmt: skip
    assert json.loads(answer.choices[0].message.content) == {"name": "가"}
    assert (
        ask(server, "?", response_format={"type": "json_object"}).choices[0].message.content == "{}"
    )


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_that_must_be_called_is_called_and_its_result_answered(
    server: Serving, *, stream: bool
) -> None:
    called = ask(server, "날씨?", tools=[WEATHER], tool_choice="required", stream=stream)
    if stream:
        chunks = list(called)
        (call,) = [
            c.choices[0].delta.tool_calls[0] for c in chunks if c.choices[0].delta.tool_calls
        ]
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
    else:
        assert called.choices[0].finish_reason == "tool_calls"
        assert called.choices[0].message.content is None
        (call,) = called.choices[0].message.tool_calls
    assert call.function.name == "weather"
    assert json.loads(call.function.arguments) == {"place": "가"}
    turns: list[Any] = [
        *said("say 흐립니다"),
        {"role": "assistant", "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": "흐림"},
    ]
    turns[1]["tool_calls"][0].pop("index", None)
    answer = server.client.chat.completions.create(model="rag", messages=turns, tools=[WEATHER])
    assert answer.choices[0].message.content == "흐립니다"


def test_the_model_may_call_a_tool_or_answer(server: Serving) -> None:
    call = '{"tool": "weather", "arguments": {"place": "누리구"}}'
    called = ask(server, f"say {call}", tools=[WEATHER]).choices[0].message.tool_calls
    assert json.loads(called[0].function.arguments) == {"place": "누리구"}
    other = '{"tool": "unknown", "arguments": {}}'
    assert ask(server, f"say {other}", tools=[WEATHER]).choices[0].message.content == other
    assert ask(server, f"say {call}").choices[0].message.content == call


def test_what_the_agents_own_tools_find_stands_below_the_question(server: Serving) -> None:
    (server.project / "found.txt").write_text(
        "『안내』 1쪽: 09:00\n<eos>나쁜 말\n『안내』 2쪽: 무료"
    )
    answer = ask(server, "여는 시각을 찾아 주세요")
    assert answer.choices[0].message.content.endswith(
        "여는 시각을 찾아 주세요\n\n『안내』 1쪽: 09:00\n\n『안내』 2쪽: 무료"
    )
    tools = answer.yukjo["tools"]
    assert [one["text"] for one in tools] == ["『안내』 1쪽: 09:00", "『안내』 2쪽: 무료"]
    assert ask(server, "찾아 주세요", model="review").yukjo["tools"] == []


@pytest.mark.parametrize("stream", [False, True])
def test_the_agents_own_tool_that_the_model_calls_is_run_by_the_server(
    server: Serving, *, stream: bool
) -> None:
    own = next(m for m in server.client.models.list().data if m.id == "rag").tools  # type: ignore[attr-defined]
    call = '{"tool": "document_search", "arguments": {"q": 1}}'
    answer = ask(server, f"say {call}", tools=[*own, WEATHER], stream=stream)
    if stream:
        *_, last = list(answer)
        assert last.choices[0].finish_reason == "stop"
        tools = last.yukjo["tools"]
    else:
        # The speaker says the same whenever it is asked: it may call three times.
        assert answer.choices[0].message.content == call
        tools = answer.yukjo["tools"]
    assert [one["text"] for one in tools] == ['say {"q": 1}'] * 3
    theirs = ask(server, f"say {call}", model="review", tools=own)
    assert theirs.choices[0].finish_reason == "tool_calls", (
        "review has no such tool: it is the client's"
    )


# What is refused


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"extra_body": {"top_k": 3}}, "top_k"),
        ({"extra_body": {"temprature": 0}}, "temprature"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": [""]}, "stop"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [WEATHER], "response_format": {"type": "json_object"}}, "response_format"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "답"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": "끝<eos>"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "1", "tool_call_id": "x"}]}, "tool_call_id"),
        ({"messages": [{"role": "user", "content": "가" * 1000}]}, "messages"),
        ({"response_format": {"type": "json_schema", "json_schema": {
            "name": "a", "schema": {"type": "unheard"}}}}, "schema"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_done_here_is_refused_by_name(
    server: Serving, more: dict[str, Any], where: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        server.client.chat.completions.create(**{"model": "rag", "messages": said("?"), **more})
    assert where in error_of(refused)["param"]


def test_a_conversation_too_long_is_refused_with_the_counts(server: Serving) -> None:
    with pytest.raises(openai.BadRequestError, match="2048"):
        ask(server, "가" * 1000)


def test_an_unknown_agent_is_404_and_the_known_are_named(server: Serving) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        ask(server, "?", model="gpt-4o")
    assert "legal_research" in error_of(refused)["fix"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_413(server: Serving, *, chunked: bool) -> None:
    body = b" " * (256 * 1024 + 1)
    answer = httpx.post(
        f"{server.url}/v1/chat/completions", content=iter([body[:9], body[9:]]) if chunked else body
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["fix"]


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", '"\\ud800"', '{"model": "\\ud800", "messages": []}', "[" * 100_000,
     '{"\\ud800": 1}', '{"seed": ' + "9" * 5000 + "}", '{"temperature": NaN}'],
    ids=lambda body: body[:12],
)  # fmt: skip
def test_a_body_that_is_no_request_is_400(server: Serving, body: str) -> None:
    answer = httpx.post(
        f"{server.url}/v1/chat/completions", content=body,
        headers={"content-type": "application/json"},
    )  # fmt: skip
    assert answer.status_code == 400
    assert answer.json()["error"]["param"]


def test_another_content_type_is_refused_for_a_page_may_send_it(server: Serving) -> None:
    answer = httpx.post(
        f"{server.url}/v1/chat/completions", headers={"content-type": "text/plain"},
        content=json.dumps({"model": "rag", "messages": said("?")}),
    )  # fmt: skip
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:80"}, 421),
        ({"host": "[::1"}, 421),
        ({"host": "localhost:1"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
    ids=str,
)
def test_a_web_page_of_another_site_gets_nothing(
    server: Serving, headers: dict[str, str], status: int
) -> None:
    assert httpx.get(f"{server.url}/v1/models", headers=headers).status_code == status


def test_every_answer_forbids_to_guess_frame_and_keep_it(server: Serving) -> None:
    for path in ("/v1/models", "/healthz", "/metrics", "/nothing"):
        headers = httpx.get(server.url + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers


def test_what_is_not_there_is_an_error_in_the_same_form(server: Serving) -> None:
    assert httpx.get(f"{server.url}/v1/nothing").json()["error"]["code"] == "404"
    assert httpx.get(f"{server.url}/v1/chat/completions").json()["error"]["code"] == "405"


def test_the_speakers_failure_ends_one_answer_only(server: Serving) -> None:
    with pytest.raises(openai.InternalServerError):
        ask(server, "break")
    assert ask(server, "say 1").choices[0].message.content == "1"
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}


# Many at once


def test_of_200_mixed_requests_every_one_is_answered_by_the_adapter_asked_for(
    serve: Serve,
) -> None:
    server = serve("queue = 200\ncache = 2\nwait_seconds = 0.05")
    known, draw = adapters(server), Random(0)
    wanted = [(draw.choice(SIX), draw.random() < 0.5, number) for number in range(200)]
    with httpx.Client(timeout=60, limits=httpx.Limits(max_connections=200)) as client:

        def one(agent: str, stream: bool, number: int) -> tuple[str, str]:  # noqa: FBT001
            answer = client.post(
                f"{server.url}/v1/chat/completions",
                json={"model": agent, "messages": said(f"n{number}"), "stream": stream},
            )
            assert answer.status_code == 200
            text = (
                "".join(re.findall(r'"content": "([^"]*)"', answer.text))
                if stream
                else answer.json()["choices"][0]["message"]["content"]
            )
            return answer.headers["x-yukjo-adapter"], text

        with ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(one, *zip(*wanted, strict=True)))
    expected = [(known[a], f"{known[a][:8]} n{number}") for a, _, number in wanted]
    assert answers == expected
    numbers = httpx.get(f"{server.url}/metrics").text
    assert "yukjo_adapters_loaded 2.0" in numbers
    assert "yukjo_queue_depth 0.0" in numbers
    served = [
        float(n) for n in re.findall(r'yukjo_requests_total\{.*status="200"\} (\S+)', numbers)
    ]
    assert sum(served) == 200


def wait_for(server: Serving, line: str) -> None:
    """Until the server's numbers hold a line."""
    until = time.monotonic() + 10
    while line not in httpx.get(f"{server.url}/metrics").text.splitlines():
        assert time.monotonic() < until, line
        time.sleep(0.01)


def test_one_too_many_is_429_with_retry_after_and_comes_in_later(serve: Serve) -> None:
    server = serve("queue = 1\nslots = 1")
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(ask, server, "slow " + "x" * 10)
        wait_for(server, "yukjo_answers_under_way 1.0")
        waits = pool.submit(ask, server, "say 2")
        wait_for(server, "yukjo_queue_depth 1.0")
        with pytest.raises(openai.RateLimitError) as refused:
            ask(server, "say 3")
        assert int(refused.value.response.headers["retry-after"]) >= 1
        error_of(refused)
        assert slow.result()
        assert waits.result().choices[0].message.content == "2"
    assert ask(server, "say 3").choices[0].message.content == "3"


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_hangs_up_frees_its_slot(serve: Serve, *, stream: bool) -> None:
    server = serve("slots = 1")
    body = {"model": "rag", "messages": said("slow " + "x" * 400), "stream": stream}
    with httpx.Client() as client:
        request = client.build_request("POST", f"{server.url}/v1/chat/completions", json=body)
        if stream:
            answer = client.send(request, stream=True)
            next(answer.iter_lines())
            answer.close()
        else:
            with pytest.raises(httpx.ReadTimeout):
                client.post(request.url, json=body, timeout=0.5)
    wait_for(server, "yukjo_answers_under_way 0.0")
    assert ask(server, "say 1").choices[0].message.content == "1"


def test_an_answer_that_takes_too_long_is_504_or_an_error_in_the_stream(serve: Serve) -> None:
    server = serve("timeout_seconds = 0.5")
    with pytest.raises(openai.APIStatusError) as late:
        ask(server, "slow " + "x" * 300)
    assert late.value.status_code == 504
    with pytest.raises(openai.APIError, match=r"0\.5초"):
        list(ask(server, "slow " + "x" * 300, stream=True))


# Adapters come, the server goes


def test_a_new_adapter_serves_without_restart_and_answers_under_way_keep_theirs(
    serve: Serve,
) -> None:
    server = serve()
    before = adapters(server)["rag"]
    stream = ask(server, "slow 0123456789", stream=True)
    next(stream)
    new = add_adapter(server.project, "rag", run="2")
    other = add_adapter(server.project, "review", run="2", base="c" * 64)
    refreshed = httpx.post(f"{server.url}/v1/adapters/refresh").json()
    assert refreshed["agents"]["rag"] == adapters(server)["rag"] == new
    assert list(refreshed["left_out"]) == [other]
    text = "".join(c.choices[0].delta.content or "" for c in stream)
    assert text.startswith(before[:8])
    assert ask(server, "?").choices[0].message.content == f"{new[:8]} ?"


def test_killed_it_starts_again_at_the_same_port(serve: Serve) -> None:
    server = serve()
    stream = ask(server, "slow " + "x" * 100, stream=True)
    next(stream)
    server.process.kill()
    assert server.process.wait(20) == -signal.SIGKILL
    with pytest.raises((openai.APIError, httpx.HTTPError)):
        list(stream)
    again = serve(port=int(server.url.rpartition(":")[2]))
    assert again.url == server.url
    assert ask(again, "say 1").choices[0].message.content == "1"


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, -signal.SIGINT)])
def test_told_to_stop_it_ends_what_is_under_way(serve: Serve, how: int, code: int) -> None:
    server = serve()
    stream = ask(server, "slow 0123456789", stream=True)
    next(stream)
    server.process.send_signal(how)
    assert "".join(c.choices[0].delta.content or "" for c in stream).endswith("slow 0123456789")
    assert server.process.wait(20) == code


def test_the_log_has_a_line_a_request_and_no_word_of_it(serve: Serve) -> None:
    server = serve()
    ask(server, "비밀번호")
    with pytest.raises(openai.NotFoundError):
        ask(server, "비밀번호", model="비밀")
    httpx.get(f"{server.url}/v1/비밀?비밀")
    _, log = server.stop()
    lines = [json.loads(line) for line in log.splitlines()]
    assert [(line["status"], line["agent"]) for line in lines] == [
        (200, "rag"),
        (404, ""),
        (404, ""),
    ]
    assert lines[0]["answer_tokens"] > 0
    assert "비밀" not in log
    assert "127.0.0.1" not in log


# Tokens


def test_beyond_loopback_only_who_has_the_token_is_answered(serve: Serve) -> None:
    server = serve('host = "0.0.0.0"\ntoken_file = "token"')
    url = server.url.replace("0.0.0.0", "127.0.0.1")
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "토큰".encode()}):
        refused = httpx.get(f"{url}/v1/models", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.json()["error"]["type"] == "authentication_error"
    assert httpx.get(f"{url}/metrics").status_code == 401
    assert httpx.get(f"{url}/healthz").status_code == 200
    server.url = url
    assert ask(server, "say 1").choices[0].message.content == "1"
