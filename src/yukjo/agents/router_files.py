"""Read questions for the router from JSONL: `{"text": ..., "agent": ..., "acceptable": [...]}`.

To be routed a line needs `text` alone; to be learned, or to measure the router by, `agent` too.
"""

from collections.abc import Collection
from pathlib import Path

from pydantic import ValidationError

from yukjo.data.findings import Fault, explain
from yukjo.data.lines import LIMIT, Line, name_of, read_lines
from yukjo.data.parse import parse
from yukjo.errors import DataError
from yukjo.records import Frozen
from yukjo.words import say


class Asked(Frozen):
    """A question."""

    text: str
    agent: str = ""
    """Who should answer first; "" where nobody says so."""
    acceptable: tuple[str, ...] = ()
    """All who may answer, where more than one may."""
    manner: str = ""
    """How it is written: with typos, in dialect, in anger."""

    @property
    def right(self) -> frozenset[str]:
        """Everyone who may answer."""
        return frozenset((self.agent, *self.acceptable))


def read_texts(file: Path) -> list[Asked]:
    """The questions in `file`; DataError names the file and the line."""
    asked = [_asked(line, file) for line in read_lines(file)]
    if not asked:
        raise _wrong(say("the file holds no question"), name_of(file))
    return asked


def read_asked(file: Path, *, agents: Collection[str]) -> list[Asked]:
    """The questions in `file`, each for some of `agents`."""
    asked = read_texts(file)
    for number, one in enumerate(asked, 1):
        if unknown := sorted(one.right - set(agents)):
            raise DataError(
                say("no agent of the project: `{name}`", name=unknown[0]),
                where=f"{name_of(file)}:{number}",
                fix=say("name one of {agents}", agents=", ".join(agents)),
            )
    return asked


def _asked(line: Line, file: Path) -> Asked:
    place = f"{name_of(file)}:{line.number}"
    if line.data is None:
        raise _wrong(say("the line is longer than {limit} bytes", limit=f"{LIMIT:,}"), place)
    record = parse(line.data)
    if isinstance(record, Fault):
        found = explain(record, file=name_of(file), line=line.number)
        raise DataError(found.message, where=place, fix=found.fix)
    try:
        return Asked.model_validate(record)
    except ValidationError as fault:
        first = fault.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise _wrong(say("`{key}`: {why}", key=key, why=first["msg"]), place) from None


def _wrong(what: str, where: str) -> DataError:
    example = '{"text": "등본 떼려면?", "agent": "citizen_support"}'
    return DataError(what, where=where, fix=say("write lines like {example}", example=example))
