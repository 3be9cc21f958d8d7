"""Who takes part in the bench."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yukjo.bench.environments import HF, LLAMA_FACTORY, MLX, Environment
from yukjo.errors import ConfigError
from yukjo.words import say

OURS = "yukjo"
SEED = "seed script"
TOY = " (tiny)"
"""Ends the names of the pair on the tiny model."""


@dataclass(frozen=True, slots=True)
class System:
    """One side of the comparison."""

    name: str
    environment: Environment | None
    """None is the one Yukjo runs in."""
    module: str
    """Started as `python -m MODULE TASK`."""
    toy: bool = False
    """On the tiny model, where mlx on a CPU can be compared at all."""


SYSTEMS = (
    System(OURS, None, "yukjo.bench.own"),
    System(SEED, HF, "peers.seed_script"),
    System("hf bf16", HF, "peers.hf_bf16"),
    System("trl packed", HF, "peers.trl_packed"),
    System("llama-factory", LLAMA_FACTORY, "peers.llama_factory"),
    System(OURS + TOY, None, "yukjo.bench.own", toy=True),
    System("mlx-lm" + TOY, MLX, "peers.mlx_lm_tiny", toy=True),
)

PEERS_HOME = Path(__file__).parent
"""What stands on a peer's import path: the folder of `peers`, and nothing else of Yukjo."""


def here() -> Path:
    """The interpreter Yukjo runs in."""
    return Path(sys.executable)


def chosen(systems: Sequence[System], only: Sequence[str]) -> list[System]:
    """The systems named, and Yukjo beside them; all where none is named."""
    known = {key(s.name) for s in systems if s.environment}
    if unknown := set(only) - known:
        raise ConfigError(
            say("no system is called {names}", names=", ".join(sorted(unknown))),
            where="--only",
            fix=say("known here: {known}", known=", ".join(sorted(known))),
        )
    picked = [s for s in systems if s.environment and (not only or key(s.name) in only)]
    kinds = {False, *(s.toy for s in picked)}
    return [s for s in systems if s in picked or (s.environment is None and s.toy in kinds)]


def key(name: str) -> str:
    """A system's name on the command line.

    >>> key("seed script"), key("mlx-lm (tiny)")
    ('seed-script', 'mlx-lm')
    """
    return name.removesuffix(TOY).replace(" ", "-")
