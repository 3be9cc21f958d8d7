"""[chain] and [stage]: each stage's settings are a project's, and the two fit together."""

import pytest

from yukjo.config.chain import of_stage
from yukjo.config.load import parse
from yukjo.errors import ConfigError

CHAIN = """
[chain]
stages = ["reader", "teller"]
fields = { "금액" = "amount" }
phrasings = ["{금액}입니다."]
[base]
model = "a"
dtype = "float32"
[train]
batch = 8
[stage.reader.base]
model = "b"
[stage.reader.lora]
rank = 2
[stage.teller.train]
epochs = 7
"""


def test_a_stage_takes_what_it_leaves_open_from_the_project_and_that_from_the_preset() -> None:
    config = parse(CHAIN)
    reader, teller = of_stage(config, "reader"), of_stage(config, "teller")
    assert (reader.base.model, reader.base.dtype, reader.lora.rank) == ("b", "float32", 2)
    assert (teller.base.model, teller.lora.rank) == ("a", 16)
    assert (reader.train.batch, teller.train.batch, teller.train.epochs) == (8, 8, 7)
    assert (reader.train.epochs, reader.agents, teller.agents) == (3, ("reader",), ("teller",))
    assert not reader.chain.stages


def test_who_is_no_stage_has_the_projects_settings() -> None:
    config = parse(CHAIN)
    assert of_stage(config, "rag") is config
    assert of_stage(parse(""), "rag") == parse("")


def test_a_stage_without_a_table_of_its_own_is_the_projects() -> None:
    config = parse(CHAIN.partition("[stage.teller")[0])
    assert of_stage(config, "teller").train == config.train


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        (CHAIN.replace('"teller"]', '"reader"]'), "서로 다른 두 단계", "[chain] stages"),
        (CHAIN.replace("[stage.teller.", "[stage.telller."), "telller", "[stage.telller]"),
        (CHAIN.replace("[stage.teller.train]", "[stage.teller.trian]"), "trian", "[stage.teller]"),
        (CHAIN.replace('"amount"', '"money"'), "금액", "[chain.fields]"),
        ("[stage.reader.lora]\nrank = 2", "reader", "[stage.reader]"),
        ('[chain]\nstages = ["a", "b"]', "phrasings", "[chain]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(text: str, what: str, where: str) -> None:
    with pytest.raises(ConfigError) as said:
        parse(text)
    assert what in said.value.what
    assert where in said.value.where
