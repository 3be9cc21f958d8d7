"""The nouns that cross folders. All are frozen; what comes from outside is checked by pydantic.

The way of the data: `Sample` (a line) -> `Chat` (messages) -> `Example` (tokens and mask)
-> an adapter (`AdapterManifest`) -> `Answer`s -> `Comparison`s -> `Entry` (the ledger).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from yukjo.files import hash_json

SIX = ("rag", "citizen_support", "document_writing", "legal_research", "data_analysis", "review")
"""The six agents of requirement G1, in its order."""

DIFFICULTIES = ("쉬움", "보통", "어려움")

Difficulty = Literal["쉬움", "보통", "어려움"]
Role = Literal["system", "user", "assistant", "tool"]
Side = Literal["train", "valid", "test"]
Verdict = Literal["better", "worse", "unclear"]
Change = Literal["broken", "fixed", "unsound", "sound"]
"""What became of a case's answer: it was sound and isn't any more, the other way round, or it
stayed as it was."""
Ruling = Literal["pass", "hold", "regression"]
"""The gate's three answers: 통과, 보류, 회귀."""


class Frozen(BaseModel):
    """A record that can't change and knows no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Picture(Frozen):
    """An image file, and what was in it when it was read."""

    path: Path
    """Resolved; where it lies is no part of what it is."""
    sha256: str


class Message(Frozen):
    """One turn of a conversation."""

    role: Role
    content: str
    images: tuple[Picture, ...] = ()
    """They stand before the text."""


class Sample(Frozen):
    """A line of a data file: what is asked, of whom, and what should be answered (G2)."""

    instruction: str
    input: str = ""
    output: str
    agent_type: str
    id: str | None = None
    difficulty: Difficulty | None = None
    topic: str | None = None
    exception: str | None = None
    source: str | None = None
    license: str | None = None
    messages: tuple[Message, ...] = ()
    """Earlier turns of the conversation; `instruction`, `input` and `output` are its last turn."""
    images: tuple[Picture, ...] = ()
    """They belong to the last turn, before its instruction."""

    @property
    def hash(self) -> str:
        """Hex SHA-256 of what is trained on; id, source and labels don't change it."""
        turns = [[m.role, m.content] for m in self.messages]
        seen = [[image.sha256 for image in self.images]] if self.images else []
        return hash_json([self.agent_type, turns, self.instruction, self.input, self.output, *seen])

    @property
    def name(self) -> str:
        """How people refer to the sample: its id, else the start of its hash."""
        return self.id or self.hash[:12]


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation for one agent, system prompt first, the reply to learn last."""

    agent: str
    sample: str
    """Hash of the sample it came from."""
    name: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A chat as tokens. `learn[i]` says whether the model learns to produce `tokens[i]`."""

    agent: str
    sample: str
    name: str
    tokens: tuple[int, ...]
    """An image is here as all the tokens that the base makes of it."""
    learn: tuple[bool, ...]
    images: tuple[Picture, ...] = ()

    @property
    def learned(self) -> int:
        """How many tokens are learned."""
        return sum(self.learn)


class Forecast(Frozen):
    """Peak memory of a training pass, predicted, in MiB of this process."""

    low_mb: float
    """Of one pass in a tidy heap."""
    expected_mb: float
    """The sum of the parts."""
    high_mb: float
    parts: dict[str, float]
    """process, weights, adapters, gradients, optimiser, libraries, pass."""


class Probe(Frozen):
    """What a training pass took when it was tried, in MiB of this process."""

    resting_mb: float
    """What stands between two passes once every adapter has its gradient and its moments."""
    pass_mb: float
    """What the pass added at its peak, or writing a checkpoint where that is more."""

    @property
    def peak_mb(self) -> float:
        """Of training, if no pass is larger than the one tried."""
        return self.resting_mb + self.pass_mb


class Effect(Frozen):
    """Proof that an adapter does something: what it makes of fixed prompts.

    `change` is the largest absolute difference between the logits with and without the adapter;
    `fingerprint` hashes the top tokens and the rounded logits with it.
    """

    prompts: int
    change: float
    fingerprint: str


class AdapterManifest(Frozen):
    """`yukjo.json`, what travels with an adapter's weights."""

    id: str
    """Hex SHA-256 of `adapter_model.safetensors`."""
    size_bytes: int
    agent: str
    run: str
    base: str
    """Name of the base as the project gave it."""
    base_hash: str
    template_hash: str
    prompt_hash: str
    """Of the agent's system prompt: another prompt is another adapter."""
    recipe: dict[str, Any]
    seed: int
    data: tuple[str, ...]
    """Hashes of the training samples, sorted."""
    learned_tokens: int
    steps: int
    best_step: int
    valid_loss: float | None
    effect: Effect
    versions: dict[str, str]
    licences: dict[str, str]


class Answer(Frozen):
    """One answer of one engine to one case; kept raw so that it can be scored again."""

    case: str
    agent: str
    adapter: str
    """Content hash of the adapter, or "" for the bare base."""
    repeat: int
    """0 is the greedy answer; 1.. are sampled ones, for consistency."""
    text: str
    tokens: int
    seconds: float
    """From the request to the last token, in the batch it was answered in."""
    finish: Literal["stop", "length"]


class Comparison(Frozen):
    """One metric before and after, paired by case."""

    name: str
    metric_id: str
    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    """95 % bootstrap interval of the difference; None where n < 2."""
    n: int
    verdict: Verdict
    improvement_percentage: float | None
    """100 * (after - before) / before; None where before is 0."""
    improvement_low: float | None = None
    improvement_high: float | None = None
    """95 % bootstrap interval of that percentage."""
    clusters: int | None = None
    """Groups of cases that were drawn together; None in records of before there were any."""
    test: str = ""
    """Of "no difference": mcnemar or wilcoxon; "" in records of before there was one."""
    p: float | None = None
    """Two-sided, of that test alone: not yet corrected for the other comparisons."""
    higher_is_better: bool | None = None


class CaseShown(Frozen):
    """An answered test case as people look at it: a line of a run's `cases.jsonl`."""

    case: str
    """Hash of the sample."""
    name: str
    agent: str
    difficulty: Difficulty | None = None
    topic: str | None = None
    instruction: str
    input: str = ""
    images: int = 0
    """How many belong to it."""
    reference: str
    before: str
    after: str
    more_before: tuple[str, ...] = ()
    """The sampled answers beside the greedy one."""
    more_after: tuple[str, ...] = ()
    against_before: tuple[str, ...] = ()
    """What makes the answer unsound: the role's rules it breaks, and why it failed."""
    against_after: tuple[str, ...] = ()
    change: Change
    scores: dict[str, tuple[float | None, float | None]] = {}
    """Metric -> before and after."""


class Ruled(Frozen):
    """What the gate says of one target for one agent, and why."""

    target: str
    metric: str
    agent: str
    """"all" where it is of the whole run."""
    kind: str
    """What is held against `bar`: improvement in per cent, difference, or the level itself."""
    bar: float
    ruling: Ruling
    why: Literal["met", "worse", "missed", "few", "absent", "unsealed"]
    before: float | None = None
    after: float | None = None
    low: float | None = None
    high: float | None = None
    """Interval of what is held against the bar; a gain is above 0 whichever way is good."""
    n: int = 0
    needed: int | None = None
    """Cases more that would decide it if the figures stay as they are; None where none would."""


class Decision(Frozen):
    """The gate's answer to a run, regression before hold before pass, and the rule that decided."""

    verdict: Ruling
    rule: str
    """`target/agent` of the first line that has this verdict; "" for a pass: all lines have it."""
    lines: tuple[Ruled, ...]


class Entry(Frozen):
    """One line of the ledger; `hash` covers all the rest, and `previous` chains it."""

    number: int
    kind: str
    run: str
    created: str
    """ISO 8601, UTC."""
    body: dict[str, Any]
    previous: str
    hash: str


class Proof(Frozen):
    """Proof that llama.cpp applies an adapter as torch does; stands beside the file it is of."""

    adapter: str
    base_hash: str
    """Of the base that torch answered from: the one the adapter was trained on."""
    gguf: str
    """Hex SHA-256 of the base's GGUF."""
    file: str
    """Hex SHA-256 of the GGUF-LoRA file."""
    positions: int
    """Places at which both were asked for the next token."""
    kl: float
    """Mean KL divergence in nats of llama.cpp's answers from torch's, with the adapter."""
    kl_base: float
    """The same without it: whether the GGUF is that base."""
    effect: float
    """Mean KL of torch's answers with the adapter from those without it."""
    error: float
    """Share of the adapter's effect on the logits that llama.cpp misses: 0 none, 1 all of it."""
    most_kl: float
    most_error: float

    @property
    def holds(self) -> bool:
        """Whether the adapter may serve."""
        closeness = ((self.kl, self.most_kl), (self.kl_base, self.most_kl))
        return all(found <= most for found, most in (*closeness, (self.error, self.most_error)))

    @staticmethod
    def places(folder: Path, gguf: str) -> tuple[Path, Path]:
        """Where an adapter's folder keeps the GGUF-LoRA file for a base's GGUF, and its proof."""
        stem = folder / "gguf" / gguf[:16]
        return stem.with_suffix(".gguf"), stem.with_suffix(".json")
