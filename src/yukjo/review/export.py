"""All ratings of a session as CSV, with their history."""

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Any

from yukjo.review.rating import Rating, Sheet
from yukjo.review.session import Place, Session

_FORMULA = ("=", "+", "-", "@")


def csv_text(session: Session, said: Sheet, after: Mapping[str, Place]) -> str:
    """A line a rating, in the order they were made; `stands` is 0 where it was amended later.

    `after` says where the adapter on trial stood in each pair; while it is empty the columns
    `before`, `after` and `preferred` are too. A comment that a spreadsheet would take for a
    formula gets an apostrophe in front; control codes are replaced.
    """
    rows = []
    for created, rating in said.every:
        pair = session.pair(rating.pair)
        row = {"created": created, "pair": pair.id, "again": pair.again, "case": pair.case,
               "agent": pair.agent, "rater": rating.rater}  # fmt: skip
        stands = int(said.last[rating.rater, rating.pair] is rating)
        rows.append(row | _said(rating) | {"stands": stands} | _opened(rating, after))
    out = StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue()


def _said(rating: Rating) -> dict[str, Any]:
    said = rating.opinion
    comment = "".join(c if c.isprintable() or c == "\n" else "�" for c in said.comment)
    guard = "'" if comment.startswith(_FORMULA) else ""
    return {
        "left": said.left,
        "right": said.right,
        "prefer": said.prefer,
        "errors_left": " ".join(said.errors_left),
        "errors_right": " ".join(said.errors_right),
        "seconds": rating.seconds,
        "comment": guard + comment,
    }


def _opened(rating: Rating, after: Mapping[str, Place]) -> dict[str, Any]:
    new, said = after.get(rating.pair), rating.opinion
    if new is None:
        return {"before": "", "after": "", "preferred": ""}
    old: Place = "right" if new == "left" else "left"
    preferred = {new: "after", old: "before", "tie": "tie"}[said.prefer]
    return {"before": said.scores[old], "after": said.scores[new], "preferred": preferred}
