"""Siblings in a sweep: adapters of one agent that differ in the swept settings and nothing else."""

from itertools import product
from typing import TypeVar

from yukjo.config.models import LoraConfig, PaceConfig, SweepConfig

Setting = dict[str, int | float]
Of = TypeVar("Of", LoraConfig, PaceConfig)


def settings(sweep: SweepConfig) -> list[Setting]:
    """Every combination of the values asked for; the one empty setting where none is.

    >>> settings(SweepConfig(learning_rate=(1e-4, 2e-4), rank=(8,)))
    [{'learning_rate': 0.0001, 'rank': 8}, {'learning_rate': 0.0002, 'rank': 8}]
    >>> settings(SweepConfig())
    [{}]
    """
    tried = {name: dict.fromkeys(values) for name, values in sweep if values}  # each value once
    return [dict(zip(tried, values, strict=True)) for values in product(*tried.values())]


def with_setting(asked: Of, setting: Setting) -> Of:
    """`asked` with what the sweep chose of its settings."""
    known = type(asked).model_fields
    return asked.model_copy(update={name: v for name, v in setting.items() if name in known})


def named(agent: str, setting: Setting) -> str:
    """A name that no sibling shares, fit for a folder.

    >>> named("rag", {}), named("rag", {"learning_rate": 0.0002, "rank": 8})
    ('rag', 'rag@learning_rate=0.0002,rank=8')
    """
    return f"{agent}@{words(setting)}" if setting else agent


def words(setting: Setting) -> str:
    """A setting in a word: `learning_rate=0.0002,rank=8`."""
    return ",".join(f"{name}={value!r}".removesuffix(".0") for name, value in setting.items())
