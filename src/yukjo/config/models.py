"""The settings of a project. Each says what moving it does; nonsense is refused at birth."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from yukjo.config.gate import GateConfig
from yukjo.config.settings import Names, Settings, Share
from yukjo.records import SIX
from yukjo.words import Language

FieldKind = Literal["name", "code", "date", "amount"]
"""Of a field in an analysis: a name, a number with its own form, a date, an amount of money."""

Contact = Annotated[
    str, Field(pattern=r"^(?:[^\s@]*@[^\s@]+\.[^\s@.]+|\+?[0-9][0-9 ().-]*[0-9])$", max_length=100)
]


class ProjectConfig(Settings):
    """[project]"""

    name: str = "yukjo"
    """What reports and the ledger call the project."""
    language: Language = "ko"
    """Of reports and messages."""
    runs: Path = Path("runs")
    """Folder of the runs, the adapter store and the ledger, relative to the project."""


class BaseConfig(Settings):
    """[base]"""

    model: str = "embedded"
    """A Hugging Face folder, a hub id, or `embedded`: Gemma 3 270M from its registry package."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the frozen weights. float32 is exact to the reference and half as fast."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the base lives. `cuda` is written and tested for its logic only: no GPU was at hand."""
    load_in_4bit: bool = False
    """Hold the frozen linear weights in NF4 (QLoRA, arXiv:2305.14314); needs `bitsandbytes`."""
    cache: Path = Path("~/.cache/yukjo")
    """Where the embedded base is unpacked once (about 540 MB)."""


class DataConfig(Settings):
    """[data]"""

    files: tuple[Path, ...] = ()
    """JSONL files, relative to the project."""
    valid_files: tuple[Path, ...] = ()
    """JSONL files that choose the best checkpoint, drawn apart: instead of the share `valid`."""
    test_files: tuple[Path, ...] = ()
    """JSONL files that are measured on, drawn apart: instead of the share `test`."""
    valid: Share = 0.1
    """Share held out to choose the best checkpoint."""
    test: Share = 0.2
    """Share held out to measure; never seen in training."""
    max_tokens: PositiveInt = 1024
    """A longer sample is refused by name and counted, never cut."""
    reviewed: Literal["any", "approved"] = "any"
    """`approved` leaves out, by name, every sample that `yukjo data review` has not approved."""
    allowed_contacts: tuple[Contact, ...] = ()
    """Telephone numbers, e-mail addresses and mail domains (`@hanbit.kr`) of offices that the check
    for personal data lets stand, beside those it knows for an office's by itself."""

    @property
    def every(self) -> tuple[Path, ...]:
        """All files, whatever they are for."""
        return (*self.files, *self.valid_files, *self.test_files)


class LoraConfig(Settings):
    """[lora]: the update added to a frozen weight is `alpha / rank * B @ A`."""

    rank: PositiveInt = 16
    """Inner width of A and B. Doubling it doubles the adapter's size."""
    alpha: PositiveFloat = 32
    """Strength of the update; at a fixed alpha / rank the learning rate needs no change."""
    dropout: Share = 0.0
    """Share of an adapter's inputs dropped in training; guards a small set against memorising."""
    targets: Names = ("q_proj", "v_proj")
    """Names of the linear layers that get an adapter."""
    vision_layers: Annotated[int, Field(ge=0)] = 0
    """So many last blocks of a vision tower, and what leads on from them, get one where `targets`
    names their layers: `qkv`, `proj`, `linear_fc1`, `linear_fc2` of Qwen3-VL. At 0 the tower stays
    frozen and looks at an image once; as many as it has blocks train all of it."""
    use_rslora: bool = False
    """Scale by `alpha / sqrt(rank)`: a high rank keeps its strength (arXiv:2312.03732)."""
    use_dora: bool = False
    """Learn each output's length apart from its direction (DoRA, arXiv:2402.09353); slower."""
    loraplus_lr_ratio: PositiveFloat = 1.0
    """B learns so many times faster than A (LoRA+, arXiv:2402.12354, which advises 16)."""

    @property
    def scale(self) -> float:
        """What `B @ A` is multiplied with."""
        return self.alpha / (math.sqrt(self.rank) if self.use_rslora else self.rank)

    def as_peft(self, base: str, targets: Sequence[str] = ()) -> dict[str, Any]:
        """PEFT's `adapter_config.json` of it; `base` is the name it shows for the base.

        `targets` stand in for the configured ones.
        """
        return {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": base,
            "r": self.rank,
            "lora_alpha": self.alpha,
            "lora_dropout": self.dropout,
            "target_modules": sorted(targets or self.targets),
            "bias": "none",
            "use_rslora": self.use_rslora,
            "use_dora": self.use_dora,
            "inference_mode": True,
        }


class PaceConfig(Settings):
    """[agent.NAME.train]: what of [train] may differ from agent to agent; the rest is the run's."""

    epochs: PositiveFloat = 3
    """Passes over the training samples; more than a few memorise."""
    max_steps: PositiveInt | None = None
    """A budget: stop after so many optimiser steps, however many epochs that is."""
    learning_rate: PositiveFloat = 2e-4
    """Peak of the schedule. Too high diverges, too low learns nothing in the epochs given."""
    warmup: Share = 0.1
    """Share of the steps in which the learning rate climbs."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """After the climb: half a cosine down to 0, or the peak to the end."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Pull of an adapter's weights towards 0 at each step, beside the gradient (AdamW)."""
    patience: PositiveInt | None = None
    """Looks without a new best held-out loss, while training loss is lower than at the best, before
    an adapter stops early, memorising; never if left out."""


class TrainConfig(PaceConfig):
    """[train]"""

    backend: Literal["torch", "mlx"] = "torch"
    """Who takes the steps. `mlx` is for Apple machines, base and answers included: docs/mlx.md."""
    batch: PositiveInt = 4
    """Most samples of one agent in a micro-batch; `pack_tokens` may make it smaller."""
    accumulate: PositiveInt = 4
    """Micro-batches an optimiser step: batch * accumulate samples shape each step."""
    clip: PositiveFloat = 1.0
    """Largest gradient norm."""
    pack_tokens: PositiveInt = 2048
    """Most tokens in one forward pass; fewer use less memory, with the same mathematics.

    Micro-batches of several agents share a pack. A longer sample stands alone.
    """
    evaluate_every: PositiveInt = 5
    """Optimiser steps between two looks at held-out loss."""
    checkpoint_every: PositiveInt = 20
    """Optimiser steps between two resumable checkpoints."""
    keep: PositiveInt = 3
    """Checkpoints kept."""
    threads: PositiveInt | None = None
    """Processor threads; as many as there are cores where it is left out."""
    deterministic: bool = False
    """Refuse any operation whose bits may differ from run to run; on a CPU it costs nothing."""
    head: Literal["screened", "exact"] = "screened"
    """Cross entropy: screened leaves the vocabulary's tail out of the gradient, less than bfloat16
    rounds away, and trains a quarter faster; only with bfloat16 on a processor with 8-bit products.
    """
    recompute: bool = False
    """Keep each layer's input only and compute the rest again: less memory, a third slower."""
    memory_limit_gb: PositiveFloat = 20
    """GiB that training never takes: micro-batches shrink first, then it stops, resumable."""


class AgentConfig(Settings):
    """[agent.NAME]: where one agent leaves [lora] and [train]; `load` fills the rest from there."""

    lora: LoraConfig
    train: PaceConfig


class SweepConfig(Settings):
    """[sweep]: values tried side by side in one run; the lowest held-out loss is kept.

    Several settings make a grid. All siblings of an agent share its seed.
    """

    learning_rate: tuple[PositiveFloat, ...] = ()
    """Instead of `[train] learning_rate`."""
    rank: tuple[PositiveInt, ...] = ()
    """Instead of `[lora] rank`."""
    alpha: tuple[PositiveFloat, ...] = ()
    """Instead of `[lora] alpha`."""
    dropout: tuple[Share, ...] = ()
    """Instead of `[lora] dropout`."""
    epochs: tuple[PositiveFloat, ...] = ()
    """Instead of `[train] epochs`; each schedule ends with its own last step."""


class EvaluateConfig(Settings):
    """[evaluate]"""

    cases: PositiveInt | None = None
    """Most test cases an agent to answer; all where it is left out. Perplexity uses all."""
    max_tokens: PositiveInt = 512
    """Longest answer; an answer that reaches it counts as a failure."""
    repeats: Annotated[int, Field(ge=0)] = 2
    """Sampled answers a case beside the greedy one, for consistency; 0 leaves it out."""
    temperature: PositiveFloat = 0.7
    """Of the sampled answers."""
    batch: PositiveInt = 64
    """Answers made side by side; seconds an answer are measured in that batch."""
    resamples: PositiveInt = 2000
    """Bootstrap resamples behind each interval."""
    together: Literal["material", "source", "case"] = "material"
    """Cases that are drawn together because they are not independent: those with the same material,
    those that name the same source, or none."""
    baseline_cases: Annotated[int, Field(ge=0)] | None = None
    """Most cases of the general-ability set that each adapter is held against; 0 leaves it out."""


class StageConfig(Settings):
    """[stage.NAME]: where a stage of a chain leaves the project's tables; the rest is theirs."""

    base: BaseConfig
    data: DataConfig
    lora: LoraConfig
    train: TrainConfig
    evaluate: EvaluateConfig


class ChainConfig(Settings):
    """[chain]: two stages, the second of which works on what the first one says; `docs/chain.md`.

    The first reads: its answers are lines `field: value`. The second sums up what was read.
    """

    stages: tuple[str, ...] = ()
    """The two in their order, each by its role in `roles/`; what differs stands in [stage.NAME]."""
    fields: dict[str, FieldKind] = Field(default_factory=dict)
    """Fields of an analysis: `name`, `code`, `date` or `amount`."""
    instruction: str = "다음 내용을 한두 문장으로 요약하세요."
    """What the second stage is asked; the analysis follows."""
    phrasings: tuple[str, ...] = ()
    """Summaries to learn from, with each field once in braces; `{부서}을(를)` takes the particle
    that fits what is filled in."""
    files: tuple[Path, ...] = ()
    """JSONL files of cases the second stage learns from; the first one's own training files if left
    out. It reads those better than new ones, so cases it never saw teach more."""
    learn: PositiveInt | None = None
    """Most cases that the second stage learns from; all if left out."""
    choose: PositiveInt | None = None
    """Most held-out cases by which its checkpoint and its final adapter are chosen."""
    cases: PositiveInt | None = None
    """Most test cases that go through the whole chain, of those that the first stage answers."""
    kept_files: tuple[Path, ...] = ()
    """JSONL files of cases the first stage's base could read before, and should still."""


class JudgeConfig(Settings):
    """[judge]: a model asked which of two answers is better. It describes and decides nothing."""

    url: str | None = None
    """Where an OpenAI-compatible API listens, as `http://127.0.0.1:8000/v1`; off if left out.

    Questions, material and answers are sent there, and nowhere else.
    """
    model: str = ""
    """Its name there."""
    key: str = "YUKJO_JUDGE_KEY"
    """Environment variable that holds the API key; without it none is sent."""
    timeout_seconds: PositiveFloat = 60
    """A judgement that takes longer is an error."""


class ServeConfig(Settings):
    """[serve]"""

    engine: Literal["llama_cpp", "torch", "vllm"] = "llama_cpp"
    """Who answers: llama.cpp in this process, torch (slow, the oracle), or a vLLM server."""
    gguf: Path | None = None
    """The base as GGUF, for llama_cpp; the embedded base brings its own."""
    vllm_url: str = "http://127.0.0.1:8000"
    """Where the vLLM server listens, for vllm."""
    host: str = "127.0.0.1"
    """Address to listen on; any but a loopback one needs `token_file`."""
    port: Annotated[int, Field(ge=0, lt=65536)] = 8600
    """0 takes a free one."""
    token_file: Path | None = None
    """File with the token that clients send as `Authorization: Bearer`."""
    cache: PositiveInt = 3
    """Adapters held in memory; the one unused for longest makes room."""
    cache_mb: PositiveFloat = 2048
    """MiB that the adapters held may take."""
    state_mb: Annotated[float, Field(ge=0)] = 256
    """MiB of state kept, so that what an agent's questions begin with is read once."""
    slots: PositiveInt = 4
    """Answers under way side by side; each holds `context` tokens of state."""
    context: PositiveInt = 4096
    """Most tokens of a conversation, answer included."""
    threads: PositiveInt | None = None
    """Processor threads; as many as there are cores where it is left out."""
    queue: PositiveInt = 64
    """Questions that may wait; one more is answered 429."""
    wait_seconds: PositiveFloat = 2.0
    """A question that waited so long goes before those of the adapter in use."""
    timeout_seconds: PositiveFloat = 120
    """An answer that takes longer is ended."""
    max_body_kb: PositiveInt = 256
    """Largest request body, in KiB."""
    max_tokens: PositiveInt = 512
    """Most tokens of an answer; a request may ask for fewer."""


class RouterConfig(Settings):
    """[router]: which agent a text goes to when the client asks for `auto`."""

    abstain: Share = 0.4
    """A best score below this sends the text to `fallback`."""
    fallback: str = "citizen_support"
    """The agent that takes what nobody is sure of."""
    files: tuple[Path, ...] = ()
    """JSONL files of questions with their agents, relative to the project: `{"text", "agent"}` a
    line. The router learns them beside the requests of the training split."""


class ToolsConfig(Settings):
    """[tools]: what the agents' tools read; each folder is relative to the project."""

    documents: Path | None = None
    """HWPX, HWP, PDF and text files for `document_search`."""
    laws: Path | None = None
    """Law files (XML or text) for `legal_reference`."""
    tables: Path | None = None
    """CSV and XLSX files for `data_analysis`."""
    index: Path = Path("runs/index")
    """Where `yukjo index` writes; a project's `runs` by default."""


class LedgerConfig(Settings):
    """[ledger]: where the record is kept, and who signs it; `docs/ledger.md`."""

    url: str | None = None
    """A PostgreSQL database instead of the file in `runs`: `postgresql+pg8000://user@host/name`.
    Its password stands in the environment variable YUKJO_LEDGER_PASSWORD, never here."""
    key: Path | None = None
    """Private key of `yukjo ledger keygen`, relative to the project: each new entry is signed."""
    checkpoints: Path = Path("runs/checkpoints")
    """Folder of the signed checkpoints; copy it off the machine."""


class YukjoConfig(Settings):
    """A whole `yukjo.toml`: what was asked."""

    preset: Literal["classic", "expert"] = "expert"
    """Where [lora] and [train] start from; see `yukjo.config.presets`."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of adapters, data order, dropout and sampling."""
    agents: Names = SIX
    """Agents to tune, one adapter each."""
    project: ProjectConfig = ProjectConfig()
    base: BaseConfig = BaseConfig()
    data: DataConfig = DataConfig()
    lora: LoraConfig = LoraConfig()
    train: TrainConfig = TrainConfig()
    agent: dict[str, AgentConfig] = Field(default_factory=dict)
    """Agents that differ: `[agent.rag.lora] rank = 32`, `[agent.rag.train] epochs = 5`."""
    chain: ChainConfig = ChainConfig()
    stage: dict[str, StageConfig] = Field(default_factory=dict)
    """Stages of a chain that differ: `[stage.reader.base] model = "..."`."""
    sweep: SweepConfig = SweepConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    judge: JudgeConfig = JudgeConfig()
    gate: GateConfig = GateConfig()
    serve: ServeConfig = ServeConfig()
    router: RouterConfig = RouterConfig()
    tools: ToolsConfig = ToolsConfig()
    ledger: LedgerConfig = LedgerConfig()
