"""What the ledger's entries of kind `data-review` say, read one after another.

Each entry is one event:

    {"event": "reviewers", "added": {"r1": SHA-256 of the token}}
    {"event": "samples", "samples": [{"hash", "name", "agent", "tools", "before", "authors"}]}
    {"event": "assign", "given": {"r1": [hash]}}
    {"event": "release", "reviewer": "r1"}           undecided samples are taken back from r1
    {"event": "decide", "sample", "reviewer", "verdict", "items", "reason"}

1. A reviewer's last word on a sample counts; all words stay in its history.
2. A sample is approved when as many people as it needs have approved it and nobody's last word is
   a return.
3. An edited sample is another sample, linked to the one before by `before`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

from yukjo.data_review.records import Decision, Said, Standing, State, Subject
from yukjo.errors import ReviewError
from yukjo.records import Entry
from yukjo.words import say

KIND = "data-review"
"""The kind of the entries."""


@dataclass(slots=True)
class Book:
    """All that was said until an entry of the ledger."""

    read: int = 0
    """Number of the last entry taken."""
    reviewers: dict[str, str] = field(default_factory=dict)
    """Pseudonym -> SHA-256 of the token."""
    subjects: dict[str, Subject] = field(default_factory=dict)
    """By hash, in the order they were handed in."""
    current: dict[str, str] = field(default_factory=dict)
    """Name -> hash of its newest version."""
    assigned: dict[str, list[str]] = field(default_factory=dict)
    """Hash -> who is to review it."""
    said: dict[str, list[Said]] = field(default_factory=dict)
    """Hash -> what was said of it, oldest first."""

    def take(self, entries: Iterable[Entry]) -> None:
        """Read on; an entry that was taken is passed over. ReviewError where one is no event."""
        for entry in entries:
            if entry.kind != KIND or entry.number <= self.read:
                continue
            try:
                self._take(entry)
            except (KeyError, TypeError, AttributeError, ValidationError) as fault:
                raise ReviewError(
                    say("entry {number} of the data review can't be read: {reason}",
                        number=entry.number, reason=str(fault).splitlines()[0]),
                    where=say("entry {number}", number=entry.number),
                    fix=say("run `yukjo ledger verify`, or read it with the version that wrote it"),
                ) from None  # fmt: skip
            self.read = entry.number

    def _take(self, entry: Entry) -> None:
        """What one entry says."""
        body = entry.body
        match body["event"]:
            case "reviewers":
                self.reviewers |= body["added"]
            case "samples":
                for one in map(Subject.model_validate, body["samples"]):
                    self.subjects[one.hash] = one
                    self.current[one.name] = one.hash
            case "assign":
                for reviewer, hashes in body["given"].items():
                    for sample in hashes:
                        self.assigned.setdefault(sample, []).append(reviewer)
            case "release":
                for sample in self.undecided(body["reviewer"]):
                    self.assigned[sample].remove(body["reviewer"])
            case "decide":
                said = {name: value for name, value in body.items() if name != "event"}
                decision = Decision.model_validate(said)
                self.said.setdefault(decision.sample, []).append(
                    Said(entry=entry.number, created=entry.created, decision=decision)
                )

    def last(self, sample: str) -> dict[str, Said]:
        """Reviewer -> their last word on a sample."""
        return {one.decision.reviewer: one for one in self.said.get(sample, ())}

    def undecided(self, reviewer: str) -> list[str]:
        """Hashes of the samples that a reviewer is still to decide on, oldest first."""
        return [
            one
            for one, subject in self.subjects.items()
            if reviewer in self.assigned.get(one, ())
            and self.current[subject.name] == one
            and reviewer not in self.last(one)
        ]

    def standing(self, sample: str) -> Standing:
        """How a known sample stands."""
        subject, last = self.subjects[sample], self.last(sample)
        approved, returned = (
            tuple(name for name, one in last.items() if one.decision.verdict == verdict)
            for verdict in ("approve", "return")
        )
        state: State = "approved" if len(approved) >= subject.needed else "waiting"
        if returned:
            state = "returned"
        if self.current[subject.name] != sample:
            state = "replaced"
        return Standing(
            subject=subject,
            state=state,
            assigned=tuple(self.assigned.get(sample, ())),
            approved_by=approved,
            returned_by=returned,
            history=tuple(self.said.get(sample, ())),
        )

    def standings(self) -> list[Standing]:
        """How every sample stands, in the order they were handed in."""
        return [self.standing(sample) for sample in self.subjects]

    def approved(self) -> frozenset[str]:
        """Hashes of the samples that may be trained on."""
        return frozenset(s.subject.hash for s in self.standings() if s.state == "approved")
