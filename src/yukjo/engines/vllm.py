"""A Speaker on a vLLM server that already runs, over its OpenAI-compatible HTTP.

Written from vLLM's documentation and tested against exchanges in its form: **never run against a
real vLLM**, which can't be installed where this was made. The server must be started with
`--enable-lora` and `VLLM_ALLOW_RUNTIME_LORA_UPDATING=True`.

1. An adapter's name there is its content hash: a name that is used again would find the state
   that was kept under the other adapter (vLLM #42125).
2. vLLM may load an adapter whose names don't fit and answer as the bare base (#34186, #48019): so
   a loaded one must change the likeliest tokens' log-probabilities, else it is refused.
"""

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from yukjo.decoding import refuse_length
from yukjo.errors import AdapterError, ModelError, YukjoError
from yukjo.ports import Opened, Spoken, Turn
from yukjo.words import say

_WEIGHTS = "adapter_model.safetensors"
_PROBE = tuple(range(100, 132))
"""Any tokens do: what an adapter changes is seen at any prompt."""
_LEAST_CHANGE = 1e-3
"""Of a log-probability, in nats; the same prompt asked twice differs by less."""


@dataclass(slots=True)
class _Answering:
    """A slot in use: its stream, opened by its first step."""

    turn: Turn
    events: Iterator[dict[str, Any]]
    stream: ExitStack
    made: int = 0


class VllmSpeaker:
    """The base that the server at `url` serves."""

    def __init__(
        self, url: str, *, base_hash: str, slots: int, context: int, timeout: float = 120
    ) -> None:
        """`base_hash` is of the folder that adapters are trained on; the server names no hash."""
        self.base_hash, self.slots, self.context = base_hash, slots, context
        self._url = url.rstrip("/")
        self._http = httpx.Client(base_url=self._url, timeout=timeout)
        self._models = {"": self._served()[0]}
        self._answering: list[_Answering | None] = [None] * slots

    def shut(self) -> None:
        """Hang up; the server goes on."""
        self._http.close()

    def load(self, adapter: str, folder: Path) -> int:
        """Have the server load a PEFT folder, which it must see too; bytes of the weights."""
        if adapter not in self._models:
            if adapter not in self._served():  # the same hash is the same adapter
                place = str(folder.resolve())
                self._asked("POST", "/v1/load_lora_adapter", lora_name=adapter, lora_path=place)
            self._models[adapter] = adapter
            self._refuse_without_effect(adapter)
        return (folder / _WEIGHTS).stat().st_size

    def unload(self, adapter: str) -> None:
        """Have the server forget an adapter."""
        self._model(adapter)
        del self._models[adapter]
        self._asked("POST", "/v1/unload_lora_adapter", lora_name=adapter)

    def open(self, turn: Turn) -> Opened:
        """Take a free slot; the server is asked by its first step."""
        self._model(turn.adapter)
        refuse_length(turn, self.context)
        slot = self._answering.index(None)
        stream = ExitStack()
        self._answering[slot] = _Answering(turn, self._events(turn, stream), stream)
        return Opened(slot, 0)

    def step(self, slots: Sequence[int]) -> list[Spoken]:
        """Wait for what comes next in each slot; the server batches them itself."""
        return [self._next(self._in_use(slot)) for slot in slots]

    def close(self, slot: int) -> None:
        """Give a slot back; hanging up ends an answer that is under way."""
        self._in_use(slot).stream.close()
        self._answering[slot] = None

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        """A server shows its likeliest tokens only."""
        raise ModelError(
            say("a vLLM server shows no logits, for {count} prompts of `{adapter}`",
                count=len(prompts), adapter=adapter[:12]),
            where=self._url,
            fix=say('prove adapters with [serve] engine = "llama_cpp"'),
        )  # fmt: skip

    def _in_use(self, slot: int) -> _Answering:
        answering = self._answering[slot]
        assert answering, slot
        return answering

    def _model(self, adapter: str) -> str:
        if adapter not in self._models:
            raise AdapterError(
                say("no such adapter is loaded: {adapter}", adapter=adapter[:12]),
                where=self._url,
                fix=say("load it first"),
            )
        return self._models[adapter]

    def _served(self) -> list[str]:
        """Names of the base and of what is loaded on it, the base first."""
        try:
            return [str(model["id"]) for model in self._asked("GET", "/v1/models")["data"]]
        except (KeyError, TypeError) as fault:
            raise self._failed(f"/v1/models: {fault}") from fault

    def _refuse_without_effect(self, adapter: str) -> None:
        with_it, without = self._likeliest(adapter), self._likeliest("")
        shared = with_it.keys() & without.keys()
        change = max((abs(with_it[t] - without[t]) for t in shared), default=math.inf)
        if change < _LEAST_CHANGE:
            self.unload(adapter)
            raise AdapterError(
                say("the adapter changes nothing: the base answers the same with and without it"),
                where=f"{self._url}: {adapter[:12]}",
                fix=say("train it longer, or check that its layer names fit the base"),
            )

    def _likeliest(self, adapter: str) -> dict[str, float]:
        """Log-probabilities of the likeliest tokens after a fixed prompt."""
        answer = self._asked(
            "POST", "/v1/completions", model=self._model(adapter), prompt=list(_PROBE),
            max_tokens=1, temperature=0, logprobs=5,
        )  # fmt: skip
        try:
            found: dict[str, float] = answer["choices"][0]["logprobs"]["top_logprobs"][0]
        except (KeyError, IndexError, TypeError) as fault:
            raise self._failed(f"logprobs: {fault}") from fault
        return found

    def _next(self, answering: _Answering) -> Spoken:
        event = next(answering.events, None)
        if event is None:
            raise self._failed(say("the stream ended before the answer did"))
        try:
            choice, made = event["choices"][0], int(event["usage"]["completion_tokens"])
            finish, text = choice["finish_reason"], str(choice["text"])
        except (KeyError, TypeError) as fault:
            raise self._failed(str(fault)) from fault
        fresh, answering.made = made - answering.made, made
        if finish not in {None, "stop", "length"}:
            raise self._failed(str(finish))
        return Spoken(text, fresh, finish)

    def _events(self, turn: Turn, stream: ExitStack) -> Iterator[dict[str, Any]]:
        """The server's events about one answer, with its running count of tokens."""
        asked: dict[str, Any] = {
            "model": self._model(turn.adapter),
            "prompt": list(turn.tokens),
            "max_tokens": min(turn.max_tokens, self.context - len(turn.tokens)),
            "temperature": turn.temperature,
            "top_p": turn.top_p,
            "seed": turn.seed,
            "stop_token_ids": sorted(turn.stop),
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        }
        if turn.schema:
            asked["structured_outputs"] = {"json": json.loads(turn.schema)}
        try:
            answer = stream.enter_context(self._http.stream("POST", "/v1/completions", json=asked))
            if answer.is_error:
                raise self._failed(answer.read().decode(errors="replace"))
            for line in answer.iter_lines():
                data = line.removeprefix("data:").strip()
                if line.startswith("data:") and data != "[DONE]":
                    event = json.loads(data)
                    if event["choices"]:
                        yield event
        except (httpx.HTTPError, ValueError, KeyError) as fault:
            raise self._failed(str(fault)) from fault

    def _asked(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """One exchange; loading and unloading are answered in plain text."""
        try:
            answer = self._http.request(method, path, json=body or None)
            if answer.is_error:
                raise self._failed(answer.text)
            is_json = "json" in answer.headers.get("content-type", "")
            found: dict[str, Any] = answer.json() if is_json else {}
        except (httpx.HTTPError, ValueError) as fault:
            raise self._failed(str(fault)) from fault
        return found

    def _failed(self, fault: str) -> YukjoError:
        return ModelError(
            say("the vLLM server failed: {fault}", fault=fault[:300]),
            where=self._url,
            fix=say("start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, and"
                    " name it in [serve] vllm_url"),
        )  # fmt: skip
