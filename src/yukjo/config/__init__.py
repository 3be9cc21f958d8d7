"""`yukjo.toml` as frozen models, one a stage; what was asked, never what was derived."""

from yukjo.config.load import change, load
from yukjo.config.models import (
    BaseConfig,
    DataConfig,
    EvaluateConfig,
    LoraConfig,
    ProjectConfig,
    TrainConfig,
    YukjoConfig,
)

__all__ = [
    "BaseConfig",
    "DataConfig",
    "EvaluateConfig",
    "LoraConfig",
    "ProjectConfig",
    "TrainConfig",
    "YukjoConfig",
    "change",
    "load",
]
