"""The Trainer port in MLX: every step is taken in the worker, every decision here."""

from collections.abc import Sequence
from pathlib import Path

from yukjo import machine
from yukjo.backends import peft_config
from yukjo.backends.mlx import wire
from yukjo.backends.mlx.worker import Worker
from yukjo.config.models import LoraConfig
from yukjo.errors import AdapterError
from yukjo.ports import Piece
from yukjo.records import Example, Forecast, Probe
from yukjo.words import say


class MlxTrainer:
    """Adapters being trained on the worker's base."""

    def __init__(self, worker: Worker, *, name: str) -> None:
        """`name` is what PEFT shows for the base."""
        self.worker = worker
        self.name = name
        self._loras: dict[str, LoraConfig] = {}

    def add(self, adapter: str, lora: LoraConfig, *, seed: int, weight_decay: float) -> int:
        """Make a fresh adapter; AdapterError for what isn't trained here, or names no layer."""
        beyond = [name for name in ("use_dora", "vision_layers") if getattr(lora, name)]
        if beyond:
            raise AdapterError(
                say("the MLX backend doesn't train this: {what}", what=", ".join(beyond)),
                where=f"yukjo.toml [lora] {beyond[0]}",
                fix=say('leave it out, or train with [train] backend = "torch"'),
            )
        numbers: int = self.worker.ask(
            "add", adapter=adapter, lora=lora.model_dump(mode="json"), seed=seed,
            weight_decay=weight_decay,
        )  # fmt: skip
        self._loras[adapter] = lora
        return numbers

    def backward(self, pack: Sequence[Piece]) -> list[float]:
        """Add the gradients of all pieces, one pass over the base each."""
        losses: list[float] = self.worker.ask("backward", pack=wire.parts(pack))
        return losses

    def update(self, adapter: str, *, learning_rate: float, clip: float) -> float:
        """One AdamW step on the gradient gathered since the last; returns its norm."""
        norm: float = self.worker.ask(
            "update", adapter=adapter, learning_rate=learning_rate, clip=clip
        )
        return norm

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        """Summed loss of each example under the adapter being trained; dropout is off."""
        rows = [(adapter, wire.row(example)) for adapter, example in pack]
        losses: list[float] = self.worker.ask("losses", rows=rows, training=True)
        return losses

    def save(self, adapter: str, folder: Path) -> None:
        """Write the adapter as it now is, as PEFT files."""
        self.worker.ask("save", adapter=adapter, file=str(folder / peft_config.WEIGHTS))
        peft_config.write(self._loras[adapter], folder, base=self.name)

    def save_state(self, file: Path) -> None:
        """Write weights and AdamW's moments of all adapters to one safetensors file."""
        self.worker.ask("save_state", file=str(file))

    def load_state(self, file: Path) -> None:
        """Take up weights and moments from `save_state`'s file, bit for bit."""
        if refused := self.worker.ask("load_state", file=str(file)):
            raise ValueError(refused)

    def forecast(self, pack: Sequence[Piece]) -> Forecast:
        """Predict training's peak memory by sizes alone: rougher than torch's, which counts.

        The trial that follows measures; a pass is told from half to twice what is expected.
        """
        sizes: dict[str, float] = self.worker.ask("forecast", pack=wire.parts(pack))
        own = sizes["adapters"]
        parts = {
            "process": max(0.0, self.resident_mb() - sizes["weights"] - sizes["standing"]),
            "weights": sizes["weights"],
            "adapters": own,
            "gradients": own,
            "optimiser": 2 * own,  # AdamW's two moments
            "pass": sizes["pass"],
        }
        expected = sum(parts.values())
        return Forecast(
            low_mb=expected - parts["pass"] / 2,
            expected_mb=expected,
            high_mb=expected + parts["pass"],
            parts=parts,
        )

    def probe(self, pack: Sequence[Piece]) -> Probe:
        """Take `pack` twice, measure, and forget the gradients."""
        resting, added = self.worker.ask("probe", pack=wire.parts(pack))
        return Probe(resting_mb=machine.resident_mb() + resting, pass_mb=added)

    def give_back(self) -> None:
        """Hand MLX's cache of freed memory back to the system."""
        self.worker.ask("give_back")

    def resident_mb(self) -> float:
        """Resident memory of this process and the worker now, in MiB."""
        return machine.resident_mb() + self.worker.resident_mb()

    def available_mb(self) -> float:
        """What the machine or its container can still give, in MiB."""
        return machine.available_mb()

    def memory_mb(self) -> float:
        """Peak of the worker since the last probe, with what this process holds, in MiB."""
        peak: float = self.worker.ask("peak")
        return machine.resident_mb() + max(peak, self.worker.resident_mb())
