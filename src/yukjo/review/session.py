"""A blind session and its seal: what raters may see, and what they may not.

1. The session carries a commitment: SHA-256 over all the rest of it, the sides and a nonce of 256
   bits. Who has only the session learns nothing of the sides, and no other sides, texts or terms
   open it later.
2. The reference answer is not in it: a tuned adapter answers in the manner of its references, and
   beside one the sides could be guessed.
"""

from typing import Literal

from pydantic import Field

from yukjo.errors import ReviewError
from yukjo.files import hash_json
from yukjo.records import Frozen, Message
from yukjo.words import say

Place = Literal["left", "right"]


class Terms(Frozen):
    """How a session is held."""

    overlap: float = Field(0.3, ge=0, le=1)
    """Share of each agent's pairs that every rater sees; each of the rest is seen by one."""
    repeat: float = Field(0.0, ge=0, le=1)
    """Share of each agent's pairs that their rater sees again, on newly drawn sides."""
    alpha: float = Field(0.05, gt=0, lt=1)
    """The chance of saying "enough" over a difference that is not there."""


class Pair(Frozen):
    """Two answers to one case, as a rater sees them."""

    id: str
    agent: str
    case: str
    """Hash of the sample."""
    earlier: tuple[Message, ...] = ()
    """Turns of the conversation before the question."""
    instruction: str
    input: str
    left: str
    right: str
    everyone: bool
    """Whether all raters see it."""
    again: str = ""
    """The pair that this one repeats, to see whether a rater agrees with themselves."""


class Session(Frozen):
    """What raters may see."""

    id: str
    run: str
    """The run whose after side is on trial."""
    against: str
    """The run whose after side it is compared with; "" for the before side of `run`."""
    adapters: dict[str, str]
    """Agent -> content hash of the adapter on trial."""
    opponents: dict[str, str]
    """Agent -> content hash of what it is compared with; "" for the bare base."""
    terms: Terms
    pairs: tuple[Pair, ...] = Field(min_length=1)
    commitment: str = ""

    @property
    def hash(self) -> str:
        """Hex SHA-256 of all but the commitment."""
        return hash_json(self.model_dump(mode="json", exclude={"commitment"}))

    def pair(self, name: str) -> Pair:
        """The pair called `name`; ReviewError where there is none."""
        for pair in self.pairs:
            if pair.id == name:
                return pair
        raise ReviewError(
            say("this session has no pair `{pair}`", pair=name),
            where=say("session {session}", session=self.id),
            fix=say("ask for one: `yukjo review next`"),
        )


class Seal(Frozen):
    """What opens a session; it is kept from the raters until the session is closed."""

    session: str
    """Its id."""
    nonce: str = Field(pattern="^[0-9a-f]{64}$")
    after: dict[str, Place]
    """Pair -> where the answer of the adapter on trial stands."""

    def commitment(self, session: Session) -> str:
        """What `session` must carry if this seal is its own."""
        return hash_json({"session": session.hash, "nonce": self.nonce, "after": self.after})

    def opens(self, session: Session) -> bool:
        """Whether these are the sides that were drawn, and these the pairs they were drawn for."""
        return self.commitment(session) == session.commitment
