"""One training step for several adapters on one frozen base: the Trainer port in torch.

Every adapter has its own AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101), its own gradient
norm and its own denominator, so an adapter learns beside others what it would learn alone.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from yukjo import machine
from yukjo.backends.torch import peft_files
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.forecast import forecast, size_mb, written_mb
from yukjo.backends.torch.head import Head, token_losses
from yukjo.backends.torch.layout import Span, learned_span, learned_tokens
from yukjo.backends.torch.lora import Lora, LoraLinear, fresh
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

    def add(self, adapter: str, lora: LoraConfig, *, seed: int, weight_decay: float) -> int:
        """Make a fresh adapter; AdapterError when its targets name no layer of this base."""
        _refuse_unreached(lora, self.base.layers)
        made = fresh(self.base.layers, lora, seed=seed)
        self.adapters[adapter] = made
        self.optimisers[adapter] = _adamw(made, weight_decay=weight_decay)
        return sum(parameter.numel() for parameter in made.parameters())

    def backward(self, pack: Sequence[Piece]) -> list[float]:
        """Add the gradients of all pieces in one pass over the base."""
        losses = self._pack_losses(pack)
        learned = [sum(e.learned for e in piece.examples) for piece in pack]
        sums = [part.sum() for part in torch.split(losses, learned)]
        total = torch.stack([s / p.denominator for s, p in zip(sums, pack, strict=True)]).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return [float(s.detach()) for s in sums]

    def update(self, adapter: str, *, learning_rate: float, clip: float) -> float:
        """One AdamW step on the gradient gathered since the last; returns its norm."""
        optimiser = self.optimisers[adapter]
        parameters = list(self.adapters[adapter].parameters())
        norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * group["lr_ratio"]
        optimiser.step()
        optimiser.zero_grad()
        return float(norm)

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        """Summed loss of each example under the adapter being trained; dropout is off."""
        return example_losses(self.base, [(self.adapters[name], e) for name, e in pack])

    def save(self, adapter: str, folder: Path) -> None:
        """Write the adapter as it now is, as PEFT files."""
        peft_files.write(self.adapters[adapter], folder, base=self.name, layers=self.base.layers)

    def save_state(self, file: Path) -> None:
        """Write weights and AdamW's moments of all adapters to one safetensors file."""
        write_whole(file, save(dict(self._state())))

    def load_state(self, file: Path) -> None:
        """Take up weights and moments from `save_state`'s file, bit for bit."""
        try:
            stored = load(file.read_bytes())  # a mapped file would hold its disk as long as we run
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
        spans = [learned_span(self.adapters[p.adapter], p.examples, p.noise) for p in pack]
        examples = [e for p in pack for e in p.examples]
        return learned_losses(self.base, spans, examples, share=True, head=self.base.screened)

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


def learned_losses(
    base: Base,
    spans: Sequence[Span],
    examples: Sequence[Example],
    *,
    share: bool,
    head: Head | None = None,
) -> Tensor:
    """Loss of each learned token [N], example after example, as the spans hold them."""
    hidden = base.hidden_of_pack(spans, share=share)
    targets = learned_tokens(examples).to(base.device)
    if head is None:
        return token_losses(hidden, targets, base.head)
    # A screen looks at all rows together: those of a span, so that it sees the same alone.
    rows = [sum(map(len, span.asked)) for span in spans]
    pairs = zip(torch.split(hidden, rows), torch.split(targets, rows), strict=True)
    return torch.cat([token_losses(*pair, head) for pair in pairs])


def _refuse_unreached(lora: LoraConfig, layers: Sequence[LoraLinear]) -> None:
    """AdapterError where a target names no layer that learns, or `vision_layers` reaches none."""
    asked, names = set(lora.targets), {layer.called for layer in layers}
    reached = {layer.called for layer in layers if layer.level <= lora.vision_layers}
    have = say("this base has: {have}", have=", ".join(sorted(names)))
    if missing := asked - names:
        what, where, fix = (
            say("no layer is called {missing}", missing=_listed(missing)),
            "targets",
            have,
        )
    elif frozen := asked - reached:
        what = say("{names}: in the vision tower alone, which is frozen", names=_listed(frozen))
        where, fix = (
            "vision_layers",
            say("say how many of its last blocks learn, as `vision_layers = 2`"),
        )
    elif lora.vision_layers and not any(r.level and r.called in asked for r in layers):
        what, where, fix = say("no target is in a vision tower"), "vision_layers", have
    else:
        return
    raise AdapterError(what, where=f"yukjo.toml [lora] {where}", fix=fix)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


@torch.no_grad()
def example_losses(base: Base, pack: Sequence[tuple[Lora | None, Example]]) -> list[float]:
    """Summed loss of each example under its adapter, each as if it stood alone."""
    examples = [example for _, example in pack]
    spans = [learned_span(lora, (example,)) for lora, example in pack]
    losses = learned_losses(base, spans, examples, share=False)
    return [float(part.sum()) for part in torch.split(losses, [e.learned for e in examples])]


def _adamw(lora: Lora, *, weight_decay: float) -> torch.optim.AdamW:
    """AdamW in which all but A learns `loraplus_lr_ratio` times faster (LoRA+)."""
    downs = [pair.a for pair in lora.pairs.values()]
    rest = [p for pair in lora.pairs.values() for p in pair.parameters() if p is not pair.a]
    groups = [
        {"params": downs, "lr_ratio": 1.0},
        {"params": rest, "lr_ratio": lora.config.loraplus_lr_ratio},
    ]
    return torch.optim.AdamW(groups, lr=0.0, weight_decay=weight_decay)
