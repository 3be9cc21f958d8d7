"""The figures of `yukjo bench serve` from hand-made rounds, and the measuring against a toy."""

import json
from pathlib import Path

import pytest

from serve.spelling import Bytes, SpellingSpeaker
from yukjo.adapters.store import WEIGHTS
from yukjo.bench import answering
from yukjo.bench.flops import Shape
from yukjo.bench.serving import OURS, PEFT, SERVER, ServeBench, _figures
from yukjo.bench.serving_plan import linear_weights, plan_called, predict
from yukjo.bench.serving_table import markdown, summary
from yukjo.bench.serving_task import Asked, ServedAgent, ServeTask
from yukjo.config import ServeConfig
from yukjo.errors import ConfigError
from yukjo.words import speak


def task(folder: Path, *, requests: int = 6) -> ServeTask:
    (folder / WEIGHTS).write_bytes(b"weights")
    tokens = tuple(Bytes().encode("### 요청\nlong\n\n### "))
    gguf = folder / "base.gguf"
    gguf.write_bytes(b"\0" * 1_000_000)
    agents = tuple(
        ServedAgent(
            name=name,
            adapter=name * 8,
            folder=str(folder),
            gguf_lora="",
            plain=Asked(tokens=tokens, prefix=2),
            with_tools=Asked(tokens=tokens + tokens * (name == "b"), prefix=2 + 8 * (name == "b")),
        )
        for name in ("a", "b", "c")
    )
    return ServeTask(
        project=str(folder), model=str(folder), gguf=str(gguf), agents=agents, threads=1,
        tokens=8, answer=4, requests=requests, cache=2,
    )  # fmt: skip


def own(speed: float, **more: object) -> dict[str, object]:
    return {
        "adapter_load_s": 0.02, "memory_mb": {"1": 100.0, "2": 110.0, "3": 120.0},
        "ttft_cold_s": 1.0, "ttft_restored_s": 0.1, "tools_ttft_cold_s": 3.0,
        "tools_ttft_restored_s": 0.15, "decode_tokens_per_s": speed,
        "switch_warm_s": 0.0005, "one_tokens_per_s": 20.0, "mixed_tokens_per_s": 18.0, **more,
    }  # fmt: skip


def figures(folder: Path) -> ServeBench:
    outcomes = {
        OURS: [own(40.0, answers_s=[1.0] * 50 + [2.0] * 50), own(20.0)],
        PEFT: [{"decode_tokens_per_s": 10.0}, {"decode_tokens_per_s": 4.0}],
        SERVER: [],
        "read": [{"read_gb_per_s": 10.0}, {"read_gb_per_s": 10.0}],
    }
    return _figures(task(folder), outcomes, {SERVER: "not installed"})


def test_ratios_are_of_what_stood_in_the_same_round(tmp_path: Path) -> None:
    made = figures(tmp_path)
    assert made.decode_ratio_peft == pytest.approx(4.5)  # 4 and 5; 30 / 7 were the medians'
    assert made.decode_ratio_llama_server is None
    assert made.decode_tokens_per_s == 30
    assert made.bandwidth_share == pytest.approx(30 * 0.001 / 10)
    assert (made.p50_answer_s, made.p95_answer_s, made.answers) == (1.5, 2.0, 100)
    assert made.mixed_ratio == pytest.approx(0.9)
    assert made.prefix_tokens == 2
    assert (made.tools_prefix_tokens, made.tools_ttft_restored_ms) == (10, 150)


def test_a_side_that_failed_is_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    speak("en")
    made = figures(tmp_path)
    assert "llama-server failed: not installed" in summary(made)
    assert any("0.05 of it (10 of" in line for line in summary(made))
    assert "| yukjo | 20.00 | 0.50 | 1,000.00 | 100.00 | 30.0 |" in markdown(made)


def test_a_larger_base_is_predicted_from_what_was_measured(tmp_path: Path) -> None:
    made = figures(tmp_path)
    plan = plan_called("qwen3-4b")
    found = predict("qwen3-4b", made=made, weights=plan.parameters / 2)
    # Half the weights read the prompt in a second; twice as many take two.
    assert found.prompt_tokens_per_s == pytest.approx(made.prompt_tokens / 2)
    assert found.decode_tokens_per_s == pytest.approx(30 * 1e6 / plan.gguf_bytes)
    assert found.answer_s == pytest.approx(2 + 4 / found.decode_tokens_per_s)
    assert found.answer_s - found.restored_answer_s == pytest.approx(2 * 2 / made.prompt_tokens)
    assert 4 < found.memory_gb < 6
    with pytest.raises(ConfigError):
        predict("qwen3-400b", made=made, weights=1.0)


def test_the_weights_of_a_base_leave_out_its_output_layer() -> None:
    shape = Shape(hidden=4, inner=8, heads=2, key_heads=1, head=2, vocabulary=10,
                  windows=(None, None))  # fmt: skip
    assert linear_weights(shape) == 2 * (16 + 8 + 8 + 16 + 3 * 32)


def test_every_figure_is_taken_from_a_speaker_at_work(tmp_path: Path) -> None:
    speaker, asked = SpellingSpeaker(slots=2), task(tmp_path)
    assert answering.loads(speaker, asked) >= 0
    assert set(answering.memory(speaker, asked)) == {"1", "2", "3"}
    assert set(answering.first_tokens(speaker, asked)) == {
        "ttft_cold_s", "ttft_restored_s", "tools_ttft_cold_s", "tools_ttft_restored_s",
    }  # fmt: skip
    assert answering.decoding(speaker, asked)["decode_tokens_per_s"] > 0
    flow = answering.traffic(speaker, asked, ServeConfig(cache=3))
    assert min(flow.values()) > 0
    assert len(answering.answers(speaker, asked, ServeConfig(cache=2))) == asked.requests
    assert ServeTask.model_validate_json(json.dumps(asked.model_dump(mode="json"))) == asked
