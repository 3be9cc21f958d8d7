"""One training step for several adapters on one frozen base: the Trainer port in torch.

Every adapter has its own AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101), its own gradient
norm and its own denominator, so an adapter learns beside others what it would learn alone.
"""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from yukjo import machine
from yukjo.backends.torch import peft_files
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.forecast import forecast, size_mb, written_mb
from yukjo.backends.torch.head import token_losses
from yukjo.backends.torch.lora import Lane, Lora, fresh
from yukjo.backends.torch.memory import give_back
from yukjo.config.models import LoraConfig
from yukjo.errors import AdapterError
from yukjo.files import write_whole
from yukjo.ports import Piece
from yukjo.records import Example, Forecast, Probe
from yukjo.words import say


class TorchTrainer:
    """Adapters being trained on `base`."""

    def __init__(self, base: Base, *, name: str) -> None:
        self.base = base
        self.name = name
        self.adapters: dict[str, Lora] = {}
        self.optimisers: dict[str, torch.optim.AdamW] = {}

    def add(self, adapter: str, lora: LoraConfig, *, seed: int, weight_decay: float) -> None:
        """Make a fresh adapter; AdapterError when its targets name no layer of this base."""
        made = fresh(self.base.layers, lora, seed=seed)
        reached = {name.rpartition(".")[2] for name in made.weights}
        if missing := set(lora.targets) - reached:
            have = sorted({layer.name.rpartition(".")[2] for layer in self.base.layers})
            raise AdapterError(
                say("no layer is called {missing}", missing=", ".join(sorted(missing))),
                where="yukjo.toml [lora] targets",
                fix=say("this base has: {have}", have=", ".join(have)),
            )
        self.adapters[adapter] = made
        self.optimisers[adapter] = torch.optim.AdamW(
            list(made.parameters()), lr=0.0, weight_decay=weight_decay
        )

    def backward(self, pack: Sequence[Piece]) -> list[float]:
        """Add the gradients of all pieces in one pass over the base."""
        losses = self._pack_losses(pack)
        sums, start = [], 0
        for piece in pack:
            count = sum(e.learned for e in piece.examples)
            sums.append(losses[start : start + count].sum())
            start += count
        total = torch.stack([s / p.denominator for s, p in zip(sums, pack, strict=True)]).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return [float(s.detach()) for s in sums]

    def update(self, adapter: str, *, learning_rate: float, clip: float) -> float:
        """One AdamW step on the gradient gathered since the last; returns its norm."""
        optimiser = self.optimisers[adapter]
        parameters = list(self.adapters[adapter].parameters())
        norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate
        optimiser.step()
        optimiser.zero_grad()
        give_back()
        return float(norm)

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        """Summed loss of each example under the adapter being trained; dropout is off."""
        lanes = self._lanes([(name, (example,), None) for name, example in pack])
        with torch.no_grad():
            losses = learned_losses(self.base, [e for _, e in pack], lanes)
        return [float(part.sum()) for part in torch.split(losses, [e.learned for _, e in pack])]

    def save(self, adapter: str, folder: Path) -> None:
        """Write the adapter as it now is, as PEFT files."""
        peft_files.write(self.adapters[adapter], folder, base=self.name)

    def save_state(self, file: Path) -> None:
        """Write weights and AdamW's moments of all adapters to one safetensors file."""
        write_whole(file, save(dict(self._state())))

    def load_state(self, file: Path) -> None:
        """Take up weights and moments from `save_state`'s file, bit for bit."""
        try:
            stored = load_file(file)
        except SafetensorError as fault:
            raise ValueError(str(fault)) from fault
        for name, lora in self.adapters.items():
            state = self.optimisers[name].state
            for number, parameter in enumerate(lora.parameters()):
                key = f"{name}/{number}"
                parameter.data.copy_(stored[f"{key}/weight"])
                if f"{key}/step" in stored:
                    state[parameter] = {
                        kind: stored[f"{key}/{kind}"] for kind in ("step", "exp_avg", "exp_avg_sq")
                    }

    def forecast(self, pack: Sequence[Piece]) -> Forecast:
        """Predict training's peak memory if no pack is larger; nothing is computed."""
        give_back()
        return forecast(
            self.base,
            self.adapters,
            lambda: self._pack_losses(pack).sum(),
            held_mb=size_mb(self._standing()),
        )

    def probe(self, pack: Sequence[Piece]) -> Probe:
        """Take `pack` twice, measure, and forget the gradients."""
        self.backward(pack)  # weights come in, libraries build what they keep
        self._forget_gradients()
        give_back()
        resting = machine.resident_mb()
        own = size_mb(self._parameters())
        to_come = 4 * own - size_mb(self._standing())
        machine.forget_peak()
        self.backward(pack)
        self._forget_gradients()
        added = machine.peak_mb() - resting
        give_back()
        machine.forget_peak()
        return Probe(resting_mb=resting + to_come, pass_mb=max(added, written_mb(own)))

    def give_back(self) -> None:
        """Hand the heap's free memory back to the system."""
        give_back()

    def resident_mb(self) -> float:
        """Resident memory of this process now, in MiB."""
        return machine.resident_mb()

    def available_mb(self) -> float:
        """What the machine or its container can still give, in MiB."""
        return machine.available_mb()

    def memory_mb(self) -> float:
        """Peak resident memory since the last probe, or else since the process began, in MiB."""
        return machine.peak_mb()

    def _pack_losses(self, pack: Sequence[Piece]) -> Tensor:
        """Loss of each learned token of all pieces [N]."""
        lanes = self._lanes([(p.adapter, p.examples, p.noise) for p in pack])
        return learned_losses(self.base, [e for p in pack for e in p.examples], lanes)

    def _parameters(self) -> list[Tensor]:
        return [p for lora in self.adapters.values() for p in lora.parameters()]

    def _standing(self) -> list[Tensor]:
        """What training holds now, of the four it comes to: weights, gradients, two moments."""
        weights = self._parameters()
        states = [v for o in self.optimisers.values() for s in o.state.values() for v in s.values()]
        return [*weights, *(w.grad for w in weights if w.grad is not None), *states]

    def _forget_gradients(self) -> None:
        for optimiser in self.optimisers.values():
            optimiser.zero_grad()

    def _state(self) -> list[tuple[str, Tensor]]:
        tensors = []
        for name, lora in self.adapters.items():
            state = self.optimisers[name].state
            for number, parameter in enumerate(lora.parameters()):
                tensors.append((f"{name}/{number}/weight", parameter.detach()))
                tensors += [(f"{name}/{number}/{k}", v) for k, v in state[parameter].items()]
        return tensors

    def _lanes(self, owners: Sequence[tuple[str, Sequence[Example], int | None]]) -> list[Lane]:
        """A lane for each owner's examples, in order."""
        sizes = [sum(len(e.tokens) for e in examples) for _, examples, _ in owners]
        ends = list(accumulate(sizes))
        return [
            Lane(self.adapters[name], end - size, end, noise)
            for (name, _, noise), size, end in zip(owners, sizes, ends, strict=True)
        ]


def learned_losses(base: Base, examples: Sequence[Example], lanes: Sequence[Lane]) -> Tensor:
    """Loss of each learned token [N], example after example."""
    hidden = base.hidden_of_pack([e.tokens for e in examples], lanes)
    rows, targets, start = [], [], 0
    for example in examples:
        # The state at t predicts the token at t + 1; the first token has no state before it.
        for t, learn in enumerate(example.learn):
            if learn:
                assert t > 0
                rows.append(start + t - 1)
                targets.append(example.tokens[t])
        start += len(example.tokens)
    return token_losses(hidden[torch.tensor(rows)], torch.tensor(targets), base.head)
