"""llama.cpp's own server, as it comes: adapters listed at its start, one chosen a request.

Its prompt cache is left as it is for `ttft_restored_s`, and told to forget for `ttft_cold_s`.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from xllamacpp import CommonAdapterLoraInfo, CommonParams, Server

_GOES = 5


def main() -> None:
    """Measure for the task in the file named on the command line."""
    task: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    server = started(task)
    first, second = task["agents"][:2]
    cold = [ask(server, first, 0, tokens=1, cache=False) for _ in range(3)]
    ask(server, first, 0, tokens=1, cache=True)
    restored = [ask(server, first, 0, tokens=1, cache=True) for _ in range(_GOES)]
    found: dict[str, Any] = {
        "ttft_cold_s": median(a["seconds"] for a in cold),
        "ttft_restored_s": median(a["seconds"] for a in restored),
        "decode_tokens_per_s": ask(server, first, 0, tokens=task["tokens"], cache=True)["speed"],
    }
    if task["requests"]:
        asked = [(first, 0), (second, 1)] * (len(task["agents"]) * 2)
        taken = [ask(server, a, n, tokens=task["answer"], cache=True)["seconds"] for a, n in asked]
        found["answers_s"] = taken
    print("\n" + json.dumps(found), flush=True)  # noqa: T201 - how a peer answers


def started(task: dict[str, Any]) -> Server:
    """The server with every adapter of the task listed, none applied."""
    params = CommonParams()
    params.model.path = task["gguf"]
    params.n_ctx, params.n_parallel = 8192, 2
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = task["threads"]
    params.lora_init_without_apply = True
    params.lora_adapters = [listed(agent["gguf_lora"]) for agent in task["agents"]]
    return Server(params)


def listed(file: str) -> CommonAdapterLoraInfo:
    """An adapter as the server lists it."""
    info = CommonAdapterLoraInfo()
    info.path, info.scale = file, 0.0
    return info


def ask(
    server: Server, agent: dict[str, Any], number: int, *, tokens: int, cache: bool
) -> dict[str, float]:
    """One greedy answer of exactly so many tokens: seconds, and tokens a second of its decoding."""
    request = {
        "prompt": agent["plain"]["tokens"], "n_predict": tokens, "temperature": 0,
        "ignore_eos": True, "cache_prompt": cache, "id_slot": number,
        "lora": [{"id": number, "scale": 1.0}],
    }  # fmt: skip
    began = time.perf_counter()
    answered = server.handle_completions(request)
    taken = time.perf_counter() - began
    return {"seconds": taken, "speed": answered["timings"]["predicted_per_second"]}


if __name__ == "__main__":
    main()
