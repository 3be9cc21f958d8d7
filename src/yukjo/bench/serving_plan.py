"""What a larger base would do on this machine, from the machine's own ceilings: a prediction.

Decoding reads every weight once a token, so its speed is read bandwidth over bytes, times the
share of it that the measured base reached. Reading a prompt is matmuls, two operations a weight
and token, at the speed the measured base read its own prompt with.
"""

import math
from typing import Any

from yukjo.bench.flops import Shape
from yukjo.errors import ConfigError
from yukjo.records import Frozen
from yukjo.words import say


class Base(Frozen):
    """A base as planned: its sizes, from its published configuration."""

    parameters: float
    """Of the linear layers: what every token of a prompt meets."""
    gguf_bytes: float
    """Q4_K_M: 4.85 bits a weight on average."""
    cache_bytes: float
    """Of keys and values, a token: 2 * layers * key heads * head size * 2."""
    adapter_bytes: float
    """Rank 16 on all linear layers, fp16."""


PLANS = {
    "qwen3-4b": Base(
        parameters=3.63e9,
        gguf_bytes=4.02e9 * 4.85 / 8,
        cache_bytes=2 * 36 * 8 * 128 * 2,
        adapter_bytes=2 * 16 * 36 * (2560 * 3 + 4096 * 2 + 1024 * 2 + 2560 + 9728 * 3 + 2560 * 3),
    )
}


class Prediction(Frozen):
    """Figures that nobody measured, and what they rest on."""

    base: str
    decode_tokens_per_s: float
    prompt_tokens_per_s: float
    answer_s: float
    """A prompt of `prompt_tokens` read cold, and `answer_tokens` said."""
    restored_answer_s: float
    """The same with the agent's beginning restored."""
    memory_gb: float
    """Base, three adapters, and state for four answers of 4,096 tokens."""
    prompt_tokens: int
    answer_tokens: int
    rests_on: str


def plan_called(name: str) -> Base:
    """The plan of this name; ConfigError where there is none."""
    if name not in PLANS:
        raise ConfigError(
            say("no plan is called {name}", name=name),
            where="--plan",
            fix=say("known here: {known}", known=", ".join(PLANS)),
        )
    return PLANS[name]


def linear_weights(shape: Shape) -> float:
    """Of all linear layers of a measured base, its output layer left out."""
    names = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    return len(shape.windows) * sum(math.prod(shape.linear(name)) for name in names)


def predict(name: str, *, made: Any, weights: float) -> Prediction:  # noqa: ANN401 - ServeBench, which holds this
    """Predict the base called `name` from the figures of one of so many linear weights."""
    base = plan_called(name)
    decode = made.read_gb_per_s * 1e9 * made.bandwidth_share / base.gguf_bytes
    own = made.prompt_tokens / (made.ttft_cold_ms / 1000)
    prompt = own * weights / base.parameters
    asked, beginning, said = round(made.prompt_tokens), made.prefix_tokens, made.answer_tokens
    return Prediction(
        base=name,
        decode_tokens_per_s=decode,
        prompt_tokens_per_s=prompt,
        answer_s=asked / prompt + said / decode,
        restored_answer_s=(asked - beginning) / prompt + said / decode,
        memory_gb=(base.gguf_bytes + 3 * base.adapter_bytes + 4 * 4096 * base.cache_bytes) / 2**30,
        prompt_tokens=asked,
        answer_tokens=said,
        rests_on=say("predicted from this machine's bandwidth and the measured base; not measured"),
    )
