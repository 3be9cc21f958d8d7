"""A learner small enough to read, and runs for it.

Each adapter is a vector of logits over eight tokens, trained by gradient descent with momentum:
it overfits, diverges and forgets as the big ones do, and its state is all in plain lists.
"""

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from yukjo.config.models import AgentConfig, LoraConfig, SweepConfig, TrainConfig
from yukjo.ports import Piece
from yukjo.records import Example, Forecast, Probe
from yukjo.train.loop import Job
from yukjo.train.plan import plan

VOCABULARY = 8
MOMENTUM = 0.9
HELD = 10.0
"""Memory of the process between two packs, in MiB; a pack adds 1 a token."""


class Fell(Exception):
    """The process died, as far as the test is concerned."""


class Learner:
    """A Trainer in plain Python; it also notes what it was asked, for the laws."""

    def __init__(self, *, falls_at: int | None = None, spoils: Mapping[str, int] | None = None,
                 spoilt: str = "loss") -> None:  # fmt: skip
        self.weights: dict[str, list[float]] = {}
        self.speed: dict[str, list[float]] = {}
        self.gradient: dict[str, list[float]] = {}
        self.decay: dict[str, float] = {}
        self.pieces: dict[str, list[Any]] = {}
        self.packs: list[list[Piece]] = []
        self.looks: list[list[tuple[str, Example]]] = []
        self.updates: dict[str, list[tuple[float, float]]] = {}
        self.calls = 0
        self.falls_at = falls_at
        """The call that never returns."""
        self.spoils = spoils or {}
        """Adapter -> the (0-based) step at which its figure is no number."""
        self.spoilt = spoilt
        self.ballast = 0.0
        """Memory somebody else in the process took, in MiB."""
        self.highest = 0.0
        self.available = 1e6

    def add(self, adapter: str, lora: LoraConfig, *, seed: int, weight_decay: float) -> int:
        chance = random.Random(seed)
        self.weights[adapter] = [chance.gauss(0, 1 / lora.rank) for _ in range(VOCABULARY)]
        self.speed[adapter] = [0.0] * VOCABULARY
        self.gradient[adapter] = [0.0] * VOCABULARY
        self.decay[adapter] = weight_decay
        self.pieces[adapter] = []
        self.updates[adapter] = []
        return VOCABULARY

    def backward(self, pack: Sequence[Piece]) -> list[float]:
        self._live()
        self.packs.append(list(pack))
        self.highest = max(self.highest, self.resident_mb() + tokens_of(pack))
        return [self._piece(piece) for piece in pack]

    def update(self, adapter: str, *, learning_rate: float, clip: float) -> float:
        self._live()
        norm = math.sqrt(sum(g * g for g in self.gradient[adapter]))
        shrunk = min(1.0, clip / norm) if norm else 1.0
        for i, g in enumerate(self.gradient[adapter]):
            self.speed[adapter][i] = MOMENTUM * self.speed[adapter][i] + g * shrunk
            self.weights[adapter][i] *= 1 - learning_rate * self.decay[adapter]
            self.weights[adapter][i] -= learning_rate * self.speed[adapter][i]
        self.gradient[adapter] = [0.0] * VOCABULARY
        self.updates[adapter].append((learning_rate, clip))
        spoilt = self.spoilt == "norm" and self._spoilt(adapter, len(self.updates[adapter]) - 1)
        return math.nan if spoilt else norm

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        self._live()
        self.looks.append(list(pack))
        return [self._held_out(adapter, example) for adapter, example in pack]

    def save(self, adapter: str, folder: Path) -> None:
        self._live()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "weights.json").write_text(json.dumps(self.weights[adapter]))

    def save_state(self, file: Path) -> None:
        self._live()
        file.write_text(json.dumps([self.weights, self.speed]))

    def load_state(self, file: Path) -> None:
        self.weights, self.speed = json.loads(file.read_text())

    def forecast(self, pack: Sequence[Piece]) -> Forecast:
        self._live()
        parts = {"process": HELD, "pass": float(tokens_of(pack))}
        whole = sum(parts.values())
        return Forecast(low_mb=whole - 1, expected_mb=whole, high_mb=whole + 1, parts=parts)

    def probe(self, pack: Sequence[Piece]) -> Probe:
        self._live()
        return Probe(resting_mb=HELD, pass_mb=float(tokens_of(pack)))

    def give_back(self) -> None:
        self._live()

    def resident_mb(self) -> float:
        return HELD + self.ballast

    def available_mb(self) -> float:
        return self.available

    def memory_mb(self) -> float:
        return self.highest

    def _piece(self, piece: Piece) -> float:
        own = self.weights[piece.adapter]
        chance = random.Random(piece.noise)
        total = 0.0
        for token in learned(piece.examples):
            odds = softmax(own)
            total -= math.log(odds[token])
            for i, p in enumerate(odds):
                kept = chance.random() > 0.1  # dropout
                gradient = kept * (p - (i == token)) / piece.denominator
                self.gradient[piece.adapter][i] += gradient
        self.pieces[piece.adapter].append(
            ([e.name for e in piece.examples], piece.denominator, piece.noise)
        )
        step = len(self.updates[piece.adapter])
        return math.inf if self.spoilt == "loss" and self._spoilt(piece.adapter, step) else total

    def _held_out(self, adapter: str, example: Example) -> float:
        if self.spoilt == "held-out" and self._spoilt(adapter, len(self.updates[adapter]) - 1):
            return math.nan
        odds = softmax(self.weights[adapter])
        return -sum(math.log(odds[token]) for token in learned([example]))

    def _spoilt(self, adapter: str, step: int) -> bool:
        return self.spoils.get(adapter) == step

    def _live(self) -> None:
        self.calls += 1
        if self.calls == self.falls_at:
            raise Fell


def tokens_of(pack: Sequence[Piece]) -> int:
    return sum(len(e.tokens) for piece in pack for e in piece.examples)


def learned(examples: Sequence[Example]) -> list[int]:
    return [t for e in examples for t, yes in zip(e.tokens, e.learn, strict=True) if yes]


def softmax(logits: Sequence[float]) -> list[float]:
    highest = max(logits)
    odds = [math.exp(x - highest) for x in logits]
    return [o / sum(odds) for o in odds]


def make_examples(agent: str, number: int, *, seed: int = 0, side: str = "train") -> list[Example]:
    """Samples of 2 to 9 tokens, the first a prompt; an agent prefers small tokens."""
    chance = random.Random(f"{agent}/{side}/{seed}")
    made = []
    for i in range(number):
        tokens = tuple(
            min(chance.randrange(VOCABULARY), chance.randrange(VOCABULARY))
            for _ in range(chance.randint(2, 9))
        )
        learn = (False, *(True for _ in tokens[1:]))
        made.append(Example(agent, f"{agent}-{side}-{i}", f"{agent}-{side}-{i}", tokens, learn))
    return made


def make_job(folder: Path, sizes: Mapping[str, int], *, held_out: int = 3, seed: int = 0,
             own: Mapping[str, AgentConfig] | None = None, sweep: SweepConfig | None = None,
             **settings: Any) -> Job:  # fmt: skip
    """A run of agents with so many samples each."""
    config = TrainConfig(**({"batch": 2, "accumulate": 2, "learning_rate": 0.5} | settings))
    examples = {agent: make_examples(agent, number) for agent, number in sizes.items()}
    valid = {agent: make_examples(agent, held_out, side="valid") for agent in sizes}
    made = plan(examples, train=config, lora=LoraConfig(), seed=seed, own=own or {},
                sweep=sweep or SweepConfig())  # fmt: skip
    return Job(made, config, examples, valid if held_out else {}, folder)


def make_learner(job: Job, **how: Any) -> Learner:
    """A learner with the job's adapters, fresh."""
    made = Learner(**how)
    for agent in job.plan.agents:
        made.add(agent.adapter, agent.lora, seed=agent.seed, weight_decay=0.01)
    return made


@pytest.fixture(scope="session")
def examples() -> Callable[..., list[Example]]:
    return make_examples


@pytest.fixture(scope="session")
def learner() -> Callable[..., Learner]:
    return make_learner


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Job]:
    """A job in a folder of its own: `job({"rag": 5}, epochs=2)`."""
    root, numbers = tmp_path_factory.mktemp("runs"), count()

    def make(sizes: Mapping[str, int], **settings: Any) -> Job:
        return make_job(root / f"run-{next(numbers)}", sizes, **settings)

    return make


@pytest.fixture(scope="session")
def fell() -> type[Fell]:
    return Fell
