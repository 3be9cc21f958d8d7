"""Where the peers live: a virtual environment each below the cache, with pinned packages.

An environment is made the first time it is needed. `.ready` is written last and holds the pins,
so that one half made, or made with other pins, is made again.
"""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from yukjo.bench.process import run
from yukjo.files import write_whole
from yukjo.words import say

CACHE = Path("~/.cache/yukjo/bench")

_TORCH = "torch==2.13.0"  # the version Yukjo itself is pinned to


@dataclass(frozen=True, slots=True)
class Environment:
    """A named set of pinned packages."""

    name: str
    packages: tuple[str, ...]
    bare: tuple[str, ...] = ()
    """Installed without what they ask for."""


HF = Environment(
    "hf",
    (_TORCH, "transformers==5.23.0", "peft==0.21.2", "accelerate==1.15.0", "trl==1.16.0",
     "datasets==5.2.0"),
)  # fmt: skip
LLAMA_FACTORY = Environment(
    "llama-factory",
    (_TORCH, "transformers==5.6.0", "peft==0.18.1", "accelerate==1.11.0", "trl==0.24.0",
     "datasets==4.0.0", "einops", "fire", "omegaconf", "sentencepiece", "tiktoken", "tyro<0.9.0",
     "scipy", "pydantic", "pyyaml", "pandas", "protobuf", "sse-starlette", "fastapi", "uvicorn",
     "matplotlib"),
    # It asks for torchvision, torchaudio, av and gradio too, which training on text never loads.
    bare=("llamafactory==0.9.5",),
)  # fmt: skip
MLX = Environment("mlx-lm", ("mlx[cpu]==0.32.4", "mlx-lm==0.32.2"))


def python_of(environment: Environment, cache: Path, *, note: Callable[[str], None]) -> Path:
    """The environment's interpreter, made on first use; `process.Failed` where it can't be."""
    folder = cache.expanduser() / environment.name
    python, ready = folder / "bin" / "python", folder / ".ready"
    pins = "\n".join([*environment.packages, *environment.bare]) + "\n"
    if not (ready.is_file() and ready.read_text(encoding="utf-8") == pins):
        note(say("installing the environment of {name}", name=environment.name))
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        run([sys.executable, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "--quiet"]
        run([*install, *environment.packages])
        if environment.bare:
            run([*install, "--no-deps", *environment.bare])
        write_whole(ready, pins)
    return python
