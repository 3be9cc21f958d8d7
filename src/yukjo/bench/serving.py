"""The whole of `yukjo bench serve`: a project's newest adapters, the sides in turn, the figures."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from yukjo import pipeline, wiring
from yukjo.agents import Role
from yukjo.agents.roles import of_project, pick
from yukjo.bench.answering import percentile
from yukjo.bench.environments import CACHE, HF, python_of
from yukjo.bench.flops import shape_of
from yukjo.bench.process import Failed, answer_of, ended_by_term
from yukjo.bench.rounds import Note
from yukjo.bench.serving_plan import Prediction, linear_weights, plan_called, predict
from yukjo.bench.serving_task import Asked, ServedAgent, ServeTask
from yukjo.bench.systems import PEERS_HOME, here
from yukjo.config import YukjoConfig, load
from yukjo.errors import AdapterError
from yukjo.files import sha256_file
from yukjo.ledger.opening import open_ledger
from yukjo.pipeline.versions import machine
from yukjo.records import Frozen, Proof
from yukjo.serve import wire
from yukjo.serve.chat import Prompter, messages_of
from yukjo.serve.tools import Toolbox
from yukjo.words import say

QUESTION = "처음 이 업무를 맡았습니다. 무엇부터 하면 되는지 차례대로 알려 주세요."
"""What every agent is asked; short, so that an agent's own beginning is most of the prompt."""
OURS, PEFT, SERVER = "yukjo", "peft + transformers fp32", "llama-server"
_AT_LEAST = 2
_MS = 1000


class ServeBench(Frozen):
    """The outcome; milliseconds and ratios are medians over rounds. None: not measured."""

    machine: dict[str, Any]
    agents: tuple[str, ...]
    adapters: dict[str, str]
    """Agent -> content hash."""
    prompt_tokens: float
    prefix_tokens: float
    """Of an agent's prompt, on average over the agents."""
    read_gb_per_s: float
    adapter_load_ms: float
    switch_warm_ms: float
    ttft_cold_ms: float
    ttft_restored_ms: float
    tools_prompt_tokens: float | None
    """With an agent's own tools offered, on average over the agents that have some."""
    tools_prefix_tokens: float | None
    tools_ttft_cold_ms: float | None
    tools_ttft_restored_ms: float | None
    decode_tokens_per_s: float
    decode_ratio_peft: float | None
    decode_ratio_llama_server: float | None
    bandwidth_share: float
    """Bytes of the base's GGUF read a second while decoding, over what the machine reads."""
    mixed_ratio: float
    """Tokens a second over all agents' questions against one agent's."""
    p50_answer_s: float | None
    p95_answer_s: float | None
    answers: int
    answer_tokens: int
    seconds: tuple[float, ...]
    """Of each of those answers, from the question to the last token."""
    memory_mb: dict[str, float]
    sides: dict[str, dict[str, float]]
    left_out: dict[str, str]
    prediction: Prediction | None = None


def compare(
    project: Path, *, rounds: int, tokens: int, requests: int, plan: str | None, note: Note
) -> ServeBench:
    """Measure the project's agents, and what else could have answered for them."""
    if plan:
        plan_called(plan)
    config = load(project)
    task = make_task(project, config, tokens=tokens, requests=requests)
    outcomes: dict[str, list[dict[str, Any]]] = {OURS: [], PEFT: [], SERVER: [], "read": []}
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="yukjo-bench.") as scratch, ended_by_term():
        for number in range(1, rounds + 1):
            # Answers by the dozen are long: once is enough for their percentiles.
            asked = task if number == 1 else task.model_copy(update={"requests": 0})
            file = Path(scratch) / f"round-{number}.json"
            file.write_text(asked.model_dump_json(), encoding="utf-8")
            for name, command in _sides(task, file, note=note).items():
                if name in left_out:
                    continue
                note(say("round {number} of {rounds}: {name}", number=number, rounds=rounds,
                         name=name))  # fmt: skip
                try:
                    outcomes[name].append(answer_of(*command))
                except Failed as fault:
                    left_out[name] = str(fault)
                    note(say("{name} failed: {reason}", name=name, reason=fault))
    made = _figures(task, outcomes, left_out)
    if not plan:
        return made
    weights = linear_weights(shape_of(Path(task.model)))
    return made.model_copy(update={"prediction": predict(plan, made=made, weights=weights)})


def record(project: Path, made: ServeBench) -> None:
    """Put the seconds of the answers into the project's ledger, for its gate."""
    config = load(project)
    store = pipeline.store_of(pipeline.runs_folder(project, config))
    _, manifest = store.find(next(iter(made.adapters.values())))
    said = {"adapters": made.adapters, "seconds": list(made.seconds),
            "tokens": made.answer_tokens, "machine": made.machine}  # fmt: skip
    with open_ledger(project, config) as ledger:
        ledger.append("latency", manifest.run, said)


def make_task(project: Path, config: YukjoConfig, *, tokens: int, requests: int) -> ServeTask:
    """The project's newest adapters, a question to each; AdapterError where they aren't ready."""
    speaker, tokenizer = wiring.open_speaker(config, project)
    prompter, gguf = Prompter(tokenizer), wiring.base_gguf(config, project)
    toolbox = Toolbox(config.tools, project)
    gguf_hash = sha256_file(gguf)
    store = pipeline.store_of(pipeline.runs_folder(project, config))
    kept = store.chosen((), agents=config.agents)
    if len(kept) < _AT_LEAST:
        raise AdapterError(
            say("two agents at least are needed"), where="yukjo.toml agents", fix="yukjo train"
        )
    agents = []
    for name, (place, manifest) in kept.items():
        speaker.load(manifest.id, place)  # refuses what isn't proved
        role = pick(of_project(project), name)
        tools = toolbox.for_agent(role).schemas()
        agents.append(
            ServedAgent(
                name=name,
                adapter=manifest.id,
                folder=str(place.resolve()),
                gguf_lora=str(Proof.places(place.resolve(), gguf_hash)[0]),
                plain=_asked(prompter, role),
                with_tools=_asked(prompter, role, tools),
            )
        )
    return ServeTask(
        project=str(project.resolve()),
        model=str(wiring.base_folder(config.base, project).resolve()),
        gguf=str(gguf.resolve()),
        agents=tuple(agents),
        threads=config.serve.threads or os.cpu_count() or 1,
        tokens=tokens,
        answer=128,
        requests=requests,
        cache=config.serve.cache,
    )


def _asked(prompter: Prompter, role: Role, tools: Sequence[dict[str, Any]] = ()) -> Asked:
    """The question as `yukjo serve` makes a prompt of it."""
    request: dict[str, Any] = {
        "model": role.name, "messages": [{"role": "user", "content": QUESTION}],
    }  # fmt: skip
    if tools:
        request["tools"] = list(tools)
    messages = messages_of(wire.ChatRequest.model_validate(request), role)
    return Asked(
        tokens=prompter.prompt(messages).tokens, prefix=prompter.prefix(messages[0].content)
    )


def _sides(task: ServeTask, file: Path, *, note: Note) -> dict[str, tuple[Any, ...]]:
    """Each side's command and its environment variables."""
    own = str(here())
    sides: dict[str, tuple[Any, ...]] = {
        "read": ([own, "-P", "-m", "yukjo.bench.bandwidth", str(task.threads)],),
        OURS: ([own, "-P", "-m", "yukjo.bench.answering", str(file)],),
        SERVER: ([own, "-P", "-m", "yukjo.bench.peers.llama_server", str(file)],),
    }
    try:
        python = str(python_of(HF, CACHE, note=note))
    except Failed:
        python = own
    path = {"PYTHONPATH": str(PEERS_HOME)}
    return sides | {PEFT: ([python, "-P", "-m", "peers.peft_answers", str(file)], path)}


def _figures(
    task: ServeTask, outcomes: Mapping[str, Sequence[Mapping[str, Any]]], left_out: dict[str, str]
) -> ServeBench:
    def middle(name: str, key: str) -> float:
        return float(median(o[key] for o in outcomes[name]))

    def ratio(name: str) -> float | None:
        pairs = zip(outcomes[OURS], outcomes[name], strict=False)
        key = "decode_tokens_per_s"
        return median(a[key] / b[key] for a, b in pairs) if outcomes[name] else None

    if OURS in left_out or "read" in left_out:
        raise Failed(left_out.get(OURS) or left_out["read"])
    seconds: list[float] = next((o["answers_s"] for o in outcomes[OURS] if "answers_s" in o), [])
    read, speed = middle("read", "read_gb_per_s"), middle(OURS, "decode_tokens_per_s")
    simple = ("ttft_cold_s", "ttft_restored_s", "decode_tokens_per_s", "adapter_load_s",
              "switch_warm_s")  # fmt: skip
    plain = [agent.plain for agent in task.agents]
    offered = [task.agents[number].with_tools for number in task.having_tools]
    return ServeBench(
        machine=machine(),
        agents=tuple(agent.name for agent in task.agents),
        adapters={agent.name: agent.adapter for agent in task.agents},
        prompt_tokens=mean(len(asked.tokens) for asked in plain),
        prefix_tokens=mean(asked.prefix for asked in plain),
        read_gb_per_s=read,
        adapter_load_ms=_MS * middle(OURS, "adapter_load_s"),
        switch_warm_ms=_MS * middle(OURS, "switch_warm_s"),
        ttft_cold_ms=_MS * middle(OURS, "ttft_cold_s"),
        ttft_restored_ms=_MS * middle(OURS, "ttft_restored_s"),
        tools_prompt_tokens=mean(len(a.tokens) for a in offered) if offered else None,
        tools_prefix_tokens=mean(a.prefix for a in offered) if offered else None,
        tools_ttft_cold_ms=_MS * middle(OURS, "tools_ttft_cold_s") if offered else None,
        tools_ttft_restored_ms=_MS * middle(OURS, "tools_ttft_restored_s") if offered else None,
        decode_tokens_per_s=speed,
        decode_ratio_peft=ratio(PEFT),
        decode_ratio_llama_server=ratio(SERVER),
        bandwidth_share=speed * Path(task.gguf).stat().st_size / 1e9 / read,
        mixed_ratio=median(o["mixed_tokens_per_s"] / o["one_tokens_per_s"] for o in outcomes[OURS]),
        p50_answer_s=percentile(seconds, 50) if seconds else None,
        p95_answer_s=percentile(seconds, 95) if seconds else None,
        answers=len(seconds),
        answer_tokens=task.answer,
        seconds=tuple(seconds),
        memory_mb={
            count: median(o["memory_mb"][count] for o in outcomes[OURS])
            for count in outcomes[OURS][0]["memory_mb"]
        },
        sides={
            name: {key: middle(name, key) for key in simple if key in outcomes[name][0]}
            for name in (OURS, PEFT, SERVER)
            if outcomes[name]
        },
        left_out=left_out,
    )
