"""What is kept of each request: headers for its asker, numbers for the operator, a line of log.

No text of a question or an answer, no address and no token is kept anywhere.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yukjo.serve.question import Timing
from yukjo.serve.scheduler import Scheduler

CHAT = "/v1/chat/completions"
_KNOWN = {CHAT, "/v1/models", "/v1/adapters/refresh"}
HUNG_UP = 499
"""What the log says where the client left before the answer; nobody receives it."""
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
_SAFE = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(slots=True)
class Record:
    """What one request came to; filled on its way."""

    agent: str = ""
    adapter: str = ""
    timing: Timing | None = None
    stream: bool = False
    finish: str = ""
    """As the client is told, or the status that ended a stream."""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    restored_tokens: int = 0

    def headers(self) -> dict[str, str]:
        """As far as it is known."""
        known = {
            "x-yukjo-agent": self.agent,
            "x-yukjo-adapter": self.adapter,
            "x-yukjo-timing": self.timing.header() if self.timing else "",
        }
        return {name: value for name, value in known.items() if value}

    def line(self, *, path: str, status: int, seconds: float) -> str:
        """One line of JSON."""
        kept = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "path": path,
            "status": status,
            "seconds": round(seconds, 4),
            "agent": self.agent,
            "adapter": self.adapter,
            "stream": self.stream,
            "finish": self.finish,
            "prompt_tokens": self.prompt_tokens,
            "answer_tokens": self.answer_tokens,
            "restored_tokens": self.restored_tokens,
            "timing": self.timing.header() if self.timing else "",
        }
        return json.dumps(kept)


class Metrics(Collector):
    """The numbers of GET /metrics."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.registry = CollectorRegistry()
        self.registry.register(self)
        own: dict[str, Any] = {"registry": self.registry}
        timed = own | {"buckets": _SECONDS}
        self._requests = Counter(
            "yukjo_requests", "Chat requests by agent and HTTP status.", ["agent", "status"], **own
        )
        self._tokens = Counter(
            "yukjo_tokens",
            "Tokens: prompt (restored among them), restored, answer.",
            ["kind"],
            **own,
        )
        self._queue = Histogram("yukjo_queue_seconds", "Waiting for a slot.", **timed)
        self._load = Histogram("yukjo_load_seconds", "Loading the adapter, 0 if held.", **timed)
        self._prefill = Histogram("yukjo_prefill_seconds", "From slot to first token.", **timed)
        self._total = Histogram("yukjo_answer_seconds", "From request to last token.", **timed)

    def collect(self) -> Iterable[Metric]:
        """What the scheduler knows at this moment."""
        now = self._scheduler
        yield GaugeMetricFamily("yukjo_queue_depth", "Questions waiting.", len(now.line))
        yield GaugeMetricFamily("yukjo_answers_under_way", "Slots taken.", now.under_way)
        yield GaugeMetricFamily("yukjo_adapters_loaded", "Adapters in memory.", len(now.cache))
        yield CounterMetricFamily("yukjo_adapter_loads", "Adapters loaded.", now.cache.loads)
        yield CounterMetricFamily("yukjo_switches", "Steps of another adapter.", now.switches)

    def count(self, record: Record, status: int) -> None:
        """One chat request is over."""
        self._requests.labels(record.agent, str(status)).inc()
        for kind in ("prompt", "restored", "answer"):
            self._tokens.labels(kind).inc(getattr(record, f"{kind}_tokens"))
        if (timing := record.timing) and record.finish in {"stop", "length"}:
            self._queue.observe(timing.queue)
            self._load.observe(timing.load)
            self._prefill.observe(timing.prefill)
            self._total.observe(timing.total)

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self.registry)


class Recorded:
    """ASGI around everything: puts a Record in the scope, and keeps it when the request is over."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, log: Callable[[str], None]) -> None:
        self._app, self._metrics, self._log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = scope["yukjo"] = Record()
        status, began = HUNG_UP, time.monotonic()

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(_SAFE | record.headers())
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            path = scope["path"] if scope["path"] in _KNOWN else "other"
            if path == CHAT:
                self._metrics.count(record, status)
            if scope["path"].startswith("/v1/"):
                seconds = time.monotonic() - began
                self._log(record.line(path=path, status=status, seconds=seconds))
