"""The one place that names leaves: from the settings of a project to a base with its parts."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from yukjo.adapters.gguf import control_tokens
from yukjo.adapters.store import refuse_other_base
from yukjo.agents.roles import Role, of_project, pick
from yukjo.config import BaseConfig, YukjoConfig
from yukjo.errors import ConfigError, ModelError
from yukjo.files import hash_base
from yukjo.pipeline.parts import Parts
from yukjo.pipeline.proving import Prover, prove_merged, show
from yukjo.ports import Engine, Speaker, Tokenizer, Trainer
from yukjo.records import AdapterManifest, Proof
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.backends.mlx.trial import Trial
    from yukjo.backends.torch.engine import TorchEngine
    from yukjo.engines.llama_cpp.speaker import LlamaCppSpeaker

EMBEDDED = "embedded"


def open_tokenizer(config: YukjoConfig, project: Path) -> Tokenizer:
    """The base's tokenizer alone, for looking at data."""
    _need_torch()
    from yukjo.backends.torch.tokenizer import HfTokenizer

    return HfTokenizer(base_folder(config.base, project))


def open_parts(config: YukjoConfig, project: Path) -> Parts:
    """Load the base once, for training and for answering."""
    if config.train.backend == "mlx":
        return _open_mlx(config, project)
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


def _open_mlx(config: YukjoConfig, project: Path) -> Parts:
    """The same in a worker process of MLX: it trains and answers on one base."""
    _need_mlx()
    if config.base.load_in_4bit or config.base.device != "cpu":
        raise ConfigError(
            say("MLX chooses its own device and reads 4 bits from an MLX folder"),
            where="yukjo.toml [base]",
            fix=say("leave `device` and `load_in_4bit` out, and name a folder in 4 bits"),
        )
    from yukjo.backends.mlx.engine import MlxEngine
    from yukjo.backends.mlx.trainer import MlxTrainer
    from yukjo.backends.mlx.worker import Worker
    from yukjo.backends.torch.tokenizer import HfTokenizer

    folder = base_folder(config.base, project)
    tokenizer, base_hash = HfTokenizer(folder), hash_base(folder)
    worker = Worker(
        folder,
        dtype=config.base.dtype,
        recompute=config.train.recompute,
        limit_mb=config.train.memory_limit_gb * 1024,
    )
    return Parts(
        base=config.base.model,
        notice=notice(folder),
        conditions={"backend": "mlx", **worker.facts},
        tokenizer=tokenizer,
        trainer=MlxTrainer(worker, name=config.base.model),
        engine=MlxEngine(worker, tokenizer, base_hash=base_hash),
    )


def open_speaker(config: YukjoConfig, project: Path) -> tuple[Speaker, Tokenizer]:
    """Who answers, by [serve] engine, and the tokenizer of the base."""
    if config.serve.engine == "llama_cpp":
        speaker, tokenizer, _ = _open_llama_cpp(config, project)
        return speaker, tokenizer
    serve, tokenizer = config.serve, open_tokenizer(config, project)
    if serve.engine == "vllm":
        from yukjo.engines.vllm import VllmSpeaker

        return VllmSpeaker(
            serve.vllm_url,
            base_hash=hash_base(base_folder(config.base, project)),
            slots=serve.slots,
            context=serve.context,
            timeout=serve.timeout_seconds,
        ), tokenizer
    from yukjo.backends.torch.speaker import TorchSpeaker

    engine = _open_oracle(config, project, tokenizer)
    return TorchSpeaker(engine, slots=serve.slots, context=serve.context), tokenizer


@dataclass(frozen=True, slots=True)
class Proving:
    """The two that are compared before an adapter may serve, and the base's GGUF."""

    oracle: Engine
    speaker: Prover
    tokenizer: Tokenizer
    gguf: Path
    roles: Mapping[str, Role]


@contextmanager
def proving(config: YukjoConfig, project: Path) -> Iterator[Proving]:
    """Torch, in fp32, and llama.cpp on the same base, to prove adapters with."""
    alone = config.serve.model_copy(update={"slots": 1})
    config = _exact(config).model_copy(update={"serve": alone})
    speaker, tokenizer, gguf = _open_llama_cpp(config, project)
    with speaker:
        oracle = _open_oracle(config, project, tokenizer)
        yield Proving(oracle, speaker, tokenizer, gguf, of_project(project))


def merge(
    config: YukjoConfig, project: Path, place: Path, manifest: AdapterManifest, out: Path
) -> Proof:
    """Write the base with the adapter kept at `place` in its weights; whether they are equal."""
    tokenizer = open_tokenizer(config, project)
    from yukjo.backends.torch.merge import merge

    folder, config = base_folder(config.base, project), _exact(config)
    oracle = _open_oracle(config, project, tokenizer)
    refuse_other_base(manifest, oracle.base_hash)
    oracle.load(manifest.id, place)
    merge(oracle, manifest.id, folder, out)
    there = config.base.model_copy(update={"model": str(out.resolve())})
    merged = _open_oracle(config.model_copy(update={"base": there}), project, tokenizer)
    role = pick(of_project(project), manifest.agent)
    return prove_merged(manifest, oracle=oracle, merged=merged, tokenizer=tokenizer, role=role)


def prove_mlx(
    config: YukjoConfig, project: Path, exported: Mapping[Path, tuple[Path, AdapterManifest]]
) -> dict[Path, float]:
    """How far MLX is from torch in fp32, under each adapter as mlx-lm's own loader takes it.

    `exported` maps an MLX folder to the adapter it was made of. One base at a time is in memory.
    """
    _need_mlx()
    from yukjo.backends.mlx.engine import MlxEngine
    from yukjo.backends.mlx.worker import Worker

    config, tokenizer = _exact(config), open_tokenizer(config, project)
    oracle: Engine | None = _open_oracle(config, project, tokenizer)
    roles = of_project(project)
    shown = {
        out: show(oracle, place, made, role=pick(roles, made.agent), tokenizer=tokenizer)
        for out, (place, made) in exported.items()
        if oracle
    }
    oracle = None
    folder = base_folder(config.base, project)
    worker = Worker(folder, dtype="float32", limit_mb=config.train.memory_limit_gb * 1024)
    other = MlxEngine(worker, tokenizer, base_hash="")
    furthest = {}
    for out, one in shown.items():
        other.load(str(out), out)
        furthest[out] = one.furthest(other.next_logits(str(out), one.prompts))
        other.unload(str(out))
    worker.close()
    return furthest


def mlx_trial() -> "Trial":
    """A tiny training in MLX, twice."""
    _need_mlx()
    from yukjo.backends.mlx.trial import trial

    return trial()


def has_mlx() -> bool:
    """Whether mlx-lm is installed here."""
    return find_spec("mlx_lm") is not None


def _exact(config: YukjoConfig) -> YukjoConfig:
    """The same with the base in fp32, to compare with."""
    exact = config.base.model_copy(update={"dtype": "float32", "load_in_4bit": False})
    return config.model_copy(update={"base": exact})


def _open_llama_cpp(
    config: YukjoConfig, project: Path
) -> tuple["LlamaCppSpeaker", Tokenizer, Path]:
    """The speaker, the tokenizer and the base's GGUF; torch stays out of it where it can."""
    _spin_briefly()
    from yukjo.engines.llama_cpp.model import Model
    from yukjo.engines.llama_cpp.speaker import LlamaCppSpeaker
    from yukjo.engines.llama_cpp.tokenizer import LlamaCppTokenizer

    folder, serve = base_folder(config.base, project), config.serve
    base_hash = hash_base(folder)
    gguf = _base_gguf(config, project, folder, base_hash)
    model = Model(gguf)
    own = config.base.model == EMBEDDED and not serve.gguf
    tokenizer = (
        LlamaCppTokenizer(model, special=control_tokens(gguf))
        if own
        else open_tokenizer(config, project)
    )
    speaker = LlamaCppSpeaker(
        model,
        base_hash=base_hash,
        decode=tokenizer.decode,
        slots=serve.slots,
        context=serve.context,
        threads=serve.threads or os.cpu_count() or 1,
        state_mb=serve.state_mb,
    )
    return speaker, tokenizer, gguf


def base_gguf(config: YukjoConfig, project: Path) -> Path:
    """The base as llama.cpp reads it, made where it isn't there."""
    folder = base_folder(config.base, project)
    return _base_gguf(config, project, folder, hash_base(folder))


def _base_gguf(config: YukjoConfig, project: Path, folder: Path, base_hash: str) -> Path:
    """The base as GGUF: the one named, the embedded base's own, or one made of its folder."""
    if config.serve.gguf:
        return project / config.serve.gguf.expanduser()
    if config.base.model == EMBEDDED:
        from yukjo.backends.torch.embedded import gguf

        return gguf(config.base.cache)
    from yukjo.adapters.base_gguf import convert_base

    file = project / config.project.runs / "gguf" / f"{base_hash[:16]}.gguf"
    if not file.is_file():
        convert_base(folder, file)
    return file


def _open_oracle(config: YukjoConfig, project: Path, tokenizer: Tokenizer) -> "TorchEngine":
    _need_torch()
    import torch

    from yukjo.backends.torch.base import Base
    from yukjo.backends.torch.engine import TorchEngine

    torch.set_num_threads(config.serve.threads or os.cpu_count() or 1)
    base = Base(
        base_folder(config.base, project),
        dtype=config.base.dtype,
        device=config.base.device,
        load_in_4bit=config.base.load_in_4bit,
    )
    return TorchEngine(base, tokenizer, batch=1)


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


def _spin_briefly() -> None:
    """Let threads that wait spin some 20 microseconds, then sleep.

    Spinning for good made training slower by tens of times beside another busy process; sleeping
    at once costs a fifth of the speed. Read once, when the first library loads its OpenMP.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")


def _need_torch() -> None:
    _spin_briefly()
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


def _need_mlx() -> None:
    if not has_mlx():
        raise ModelError(
            say("mlx-lm isn't installed"),
            where='yukjo.toml [train] backend = "mlx"',
            fix="pip install 'yukjo[torch,mlx]'",
        )
