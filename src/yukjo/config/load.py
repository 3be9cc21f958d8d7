"""Read `yukjo.toml`: preset first, then the file; every fault names its table and its mend."""

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from yukjo.config.chain import refuse_odd
from yukjo.config.models import LoraConfig, PaceConfig, StageConfig, TrainConfig, YukjoConfig
from yukjo.config.presets import PRESETS
from yukjo.errors import ConfigError
from yukjo.words import say

FILE = "yukjo.toml"
_SHORT = {"lr": "learning_rate"}


def load(project: Path, changes: Mapping[str, Any] | None = None) -> YukjoConfig:
    """The settings of the project in folder `project`; ConfigError says what to mend.

    `changes` maps dotted names to values that stand in for the file's: `{"train.epochs": 1}`.
    """
    path = project / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            say("no project here: `{file}` is missing", file=FILE),
            where=str(project),
            fix=say(
                "run `yukjo init {project}`, or name a project with --project", project=project
            ),
        ) from None
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(
            say("`{file}` can't be read: {fault}", file=FILE, fault=fault),
            where=str(path),
            fix=say("make it a readable UTF-8 file"),
        ) from None
    return parse(text, changes)


def parse(text: str, changes: Mapping[str, Any] | None = None) -> YukjoConfig:
    """The settings in the text of a `yukjo.toml`."""
    try:
        asked = tomllib.loads(text)
    except (ValueError, RecursionError) as fault:  # a number of 5,000 digits is the former
        raise ConfigError(
            say("not valid TOML: {fault}", fault=fault),
            where=FILE,
            fix=say("mend the line it names"),
        ) from None
    for name, value in (changes or {}).items():
        _set(asked, name.split("."), value)
    try:
        config = YukjoConfig.model_validate(_over_preset(asked))
    except ValidationError as fault:
        raise _explained(fault) from None
    refuse_odd(config)
    return config


def change(text: str) -> tuple[str, Any]:
    """`name=value` as given on a command line; the value is TOML, or else plain text.

    >>> change("train.epochs=1"), change("base.model=/models/qwen3")
    (('train.epochs', 1), ('base.model', '/models/qwen3'))
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ConfigError(
            say("not a setting: `{given}`", given=text), where="--set", fix="--set train.epochs=1"
        )
    return name, _toml(value)


def swept(given: Sequence[str]) -> dict[str, Any]:
    """`name=value,value` as given to --sweep, as changes to [sweep].

    >>> swept(["lr=1e-4,2e-4", "rank=8,16"])
    {'sweep.learning_rate': [0.0001, 0.0002], 'sweep.rank': [8, 16]}
    """
    asked: dict[str, Any] = {}
    for text in given:
        name, _, listed = text.partition("=")
        name, values = f"sweep.{_SHORT.get(name, name)}", _toml(f"[{listed}]")
        if name == "sweep." or name in asked or not isinstance(values, list) or not values:
            raise ConfigError(
                say("not a sweep: `{given}`", given=text),
                where="--sweep",
                fix="--sweep lr=1e-4,2e-4 --sweep rank=8,16",
            )
        asked[name] = values
    return asked


def _toml(text: str) -> Any:  # noqa: ANN401 - any TOML value
    """The value written as `text`; the text itself where it is no TOML."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _set(asked: dict[str, Any], path: list[str], value: object) -> None:
    """Put `value` at a dotted name; a name through what is no table is left for validation."""
    *tables, key = path
    place = asked
    for table in tables:
        inner = place.setdefault(table, {})
        if not isinstance(inner, dict):
            inner = place[table] = {}
        place = inner
    place[key] = value


def _over_preset(asked: dict[str, Any]) -> dict[str, Any]:
    """`asked` filled where it is open: from its preset, an agent's from [lora] and [train]."""
    preset = asked.get("preset", YukjoConfig.model_fields["preset"].default)
    filled = dict(asked)
    for table, values in PRESETS.get(preset, {}).items() if isinstance(preset, str) else ():
        filled[table] = _over(values, asked.get(table, {}))
    if isinstance(asked.get("agent"), dict):
        filled["agent"] = {name: _own(own, filled) for name, own in asked["agent"].items()}
    if isinstance(asked.get("stage"), dict):
        filled["stage"] = {name: _stage(own, filled) for name, own in asked["stage"].items()}
    return filled


def _own(asked: object, general: Mapping[str, Any]) -> object:
    """An agent's tables with what they leave open filled from [lora] and [train]."""
    if not isinstance(asked, dict):
        return asked
    filled = {}
    for table, model in (("lora", LoraConfig), ("train", PaceConfig)):
        values = general.get(table)
        known = values if isinstance(values, dict) else {}
        shared = {key: value for key, value in known.items() if key in model.model_fields}
        filled[table] = _over(shared, asked.get(table, {}))
    return asked | filled


def _stage(asked: object, general: Mapping[str, Any]) -> object:
    """A stage's tables with what they leave open filled from the project's."""
    if not isinstance(asked, dict):
        return asked
    tables = StageConfig.model_fields
    return asked | {name: _over(general.get(name, {}), asked.get(name, {})) for name in tables}


def _over(values: Any, asked: Any) -> Any:  # noqa: ANN401 - as the file has them
    """`asked` over `values`; what is no table is left for validation."""
    return values | asked if isinstance(values, dict) and isinstance(asked, dict) else asked


def _explained(fault: ValidationError) -> ConfigError:
    """The first fault of a validation, as what / where / fix."""
    first = fault.errors()[0]
    named = [part for part in first["loc"] if isinstance(part, str)]  # no places in a list
    *tables, key = named or [""]
    where = f"{FILE} [{'.'.join(tables)}]" if tables else FILE
    if first["type"] == "extra_forbidden":
        if tables[:1] == ["agent"] and tables[2:] == ["train"] and key in TrainConfig.model_fields:
            return ConfigError(
                say("`{key}` can't differ from agent to agent", key=key),
                where=where,
                fix=say("set it in [train]: all adapters of a run share it"),
            )
        near = get_close_matches(key, _known(tables), n=1)
        return ConfigError(
            say("unknown setting `{key}`", key=key),
            where=where,
            fix=say("did you mean `{near}`?", near=near[0]) if near
            else say("known here: {known}", known=", ".join(_known(tables))),
        )  # fmt: skip
    return ConfigError(
        say("`{key}` can't be {value}: {why}", key=key, value=_quoted(first), why=first["msg"]),
        where=where,
        fix=say("give a value the setting allows (docs/reference.md)"),
    )


def _quoted(fault: ErrorDetails) -> str:
    """The value that was refused; Python won't write a number of thousands of digits."""
    try:
        return repr(fault["input"])[:80]
    except ValueError:
        return "…"


def _known(tables: list[str]) -> list[str]:
    """The settings of a table."""
    place: Any = YukjoConfig
    for table in tables:
        if get_origin(place) is dict:
            place = get_args(place)[1]
        elif table in getattr(place, "model_fields", ()):
            place = place.model_fields[table].annotation
        else:
            return []
    return list(getattr(place, "model_fields", ()))
