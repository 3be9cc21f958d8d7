"""What is read of the gate's answer in an entry, as leniently as the rest of a body."""

from pydantic import Field, ValidationError

from yukjo.errors import LedgerError
from yukjo.ledger.body import Part
from yukjo.records import Entry, Ruling
from yukjo.words import say


class Line(Part):
    """A `records.Ruled`, as far as it was written."""

    target: str
    metric: str = ""
    agent: str = ""
    kind: str = ""
    bar: float | None = None
    ruling: Ruling
    why: str = ""
    before: float | None = None
    after: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    needed: int | None = None


class Gate(Part):
    """A `records.Decision` with its seal, and the part of each agent."""

    verdict: Ruling
    rule: str = ""
    lines: tuple[Line, ...] = ()
    seal: int | None = None
    """Number of the seal's entry."""
    agents: dict[str, Ruling] = Field(default_factory=dict)

    @property
    def decided_by(self) -> Line | None:
        """The line whose rule decided; None for a pass."""
        return next((n for n in self.lines if f"{n.target}/{n.agent}" == self.rule), None)


def gate_of(entry: Entry) -> Gate | None:
    """The answer in a verdict, or in the entry of a run; None in one of before there was a gate."""
    body = entry.body if entry.kind == "verdict" else entry.body.get("gate")
    if body is None:
        return None
    try:
        return Gate.model_validate(body)
    except ValidationError as fault:
        raise LedgerError(
            say("the entry can't be shown: {why}", why=fault.errors()[0]["msg"]),
            where=say("entry {number}, {place}", number=entry.number, place="gate"),
            fix=say("run `yukjo ledger verify`; `yukjo ledger export --format jsonl` shows it raw"),
        ) from None
