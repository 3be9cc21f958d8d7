"""`yukjo.toml`: what is asked is understood, and what isn't is said in words."""

import json
import math
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from yukjo.config import YukjoConfig, change, load, swept
from yukjo.config.load import parse
from yukjo.config.presets import ALL_LINEAR, PRESETS
from yukjo.errors import ConfigError
from yukjo.files import canonical_json

TABLES = ("project", "base", "data", "lora", "train", "sweep", "evaluate", "gate")


def fault(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value


def preset_keys() -> Iterator[tuple[str, str, str]]:
    for preset, tables in PRESETS.items():
        for table, values in tables.items():
            for key in values:
                yield preset, table, key


def toml(value: Any) -> str:
    """A value of the kind tomllib reads, as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return repr(value)


# What is asked


def test_an_empty_file_is_the_expert_preset_for_six_agents() -> None:
    config = parse("")
    assert config.preset == "expert"
    assert len(config.agents) == 6
    assert config.lora.targets == ALL_LINEAR
    assert (config.train.learning_rate, config.train.accumulate) == (5e-4, 2)


def test_classic_is_the_requirement_to_the_letter() -> None:
    config = parse('preset = "classic"')
    assert config.lora.model_dump() == {
        "rank": 16, "alpha": 32, "dropout": 0.05, "targets": ("q_proj", "v_proj"),
        "use_rslora": False, "use_dora": False, "loraplus_lr_ratio": 1.0, "vision_layers": 0,
    }  # fmt: skip
    train = config.train
    assert (train.epochs, train.batch, train.accumulate) == (3, 4, 4)
    assert (train.learning_rate, train.checkpoint_every, train.keep) == (2e-4, 100, 3)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_what_the_file_leaves_open(preset: str) -> None:
    config = parse(f'preset = "{preset}"\n[train]\nmax_steps = 7').model_dump()
    assert config["train"]["max_steps"] == 7
    for table, values in PRESETS[preset].items():
        assert {key: config[table][key] for key in values} == values


@pytest.mark.parametrize(("preset", "table", "key"), list(preset_keys()))
def test_one_key_in_the_file_overrides_that_key_of_the_preset_and_no_other(
    preset: str, table: str, key: str
) -> None:
    other = ["o_proj"] if key == "targets" else 1 if key == "rank" else 0.5
    other = 9 if key in {"epochs", "batch", "accumulate", "keep", "checkpoint_every"} else other
    whole = parse(f'preset = "{preset}"').model_dump()
    whole[table][key] = tuple(other) if isinstance(other, list) else other
    asked = parse(f'preset = "{preset}"\n[{table}]\n{key} = {toml(other)}')
    assert asked.model_dump() == whole


def test_a_folder_with_the_file_is_a_project(tmp_path: Path) -> None:
    (tmp_path / "yukjo.toml").write_text('[project]\nname = "민원실"', encoding="utf-8")
    assert load(tmp_path).project.name == "민원실"


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse("").lora.rank = 3  # type: ignore[misc]


def test_every_setting_survives_being_written_and_read_again() -> None:
    config = parse('preset = "classic"\nseed = 3')
    assert YukjoConfig.model_validate_json(config.model_dump_json()) == config


# Changed for one command


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("seed=7", ("seed", 7)),
        ("lora.targets=['q_proj']", ("lora.targets", ["q_proj"])),
        ("base.model=/models/a=b", ("base.model", "/models/a=b")),
        ("project.name=", ("project.name", "")),
        ("seed=" + "9" * 5_000, ("seed", "9" * 5_000)),
        ("seed=" + "[" * 10_000, ("seed", "[" * 10_000)),
    ],
)
def test_a_change_is_a_name_and_a_value_of_toml_or_plain_text(
    given: str, understood: tuple[str, Any]
) -> None:
    assert change(given) == understood


@pytest.mark.parametrize("text", ["", "=", "=1", "seed"])
def test_a_change_without_name_or_equals_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as said:
        change(text)
    assert said.value.where == "--set"


def test_a_change_stands_in_for_the_file_and_for_nothing_else() -> None:
    text = "preset = 'classic'\n[train]\nepochs = 4\nbatch = 8"
    asked = parse(text, {"train.epochs": 1, "lora.rank": 8, "seed": 5}).model_dump()
    whole = parse(text).model_dump()
    whole["train"]["epochs"], whole["lora"]["rank"], whole["seed"] = 1, 8, 5
    assert asked == whole


@pytest.mark.parametrize(
    ("text", "name"),
    [("", "train.epoch"), ("", "trian.epochs"), ("", "seed.x"), ("seed = 3", "seed.x"),
     ("[train]\nepochs = 1", "train.epochs.x"), ("", ""), ("", "."), ("", "train..epochs")],
)  # fmt: skip
def test_a_change_of_what_is_no_setting_is_refused_and_never_ignored(text: str, name: str) -> None:
    with pytest.raises(ConfigError):
        parse(text, {name: 1})


# Agents that differ


def test_an_agents_own_values_stand_over_the_general_ones_and_those_over_the_preset() -> None:
    config = parse(
        "preset = 'classic'\n[lora]\nalpha = 8\n[train]\nepochs = 4\nbatch = 8\n"
        "[agent.rag.lora]\nrank = 32\n[agent.rag.train]\nlearning_rate = 1e-4"
    )
    own = config.agent["rag"]
    assert own.lora == config.lora.model_copy(update={"rank": 32})
    assert (own.train.learning_rate, own.train.epochs) == (1e-4, 4)
    assert (config.lora.rank, config.train.learning_rate) == (16, 2e-4)


def test_an_agents_table_left_empty_is_the_general_one() -> None:
    config = parse("[lora]\nrank = 9\n[agent.rag]")
    assert config.agent["rag"].lora == config.lora
    assert config.agent["rag"].train.model_dump().items() <= config.train.model_dump().items()


def test_a_change_reaches_one_agent() -> None:
    config = parse("", dict([change("agent.rag.lora.rank=32"), change("agent.rag.train.epochs=5")]))
    assert (config.agent["rag"].lora.rank, config.agent["rag"].train.epochs) == (32, 5)


@pytest.mark.parametrize(
    ("text", "what", "where", "fix"),
    [
        ("[agent.rag.lora]\nrnak = 8", "`rnak`", "[agent.rag.lora]", "`rank`"),
        ("[agent.rag.train]\nepohcs = 8", "`epohcs`", "[agent.rag.train]", "`epochs`"),
        ("[agent.rag.train]\npack_tokens = 8", "`pack_tokens`", "[agent.rag.train]", "[train]"),
        ("[agent.rag.train]\nbatch = 8", "`batch`", "[agent.rag.train]", "[train]"),
        ("[agent.rag.trian]\nepochs = 8", "`trian`", "[agent.rag]", "`train`"),
        ("[agent.rag]\nzzz = 8", "`zzz`", "[agent.rag]", "lora, train"),
        ("[agent.rag.lora]\nrank = 0", "`rank`", "[agent.rag.lora]", "docs/reference.md"),
        ("agent.rag = 3", "`rag`", "[agent]", "docs/reference.md"),
        ("agent.rag.lora = 3", "`lora`", "[agent.rag]", "docs/reference.md"),
    ],
)
def test_what_an_agent_cannot_have_of_its_own_is_refused_by_name(
    text: str, what: str, where: str, fix: str
) -> None:
    said = fault(text)
    assert (what in said.what, said.where, fix in said.fix) == (True, f"yukjo.toml {where}", True)


# Sweeps


def test_a_sweep_is_names_with_their_values() -> None:
    given = swept(["lr=1e-4,2e-4", "rank=8,16", "dropout=0.1"])
    sweep = parse("", given).sweep
    assert (sweep.learning_rate, sweep.rank, sweep.dropout) == ((1e-4, 2e-4), (8, 16), (0.1,))
    assert (sweep.alpha, sweep.epochs) == ((), ())


@pytest.mark.parametrize(
    "given",
    [["lr"], ["lr="], ["=1"], ["lr=1e-4,,2e-4"], ["lr=high"], ["lr=1e-4", "learning_rate=2e-4"],
     ["rank=8", "lr=["]],
    ids=str,
)  # fmt: skip
def test_what_is_no_sweep_is_refused_with_an_example(given: list[str]) -> None:
    with pytest.raises(ConfigError) as said:
        swept(given)
    assert (said.value.where, "lr=1e-4" in said.value.fix) == ("--sweep", True)
    assert f"`{given[-1]}`" in said.value.what


@pytest.mark.parametrize(
    ("given", "what", "fix"),
    [("rnak=8", "`rnak`", "`rank`"), ("batch=4", "`batch`", "learning_rate"),
     ("rank=8,0", "`rank`", "docs"), ("rank=1.5", "`rank`", "docs"),
     ("dropout=1", "`dropout`", "docs"), ("lr=1e-4,'x'", "`learning_rate`", "docs")],
)  # fmt: skip
def test_a_swept_name_or_value_that_cannot_be_is_refused_by_name(
    given: str, what: str, fix: str
) -> None:
    with pytest.raises(ConfigError, match=what) as said:
        parse("", swept([given]))
    assert said.value.where == "yukjo.toml [sweep]"
    assert fix in said.value.fix


# What is not understood


@pytest.mark.parametrize(
    ("text", "what", "where", "fix"),
    [
        ("sed = 1", "`sed`", "yukjo.toml", "`seed`"),
        ("[trian]\nbatch = 1", "`trian`", "yukjo.toml", "`train`"),
        ("[project]\nnmae = 'x'", "`nmae`", "yukjo.toml [project]", "`name`"),
        ("[base]\nmodle = 'x'", "`modle`", "yukjo.toml [base]", "`model`"),
        ("[data]\nfile = []", "`file`", "yukjo.toml [data]", "`files`"),
        ("[lora]\nrnak = 8", "`rnak`", "yukjo.toml [lora]", "`rank`"),
        ("[train]\nlearning-rate = 1", "`learning-rate`", "yukjo.toml [train]", "`learning_rate`"),
        ("[evaluate]\nrepeat = 1", "`repeat`", "yukjo.toml [evaluate]", "`repeats`"),
    ],
)
def test_an_unknown_setting_names_the_nearest_known(
    text: str, what: str, where: str, fix: str
) -> None:
    said = fault(text)
    assert (what in said.what, said.where, fix in said.fix) == (True, where, True)


@pytest.mark.parametrize("table", ["", *TABLES])
def test_an_unknown_setting_with_nothing_near_lists_the_known(table: str) -> None:
    said = fault((f"[{table}]\n" if table else "") + "zzzzzzzz = 1")
    known = getattr(parse(""), table) if table else parse("")
    assert all(key in said.fix for key in type(known).model_fields)


@pytest.mark.parametrize(
    ("text", "key", "where"),
    [
        ("lora = 3", "lora", "yukjo.toml"),
        ("train = [1]", "train", "yukjo.toml"),
        ("preset = 'best'", "preset", "yukjo.toml"),
        ("preset = 1", "preset", "yukjo.toml"),
        ("preset = ['expert']", "preset", "yukjo.toml"),
        ("preset = {}", "preset", "yukjo.toml"),
        ("seed = -1", "seed", "yukjo.toml"),
        ("agents = 'rag'", "agents", "yukjo.toml"),
        ("agents = []", "agents", "yukjo.toml"),
        ("[lora]\nrank = 0", "rank", "yukjo.toml [lora]"),
        ("[lora]\nrank = '16'x", "", "yukjo.toml"),
        ("[lora]\nrank = 1.5", "rank", "yukjo.toml [lora]"),
        ("[lora]\ndropout = 1.0", "dropout", "yukjo.toml [lora]"),
        ("[lora]\nalpha = inf", "alpha", "yukjo.toml [lora]"),
        ("[lora]\ntargets = []", "targets", "yukjo.toml [lora]"),
        ("[train]\nepochs = inf", "epochs", "yukjo.toml [train]"),
        ("[train]\nepochs = nan", "epochs", "yukjo.toml [train]"),
        ("[train]\nlearning_rate = -1", "learning_rate", "yukjo.toml [train]"),
        ("[train]\nclip = inf", "clip", "yukjo.toml [train]"),
        ("[train]\nweight_decay = inf", "weight_decay", "yukjo.toml [train]"),
        ("[base]\ndtype = 'float16'", "dtype", "yukjo.toml [base]"),
        ("[project]\nlanguage = 'fr'", "language", "yukjo.toml [project]"),
        ("[data]\nvalid = -0.1", "valid", "yukjo.toml [data]"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_key(text: str, key: str, where: str) -> None:
    said = fault(text)
    assert f"`{key}`" in said.what or not key
    assert said.where == where


@pytest.mark.parametrize(
    "text",
    ["[lora", "rank", "a = 1\na = 2", "x = 2026-99-99", "x = '", "a = " + "[" * 10_000,
     "seed = " + "9" * 5_000],
)  # fmt: skip
def test_what_is_no_toml_is_said_to_be_none(text: str) -> None:
    assert fault(text).where == "yukjo.toml"


# What is not there


def test_a_folder_without_the_file_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"yukjo\.toml") as said:
        load(tmp_path)
    assert said.value.where == str(tmp_path)
    assert f"yukjo init {tmp_path}" in said.value.fix


def test_a_folder_that_is_not_there_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path / "nowhere")


def test_a_project_named_by_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError):
        load(tmp_path / "file")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "yukjo.toml").mkdir()
    with pytest.raises(ConfigError) as said:
        load(tmp_path)
    assert said.value.where == str(tmp_path / "yukjo.toml")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "yukjo.toml").write_bytes("name = '민원'".encode("cp949"))
    with pytest.raises(ConfigError, match="utf-8"):
        load(tmp_path)


def test_a_target_of_the_gate_is_named_and_a_wrong_key_of_it_too() -> None:
    config = parse('[gate.targets.mine]\nmetric = "chrf"\nbar = 15')
    assert config.gate.targets["mine"].bar == 15
    said = fault('[gate.targets.mine]\nmetric = "chrf"\nbars = 15')
    assert said.where == "yukjo.toml [gate.targets.mine]"
    assert "bar" in said.fix


# Anything at all

scalars = (
    st.none().map(lambda _: "") | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)
keys = st.sampled_from(
    sorted({k for t in TABLES for k in type(getattr(YukjoConfig(), t)).model_fields})
)
tables = st.dictionaries(keys | st.text(max_size=4), values, max_size=3)
files = st.dictionaries(
    st.sampled_from((*YukjoConfig.model_fields, "lor")), tables | values, max_size=4
)


def sound(text: str) -> bool:
    """Whether `text` is settings that a run can record, or is refused in three parts."""
    try:
        config = parse(text)
    except ConfigError as said:
        parts = (said.what, said.where, said.fix)
        return all(isinstance(part, str) and part for part in parts)
    recorded = json.loads(canonical_json(config.model_dump(mode="json")))
    return YukjoConfig.model_validate(recorded) == config


@given(st.text())
@example("\ufeffseed = 1")
def test_any_text_is_settings_or_a_config_error(text: str) -> None:
    assert sound(text)


@given(files)
@example({"train": {"epochs": math.inf}})
@example({"lora": {"targets": []}})
@example({"preset": {}})
@example({"agent": {"rag": {"lora": {"rank": 3}}}, "lora": 3})
@example({"agent": {"rag": {"train": []}}, "train": {"epochs": 2}})
def test_any_toml_is_settings_or_a_config_error(asked: dict[str, Any]) -> None:
    text = "\n".join(f"{key} = {toml(value)}" for key, value in asked.items())
    assert repr(tomllib.loads(text)).replace("-nan", "nan")
    assert sound(text)


@given(st.binary())
def test_any_bytes_are_settings_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    project = tmp_path_factory.mktemp("project")
    (project / "yukjo.toml").write_bytes(content)
    with suppress(ConfigError):
        assert isinstance(load(project), YukjoConfig)
