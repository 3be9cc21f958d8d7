"""A review of samples as CSV: a row for each sample and each word on it, without texts."""

import csv
from collections.abc import Iterable
from io import StringIO

from yukjo.data_review.records import Standing

COLUMNS = (
    "sample", "name", "agent", "state", "needed", "before", "authors", "assigned",
    "reviewer", "verdict", "items", "reason", "created", "entry",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(standings: Iterable[Standing]) -> str:
    """All that was said, as CSV; a sample nobody spoke of has one row.

    A text that a spreadsheet would run as a formula is put behind an apostrophe.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in standings:
        subject = one.subject
        head = (subject.hash, subject.name, subject.agent, one.state, subject.needed,
                subject.before, " ".join(subject.authors), " ".join(one.assigned))  # fmt: skip
        for said in one.history:
            own = said.decision
            row = (*head, own.reviewer, own.verdict, " ".join(own.items), own.reason,
                   said.created, said.entry)  # fmt: skip
            writer.writerow(map(_plain, row))
        if not one.history:
            writer.writerow(map(_plain, (*head, *[""] * (len(COLUMNS) - len(head)))))
    return out.getvalue()


def _plain(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
