"""Read the agents' roles from TOML, one file an agent; the file's name is the agent's name.

Promise: a role that is returned has passed every check; a broken file is named.

1. The six built-in agents come first, in the order of `records.SIX`, then a project's own.
2. A project's file of the same name replaces the built-in role whole; nothing is merged.
3. The prompt is short and NFC: every sample is computed with it, and two spellings of one
   prompt would be two adapters.
"""

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from yukjo.errors import ConfigError
from yukjo.files import hash_json
from yukjo.records import SIX, Frozen
from yukjo.words import say

_SUFFIX = ".toml"


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Line = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(_nfc)]


class Role(Frozen):
    """One agent: its titles, its system prompt, its tools and the rules its answers keep."""

    name: Name
    title: Line
    title_en: Line
    prompt: Line
    """The Korean system prompt. It stands before every sample, so each character costs time."""
    tools: tuple[Name, ...] = ()
    rules: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Names of conformance rules; `evaluate.conformance` knows what each demands."""

    @property
    def prompt_hash(self) -> str:
        """Hex SHA-256 of the prompt: another prompt is another adapter."""
        return hash_json(self.prompt)


def roles(folder: Path | None = None) -> dict[str, Role]:
    """All roles by name: the built-in six in order, then those only in a project's `folder`."""
    found = dict(_built_in())
    if folder is not None:
        found |= _read(_project_files(folder))
    return found


def of_project(project: Path) -> dict[str, Role]:
    """The roles of a project: the built-in six, and those in its folder `roles` if it has one."""
    folder = project / "roles"
    return roles(folder if folder.is_dir() else None)


def role(name: str, folder: Path | None = None) -> Role:
    """The role called `name`; ConfigError with the nearest name where there is none."""
    return pick(roles(folder), name)


def pick(known: Mapping[str, Role], name: str) -> Role:
    """The role called `name` among those `known`; ConfigError with the nearest name."""
    if name in known:
        return known[name]
    raise ConfigError(
        say("unknown agent `{name}`", name=name),
        where=say("the agents named in the project or its data"),
        fix=_nearest(name, known),
    )


@cache
def _built_in() -> Mapping[str, Role]:
    """The roles that come with the program, in the order of `SIX`."""
    folder = resources.files(__package__) / "roles"
    return _read(folder / f"{name}{_SUFFIX}" for name in SIX)


def _project_files(folder: Path) -> list[Path]:
    """The role files of a project, by name; ConfigError where there is no such folder."""
    if not folder.is_dir():
        raise ConfigError(
            say("the folder of roles is missing"),
            where=str(folder),
            fix=say("make the folder, or leave it out of the settings"),
        )
    return sorted(folder.glob(f"*{_SUFFIX}"))


def _read(files: Iterable[Traversable]) -> dict[str, Role]:
    return {made.name: made for made in map(_parse, files)}


def _parse(file: Traversable) -> Role:
    """The role in a file; ConfigError names the file and what is wrong in it."""
    try:
        asked = tomllib.loads(file.read_bytes().decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as fault:
        raise ConfigError(
            say("this role can't be read: {fault}", fault=fault),
            where=str(file),
            fix=say("make it a readable TOML file in UTF-8"),
        ) from None
    _refuse_unknown(asked, file)
    try:
        return Role.model_validate({**asked, "name": file.name.removesuffix(_SUFFIX)})
    except ValidationError as fault:
        raise _explained(fault, file) from None


def _refuse_unknown(asked: Mapping[str, object], file: Traversable) -> None:
    """ConfigError on a key no role has; `name` is one of them, for the file's name says it."""
    known = [field for field in Role.model_fields if field != "name"]
    for key in asked:
        if key not in known:
            raise ConfigError(
                say("unknown key `{key}` in a role", key=key), where=str(file),
                fix=_nearest(key, known),
            )  # fmt: skip


def _explained(fault: ValidationError, file: Traversable) -> ConfigError:
    """The first fault of a role file, as what / where / fix."""
    first = fault.errors()[0]
    key = ".".join(map(str, first["loc"]))
    return ConfigError(
        say("`{key}` of the role is missing", key=key) if first["type"] == "missing"
        else say("`{key}` of the role is wrong: {why}", key=key, why=first["msg"]),
        where=str(file),
        fix=say("write it like the built-in roles in yukjo/agents/roles"),
    )  # fmt: skip


def _nearest(name: str, known: Iterable[str]) -> str:
    """What to do about a wrong name, in words."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return say("did you mean `{near}`?", near=near[0])
    return say("known here: {known}", known=", ".join(names))
