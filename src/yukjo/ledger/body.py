"""What is read from the body of a run's entry: every part may be missing, none may be nonsense.

Entries outlive the version that wrote them, so an unknown key is left alone and a missing one has
a value that says "not known"; a value of the wrong kind is a LedgerError.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from yukjo.errors import LedgerError
from yukjo.records import Entry, Verdict
from yukjo.words import say

ALL = "all"
"""The pseudo agent whose metrics are over all agents together."""


class Part(BaseModel):
    """A piece of a body, read leniently."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Metric(Part):
    """A `records.Comparison`, as far as it was written."""

    name: str
    metric_id: str = ""
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    verdict: Verdict = "unclear"


class AgentResult(Part):
    """What was measured of one agent."""

    cases: int | None = None
    metrics: tuple[Metric, ...] = ()


class Base(Part):
    """The model that was tuned."""

    name: str = ""
    hash: str = ""
    notice: str = ""


class DataFile(Part):
    """A file of samples."""

    name: str
    sha256: str = ""


class Refused(Part):
    """A sample that was left out, and why."""

    name: str
    reason: str = ""


class Data(Part):
    """What went in."""

    files: tuple[DataFile, ...] = ()
    lines: dict[str, tuple[str, ...]] = {}
    dropped: int = 0
    refused: tuple[Refused, ...] = ()


class Effect(Part):
    """Proof that an adapter does something."""

    prompts: int | None = None
    change: float | None = None
    fingerprint: str = ""


class Adapter(Part):
    """A `records.AdapterManifest`, as far as a reader needs it."""

    id: str = ""
    run: str = ""
    base: str = ""
    base_hash: str = ""
    template_hash: str = ""
    prompt_hash: str = ""
    seed: int | None = None
    data: tuple[str, ...] = ()
    steps: int | None = None
    best_step: int | None = None
    learned_tokens: int | None = None
    valid_loss: float | None = None
    size_bytes: int | None = None
    effect: Effect = Effect()
    recipe: dict[str, Any] = {}


class Machine(Part):
    """Where it ran."""

    cores: int | None = None
    memory_gb: float | None = None
    system: str = ""


class Training(Part):
    """How the training went."""

    steps: int | None = None
    seconds: float | None = None
    tokens: int | None = None
    tokens_per_s: float | None = None
    peak_memory_mb: float | None = None
    warnings: tuple[str, ...] = ()


class Shown(Part):
    """One answer before and after, beside the reference."""

    agent: str = ""
    case: str = ""
    instruction: str = ""
    before: str = ""
    after: str = ""
    reference: str = ""


class Stage(Part):
    """A stage of a chain, as one metric before and after."""

    before: float | None = None
    after: float | None = None
    metric_id: str = ""
    low: float | None = None
    high: float | None = None
    n: int = 0
    adapter: str = ""


class Estimate(Part):
    """A figure with its 95 % interval, by case."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


class Chosen(Part):
    """How the final adapter of a chain's second stage was chosen: by quality on held-out cases."""

    cases: int = 0
    after: Estimate = Estimate()
    joint: Estimate = Estimate()


class StageMemory(Part):
    """MiB of the process around a stage."""

    held_before: float | None = None
    peak: float | None = None
    held_after: float | None = None


class ChainCase(Part):
    """One case at the end of the chain."""

    case: str = ""
    truth: str = ""
    reading: str = ""
    before: str = ""
    summary: str = ""
    fates: dict[str, str] = {}


class Chain(Part):
    """What a chain adds to its stages; a way is `who reads/who sums up`."""

    stages: tuple[str, str] = ("", "")
    cases: int = 0
    final: str = ""
    chosen_by: Chosen = Chosen()
    ways: dict[str, dict[str, Estimate]] = {}
    reader_alone: Estimate = Estimate()
    interaction: Estimate = Estimate()
    fates: dict[str, dict[str, Estimate]] = {}
    examples: tuple[ChainCase, ...] = ()
    memory_mb: dict[str, StageMemory] = {}


class Answers(Part):
    """The file of raw answers behind the figures."""

    sha256: str = ""


class Cases(Part):
    """The file of answered cases, and what became of how many, by agent and over "all"."""

    sha256: str = ""
    counts: dict[str, dict[str, int]] = {}


class RunBody(Part):
    """The body of an entry of kind `run`."""

    project: str = ""
    seed: int | None = None
    config: dict[str, Any] = {}
    base: Base = Base()
    template_hash: str = ""
    titles: dict[str, str] = {}
    data: Data = Data()
    adapters: dict[str, Adapter] = {}
    versions: dict[str, Any] = {}
    machine: Machine = Machine()
    train: Training = Training()
    agents: dict[str, AgentResult] = {}
    samples: tuple[Shown, ...] = ()
    stages: dict[str, Stage] = {}
    chain: Chain | None = None
    answers: Answers = Answers()
    cases: Cases = Cases()
    times: dict[str, float] = {}
    licences: dict[str, str] = {}


def run_body(entry: Entry) -> RunBody:
    """The body of `entry`, checked."""
    try:
        return RunBody.model_validate(entry.body)
    except ValidationError as fault:
        first = fault.errors()[0]
        raise LedgerError(
            say("the entry can't be shown: {why}", why=first["msg"]),
            where=say("entry {number}, {place}", number=entry.number,
                      place=".".join(map(str, first["loc"]))),
            fix=say("run `yukjo ledger verify`; `yukjo ledger export --format jsonl` shows it raw"),
        ) from None  # fmt: skip
