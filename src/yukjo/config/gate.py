"""[gate]: what a run is held against. The presets' targets stand in `config.targets`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from yukjo.config.settings import Settings


class TargetConfig(Settings):
    """[gate.targets.NAME]: one thing the gate asks for."""

    metric: str
    """Name of a metric, or `agent_selection`, `quality`, `p95_seconds`, `memory_gb`."""
    agent: str = "each"
    """`each` agent by itself, `all` together, or an agent's name."""
    kind: Literal["improvement", "difference", "level"] = "improvement"
    """What is held against `bar`: the gain in per cent of before, the gain in the metric's own
    units, or the figure after. A gain is above 0 whichever way is good."""
    bar: float = 0.0
    """The least gain, or the level to reach. Below 0 it is a margin: so much worse is let pass."""
    by: Literal["bound", "point"] = "bound"
    """Whether the cautious end of the interval must reach the bar, or the figure alone."""
    least: PositiveInt = 6
    """Fewest cases that count as evidence."""


class GateConfig(Settings):
    """[gate]: what a run must show; sealed in the ledger before the first training step."""

    preset: Literal["gov", "chain", "none"] = "gov"
    """Targets to start from; see `yukjo.config.targets`."""
    targets: dict[str, TargetConfig] = Field(default_factory=dict)
    """More targets by name; one of a name in the preset takes its place."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Of the run as a whole: gains and losses are claimed after correction for all its comparisons
    (Holm), and bounds of levels hold at it. Intervals of differences stay at 95 % each."""
    routing: Path | None = None
    """JSONL of questions with their agents, for `agent_selection`; the test split if left out."""
