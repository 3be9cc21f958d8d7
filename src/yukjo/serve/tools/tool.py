"""What a tool is: a name, words about it, a schema of its arguments, a run that ends in a Result.

1. A fault in the arguments ends in a Result that says what to mend; a model reads it and tries
   again. Only a bug of ours raises.
2. What a tool found in a file is data: `quoting` marks it as such before it goes into a Result.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import ConfigDict, Field, ValidationError

from yukjo.errors import DataError, YukjoError
from yukjo.records import Frozen
from yukjo.serve.tools.quoting import disarmed
from yukjo.words import say


class Arguments(Frozen):
    """What a tool is asked; the docstrings of its fields stand in the schema."""

    model_config = ConfigDict(use_attribute_docstrings=True, str_strip_whitespace=True)


class Source(Frozen):
    """Where a piece of a result came from."""

    title: str
    place: str
    """Page, paragraph, article or columns, in words."""
    file: str
    """Relative to the folder in the settings."""


class Result(Frozen):
    """What a call came to."""

    tool: str
    text: str
    """For the model: everything it needs, with what came from files quoted."""
    sources: tuple[Source, ...] = ()
    extra: dict[str, Any] = Field(default_factory=dict)
    """For programs: figures as JSON, a chart as SVG."""
    failed: bool = False
    """The call could not be done; `text` says what, where and how to mend it."""


Asked = TypeVar("Asked", bound=Arguments)


class Tool(ABC, Generic[Asked]):
    """One tool; it may be called from several threads."""

    name: ClassVar[str]
    arguments: type[Asked]

    @property
    @abstractmethod
    def about(self) -> str:
        """What it does and when to call it, in the language being spoken."""

    @abstractmethod
    def run(self, asked: Asked) -> Result:
        """Do it; YukjoError where it can't be done."""

    @abstractmethod
    def by_rule(self, text: str) -> list[dict[str, Any]]:
        """Arguments of the calls that a rule finds due for what a user wrote."""

    def call(self, given: Mapping[str, Any]) -> Result:
        """Check the arguments, and do it; a fault of any kind is a failed Result."""
        try:
            return self.run(self._checked(given))
        except YukjoError as fault:
            return failed(self.name, fault)

    def schema(self) -> dict[str, Any]:
        """Its definition in the OpenAI tool protocol."""
        parameters = self.arguments.model_json_schema()
        parameters.pop("title")
        parameters.pop("description", None)
        function = {"name": self.name, "description": self.about, "parameters": parameters}
        return {"type": "function", "function": function}

    def _checked(self, given: Mapping[str, Any]) -> Asked:
        try:
            return self.arguments.model_validate(given)
        except ValidationError as fault:
            first = fault.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise DataError(
                say("argument `{key}` of the tool: {why}", key=key or "-", why=first["msg"]),
                where=self.name,
                fix=say("arguments: {known}", known=", ".join(self.arguments.model_fields)),
            ) from None


def failed(tool: str, fault: YukjoError) -> Result:
    """A fault as a Result, so that a model can mend its call; what was asked is data too."""
    said = say("The call failed: {what} ({where}). {fix}", what=fault.what, where=fault.where,
               fix=fault.fix)  # fmt: skip
    return Result(tool=tool, text=disarmed(said), failed=True)
