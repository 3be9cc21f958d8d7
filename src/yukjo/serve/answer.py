"""The asking side of an answer: wait for it whole, or pass it on as it is spoken."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from yukjo.serve import wire
from yukjo.serve.chat import called
from yukjo.serve.desk import Prepared
from yukjo.serve.faults import Fault, fault_of
from yukjo.serve.question import Began, Ended, Event, Failed, Question, Said
from yukjo.serve.record import Record
from yukjo.serve.scheduler import Scheduler


class Answering:
    """One question at the scheduler, seen from asyncio; given up where nobody waits for it."""

    def __init__(
        self,
        scheduler: Scheduler,
        prepared: Prepared,
        *,
        tools: Sequence[wire.Function],
        base_hash: str,
        record: Record,
    ) -> None:
        self._scheduler = scheduler
        self._prepared = prepared
        self._tools = tools
        self._record = record
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._question = Question(
            prepared.turn, prepared.agent.folder, prepared.stops, tell=self._tell
        )
        self._named = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": prepared.agent.role.name,
            "system_fingerprint": f"yukjo-{base_hash[:12]}",
        }
        scheduler.ask(self._question)
        record.prompt_tokens += len(prepared.turn.tokens)

    def close(self) -> None:
        """Free its slot, if it still has one."""
        self._scheduler.give_up(self._question)

    async def begun(self) -> None:
        """Until the first token is there."""
        with self._closing():
            event = await self._next()
        assert isinstance(event, Began)
        self._record.timing = event.timing
        self._record.restored_tokens += event.restored

    async def whole(self) -> wire.Completion:
        """The whole answer."""
        await self.begun()
        with self._closing():
            text = "".join([part async for part in self._parts()])
        call = called(text, self._tools)
        message = wire.AnswerMessage(
            content=None if call else text, tool_calls=[call] if call else None
        )
        finish = "tool_calls" if call else self._finish()
        return wire.Completion(
            choices=[wire.Choice(message=message, finish_reason=finish)],
            usage=self._usage(),
            yukjo=self._yukjo(),
            **self._named,
        )

    async def chunks(self, *, count: bool) -> AsyncIterator[str]:
        """Server-sent events, once it has begun; with `count` a last one counts the tokens."""
        yield chunk(self._named, {"role": "assistant", "content": ""}, count=count)
        try:
            async for part in self._parts():
                yield chunk(self._named, {"content": part}, count=count)
        except Fault as fault:
            self._record.finish = str(fault.status)
            yield _event(fault.body())
            return
        for last in _ending(
            self._named, self._finish(), self._yukjo(), self._usage() if count else None
        ):
            yield last

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """Free the slot where the wait for it ends otherwise than by an event."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _tell(self, event: Event) -> None:
        # Closed before the scheduler stopped, the loop has nobody left to hear it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def _next(self) -> Event:
        event = await self._events.get()
        if isinstance(event, Failed):
            raise fault_of(event.error)
        return event

    async def _parts(self) -> AsyncIterator[str]:
        while not isinstance(event := await self._next(), Ended):
            assert isinstance(event, Said)
            yield event.text
        self._record.timing = event.timing
        self._record.finish = event.finish
        self._record.answer_tokens += event.tokens

    def _finish(self) -> Literal["stop", "length"]:
        return "length" if self._record.finish == "length" else "stop"

    def _usage(self) -> wire.Usage:
        kept = self._record
        return wire.Usage.of(kept.prompt_tokens, kept.answer_tokens, kept.restored_tokens)

    def _yukjo(self) -> wire.Yukjo:
        agent, timing = self._prepared.agent, self._record.timing
        return wire.Yukjo(
            agent=agent.role.name,
            adapter=agent.adapter,
            timing=timing.header() if timing else "",
            tools=list(self._prepared.tools),
        )


async def chunks_of(done: wire.Completion, *, count: bool) -> AsyncIterator[str]:
    """A whole answer as the server-sent events of a stream."""
    named = done.model_dump(include={"id", "created", "model", "system_fingerprint"})
    (choice,) = done.choices
    delta = choice.message.model_dump(exclude_none=True)
    for index, call in enumerate(delta.get("tool_calls", ())):
        call["index"] = index
    yield chunk(named, delta, count=count)
    for last in _ending(named, choice.finish_reason, done.yukjo, done.usage if count else None):
        yield last


_CHUNK = "chat.completion.chunk"


def chunk(
    named: Mapping[str, Any],
    delta: Mapping[str, Any],
    *,
    count: bool,
    finish: str | None = None,
    **more: object,
) -> str:
    """One event of a stream."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    usage = {"usage": None} if count else {}
    return _event({**named, "object": _CHUNK, "choices": [choice], **usage, **more})


def _ending(
    named: Mapping[str, Any], finish: str, yukjo: wire.Yukjo, usage: wire.Usage | None
) -> Iterator[str]:
    yield chunk(named, {}, count=bool(usage), finish=finish, yukjo=yukjo.model_dump())
    if usage:
        yield _event({**named, "object": _CHUNK, "choices": [], "usage": usage.model_dump()})
    yield "data: [DONE]\n\n"


def _event(data: object) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


class Stream(StreamingResponse):
    """The chunks of an answer as it is spoken; however it ends, the slot is freed."""

    def __init__(self, answering: Answering, *, count: bool) -> None:
        super().__init__(answering.chunks(count=count), media_type="text/event-stream")
        self._answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._answering.close()


class HungUp(Exception):
    """The client left; nobody waits for an answer."""


T = TypeVar("T")


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; HungUp, with the work cancelled, where the client leaves before."""
    wanted, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({wanted, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            raise HungUp
        return wanted.result()
    finally:
        wanted.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
