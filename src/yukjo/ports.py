"""What the core asks of the leaves: a tokenizer, a trainer, an engine.

Everything crosses as plain lists, numbers and records; a tensor never leaves its leaf.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from yukjo.config.models import LoraConfig
from yukjo.records import Answer, Example, Forecast, Message, Picture, Probe


class Tokenizer(Protocol):
    """Turns text into tokens and back; knows the model's own chat template, if it has one."""

    @property
    def chat_template(self) -> str | None:
        """The model's own Jinja chat template; None for a bare base model."""

    @property
    def special(self) -> frozenset[int]:
        """Ids of control tokens (begin, end, turn marks): text from outside must hold none."""

    def render(self, messages: Sequence[Message], *, template: str, reply: bool) -> str:
        """The conversation as text; with `reply` up to where the assistant's next turn begins."""

    def encode(self, text: str) -> list[int]:
        """Tokens of `text`. Control tokens in it are recognised, none are added."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of `tokens`, control tokens left out."""

    def spell(self, tokens: Sequence[int]) -> str:
        """Text of `tokens` with control tokens written out, for people to see."""

    def expand(self, tokens: Sequence[int], images: Sequence[Picture]) -> list[int]:
        """`tokens` with each image's one mark repeated for all the tokens that it becomes.

        ModelError for a base that sees no images; DataError where an image can't be read or the
        marks are not as many as the images.
        """


@dataclass(frozen=True, slots=True)
class Piece:
    """One adapter's micro-batch inside a pack."""

    adapter: str
    examples: tuple[Example, ...]
    denominator: int
    """Learned tokens of this adapter in the whole step, over all its micro-batches."""
    noise: int
    """Seed of this piece's dropout: the same alone and beside others."""


class Trainer(Protocol):
    """Holds one frozen base and the adapters being trained on it.

    The core owns batches, schedule, stopping and records; a trainer only knows how to take
    one step, so that two backends fed the same batches can be compared.
    """

    def add(self, adapter: str, lora: LoraConfig, *, seed: int, weight_decay: float) -> int:
        """Make a fresh adapter, seeded before it is drawn, and its optimiser.

        Returns how many numbers it trains.
        """

    def backward(self, pack: Sequence[Piece]) -> list[float]:
        """Add the gradients of `sum of token losses / denominator` of every piece.

        Returns each piece's summed loss in nats.
        """

    def update(self, adapter: str, *, learning_rate: float, clip: float) -> float:
        """Clip the gradient to norm `clip`, take one optimiser step, return the norm before."""

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        """Summed loss in nats of each example under its adapter; no gradient, no dropout."""

    def save(self, adapter: str, folder: Path) -> None:
        """Write `adapter` to `folder` as PEFT files."""

    def save_state(self, file: Path) -> None:
        """Write all adapters, optimisers included, so that `load_state` goes on from here."""

    def load_state(self, file: Path) -> None:
        """Take up what `save_state` wrote; the same adapters must have been added.

        OSError, ValueError or KeyError where the file isn't that.
        """

    def forecast(self, pack: Sequence[Piece]) -> Forecast:
        """Predict training's peak memory if no pack is larger than this; nothing is computed."""

    def probe(self, pack: Sequence[Piece]) -> Probe:
        """Take `pack` twice, measure, and forget the gradients: no bit of a run changes."""

    def give_back(self) -> None:
        """Hand memory that was freed but kept back to the system."""

    def resident_mb(self) -> float:
        """Memory held now, in MiB; cheap."""

    def available_mb(self) -> float:
        """What can still be taken before the machine or its container runs out, in MiB; cheap."""

    def memory_mb(self) -> float:
        """Peak memory since the last probe, or else since the process began, in MiB."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to an engine."""

    case: str
    agent: str
    adapter: str
    """Content hash of a loaded adapter, or "" for the bare base."""
    repeat: int
    tokens: tuple[int, ...]
    stop: frozenset[int]
    """The answer ends before any of these."""
    max_tokens: int
    temperature: float
    """0 is greedy."""
    seed: int
    images: tuple[Picture, ...] = ()
    """In the order of their tokens."""


class Engine(Protocol):
    """Holds one base and the adapters loaded on it, and answers.

    An adapter is known by its content hash; the same hash is never loaded twice.
    """

    @property
    def base_hash(self) -> str:
        """Hash of the base's configuration and weights; adapters made on another are refused."""

    def load(self, adapter: str, folder: Path) -> None:
        """Load a PEFT adapter folder under its content hash; AdapterError if it can't serve."""

    def unload(self, adapter: str) -> None:
        """Forget an adapter and free its memory."""

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer all requests, in their order; several adapters may be mixed."""

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        """Summed loss in nats over the learned tokens of each example; "" is the bare base."""

    def next_logits(
        self,
        adapter: str,
        prompts: Sequence[Sequence[int]],
        images: Sequence[Sequence[Picture]] = (),
    ) -> list[list[float]]:
        """Logits [prompt][vocabulary] of the token after each prompt, for the effect proof.

        `images` are those of each prompt; none has any where it is left out.
        """


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer to be spoken token by token."""

    adapter: str
    """Content hash of a loaded adapter, or "" for the bare base."""
    tokens: tuple[int, ...]
    prefix: int
    """Leading tokens that every turn of the agent begins with: their state may be kept."""
    stop: frozenset[int]
    """The answer ends before any of these."""
    max_tokens: int
    temperature: float
    """0 is greedy."""
    top_p: float
    """Draw among the likeliest tokens that hold this share; 1 is all."""
    seed: int
    schema: str | None = None
    """JSON Schema, as JSON text, that the answer must satisfy."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A turn that took a slot."""

    slot: int
    restored: int
    """Tokens of its prompt whose state was kept and needn't be computed."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one step made of one slot."""

    text: str
    """Whole characters; one whose bytes aren't all there waits for the next step."""
    tokens: int
    """Made by this step; 0 while the prompt is being read."""
    finish: Literal["stop", "length"] | None
    """Why the answer ended, if it did; its slot is still to be closed."""


class Speaker(Protocol):
    """Holds one base, the adapters loaded on it and a number of slots, and speaks in steps.

    The core owns the queue, which adapters are loaded, stop texts and deadlines; a speaker only
    knows how to take one step, so that an answer can be streamed, bounded or given up at any
    token. State computed under one adapter is never read under another.
    """

    @property
    def base_hash(self) -> str:
        """Hash of the base that adapters must have been made on."""

    @property
    def slots(self) -> int:
        """Answers that can be under way side by side."""

    @property
    def context(self) -> int:
        """Most tokens of a slot, prompt and answer together."""

    def load(self, adapter: str, folder: Path) -> int:
        """Load the adapter of a store folder; returns bytes. AdapterError if it can't serve."""

    def unload(self, adapter: str) -> None:
        """Forget an adapter and free its memory. State kept under its hash may stay."""

    def open(self, turn: Turn) -> Opened:
        """Take a free slot for `turn`; its prompt is read by the steps that follow."""

    def step(self, slots: Sequence[int]) -> list[Spoken]:
        """Go one token on (or one chunk of a prompt) in each slot; all are of one adapter."""

    def close(self, slot: int) -> None:
        """Give a slot back, whether its answer ended or not."""

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        """Logits [prompt][vocabulary] of the token after each prompt, for the effect proof."""
