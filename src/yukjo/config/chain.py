"""What the settings of a chain must hold together, and each stage's own settings made of them."""

from difflib import get_close_matches
from string import Formatter

from yukjo.config.models import ChainConfig, StageConfig, YukjoConfig
from yukjo.errors import ConfigError
from yukjo.words import say

_FILE = "yukjo.toml"


def of_stage(config: YukjoConfig, name: str) -> YukjoConfig:
    """The settings of a stage as those of a project with one agent; others are left as they are."""
    own = config.stage.get(name)
    tables = {table: getattr(own, table) for table in StageConfig.model_fields} if own else {}
    alone = {"agents": (name,), "chain": ChainConfig(), "stage": {}}
    return config.model_copy(update=alone | tables) if name in config.chain.stages else config


def refuse_odd(config: YukjoConfig) -> None:
    """ConfigError where [chain] and [stage] don't fit together; nothing where there is no chain."""
    chain = config.chain
    if chain.stages and (len(chain.stages), len(set(chain.stages))) != (2, 2):
        raise ConfigError(
            say("a chain has two different stages"),
            where=f"{_FILE} [chain] stages",
            fix='stages = ["reader", "summariser"]',
        )
    for name in config.stage:
        if name not in chain.stages:
            raise _unknown_stage(name, chain)
    if not chain.stages:
        return
    if not chain.fields or not chain.phrasings:
        raise ConfigError(
            say("a chain needs the fields of its analysis and phrasings of its summaries"),
            where=f"{_FILE} [chain]",
            fix='fields = { "금액" = "amount" }, phrasings = ["금액은 {금액}입니다."]',
        )
    for phrasing in chain.phrasings:
        _refuse_gaps(phrasing, chain)


def _unknown_stage(name: str, chain: ChainConfig) -> ConfigError:
    near = get_close_matches(name, chain.stages, n=1)
    return ConfigError(
        say("`{name}` is no stage of the chain", name=name),
        where=f"{_FILE} [stage.{name}]",
        fix=say("did you mean `{near}`?", near=near[0]) if near
        else say("name the two stages in [chain] stages"),
    )  # fmt: skip


def _refuse_gaps(phrasing: str, chain: ChainConfig) -> None:
    """ConfigError unless every field stands in the phrasing once, and nothing else."""
    try:
        named = [name for _, name, _, _ in Formatter().parse(phrasing) if name is not None]
    except ValueError:
        named = []
    if sorted(named) != sorted(chain.fields):
        raise ConfigError(
            say("a phrasing doesn't name every field once: {phrasing}", phrasing=phrasing),
            where=f"{_FILE} [chain] phrasings",
            fix=say("put each of these in braces: {fields}", fields=", ".join(chain.fields)),
        )
