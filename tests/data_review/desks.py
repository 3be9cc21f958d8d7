"""Toys for the tests of a review of samples."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yukjo.data_review import ITEMS, Desk
from yukjo.ledger.store import Ledger
from yukjo.records import Sample

ALL = ITEMS


def sample(agent: str, number: int, output: str = "답변입니다.") -> Sample:
    """A sample with an id."""
    return Sample(
        instruction=f"{number}번 질문", output=output, agent_type=agent, id=f"{agent}-{number}"
    )


@contextmanager
def desk_at(place: Path | str) -> Iterator[Desk]:
    """A desk over a ledger at `place`."""
    with Ledger(place) as ledger:
        yield Desk(ledger)
