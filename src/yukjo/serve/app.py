"""The routes. Everything slow is done elsewhere: at the desk, in a thread; at the speaker's."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from yukjo import __version__
from yukjo.config.models import ServeConfig
from yukjo.errors import YukjoError
from yukjo.serve import wire
from yukjo.serve.agents import AUTO, Agent
from yukjo.serve.answer import Answering, HungUp, Stream, chunks_of, unless_gone
from yukjo.serve.chat import after, offered
from yukjo.serve.desk import Desk
from yukjo.serve.faults import Fault, fault_of, stopping
from yukjo.serve.guard import Guarded, JsonResponse, answer_of
from yukjo.serve.record import CHAT, HUNG_UP, Metrics, Record, Recorded
from yukjo.serve.scheduler import Scheduler
from yukjo.words import say

_ANY = (401, 403, 408, 413, 421, 500)
"""What every route may answer instead."""
_CALLS = 3
"""Calls of tools that one answer may take."""


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": wire.ErrorBody} for status in sorted({*_ANY, *statuses})}


def create_app(
    desk: Desk,
    scheduler: Scheduler,
    serve: ServeConfig,
    *,
    local: bool,
    token: str | None,
) -> ASGIApp:
    """The whole server as an ASGI application; the scheduler, once started, stops with it."""
    metrics = Metrics(scheduler)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(scheduler.stop)

    app = FastAPI(
        title="Yukjo",
        version=__version__,
        lifespan=running,
        docs_url=None,  # the page would load its scripts from elsewhere
        redoc_url=None,
        # No variable of the environment can have questions sent elsewhere.
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    _explain(app)
    _add_chat(app, desk, scheduler)
    _add_others(app, desk, scheduler, metrics)
    _forget_422(app)
    guarded = Guarded(app, local=local, token=token, max_body_kb=serve.max_body_kb)
    return Recorded(guarded, metrics=metrics, log=_to_stderr)


def _add_chat(app: FastAPI, desk: Desk, scheduler: Scheduler) -> None:
    @app.post(
        CHAT,
        response_model=wire.Completion,
        responses=_errors(400, 404, 429, 503, 504)
        | {200: {"content": {"text/event-stream": {}}, "description": "The answer, or its chunks"}},
    )
    async def chat(body: wire.ChatRequest, request: Request) -> Response:
        """Answer as the agent in `model`."""
        record: Record = request.scope["yukjo"]
        record.stream = bool(body.stream)
        if scheduler.line.full:
            raise scheduler.busy()
        agent = await asyncio.to_thread(desk.agent, body)
        record.agent, record.adapter = agent.role.name, agent.adapter

        async def ask(asked: wire.ChatRequest) -> Answering:
            prepared = await asyncio.to_thread(desk.prepare, asked, agent)
            tools, base = offered(asked), scheduler.speaker.base_hash
            return Answering(scheduler, prepared, tools=tools, base_hash=base, record=record)

        count = bool(body.stream_options and body.stream_options.include_usage)
        if body.stream and not offered(body):
            answering = await ask(body)
            await unless_gone(request, answering.begun())
            return Stream(answering, count=count)
        done = await unless_gone(request, _with_calls(desk, agent, body, ask))
        if body.stream:
            # What may be a call is held back until it is clear whether it is one.
            return StreamingResponse(chunks_of(done, count=count), media_type="text/event-stream")
        return JsonResponse(done.model_dump())


async def _with_calls(
    desk: Desk,
    agent: Agent,
    request: wire.ChatRequest,
    ask: Callable[[wire.ChatRequest], Awaitable[Answering]],
) -> wire.Completion:
    """The answer to `request`; tools of the agent's own that the model calls are run here."""
    ran: list[dict[str, Any]] = []
    while True:
        done = await (await ask(request)).whole()
        calls = done.choices[0].message.tool_calls
        found = await asyncio.to_thread(desk.call, agent, calls[0]) if calls else None
        if not (calls and found):
            done.yukjo.tools.extend(ran)
            return done
        ran.append(found.model_dump(mode="json"))
        request = after(request, calls[0], found.text, more=len(ran) < _CALLS)


def _add_others(app: FastAPI, desk: Desk, scheduler: Scheduler, metrics: Metrics) -> None:
    @app.get("/v1/models", responses=_errors())
    async def models() -> wire.Models:
        """The agents that can be asked, and `auto`, which chooses one by the question."""
        agents = [
            wire.Model(
                id=name,
                title=agent.role.title,
                adapter=agent.adapter,
                tools=desk.schemas(agent),
            )
            for name, agent in desk.agents.served.items()
        ]
        auto = wire.Model(id=AUTO, title=say("chosen by the question"), adapter=None, tools=[])
        return wire.Models(data=[*agents, auto])

    @app.post("/v1/adapters/refresh", responses=_errors(503))
    async def refresh() -> wire.Refreshed:
        """Look for new adapters; answers under way end on the adapter they began with."""
        await asyncio.to_thread(desk.agents.refresh, scheduler.try_out)
        return wire.Refreshed(
            agents={name: agent.adapter for name, agent in desk.agents.served.items()},
            left_out={name: fault.what for name, fault in desk.agents.left_out.items()},
        )

    @app.get("/healthz", responses=_errors(503))
    async def healthz() -> wire.Health:
        """Whether questions are being answered."""
        if not scheduler.alive:
            raise stopping()
        return wire.Health(status="ok")

    @app.get("/metrics", responses=_errors(), response_class=Response)
    async def numbers() -> Response:
        """For Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _explain(app: FastAPI) -> None:
    """Every error in OpenAI's form."""

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: Request, error: RequestValidationError) -> Response:
        return answer_of(wire.refused(error.errors()))

    @app.exception_handler(HTTPException)
    async def unknown(_: Request, error: HTTPException) -> Response:
        fault = Fault(
            error.status_code,
            say("there is nothing of that kind here: {why}", why=error.detail),
            where="HTTP",
            fix=say("see /openapi.json"),
            headers=error.headers,
        )
        return answer_of(fault)

    @app.exception_handler(YukjoError)
    async def refused(_: Request, error: YukjoError) -> Response:
        return answer_of(fault_of(error))

    @app.exception_handler(HungUp)
    async def nobody(_: Request, __: HungUp) -> Response:
        return Response(status_code=HUNG_UP)

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> Response:
        return answer_of(fault_of(error))


def _forget_422(app: FastAPI) -> None:
    """The description doesn't name a status that is never answered."""
    described = app.openapi()
    for operation in (o for path in described["paths"].values() for o in path.values()):
        operation["responses"].pop("422", None)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the log
