"""The one place that names leaves: from the settings of a project to a base with its parts."""

import os
from pathlib import Path

from yukjo.config import BaseConfig, YukjoConfig
from yukjo.errors import ModelError
from yukjo.pipeline.parts import Parts
from yukjo.ports import Tokenizer, Trainer
from yukjo.words import say

EMBEDDED = "embedded"


def open_tokenizer(config: YukjoConfig, project: Path) -> Tokenizer:
    """The base's tokenizer alone, for looking at data."""
    _need_torch()
    from yukjo.backends.torch.tokenizer import HfTokenizer

    return HfTokenizer(base_folder(config.base, project))


def open_parts(config: YukjoConfig, project: Path) -> Parts:
    """Load the base once, for training and for answering."""
    _need_torch()
    import torch

    from yukjo.backends.torch.base import Base
    from yukjo.backends.torch.engine import TorchEngine
    from yukjo.backends.torch.tokenizer import HfTokenizer
    from yukjo.backends.torch.trainer import TorchTrainer

    torch.set_num_threads(config.train.threads or os.cpu_count() or 1)
    if config.train.deterministic:
        # CUDA's demand; no processor reads it.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(config.train.deterministic)
    folder = base_folder(config.base, project)
    base = Base(
        folder,
        dtype=config.base.dtype,
        device=config.base.device,
        load_in_4bit=config.base.load_in_4bit,
    )
    if config.train.recompute:
        base.recompute()
    if config.train.head == "screened":
        base.screen()
    tokenizer = HfTokenizer(folder)
    return Parts(
        base=config.base.model,
        notice=notice(folder),
        conditions={
            "threads": str(torch.get_num_threads()),
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "head": "screened" if base.screened else "exact",
        },
        tokenizer=tokenizer,
        trainer=TorchTrainer(base, name=config.base.model),
        engine=TorchEngine(base, tokenizer, batch=config.evaluate.batch),
    )


def base_folder(base: BaseConfig, project: Path) -> Path:
    """The folder of the base: made, found or fetched."""
    if base.model == EMBEDDED:
        from yukjo.backends.torch.embedded import prepare

        return prepare(base.cache)
    for place in (project / base.model, Path(base.model).expanduser()):
        if place.is_dir():
            return place
    return _from_hub(base.model)


def open_sketch(config: YukjoConfig, folder: Path) -> tuple[Tokenizer, Trainer]:
    """The tokenizer of the base in `folder`, and a trainer that knows its sizes only."""
    _need_torch()
    from yukjo.backends.torch.sketch import Sketch
    from yukjo.backends.torch.tokenizer import HfTokenizer

    return HfTokenizer(folder), Sketch(
        folder,
        dtype=config.base.dtype,
        recompute=config.train.recompute,
        screen=config.train.head == "screened",
    )


def base_at_hand(base: BaseConfig, project: Path) -> Path | None:
    """The folder of the base if it is on this machine; nothing is made or fetched."""
    _need_torch()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    from yukjo.backends.torch.embedded import NAME

    if base.model == EMBEDDED:
        folder = base.cache.expanduser() / NAME
        return folder if (folder / "NOTICE").is_file() else None
    for place in (project / base.model, Path(base.model).expanduser()):
        if place.is_dir():
            return place
    try:
        return Path(snapshot_download(base.model, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None


def notice(folder: Path) -> str:
    """The notice or licence that came with a base; "" where it has none."""
    for name in ("NOTICE", "NOTICE.txt", "LICENSE", "LICENSE.txt"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8", errors="replace")[:20_000]
    return ""


def _from_hub(name: str) -> Path:
    """The folder of a hub id, from the local cache or the hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "LICENSE*", "NOTICE*"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as fault:
        raise ModelError(
            say("no model folder and no hub id that can be had: `{name}`", name=name),
            where="yukjo.toml [base] model",
            fix=say("copy the model's folder to this machine and name it, or use `embedded`"),
        ) from fault


def _need_torch() -> None:
    # Threads that wait spin some 20 microseconds, then sleep. Spinning for good made training
    # slower by tens of times beside another busy process; sleeping at once costs a fifth of the
    # speed. Read once, when torch loads its OpenMP.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    # oneDNN and torch keep a compiled kernel for each of the last 1,024 matmul shapes, 0.6 MB
    # each: packs of ever other sizes took 580 MB, and hardly ever found one again.
    for cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(cache, "128")
    try:
        import torch  # noqa: F401 - only whether it is there
        import transformers  # noqa: F401 - the same
    except ImportError as fault:
        raise ModelError(
            say("torch and transformers aren't installed"),
            where=str(fault.name),
            fix="pip install 'yukjo[torch]'",
        ) from fault
