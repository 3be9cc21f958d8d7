"""Read `yukjo.toml`: preset first, then the file; every fault names its table and its mend."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from yukjo.config.models import YukjoConfig
from yukjo.config.presets import PRESETS
from yukjo.errors import ConfigError
from yukjo.words import say

FILE = "yukjo.toml"


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
        return YukjoConfig.model_validate(_over_preset(asked))
    except ValidationError as fault:
        raise _explained(fault) from None


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
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return name, value


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
    """`asked` with what it leaves open in [lora] and [train] filled from its preset."""
    preset = asked.get("preset", YukjoConfig.model_fields["preset"].default)
    filled = dict(asked)
    for table, values in PRESETS.get(preset, {}).items() if isinstance(preset, str) else ():
        if isinstance(asked.get(table, {}), dict):
            filled[table] = values | asked.get(table, {})
    return filled


def _explained(fault: ValidationError) -> ConfigError:
    """The first fault of a validation, as what / where / fix."""
    first = fault.errors()[0]
    *tables, key = [str(part) for part in first["loc"]] or [""]
    where = f"{FILE} [{'.'.join(tables)}]" if tables else FILE
    if first["type"] == "extra_forbidden":
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
    model: type[BaseModel] = YukjoConfig
    for table in tables:
        field = model.model_fields.get(table)
        if field is None or not isinstance(field.annotation, type):
            return []
        model = field.annotation
    return list(model.model_fields)
