"""Adapters being trained, each with its gradient and its AdamW.

AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) is ours: mlx's own leaves out the correction of
the moments unless asked, computes it in fp32, and knows one learning rate for A and B.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from yukjo import machine
from yukjo.backends.mlx.inside.base import MIB, Base, Lora, shape, size_mb
from yukjo.backends.mlx.wire import Part, Row
from yukjo.config.models import LoraConfig
from yukjo.errors import AdapterError
from yukjo.files import write_whole
from yukjo.words import say

_BETAS, _EPSILON = (0.9, 0.999), 1e-8
"""As torch has them."""


@dataclass(slots=True)
class Pupil:
    """An adapter that learns. Gradient and moments are by the names of `Lora.weights`."""

    lora: Lora
    weight_decay: float
    gradient: dict[str, Any] = field(default_factory=dict)
    step: int = 0
    first: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        kinds = (("weight", self.lora.weights()), ("first", self.first), ("second", self.second))
        return {f"{key}/{kind}": array for kind, own in kinds for key, array in own.items()}


class Training:
    """All adapters being trained on one base."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.pupils: dict[str, Pupil] = {}

    def add(self, adapter: str, lora: Mapping[str, Any], *, seed: int, weight_decay: float) -> int:
        """Make a fresh adapter; how many numbers it trains."""
        config = LoraConfig.model_validate(lora)
        names = self.base.named(config.targets)
        if missing := set(config.targets) - {name.rpartition(".")[2] for name in names}:
            have = sorted({name.rpartition(".")[2] for name in self.base.linears})
            raise AdapterError(
                say("no layer is called {missing}", missing=", ".join(sorted(missing))),
                where="yukjo.toml [lora] targets",
                fix=say("this base has: {have}", have=", ".join(have)),
            )
        made = self.base.wrapped(config, names)
        made.take(_drawn(made, seed))
        self.pupils[adapter] = Pupil(made, weight_decay)
        return sum(weight.size for weight in made.weights().values())

    def backward(self, pack: Sequence[Part]) -> list[float]:
        """Add the gradients of all parts, one after another; each one's summed loss."""
        return [self._backward(part) for part in pack]

    def update(self, adapter: str, *, learning_rate: float, clip: float) -> float:
        """One AdamW step; the gradient's norm before clipping."""
        pupil = self.pupils[adapter]
        gradient, pupil.gradient = pupil.gradient, {}
        norm = math.sqrt(sum(mx.square(g).sum().item() for g in gradient.values()))
        if gradient:
            shrink = min(1.0, clip / (norm + 1e-6)) if norm == norm else norm  # noqa: PLR0124 - NaN
            pupil.step += 1
            ratio = pupil.lora.config.loraplus_lr_ratio
            for key, slope in gradient.items():
                rate = learning_rate * (ratio if key.endswith("/b") else 1.0)
                _adamw(pupil, key, slope * shrink, rate=rate)
            mx.eval(pupil.lora.weights(), pupil.first, pupil.second)
        return norm

    def losses(self, rows: Sequence[tuple[str, Row]]) -> list[float]:
        """Summed loss of each row under the adapter being trained."""
        return [summed(self.base, self.pupils[name].lora, row) for name, row in rows]

    def save(self, adapter: str, file: Path) -> None:
        """Write PEFT's weights: the same adapter gives the same bytes."""
        tensors = self.pupils[adapter].lora.peft()
        write_whole(file, save(tensors, metadata={"format": "pt"}))

    def save_state(self, file: Path) -> None:
        """Write weights, moments and steps of all adapters, by the names of `Pupil.tensors`."""
        state: dict[str, Any] = {}
        for name, pupil in self.pupils.items():
            state[f"{name}/step"] = np.array(pupil.step)
            for key, array in pupil.tensors().items():
                state[f"{name}/{key}"] = np.array(array)
        write_whole(file, save(state))

    def load_state(self, file: Path) -> str:
        """Take up what `save_state` wrote; "" or why the file isn't that."""
        try:
            stored = load(file.read_bytes())
            for name, pupil in self.pupils.items():
                _take(pupil, stored, prefix=f"{name}/")
        except (OSError, ValueError, KeyError, SafetensorError) as fault:
            return f"{type(fault).__name__}: {fault}"
        return ""

    def forecast(self, pack: Sequence[Part]) -> dict[str, float]:
        """MiB of base, adapters, what stands of theirs now, and a guess at a pass over `pack`."""
        return {
            "weights": self.base.size_mb(),
            "adapters": self._own_mb(),
            "standing": self._standing_mb(),
            "pass": max(*(self._pass_mb(part["rows"]) for part in pack), self._written_mb()),
        }

    def probe(self, pack: Sequence[Part]) -> tuple[float, float]:
        """MiB that stand between two passes once all is there, and what a pass adds."""
        self._tried(pack)  # libraries build what they keep
        active = mx.get_active_memory() / MIB
        resting = max(machine.resident_mb_of(os.getpid()) or 0.0, active)
        to_come = 4 * self._own_mb() - self._standing_mb()
        forget_peak()
        self._tried(pack)
        added = max(machine.peak_mb() - resting, mx.get_peak_memory() / MIB - active)
        forget_peak()
        return resting + to_come, max(added, self._written_mb())

    def _backward(self, part: Part) -> float:
        pupil = self.pupils[part["adapter"]]
        lora = pupil.lora
        self.base.wear(lora, noisy=lora.config.dropout > 0)
        mx.random.seed(part["noise"])
        weights = lora.weights()

        def loss(given: dict[str, Any]) -> Any:
            lora.take(given)
            return self.base.losses(part["rows"]).sum() / part["denominator"]

        mean, slopes = mx.value_and_grad(loss)(weights)
        lora.take(weights)
        known = pupil.gradient
        pupil.gradient = {k: known[k] + s if k in known else s for k, s in slopes.items()}
        mx.eval(mean, pupil.gradient)
        return float(mean.item()) * part["denominator"]

    def _tried(self, pack: Sequence[Part]) -> None:
        kept = {name: pupil.gradient for name, pupil in self.pupils.items()}
        self.backward(pack)
        for name, gradient in kept.items():
            self.pupils[name].gradient = gradient
        mx.clear_cache()

    def _own_mb(self) -> float:
        return sum(size_mb(pupil.lora.weights().values()) for pupil in self.pupils.values())

    def _standing_mb(self) -> float:
        """Of the four it comes to: weights, gradients, two moments."""
        return sum(
            size_mb([*pupil.tensors().values(), *pupil.gradient.values()])
            for pupil in self.pupils.values()
        )

    def _written_mb(self) -> float:
        """What writing a checkpoint takes: adapters and two moments, in two copies."""
        return 2 * 3 * self._own_mb()

    def _pass_mb(self, rows: Sequence[Row]) -> float:
        """What goes in and out of every layer, there and back, and the logits with theirs."""
        tokens = len(rows) * max(len(row["tokens"]) for row in rows)
        wide = sum(sum(shape(linear)) for linear in self.base.linears.values())
        return 4 * 2 * tokens * (wide + 2 * self.base.vocabulary) / MIB


def summed(base: Base, lora: Lora | None, row: Row) -> float:
    """Summed loss of one row alone, without dropout."""
    base.wear(lora)
    return float(base.losses([row]).sum().item())


def peak_mb() -> float:
    """Peak of this process since `forget_peak`, in MiB; Metal's own count where that is more."""
    return max(machine.peak_mb(), float(mx.get_peak_memory()) / MIB)


def forget_peak() -> None:
    """Let the peak begin from now."""
    machine.forget_peak()
    mx.reset_peak_memory()


def _drawn(lora: Lora, seed: int) -> dict[str, Any]:
    """The weights that torch draws of this seed: A ~ U(-1/sqrt(in), 1/sqrt(in)), B zero.

    torch's generator is the Mersenne Twister, and its uniform fp32 numbers are 24 of 32 bits.
    """
    twister = np.random.RandomState(seed)
    made = {}
    for key, weight in lora.weights().items():
        if key.endswith("/b"):
            made[key] = mx.zeros(weight.shape)
            continue
        width, rank = weight.shape
        bits = twister.randint(0, 2**32, size=(rank, width), dtype=np.uint32)
        shares = (bits & 0xFFFFFF).astype(np.float32) * np.float32(2**-24)
        made[key] = mx.array(((shares * 2 - 1) / np.float32(math.sqrt(width))).T)
    mx.eval(made)
    return made


def _adamw(pupil: Pupil, key: str, slope: Any, *, rate: float) -> None:
    weight, zero = pupil.lora.weights()[key], mx.zeros_like(slope)
    one, two = _BETAS
    first = pupil.first.get(key, zero)
    pupil.first[key] = first = first + (slope - first) * (1 - one)
    pupil.second[key] = second = pupil.second.get(key, zero) * two + slope * slope * (1 - two)
    # The corrections in Python's doubles: 1 - 0.999 in fp32 is off by 6e-5 of itself.
    length = mx.sqrt(second) / math.sqrt(1 - two**pupil.step) + _EPSILON
    kept = weight * (1 - rate * pupil.weight_decay)
    pupil.lora.take({key: kept - first / length * (rate / (1 - one**pupil.step))})


def _take(pupil: Pupil, stored: Mapping[str, Any], *, prefix: str) -> None:
    """Put a checkpoint's arrays in the places of `Pupil.tensors`; KeyError where one is missing."""
    step = int(stored[f"{prefix}step"])
    weights = pupil.lora.weights()
    taken = {
        kind: {key: _fitting(stored[f"{prefix}{key}/{kind}"], weights[key]) for key in weights}
        for kind in (("weight", "first", "second") if step else ("weight",))
    }
    pupil.lora.take(taken["weight"])
    pupil.first, pupil.second = taken.get("first", {}), taken.get("second", {})
    pupil.step, pupil.gradient = step, {}


def _fitting(stored: Any, weight: Any) -> Any:
    if stored.shape != tuple(weight.shape):
        raise ValueError(f"{stored.shape} {tuple(weight.shape)}")
    return mx.array(stored)
