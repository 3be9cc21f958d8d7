"""PEFT and transformers as they come, fp32: first token, decode speed, and a change of adapter."""

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def main() -> None:
    """Measure for the task in the file named on the command line."""
    task: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(task["threads"])
    first, second = task["agents"][:2]
    base = AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.float32)
    model = PeftModel.from_pretrained(base, first["folder"], adapter_name=first["name"])
    began = time.perf_counter()
    model.load_adapter(second["folder"], adapter_name=second["name"])
    loaded = time.perf_counter() - began
    model.eval()
    prompt = torch.tensor([first["plain"]["tokens"]])
    found = {
        "adapter_load_s": loaded,
        "ttft_cold_s": seconds(model, prompt, 1),
        "switch_warm_s": median(switch(model, a["name"]) for a in [first, second] * 5),
    }
    more = task["tokens"]
    whole = seconds(model, prompt, 1 + more)
    found["decode_tokens_per_s"] = more / (whole - found["ttft_cold_s"])
    print("\n" + json.dumps(found), flush=True)  # noqa: T201 - how a peer answers


def seconds(model: Any, prompt: torch.Tensor, tokens: int) -> float:  # noqa: ANN401 - PEFT's own
    """Of a greedy answer of exactly so many tokens."""
    began = time.perf_counter()
    with torch.no_grad():
        model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
        )
    return time.perf_counter() - began


def switch(model: Any, name: str) -> float:  # noqa: ANN401 - PEFT's own
    """Seconds to make another adapter the active one."""
    began = time.perf_counter()
    model.set_adapter(name)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
