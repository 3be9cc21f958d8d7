"""What an evaluation keeps as it came: losses and answers, so that it can be scored again.

One row a loss or an answer; `Raw.rows` and `read` are each other's inverse.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple

from pydantic import Field, FiniteFloat, PositiveInt, ValidationError

from yukjo.errors import RunError
from yukjo.files import sorted_json
from yukjo.records import Answer, Frozen
from yukjo.words import say

Loss = Annotated[FiniteFloat, Field(ge=0)]


class RawCase(Frozen):
    """One test case's loss under the bare base and under its agent's adapter."""

    case: str
    """Hash of the sample."""
    agent: str
    learned: PositiveInt
    """Tokens of the reply, over which the losses are summed."""
    nll_before: Loss
    """In nats."""
    nll_after: Loss


class Raw(Frozen):
    """Everything that was measured on the test cases, before and after."""

    cases: tuple[RawCase, ...] = ()
    before: tuple[Answer, ...] = ()
    after: tuple[Answer, ...] = ()

    def rows(self) -> Iterator[dict[str, Any]]:
        """One JSON object a loss or answer, its `kind` first."""
        for kind, found in (("loss", self.cases), ("before", self.before), ("after", self.after)):
            for row in found:
                yield {"kind": kind, **row.model_dump(mode="json")}


_KINDS: dict[str, type[RawCase | Answer]] = {"loss": RawCase, "before": Answer, "after": Answer}


class _Row(NamedTuple):
    kind: str
    record: RawCase | Answer


def read(rows: Iterable[str], *, where: str) -> Raw:
    """The rows of a file called `where`; RunError names the line that can't be used."""
    found = [_row(row, f"{where}:{number}") for number, row in enumerate(rows, 1) if row.strip()]
    return Raw.model_validate(
        {
            "cases": [row.record for row in found if row.kind == "loss"],
            "before": [row.record for row in found if row.kind == "before"],
            "after": [row.record for row in found if row.kind == "after"],
        }
    )


def _row(text: str, where: str) -> _Row:
    try:
        fields = json.loads(text)
        kind = fields.pop("kind")
        record = _KINDS[kind].model_validate(fields)
        sorted_json(record.model_dump(mode="python"))  # refuses NaN and infinities
        return _Row(kind, record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise RunError(
            say("this stored answer can't be used: {fault}", fault=_first(fault)),
            where=where,
            fix=say("restore the file from a backup, or evaluate again"),
        ) from None


def _first(fault: Exception) -> str:
    """The first thing that is wrong, on one line."""
    if isinstance(fault, ValidationError):
        first = fault.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(fault)
