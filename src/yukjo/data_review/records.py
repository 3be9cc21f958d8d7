"""The nouns of a review of samples: what is reviewed, what was said of it, how it stands."""

from typing import Literal, Self, get_args

from yukjo.data.stats import uses_tools
from yukjo.records import Frozen, Sample

Item = Literal["accuracy", "relevance", "natural", "tools"]
ITEMS: tuple[Item, ...] = get_args(Item)
"""What a person answers for: facts are right, the question is answered, the Korean is natural,
tools are used where and as they should be. The other four of the checklist are the program's."""

Verdict = Literal["approve", "return"]
State = Literal["waiting", "approved", "returned", "replaced"]
"""Replaced: the sample was edited since, and its newer version is reviewed instead."""
STATES: tuple[State, ...] = get_args(State)

TWO_PEOPLE = ("legal_research",)
"""Agents of whose samples each needs the approval of two people."""

LONGEST_REASON = 2000
"""Characters."""


class Subject(Frozen):
    """A sample as the record knows it: by its content hash, never by its text."""

    hash: str
    name: str
    """Its id, else the start of its hash."""
    agent: str
    tools: bool
    """Whether it rests on a tool's result."""
    before: str = ""
    """Hash of the version that this one replaces, "" for a sample's first."""
    authors: tuple[str, ...] = ()
    """Reviewers who wrote or brought in any of its versions: they can't approve it."""

    @classmethod
    def of(cls, sample: Sample, *, before: str = "", authors: tuple[str, ...] = ()) -> Self:
        """What the record is to know of a sample."""
        return cls(hash=sample.hash, name=sample.name, agent=sample.agent_type,
                   tools=uses_tools(sample), before=before, authors=authors)  # fmt: skip

    @property
    def needed(self) -> int:
        """How many people must approve it."""
        return 2 if self.agent in TWO_PEOPLE else 1

    @property
    def asked(self) -> tuple[Item, ...]:
        """What must be confirmed to approve it."""
        return ITEMS if self.tools else ITEMS[:-1]


class Decision(Frozen):
    """What a reviewer says of a sample."""

    sample: str
    """Its hash."""
    reviewer: str
    """A pseudonym, as `r1`."""
    verdict: Verdict
    items: tuple[Item, ...] = ()
    """What was confirmed by an approval; what is wrong by a return, where it is one of these."""
    reason: str = ""


class Said(Frozen):
    """A decision as it stands in the ledger."""

    entry: int
    """Number of its entry."""
    created: str
    """ISO 8601, UTC."""
    decision: Decision


class Standing(Frozen):
    """How a sample stands."""

    subject: Subject
    state: State
    assigned: tuple[str, ...]
    approved_by: tuple[str, ...]
    """Whose last word on it is an approval."""
    returned_by: tuple[str, ...]
    history: tuple[Said, ...]
    """Everything said of this version, oldest first; of earlier ones: `Desk.history`."""
