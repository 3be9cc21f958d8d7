"""The vLLM driver against a server that answers in the form of vLLM's documentation.

No vLLM runs here: these tests hold the driver to the protocol as it is written down, and say
nothing about a real server.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from speaking import answered, turn
from yukjo.engines.vllm import VllmSpeaker
from yukjo.errors import AdapterError, DataError, ModelError
from yukjo.ports import Speaker

A, B = "a" * 64, "b" * 64


@dataclass
class Told:
    """What the server was asked, and how it behaves."""

    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    deaf: bool = False
    """Loads adapters without a word and answers as the base."""
    cut: bool = False
    """Ends its streams early."""

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [body for where, body in self.asked if where == path]


class Recorded(BaseHTTPRequestHandler):
    told: Told

    def do_GET(self) -> None:
        names = ["base-model", *self.told.loaded]
        self._json({"object": "list", "data": [{"id": n, "object": "model"} for n in names]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.told.asked.append((self.path, body))
        if self.path == "/v1/load_lora_adapter":
            if body["lora_name"] in self.told.loaded:
                self._json({"error": {"message": "already loaded"}}, code=400)
            else:
                self.told.loaded.append(body["lora_name"])
                self._text("Success: LoRA adapter added successfully.")
        elif self.path == "/v1/unload_lora_adapter":
            self.told.loaded.remove(body["lora_name"])
            self._text("Success: LoRA adapter removed successfully.")
        elif body.get("stream"):
            self._stream(body)
        else:
            shift = 0.0 if body["model"] == "base-model" or self.told.deaf else 0.5
            top = {" a": -0.5 - shift, " b": -1.5, " c": -2.5}
            self._json({"choices": [{"text": " a", "logprobs": {"top_logprobs": [top]}}]})

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        words = ["", "민", "원 ", "처리"] if body["model"] == "base-model" else ["", "세무"]
        made = 0
        try:
            for word in words[: 2 if self.told.cut else None]:
                made += bool(word)
                self._event(word, made, None)
            if not self.told.cut:
                self._event("", made, "length" if made >= body["max_tokens"] else "stop")
                self.wfile.write(b'data: {"choices": [], "usage": {"completion_tokens": 9}}\n\n')
                self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            return  # the other side hung up

    def _event(self, text: str, made: int, finish: str | None) -> None:
        event = {
            "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}],
            "usage": {"prompt_tokens": 3, "completion_tokens": made, "total_tokens": 3 + made},
        }
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def _json(self, document: Any, code: int = 200) -> None:
        self._text(json.dumps(document), code=code, kind="application/json")

    def _text(self, text: str, *, code: int = 200, kind: str = "text/plain") -> None:
        self.send_response(code)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def url(told: Told) -> Iterator[str]:
    handler = type("Handler", (Recorded,), {"told": told})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "adapter_model.safetensors").write_bytes(bytes(123))
    return tmp_path


@pytest.fixture
def speaker(url: str) -> Iterator[Speaker]:
    made = VllmSpeaker(url, base_hash="c" * 64, slots=2, context=64, timeout=10)
    yield made
    made.shut()


def test_an_adapter_is_loaded_under_its_content_hash(
    speaker: Speaker, told: Told, folder: Path
) -> None:
    assert speaker.load(A, folder) == 123
    assert speaker.load(A, folder) == 123
    assert told.bodies("/v1/load_lora_adapter") == [{"lora_name": A, "lora_path": str(folder)}]
    speaker.unload(A)
    assert told.bodies("/v1/unload_lora_adapter") == [{"lora_name": A}]
    with pytest.raises(AdapterError, match=A[:12]):
        speaker.open(turn(A, [1]))


def test_what_a_server_already_holds_is_not_loaded_again(
    speaker: Speaker, told: Told, folder: Path
) -> None:
    told.loaded.append(A)
    speaker.load(A, folder)
    assert told.bodies("/v1/load_lora_adapter") == []


def test_an_adapter_without_effect_is_refused_and_taken_back(
    speaker: Speaker, told: Told, folder: Path
) -> None:
    told.deaf = True
    with pytest.raises(AdapterError, match="아무것도 바꾸지"):
        speaker.load(A, folder)
    assert told.loaded == []
    with pytest.raises(AdapterError):
        speaker.open(turn(A, [1]))


def test_an_answer_comes_in_pieces_with_its_tokens(speaker: Speaker, folder: Path) -> None:
    speaker.load(A, folder)
    assert answered(speaker, turn("", [1, 2]), turn("", [3])) == [("민원 처리", "stop")] * 2
    assert answered(speaker, turn(A, [1])) == [("세무", "stop")]
    assert answered(speaker, turn("", [1], max_tokens=3)) == [("민원 처리", "length")]
    slot = speaker.open(turn("", [1])).slot
    assert [speaker.step([slot])[0].tokens for _ in range(5)] == [0, 1, 1, 1, 0]
    speaker.close(slot)


def test_all_of_a_turn_is_asked_for(speaker: Speaker, told: Told) -> None:
    one = turn(
        "", [5, 6, 7], stop=frozenset({9, 8}), temperature=0.5, top_p=0.9, seed=3, max_tokens=99,
        schema='{"type": "object"}',
    )  # fmt: skip
    answered(speaker, one)
    (asked,) = told.bodies("/v1/completions")
    assert asked == {
        "model": "base-model", "prompt": [5, 6, 7], "max_tokens": 61, "temperature": 0.5,
        "top_p": 0.9, "seed": 3, "stop_token_ids": [8, 9], "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        "structured_outputs": {"json": {"type": "object"}},
    }  # fmt: skip


def test_a_slot_given_back_early_hangs_up(speaker: Speaker) -> None:
    for _ in range(5):
        slot = speaker.open(turn("", [1])).slot
        speaker.step([slot])
        speaker.close(slot)
    assert answered(speaker, turn("", [1])) == [("민원 처리", "stop")]


def test_a_stream_that_breaks_off_is_an_error(speaker: Speaker, told: Told) -> None:
    told.cut = True
    slot = speaker.open(turn("", [1])).slot
    speaker.step([slot])
    speaker.step([slot])
    with pytest.raises(ModelError, match="스트림"):
        speaker.step([slot])
    speaker.close(slot)


def test_no_server_is_an_error_for_people() -> None:
    with pytest.raises(ModelError, match="vLLM"):
        VllmSpeaker("http://127.0.0.1:9", base_hash="", slots=1, context=9, timeout=2)


def test_a_prompt_that_is_too_long_is_refused(speaker: Speaker) -> None:
    with pytest.raises(DataError, match="64"):
        speaker.open(turn("", [1] * 64))


def test_logits_are_refused_by_name(speaker: Speaker) -> None:
    with pytest.raises(ModelError, match="로짓"):
        speaker.next_logits("", [[1]])
