"""What raters say of a pair, and what of all that was said counts.

1. Nothing said is ever taken back: a rating said again amends the first, and both stay.
2. What was said after the session was closed doesn't count.
3. A pair that not all raters see is free until one has rated it. Each rater has an order of
   their own; repeats come last, and only to those who rated the pair before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, NonNegativeFloat, ValidationError

from yukjo.errors import ReviewError
from yukjo.files import hash_json
from yukjo.records import Entry, Frozen
from yukjo.review.session import Pair, Place, Session
from yukjo.words import say

Kind = Literal["fact", "citation", "format", "tone", "personal-data", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What is wrong with an answer: a fact, a law or citation, form, manner, personal data, other."""

Score = Annotated[int, Field(ge=1, le=5)]
Errors = Annotated[tuple[Kind, ...], AfterValidator(lambda kinds: tuple(dict.fromkeys(kinds)))]
"""Each kind once."""

LONGEST_COMMENT = 2000
"""Characters."""

OPEN, SHOWN, RATING, CLOSE = "open", "shown", "rating", "close"
"""The kinds of lines in a session's book."""


class Opinion(Frozen):
    """What a rater says of a pair."""

    left: Score
    right: Score
    prefer: Literal["left", "right", "tie"]
    errors_left: Errors = ()
    errors_right: Errors = ()
    comment: str = Field("", max_length=LONGEST_COMMENT)

    @property
    def scores(self) -> dict[Place, int]:
        """The score of each side."""
        return {"left": self.left, "right": self.right}

    @property
    def errors(self) -> dict[Place, tuple[Kind, ...]]:
        """What is wrong on each side."""
        return {"left": self.errors_left, "right": self.errors_right}


class Rating(Frozen):
    """An opinion with its pair and rater."""

    pair: str
    rater: str
    """A pseudonym, as `r1`."""
    opinion: Opinion
    seconds: NonNegativeFloat
    """From the first time the rater was shown the pair."""


By = tuple[str, str]
"""A rater, and the pair they saw."""


@dataclass(slots=True)
class Sheet:
    """All that was said in a session until it was closed."""

    every: list[tuple[str, Rating]] = field(default_factory=list)
    """When it was said, and what; the whole history."""
    shown: dict[By, float] = field(default_factory=dict)
    """When a rater first saw a pair, in seconds since 1970."""
    first: dict[By, Rating] = field(default_factory=dict)
    """As it was first said, in order of arrival."""
    last: dict[By, Rating] = field(default_factory=dict)
    """As it stands, amended or not; in order of arrival too."""
    amended: int = 0
    closed: bool = False
    lines: int = 0
    head: str = ""
    """Hash of the last line read: it stands for all of them."""


def sheet(lines: Iterable[Entry]) -> Sheet:
    """What the lines of a session's book say; those after its closing are left out."""
    read = Sheet()
    for line in lines:
        read.lines, read.head = line.number, line.hash
        if line.kind == CLOSE:
            read.closed = True
            break
        try:
            _take(line, read)
        except (KeyError, ValidationError) as fault:
            raise ReviewError(
                say("line {number} of the ratings can't be read: {reason}",
                    number=line.number, reason=str(fault).splitlines()[0]),
                where=say("session {session}", session=line.run),
                fix=say("run `yukjo review verify`, then restore the folder from a copy"),
            ) from None  # fmt: skip
    return read


def _take(line: Entry, read: Sheet) -> None:
    """Add what one line says."""
    if line.kind == SHOWN:
        read.shown.setdefault((line.body["rater"], line.body["pair"]), line.body["at"])
    elif line.kind == RATING:
        rating = Rating.model_validate(line.body)
        key = rating.rater, rating.pair
        read.every.append((line.created, rating))
        read.amended += key in read.first
        read.first.setdefault(key, rating)
        read.last[key] = rating


def waiting(session: Session, rater: str, said: Sheet) -> list[Pair]:
    """The pairs that `rater` may still rate, the next one first."""
    taken = {pair for _, pair in said.last}

    def free(pair: Pair) -> bool:
        if (rater, pair.id) in said.last:
            return False
        if pair.again:
            return (rater, pair.again) in said.last
        return pair.everyone or pair.id not in taken

    def turn(pair: Pair) -> tuple[bool, str]:
        return pair.again != "", hash_json([session.id, rater, pair.id])

    return sorted(filter(free, session.pairs), key=turn)
