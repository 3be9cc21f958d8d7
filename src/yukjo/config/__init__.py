"""`yukjo.toml` as frozen models, one a stage; what was asked, never what was derived."""

from yukjo.config.gate import GateConfig
from yukjo.config.load import change, load, swept
from yukjo.config.models import (
    AgentConfig,
    BaseConfig,
    DataConfig,
    EvaluateConfig,
    LoraConfig,
    PaceConfig,
    ProjectConfig,
    ServeConfig,
    SweepConfig,
    TrainConfig,
    YukjoConfig,
)

__all__ = [
    "AgentConfig",
    "BaseConfig",
    "DataConfig",
    "EvaluateConfig",
    "GateConfig",
    "LoraConfig",
    "PaceConfig",
    "ProjectConfig",
    "ServeConfig",
    "SweepConfig",
    "TrainConfig",
    "YukjoConfig",
    "change",
    "load",
    "swept",
]
