"""The agents' tools: real ones, offline.

A model calls them through the OpenAI tool protocol (`schemas`, `call`); where a small model fails
to call, `by_rule` decides from the user's text.

>>> box = Toolbox(ToolsConfig(), Path())
>>> box.call("calculator", {"expression": "3억 5천만 원 × 2%"}).text
'3억 5천만 원 × 2% = 7,000,000원(700만 원)'
"""

import json
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any

from yukjo.agents import Role
from yukjo.config.models import ToolsConfig
from yukjo.errors import ConfigError, DataError
from yukjo.serve.tools.analysis import DataAnalysis
from yukjo.serve.tools.calculator import Calculator
from yukjo.serve.tools.check import DocumentCheck
from yukjo.serve.tools.documents import DocumentSearch
from yukjo.serve.tools.laws import LegalReference
from yukjo.serve.tools.means import means
from yukjo.serve.tools.quoting import inline
from yukjo.serve.tools.search import Shelf
from yukjo.serve.tools.tool import Result, Source, Tool, failed
from yukjo.words import say

__all__ = ["Result", "Source", "Toolbox", "folder_of"]


class Toolbox:
    """The tools that a project has material for; the calculator and the check need none.

    May be used from several threads. Documents and laws are read from the index, so that their
    folders needn't be where the server is; ConfigError where the folder of tables is missing.
    """

    def __init__(self, config: ToolsConfig, project: Path) -> None:
        made: list[Tool[Any]] = [Calculator(), DocumentCheck()]
        index = Shelf(project / config.index, means())
        if config.tables:
            made.append(DataAnalysis(folder_of(project, config.tables, "tables")))
        if config.documents:
            made.append(DocumentSearch(index))
        if config.laws:
            made.append(LegalReference(index))
        self._tools = {tool.name: tool for tool in made}

    def for_agent(self, role: Role) -> "Toolbox":
        """The tools that a role names, as far as the project has material for them."""
        named = {name: self._tools[name] for name in role.tools if name in self._tools}
        chosen = copy(self)
        chosen._tools = named  # noqa: SLF001 - its own
        return chosen

    @property
    def names(self) -> tuple[str, ...]:
        """The tools in this box."""
        return tuple(self._tools)

    def schemas(self) -> list[dict[str, Any]]:
        """Their definitions in the OpenAI tool protocol."""
        return [tool.schema() for tool in self._tools.values()]

    def call(self, name: str, arguments: Mapping[str, Any] | str) -> Result:
        """Call a tool; arguments may be JSON text, as the protocol has them.

        Whatever is wrong with the call is a Result with `failed`.
        """
        tool = self._tools.get(name)
        if tool is None:
            known = ", ".join(self._tools) or "-"
            fault = DataError(
                say("no tool is called `{name}`", name=inline(name)),
                where="tool_calls",
                fix=say("tools: {known}", known=known),
            )
            return failed(inline(name), fault)
        try:
            return tool.call(_parsed(arguments, name) if isinstance(arguments, str) else arguments)
        except DataError as fault:
            return failed(name, fault)

    def by_rule(self, text: str) -> list[Result]:
        """Do what a user's text calls for, by the rule of each tool in the box."""
        return [
            tool.call(arguments)
            for tool in self._tools.values()
            for arguments in tool.by_rule(text)
        ]


def folder_of(project: Path, folder: Path, setting: str) -> Path:
    """A folder named in [tools]; ConfigError where it is missing."""
    found = project / folder
    if not found.is_dir():
        raise ConfigError(
            say("the folder is missing: {folder}", folder=found),
            where=f"yukjo.toml [tools] {setting}",
            fix=say("make the folder, or leave it out of the settings"),
        )
    return found


def _parsed(text: str, tool: str) -> Mapping[str, Any]:
    """The arguments in a JSON object."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DataError(
            say("the arguments are no JSON object"), where=tool, fix='{"expression": "1 + 2"}'
        )
    return found
